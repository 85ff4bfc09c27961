package lane

import (
	"cmp"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// decide judges an attempt with what the book holds now. It ends as an event,
// or waits for the guard or for the pass's decider.
//
// The case keeps the moment of presentation: a code that was fresh when it was
// shown does not go stale while the guard looks at a document.
func (c *Core) decide(book Book, a *attempt, now desk.Moment) ([]desk.Effect, error) {
	k := &a.kase
	var asked *desk.Question
	if k.Read == 0 {
		standing, err := book.Standing(k.Code.ID, a.scan.Code.Phone)
		if err != nil {
			return nil, err
		}
		standing.apply(k, &c.cfg)
		if err := c.share(book, k, &standing.Policy); err != nil {
			return nil, err
		}
		if by := c.reservers(k.Code.ID, now); len(by) > 0 && !k.SharedUse() && k.Claim.State == verdict.ClaimUnasked {
			// Another gate was told that the pass is free.
			k.Claim = verdict.Claim{State: verdict.ClaimReserved, By: by[0]}
		}
		if err := c.govern(book, a, &standing); err != nil {
			return nil, err
		}
		asked = standing.Asked
		if r := k.Record.Recent; r != nil && r.At > k.At {
			// Overtaken by an admission of the same pass: this is a repeat now,
			// which the moment of presentation would hide.
			k.At, k.Clock = now.At, now.Clock
		}
	}
	switch v := judge(k, asked); v.Need {
	case verdict.NeedDocument:
		if c.cfg.Unstaffed && c.OnDuty() == (desk.Shift{}) {
			return c.refuse(book, a, now)
		}
		// Should the policy have come to ask for a document after the decider
		// answered, the decider is asked again then, with the same id.
		next := *a
		next.asked, next.kase.Claim = false, verdict.Claim{}
		c.park(&next)
		return []desk.Effect{desk.Show{Result: next.result(now.At, v)}}, nil
	case verdict.NeedConfirm:
		// Everybody is asked again when the guard has agreed.
		next := *a
		next.asked, next.claim, next.agree, next.kase.Claim = false, "", true, verdict.Claim{}
		if c.cfg.Unstaffed && c.OnDuty() == (desk.Shift{}) {
			return c.refuse(book, &next, now)
		}
		c.park(&next)
		return []desk.Effect{desk.Show{Result: next.result(now.At, v)}}, nil
	case verdict.NeedClaim:
		return c.ask(book, a, asked, v.Owner, now)
	case verdict.NeedNothing:
		return c.conclude(book, a, v, now)
	default:
		return c.conclude(book, a, verdict.Verdict{Reason: verdict.Internal}, now)
	}
}

// judge asks the decider once more where a pass reads as used up while a
// question of this gate's own is open: the use that the server reports may be
// what was granted to that very question, whose answer was lost.
func judge(k *verdict.Case, asked *desk.Question) verdict.Verdict {
	v := verdict.Judge(k)
	if v.Reason != verdict.AlreadyUsed || k.Claim.State != verdict.ClaimUnasked || asked == nil || asked.State != desk.ClaimOpen {
		return v
	}
	without := *k
	without.Record.Uses--
	if again := verdict.Judge(&without); again.Need != verdict.NeedNothing {
		return again // never an admission by itself
	}
	return v
}

// conclude writes the event of an attempt and everything that follows from it.
func (c *Core) conclude(book Book, a *attempt, v verdict.Verdict, now desk.Moment) ([]desk.Effect, error) {
	k := &a.kase
	counted := counts(v, k)
	e := wire.Event{
		Type: wire.EventScan, Scan: a.scan.ID, Lane: a.scan.Lane, Source: a.scan.Source, Offline: a.scan.Offline,
		Pass: k.Code.ID, Verdict: v, Case: k, Claim: a.claim,
		// Judge asked for a claim wherever somebody else decides. Unreached, this
		// gate decided itself; the server counts that and the claim once.
		Counts:    counted && (a.claim == "" || k.Claim.State == verdict.ClaimUnreached),
		Documents: a.docs, Guard: cmp.Or(a.guard, c.OnDuty().Number),
	}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	c.unpark(a)
	if a.claim != "" {
		var err error
		switch {
		case v.Opens():
			err = book.Settle(k.Code.ID, desk.ClaimOpened)
		case k.Claim.State == verdict.ClaimUsed && a.asked && !k.SharedUse():
			err = c.refused(book, a)
		}
		if err != nil {
			return nil, err
		}
	}
	var effects []desk.Effect
	if v.Opens() {
		if err := c.opened(book, a, &e, counted); err != nil {
			return nil, err
		}
		effects = append(effects, Open{a.scan.Lane, a.scan.ID})
	}
	r := a.result(now.At, v)
	r.Event, r.Guard = &e.ID, e.Guard
	return append(effects, desk.Show{Result: r}), nil
}

// opened records what an admission uses up.
func (c *Core) opened(book Book, a *attempt, e *wire.Event, counted bool) error {
	k := &a.kase
	if p := k.Code.Proof; p != nil {
		if err := book.Counter(k.Code.ID, p.Phone, max(p.Counter, known(k)), e.At); err != nil {
			return err
		}
	}
	if err := c.moved(book, a, e); err != nil || !e.Verdict.Admits(k.Lane.Direction) {
		return err
	}
	return book.Use(c.useOf(e, counted))
}

// known is the highest counter seen before; an exit may show an older one.
func known(k *verdict.Case) uint64 {
	if k.Record.Counter == nil {
		return 0
	}
	return *k.Record.Counter
}

// counts reports whether a verdict uses up one of the uses of a pass.
func counts(v verdict.Verdict, k *verdict.Case) bool {
	return v.Admits(k.Lane.Direction) && k.Code.Uses > 0
}

// useOf is what an own admission used up: the same when it happens and when it
// is taken back.
func (c *Core) useOf(e *wire.Event, counted bool) Use {
	return Use{
		Pass: e.Pass, Seq: e.ID.Seq, At: e.At, Gate: c.cfg.Gate, Reason: e.Verdict.Reason, Own: true,
		Counts: e.Counts, Claimed: counted && !e.Counts, Expires: e.Case.Code.Expires,
	}
}
