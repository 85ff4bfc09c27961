package lane

import (
	"context"
	"fmt"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is what a guard does without a code: people who are let in by their
// documents alone, and the registers of those who leave and come back.

// Where events come from that no scanner read.
const (
	SourceGuard  = "guard"  // entries
	SourceSensor = "sensor" // annuls: nobody went through
	SourceStore  = "store"  // annuls: the commit was told as failed, and nothing moved
)

// Bounds of what a guard writes, in bytes.
const (
	maxPerson = 64
	maxNumber = 32
	maxNote   = 240
)

// Enter has the guard let somebody in who has no code, or out where a register
// is kept; Stamp, ID and Guideline are filled in here. It waits for the result:
// the rule's answer, and an open barrier where that is yes. Errors are ErrNoLane, ErrNoRule,
// ErrBadEntry, ErrNoRegister, ErrNoShift, ErrBusy and ErrStore.
func (d *Desk) Enter(ctx context.Context, in Entry) (desk.Result, error) {
	in.Stamp, in.ID, in.Guideline = d.Stamp(), d.NewID(), d.Guideline()
	return d.Do(ctx, in)
}

func (c *Core) enter(book Book, in *Entry, now desk.Moment) ([]desk.Effect, error) {
	rule := in.Guideline.Rule(in.Rule)
	var err error
	switch {
	case c.lanes[in.Lane] == nil:
		err = desk.ErrNoLane
	case c.unattended():
		err = desk.ErrNoShift
	case rule == nil:
		err = ErrNoRule
	default:
		err = in.check(rule)
	}
	if err != nil {
		return []desk.Effect{desk.Reject{ID: in.ID, Err: err}}, nil
	}
	typ, register, known, err := c.registered(book, in, rule)
	if err != nil {
		return nil, err
	}
	if !known {
		return []desk.Effect{desk.Reject{ID: in.ID, Err: ErrNoRegister}}, nil
	}
	k, err := c.vouch(book, in, now)
	if err != nil {
		return nil, err
	}
	v := verdict.Judge(k)
	if register != nil {
		register.Collected = v.Opens() && rule.Collect && in.ends(rule)
	}
	e := wire.Event{
		Type: typ, Scan: in.ID, Lane: in.Lane, Source: SourceGuard, Offline: in.Offline, Pass: in.Pass, Verdict: v, Case: k,
		Documents: in.Documents, Guard: c.OnDuty().Number, Note: in.Note, Register: register,
	}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	r, _ := desk.ResultOf(&e, false)
	if register != nil {
		r.Name = register.Person
	}
	if !v.Opens() {
		return []desk.Effect{desk.Show{Result: r}}, nil
	}
	if register != nil {
		if err := book.Register(&e); err != nil {
			return nil, err
		}
	}
	return []desk.Effect{Open{in.Lane, in.ID}, desk.Show{Result: r}}, nil
}

// vouch makes the case of an entry.
func (c *Core) vouch(book Book, in *Entry, now desk.Moment) (*verdict.Case, error) {
	standing, err := book.Standing(signing.PassID{}, signing.PhoneID{})
	if err != nil {
		return nil, err
	}
	k := &verdict.Case{
		At: now.At, Clock: now.Clock, Vouched: true,
		Lane:   verdict.Lane{Gate: c.cfg.Gate, Site: c.cfg.Site, Zone: standing.Policy.Zone, Direction: in.Direction},
		Policy: verdict.Policy{Revision: standing.Policy.Revision, Mode: standing.Policy.Mode, Fresh: standing.Policy.Fresh},
	}
	c.alarmed(k, standing.Rules)
	k.Document, _ = in.Guideline.Under(in.Rule, in.Documents)
	return k, nil
}

// registered completes what goes into the register: of an entry that ends, who
// it is was written down when it began.
func (c *Core) registered(book Book, in *Entry, rule *verdict.DocumentRule) (typ wire.EventType, r *wire.Register, known bool, err error) {
	if in.Register == nil {
		return wire.EventEntry, nil, true, nil
	}
	r = new(*in.Register)
	if r.Ends != nil {
		began, open, err := book.Registered(*r.Ends)
		if err != nil || !open || began.Rule != rule.ID {
			return "", nil, false, err
		}
		ends := r.Ends
		*r = began.Register
		r.Ends = ends
	}
	r.Kind, r.Collected = rule.Register, false
	return wire.EventRegister, r, true, nil
}

// ends reports whether the entry is the end of one in a register.
func (in *Entry) ends(rule *verdict.DocumentRule) bool { return in.Direction != rule.Register.Begins() }

// check says what is wrong with an entry under a rule.
func (in *Entry) check(rule *verdict.DocumentRule) error {
	bad := func(what string, args ...any) error {
		return fmt.Errorf("%w: "+what, append([]any{ErrBadEntry}, args...)...)
	}
	r := in.Register
	switch {
	case in.Direction != verdict.Entry && in.Direction != verdict.Exit:
		return bad("direction: want in or out")
	case !kinds(in.Documents):
		return bad("documents: each kind once, at most %d", maxDocuments)
	case signing.CheckWords(in.Note, maxNote) != nil:
		return bad("note: at most %d bytes that can be shown", maxNote)
	case rule.Register == verdict.RegisterNone && in.Direction == verdict.Exit:
		return bad("direction: leaving needs no entry under this rule")
	case (rule.Register == verdict.RegisterNone) != (r == nil):
		return bad("register: goes with a rule that keeps one, and must")
	case r == nil:
		return nil
	case r.Ends != nil && !in.ends(rule):
		return bad("register.ends: this direction begins an entry")
	case r.Ends != nil:
		return nil
	case r.Person == "" || signing.CheckWords(r.Person, maxPerson) != nil:
		return bad("register.person: a name of at most %d bytes", maxPerson)
	case signing.CheckWords(r.Number, maxNumber) != nil:
		return bad("register.number: at most %d bytes", maxNumber)
	}
	if rule.Register != verdict.RegisterRelative {
		if r.Relation != "" || r.Staff != "" {
			return bad("register: relation and staff are of relatives")
		}
		return nil
	}
	if r.Staff == "" || signing.CheckWords(r.Staff, maxPerson) != nil {
		return bad("register.staff: the member of staff, a name of at most %d bytes", maxPerson)
	}
	for _, rel := range rule.Relations {
		if rel.ID == r.Relation {
			return nil
		}
	}
	return bad("register.relation: not one that the rule admits")
}
