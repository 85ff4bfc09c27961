package lane

import (
	"slices"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file takes admissions back: because the guard or the sensor says that
// nobody went through, or because nobody can have.

func (c *Core) annul(book Book, in Annul, now desk.Moment) ([]desk.Effect, error) {
	if !in.Sensor && c.unattended() {
		return []desk.Effect{desk.Reject{ID: in.ID, Err: desk.ErrNoShift}}, nil
	}
	adm, ok, err := book.Admission(in.ID)
	if err != nil {
		return nil, err
	}
	was := &adm.Event
	switch {
	case !ok:
		return []desk.Effect{desk.Reject{ID: in.ID, Err: desk.ErrNoScan}}, nil
	case adm.Annulled || now.At-was.At > AnnulMS || was.Case == nil:
		return []desk.Effect{desk.Reject{ID: in.ID, Err: ErrNotAnnullable}}, nil
	}
	source, guard := was.Source, c.OnDuty().Number
	if in.Sensor {
		source, guard = SourceSensor, ""
	}
	r, err := c.takeBack(book, was, source, guard, now)
	if err != nil {
		return nil, err
	}
	if in.Sensor {
		r.Passage = desk.WentNowhere
	}
	return []desk.Effect{desk.Show{Result: r}}, nil
}

// takeBack undoes an own admission: its use, its repeat, its counter, and its line
// in a register.
func (c *Core) takeBack(book Book, was *wire.Event, source, guard string, now desk.Moment) (desk.Result, error) {
	e := wire.Event{
		Type: wire.EventAnnul, Scan: was.Scan, Lane: was.Lane, Source: source, Offline: now.Offline,
		Pass: was.Pass, Verdict: verdict.Verdict{Reason: verdict.Annulled},
		Claim: was.Claim, Annuls: &was.ID, Counts: was.Counts, Guard: guard,
	}
	if err := c.Write(book, &e, now); err != nil {
		return desk.Result{}, err
	}
	if err := book.Unuse(c.useOf(was, counts(was.Verdict, was.Case))); err != nil {
		return desk.Result{}, err
	}
	if err := c.unmoved(book, was, &e); err != nil {
		return desk.Result{}, err
	}
	if was.Claim != "" {
		if err := c.returned(book, was.Pass, was.Claim); err != nil {
			return desk.Result{}, err
		}
	}
	if err := c.uncount(book, was, now); err != nil {
		return desk.Result{}, err
	}
	if was.Register != nil {
		if err := book.Unregister(was); err != nil {
			return desk.Result{}, err
		}
	}
	r, _ := desk.ResultOf(was, true)
	return r, nil
}

// maxDoubted bounds what is kept while a disk takes nothing at all.
const maxDoubted = 256

// doubt notes that a scan was told as failed: it moved nothing, and its admission
// may be on the disk all the same. Memory is enough for that: what a power cut
// leaves may have opened.
func (c *Core) doubt(scan string) {
	if len(c.doubted) < maxDoubted {
		c.doubted = append(slices.Clip(c.doubted), scan)
	}
}

// resolve takes back the admissions that are on the disk though their commits
// failed, before anything else happens to their passes.
func (c *Core) resolve(book Book, now desk.Moment) (effects []desk.Effect, err error) {
	for _, scan := range c.doubted {
		adm, ok, err := book.Admission(scan)
		if err != nil {
			return nil, err
		}
		if !ok || adm.Annulled || adm.Event.Case == nil {
			continue
		}
		r, err := c.takeBack(book, &adm.Event, SourceStore, "", now)
		if err != nil {
			return nil, err
		}
		effects = append(effects, desk.Show{Result: r})
	}
	old := c.doubted
	c.Undo(func() { c.doubted = old })
	c.doubted = nil
	return effects, nil
}

// uncount lets the code of an annulled admission be shown again.
func (c *Core) uncount(book Book, was *wire.Event, now desk.Moment) error {
	p := was.Case.Code.Proof
	if p == nil || p.Counter == 0 {
		return nil
	}
	standing, err := book.Standing(was.Pass, p.Phone)
	if err != nil {
		return err
	}
	if h := standing.Record.Counter; h == nil || *h != p.Counter {
		return nil
	}
	return book.Counter(was.Pass, p.Phone, p.Counter-1, now.At)
}
