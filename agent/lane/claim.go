package lane

import (
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is the single use of passes that somebody else decides: our
// questions, and our answers as owner (DESIGN section 7).

// ask puts the question to the decider, with the same id as long as an earlier
// one is open, so that whatever became of that one the answer is the same.
func (c *Core) ask(book Book, a *attempt, last *desk.Question, owner uint16, now desk.Moment) ([]desk.Effect, error) {
	k := &a.kase
	claim := wire.Claim{
		Pass: k.Code.ID, Gate: c.cfg.Gate, Owner: owner,
		Uses: k.Code.Uses, Issued: k.Code.IssuedAt, Expires: k.Code.Expires, At: now.At,
	}
	switch {
	case last != nil && last.State == desk.ClaimOpen && now.At-last.At < desk.ClaimMS:
		claim.ID = last.ID
	case last != nil && last.State == desk.ClaimOpen:
		if err := c.GiveBack(book, wire.EventAnnul, last, now); err != nil {
			return nil, err
		}
		fallthrough
	default:
		if err := book.Ask(&claim); err != nil {
			return nil, err
		}
	}
	underway, again := c.underway(claim.ID), last != nil && claim.ID == last.ID
	next := *a
	next.claim, next.asked = claim.ID, true
	c.park(&next)
	if k.SharedUse() {
		return c.seek(&next, claim, again, now), nil
	}
	if underway {
		return nil, nil
	}
	return []desk.Effect{desk.Ask{Claim: claim}}, nil
}

func (c *Core) underway(claim string) bool {
	for _, w := range c.waiting {
		if w.asked && w.claim == claim {
			return true
		}
	}
	return false
}

// reply settles every attempt that waits for the claim. The first that opens
// uses it up.
func (c *Core) reply(book Book, in desk.ClaimReply, now desk.Moment) (effects []desk.Effect, err error) {
	if q := c.quests[in.Answer.ID]; q != nil {
		return c.heard(book, q, in, now)
	}
	if in.Answer.State == verdict.ClaimSilent && in.Answer.Owner != 0 {
		if effects, followed, err := c.follow(book, in.Answer, now); followed || err != nil {
			return effects, err
		}
	}
	for _, a := range append([]*attempt(nil), c.waiting...) {
		if !a.asked || a.claim != in.Answer.ID {
			continue
		}
		next := *a
		next.kase.Claim, err = c.settled(book, a, in.Answer)
		if err != nil {
			return nil, err
		}
		more, err := c.decide(book, &next, now)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	return effects, nil
}

// settled is what an answer means for an attempt, now that others may have used
// the claim or given it back.
func (c *Core) settled(book Book, a *attempt, answer wire.Answer) (verdict.Claim, error) {
	standing, err := book.Standing(a.kase.Code.ID, signing.PhoneID{})
	if err != nil {
		return verdict.Claim{}, err
	}
	q := standing.Asked
	switch {
	case q == nil || q.ID != a.claim || q.State == desk.ClaimReturned:
		return verdict.Claim{State: verdict.ClaimSilent}, nil
	case q.State == desk.ClaimOpened:
		return verdict.Claim{State: verdict.ClaimUsed, First: standing.Record.First}, nil
	}
	switch answer.State {
	case verdict.ClaimGranted:
		return verdict.Claim{State: verdict.ClaimGranted}, nil
	case verdict.ClaimUsed:
		return verdict.Claim{State: verdict.ClaimUsed, First: answer.First}, nil
	case verdict.ClaimSilent, verdict.ClaimUnasked, verdict.ClaimRefused, verdict.ClaimReserved, verdict.ClaimUnreached:
	}
	return verdict.Claim{State: verdict.ClaimSilent}, nil
}

// refused closes a question that was answered with no, unless another attempt
// opened with it.
func (c *Core) refused(book Book, a *attempt) error {
	standing, err := book.Standing(a.kase.Code.ID, signing.PhoneID{})
	if err != nil {
		return err
	}
	if q := standing.Asked; q == nil || q.ID != a.claim || q.State != desk.ClaimOpen {
		return nil
	}
	return book.Settle(a.kase.Code.ID, desk.ClaimRefused)
}

// returned marks the claim of an annulled admission, unless the pass has been
// asked about again since.
func (c *Core) returned(book Book, pass signing.PassID, claim string) error {
	standing, err := book.Standing(pass, signing.PhoneID{})
	if err != nil {
		return err
	}
	if q := standing.Asked; q == nil || q.ID != claim {
		return nil
	}
	return book.Settle(pass, desk.ClaimReturned)
}

// asked answers another gate as owner, or the server for a guard with a phone at
// any gate: once, from the durable record, and the same for ever. Silence is no answer, and leaves no trace.
func (c *Core) asked(book Book, in ClaimAsked, now desk.Moment) ([]desk.Effect, error) {
	q := &in.Claim
	answer := func(state verdict.ClaimState, first *verdict.Use) []desk.Effect {
		return []desk.Effect{desk.Reply{Answer: wire.Answer{ID: q.ID, State: state, First: first}}}
	}
	silent := answer(verdict.ClaimSilent, nil)
	if q.ID == "" || q.Pass.IsZero() || q.Uses == 0 || q.Gate == 0 || q.Gate == c.cfg.Gate && !q.OfServer() {
		return silent, nil
	}
	if q.Reserve != wire.ReserveNone {
		if q.Owner != c.cfg.Gate || q.Gate == c.cfg.Gate {
			return silent, nil
		}
		return c.shared(book, q, now)
	}
	before, ok, err := book.Answered(q.ID)
	if err != nil {
		return nil, err
	}
	if ok {
		switch {
		case before.Pass != q.Pass || before.State == AnswerDead:
			return silent, nil
		case before.State == AnswerUsed:
			return answer(verdict.ClaimUsed, before.First), nil
		}
		return answer(verdict.ClaimGranted, nil), nil
	}
	standing, err := book.Standing(q.Pass, signing.PhoneID{})
	if err != nil {
		return nil, err
	}
	switch {
	case standing.Policy.Mode == verdict.FirstSeen && q.Uses == 1, len(c.reservers(q.Pass, now)) > 0:
		return silent, nil // it is shared: nobody decides alone
	case !c.decides(&standing, q.Owner, q.Issued):
		return c.successor(&standing, q), nil
	}
	a := Answered{ID: q.ID, Pass: q.Pass, State: AnswerUsed, First: standing.Record.First, Expires: q.Expires}
	if standing.Record.Uses >= q.Uses {
		return answer(verdict.ClaimUsed, a.First), book.Answer(a)
	}
	e := wire.Event{
		Type: wire.EventGrant, Offline: in.Offline, Pass: q.Pass, Claim: q.ID, For: q.Gate, Counts: true,
		Verdict: verdict.Verdict{Reason: verdict.Granted},
	}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	a.State, a.Event, a.First = AnswerGranted, e.ID, nil
	if err := book.Use(c.grantOf(&a, q.Gate, now.At)); err != nil {
		return nil, err
	}
	return answer(verdict.ClaimGranted, nil), book.Answer(a)
}

// decides reports whether this gate may answer for a pass. A pass that it knows
// to be revoked gets no answer, and so no admission; nor does any while this
// gate itself leaves its decisions to the server.
func (c *Core) decides(s *Standing, signed uint16, issued int64) bool {
	owner := signed
	if s.Record.Owner != 0 {
		owner = s.Record.Owner
	}
	return s.Policy.Known && s.Policy.Mode != verdict.Online && owner == c.cfg.Gate &&
		s.Record.Moved.Owns(issued, s.Policy.OwnsFrom) && !s.Record.Revoked && !s.Record.Blocked
}

func (c *Core) grantOf(a *Answered, gate uint16, at int64) Use {
	return Use{
		Pass: a.Pass, Seq: a.Event.Seq, At: at, Gate: gate, Reason: verdict.Granted,
		Counts: true, Expires: a.Expires,
	}
}

// release takes back the grants whose claims the server released, and marks
// their ids dead.
func (c *Core) release(book Book, now desk.Moment) error {
	list, err := book.Releases()
	if err != nil {
		return err
	}
	for _, rel := range list {
		a, ok, err := book.Answered(rel.ID)
		switch {
		case err != nil:
			return err
		case !ok:
			a = rel
			a.Expires = now.At / 1000
		case a.Pass != rel.Pass:
			// Not what was granted under this id: nothing to take back.
		case a.State == AnswerGranted:
			if err := c.ungrant(book, &a, now); err != nil {
				return err
			}
		}
		if a.Pass == rel.Pass {
			a.State, a.First = AnswerDead, nil
			if err := book.Answer(a); err != nil {
				return err
			}
		}
		if err := book.Released(rel.ID); err != nil {
			return err
		}
	}
	return nil
}

func (c *Core) ungrant(book Book, a *Answered, now desk.Moment) error {
	e := wire.Event{
		Type: wire.EventAnnul, Offline: now.Offline, Pass: a.Pass, Claim: a.ID, Counts: true,
		Verdict: verdict.Verdict{Reason: verdict.Annulled},
	}
	grant := a.Event
	e.Annuls = &grant
	if err := c.Write(book, &e, now); err != nil {
		return err
	}
	return book.Unuse(c.grantOf(a, 0, 0))
}
