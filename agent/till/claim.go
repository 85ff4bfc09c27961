package till

import (
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// ask puts the question to the server, with the same id as long as the same
// question is open, so that whatever became of that one the answer is the same.
func (c *Core) ask(book Book, a *attempt, last *desk.Question, now desk.Moment) ([]desk.Effect, error) {
	k := &a.kase
	p := k.Code.Proof
	claim := wire.Claim{
		Pass: k.Code.ID, Gate: c.cfg.Gate, Issued: k.Code.IssuedAt, Expires: k.Code.Expires, At: now.At,
		Charge: &wire.ChargeAsk{
			Account: k.Code.Pay.Account, Epoch: k.Code.Pay.Epoch, Phone: p.Phone, Counter: p.Counter, Context: p.Context,
			AmountFen: a.charge.AmountFen, Day: a.charge.Day, Period: a.charge.Period,
		},
	}
	open := last != nil && last.State == desk.ClaimOpen
	if open && now.At-last.At < desk.ClaimMS && last.Charge != nil && *last.Charge == *claim.Charge {
		claim.ID = last.ID
	} else {
		if open {
			if err := c.GiveBack(book, wire.EventVoid, last, now); err != nil {
				return nil, err
			}
		}
		if err := book.Ask(&claim); err != nil {
			return nil, err
		}
	}
	next := c.state
	next.asking = new(*a)
	next.asking.claim = claim.ID
	c.set(next)
	return []desk.Effect{desk.Ask{Claim: claim}}, nil
}

// reply settles the attempt that waits for the server, and then those behind it.
func (c *Core) reply(book Book, in desk.ClaimReply, now desk.Moment) ([]desk.Effect, error) {
	if c.asking == nil || c.asking.claim != in.Answer.ID {
		return nil, nil // it came too late: the event has let go of it
	}
	a, queue := new(*c.asking), c.queue
	next := c.state
	next.asking, next.queue = nil, nil
	c.set(next)
	a.hear(&in.Answer)
	effects, err := c.decide(book, a, now)
	for i := 0; i < len(queue) && err == nil; i++ {
		if c.asking != nil {
			next := c.state
			next.queue = queue[i:]
			c.set(next)
			break
		}
		var more []desk.Effect
		more, err = c.present(book, new(*queue[i]), now)
		effects = append(effects, more...)
	}
	return effects, err
}

// hear puts the server's answer into the case. What is neither a yes nor a no
// is silence, and the till decides alone.
func (a *attempt) hear(answer *wire.Answer) {
	k, said := &a.kase, answer.Charge
	switch {
	case answer.State == verdict.ClaimGranted && said != nil && said.Reason == verdict.Granted:
		k.Claim.State = verdict.ClaimGranted
		a.answer = said
		if said.BalanceFen != nil {
			k.Card.BalanceFen = new(*said.BalanceFen + a.charge.AmountFen)
		}
	case answer.State == verdict.ClaimRefused && said != nil && said.Reason.Valid() && !said.Reason.Opens() && said.Reason < verdict.NeedsInput:
		k.Claim.State = verdict.ClaimRefused
		a.answer = said
	default:
		k.Card.Offline = true
	}
}
