package lane

import (
	"time"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is what the policy of the gate adds to a case: kinds of a lane,
// opening hours, and who is inside.

// Presence is the latest word on whether a pass is inside an area.
type Presence struct {
	Area    string
	Pass    signing.PassID
	In      bool
	Since   int64  // when it came in
	Gate    uint16 // by which
	At      int64  // of the word
	Expires int64  // unix s, of the credential
	Seq     uint64 // of the own event that says so; 0 = the server does
	Was     Before // what that event found
}

// Before is what was known of a pass before an event.
type Before struct {
	In    bool
	Since int64
	Gate  uint16
}

// govern puts what the policy says into a case that apply has filled.
func (c *Core) govern(book Book, a *attempt, s *Standing) error {
	k := &a.kase
	at := time.UnixMilli(k.At).In(c.cfg.zone())
	k.Lane.Kinds, a.area = c.lanes[a.scan.Lane].Kinds, ""
	p := s.Rules
	c.alarmed(k, p)
	if p == nil || !k.Code.Kind.OpensGates() {
		return nil
	}
	if p.Area.Kept() {
		a.area = p.AreaName(s.Policy.Zone)
	}
	if k.Lane.Direction == verdict.Exit {
		return nil // whoever wants out gets out
	}
	if kinds, named := p.Lanes[a.scan.Lane]; named {
		k.Lane.Kinds &= kinds
	}
	k.Policy.OutsideHours = !verdict.OpenAt(p.Hours, k.Code.Kind, at)
	if a.area == "" {
		return nil
	}
	return c.crowd(book, a, &p.Area, p.Area.Since(at))
}

// alarmed says what a lockdown or an emergency opening means for a case.
func (c *Core) alarmed(k *verdict.Case, p *wire.Policy) {
	switch state(c.held) {
	case wire.AlarmOpen:
		k.Policy.Emergency = true
	case wire.AlarmLockdown:
		k.Policy.Lockdown = p == nil || !p.Exempt.Has(k.Code.Kind)
	case wire.AlarmNone:
	}
}

// crowd looks whether the pass is inside already, and where not, whether there
// is room. Who is inside already takes no room.
func (c *Core) crowd(book Book, a *attempt, area *verdict.Area, since int64) error {
	k := &a.kase
	here, err := book.Presence(a.area, k.Code.ID)
	switch {
	case err != nil:
		return err
	case here.In && here.Since >= since:
		k.Policy.Inside = &verdict.Use{At: here.Since, Gate: here.Gate}
		k.Policy.Passback = area.Passback == verdict.PassbackEnforce
		k.Policy.Alert = area.Passback == verdict.PassbackAlert
	case area.Limit > 0:
		n, err := book.Occupied(a.area, since, area.Limit)
		if err != nil {
			return err
		}
		k.Policy.Full = n >= area.Limit
	}
	return nil
}

// moved records that somebody came in or went out. An emergency opening says
// nothing of who came in.
func (c *Core) moved(book Book, a *attempt, e *wire.Event) error {
	in := e.Verdict.Admits(e.Case.Lane.Direction)
	if a.area == "" || !in && e.Case.Lane.Direction != verdict.Exit {
		return nil
	}
	before, err := book.Presence(a.area, e.Pass)
	if err != nil {
		return err
	}
	p := Presence{
		Area: a.area, Pass: e.Pass, In: in, Gate: c.cfg.Gate, At: e.At, Expires: e.Case.Code.Expires,
		Seq: e.ID.Seq, Was: Before{before.In, before.Since, before.Gate},
	}
	if in {
		p.Since = e.At
	}
	return book.SetPresence(p)
}

// unmoved puts back what an annulled event found, wherever nothing came after
// it. It is a new word, so that it holds against what others know.
func (c *Core) unmoved(book Book, was, annul *wire.Event) error {
	list, err := book.PresenceBy(was.Pass, was.ID.Seq)
	if err != nil {
		return err
	}
	for _, p := range list {
		p.In, p.Since, p.Gate = p.Was.In, p.Was.Since, p.Was.Gate
		p.At, p.Seq, p.Was = annul.At, annul.ID.Seq, Before{}
		if err := book.SetPresence(p); err != nil {
			return err
		}
	}
	return nil
}

// zone is the campus's.
func (c *Config) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

var _ desk.Input = Alarm{}
