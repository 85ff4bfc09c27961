package audit

import (
	"context"
	"fmt"
	"slices"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// docket is a batch on its way: what it needs to know, and what has come of it.
type docket struct {
	auditor *Auditor
	from    int64 // judged up to here before
	knowledge
	opinions []store.Opinion // not yet saved
	seen     map[int64]bool  // earlier events that had their turn in this batch
	judged   int
	differ   int   // opinions that are new and not the gate's
	example  *scan // one of them
	said     verdict.Reason
}

// batch judges the next events, and earlier ones on which they bear. It reports
// whether there are more.
//
// Reading comes first and is done piece by piece, while uploads go on. Whatever
// is committed meanwhile has a later position, so that a later batch sees it,
// and all else again that it touches.
func (a *Auditor) batch(ctx context.Context) (more bool, err error) {
	// Before the events: the last of them may be in quarantine and never come.
	upTo, err := a.store.LastPosition(ctx)
	if err != nil {
		return false, err
	}
	d := &docket{auditor: a, seen: map[int64]bool{}}
	if d.from, err = a.store.Judged(ctx); err != nil {
		return false, err
	}
	events, err := a.store.Events(ctx, d.from, batchEvents)
	if err != nil {
		return false, err
	}
	if more = len(events) == batchEvents; more {
		upTo = events[len(events)-1].Position
	} else if len(events) > 0 {
		upTo = max(upTo, events[len(events)-1].Position)
	}
	if upTo <= d.from {
		return false, nil
	}
	scans, passes, touched := read(events)
	if err := d.learn(ctx, passes); err != nil {
		return false, err
	}
	if err := d.review(ctx, touched); err != nil {
		return false, err
	}
	for i := range scans {
		d.judge(&scans[i])
	}
	if err := d.save(ctx, upTo); err != nil {
		return false, err
	}
	a.judged.Add(uint64(d.judged))
	if d.differ > 0 {
		a.log.Warn("the server judges otherwise than gates did", "events", d.differ,
			"one", d.example.ID, "gate", d.example.Gate, "gate_said", d.example.Reason, "server_says", d.said)
	}
	return more, nil
}

// read gives the scans among events, the passes that any event names, and those
// of them whose uses an event may have changed.
func read(events []store.Event) (scans []scan, passes, touched []signing.PassID) {
	scans = make([]scan, 0, len(events))
	for i := range events {
		e := &events[i]
		var s scan
		if e.Type.Judged() {
			s = readScan(e)
			scans = append(scans, s)
		}
		if !e.Pass.IsZero() {
			passes = append(passes, e.Pass)
		}
		if touches(e, &s) {
			touched = append(touched, e.Pass)
		}
	}
	return scans, distinct(passes), distinct(touched)
}

func distinct(ids []signing.PassID) []signing.PassID {
	slices.SortFunc(ids, func(a, b signing.PassID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

func (d *docket) learn(ctx context.Context, passes []signing.PassID) (err error) {
	keys, err := d.auditor.store.Keys(ctx)
	if err != nil {
		return err
	}
	d.compromised = make(map[signing.KeyID]int64, len(keys))
	for i := range keys {
		d.compromised[keys[i].ID] = keys[i].CompromisedAt
	}
	d.passes, err = d.auditor.store.KnownPasses(ctx, passes)
	return err
}

// review judges earlier events again whose opinions may turn: those that were
// not the gate's, and the admissions of passes that were used too often.
func (d *docket) review(ctx context.Context, touched []signing.PassID) error {
	for after := int64(0); len(touched) > 0; {
		events, err := d.auditor.store.DisputedOf(ctx, touched, after, batchEvents)
		if err != nil {
			return err
		}
		if err := d.again(ctx, events); err != nil {
			return err
		}
		if len(events) < batchEvents {
			break
		}
		after = events[len(events)-1].Position
	}
	for _, id := range touched {
		p := d.passes[id]
		if !overused(&p) {
			continue
		}
		for _, u := range p.Uses {
			events, err := d.auditor.store.EventsOfUse(ctx, u)
			if err != nil {
				return err
			}
			if err := d.again(ctx, events); err != nil {
				return err
			}
		}
	}
	return nil
}

// again judges events that had their turn before.
func (d *docket) again(ctx context.Context, events []store.Event) error {
	for i := range events {
		if e := &events[i]; e.Position <= d.from && !d.seen[e.Position] {
			d.seen[e.Position] = true
			s := readScan(e)
			d.judge(&s)
		}
	}
	if len(d.opinions) < batchEvents {
		return nil
	}
	// Enough for one transaction. Nothing new counts as judged yet.
	return d.save(ctx, d.from)
}

func (d *docket) judge(s *scan) {
	o := d.opinion(s)
	d.judged++
	if o == s.Opinion {
		return
	}
	d.opinions = append(d.opinions, store.Opinion{Position: s.Position, Reason: o})
	if o != s.Reason {
		d.differ, d.example, d.said = d.differ+1, s, o
	}
}

func (d *docket) save(ctx context.Context, upTo int64) error {
	if err := d.auditor.store.SaveOpinions(ctx, d.opinions, upTo); err != nil {
		return fmt.Errorf("save opinions: %w", err)
	}
	d.opinions = d.opinions[:0]
	return nil
}
