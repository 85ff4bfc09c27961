package lane

import (
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is the move of a pass from the gate that decides it to another one
// (DESIGN section 7): the owner gives it up on its own disk first, and only then
// can anybody else decide it.

// part gives a pass up for the server, once: with an event in the journal, after
// which this gate decides the pass no more, whatever a snapshot says of an
// earlier epoch. A pass that was used or claimed stays, and so does one that
// waits for an answer of somebody else.
func (c *Core) part(book Book, in MoveAsked, now desk.Moment) ([]desk.Effect, error) {
	m := &in.Move
	answer := func(a wire.Moved) []desk.Effect {
		a.ID = m.ID
		return []desk.Effect{desk.Reply{Moved: a}}
	}
	if m.Check() != nil || m.From != c.cfg.Gate {
		return answer(wire.Moved{State: wire.MoveRefused}), nil
	}
	given, ok, err := book.Given(m.Pass)
	if err != nil {
		return nil, err
	}
	if ok && given.ID == m.ID {
		if given != *m {
			return answer(wire.Moved{State: wire.MoveRefused, Stands: &given}), nil
		}
		return answer(wire.Moved{State: wire.MoveReleased, Stands: &given}), nil
	}
	standing, err := book.Standing(m.Pass, signing.PhoneID{})
	switch {
	case err != nil:
		return nil, err
	case ok && given.Epoch >= m.Epoch:
		// The server asks anew for what it was given already, and has not heard.
		return answer(wire.Moved{State: wire.MoveRefused, Stands: &given}), nil
	case m.Epoch != standing.Moves+1 || !c.decides(&standing, m.From, m.Issued) || standing.Policy.Mode == verdict.FirstSeen:
		return answer(wire.Moved{State: wire.MoveRefused}), nil
	case standing.Record.Uses > 0 || standing.Record.Recent != nil && standing.Record.Recent.Reason.Opens():
		return answer(wire.Moved{State: wire.MoveUsed, First: standing.Record.First}), nil
	case standing.Asked != nil && standing.Asked.State == desk.ClaimOpen:
		return answer(wire.Moved{State: wire.MoveUsed}), nil
	}
	e := wire.Event{Type: wire.EventRelease, Offline: now.Offline, Pass: m.Pass, Move: m}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	return answer(wire.Moved{State: wire.MoveReleased, Stands: m}), book.Give(*m, e.ID)
}

// successor is the answer to a claim that this gate does not decide: silence,
// with the gate that the pass was moved to, where it was.
func (c *Core) successor(s *Standing, q *wire.Claim) []desk.Effect {
	a := wire.Answer{ID: q.ID, State: verdict.ClaimSilent}
	if s.Record.Owner != 0 && s.Record.Owner != c.cfg.Gate && s.Moves != 0 && q.Owner == c.cfg.Gate {
		a.Owner, a.Epoch = s.Record.Owner, s.Moves
	}
	return []desk.Effect{desk.Reply{Answer: a}}
}

// follow asks the gate that an earlier owner named instead, with the same claim:
// the earlier one has granted nothing under it and never will. What it said is
// kept, so that the event, the next question and a grant that is given back all
// name the gate that was asked. Only one move further is believed, which bounds
// how long a question can go round, and never that this gate itself is meant: of
// that the server has to tell.
func (c *Core) follow(book Book, answer wire.Answer, now desk.Moment) (effects []desk.Effect, followed bool, err error) {
	var again []*attempt
	for _, a := range append([]*attempt(nil), c.waiting...) {
		if !a.asked || a.claim != answer.ID {
			continue
		}
		standing, err := book.Standing(a.kase.Code.ID, signing.PhoneID{})
		if err != nil {
			return nil, false, err
		}
		q := standing.Asked
		if answer.Owner == c.cfg.Gate || answer.Epoch != standing.Moves+1 || q == nil || q.ID != a.claim || q.State != desk.ClaimOpen {
			return nil, false, nil
		}
		next := *a
		next.asked, next.kase.Claim = false, verdict.Claim{}
		again = append(again, &next)
	}
	if len(again) == 0 {
		return nil, false, nil
	}
	code := &again[0].kase.Code
	if err := book.Heard(code.ID, answer.Owner, answer.Epoch, code.Expires); err != nil {
		return nil, false, err
	}
	for _, a := range again {
		c.park(a) // nobody waits for the first answer any more
	}
	for _, a := range again {
		more, err := c.decide(book, a, now)
		if err != nil {
			return nil, false, err
		}
		effects = append(effects, more...)
	}
	return effects, true, nil
}
