package till

import (
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Confirm is the cashier's answer to whether the same holder pays once more.
type Confirm struct {
	desk.Stamp
	ID     string // of the scan
	Refuse bool
}

// Awaits is the scan.
func (in Confirm) Awaits() string { return in.ID }

// decide judges an attempt with what the book holds now. It ends as an event,
// is shown and forgotten, or waits for the cashier or the server.
func (c *Core) decide(book Book, a *attempt, now desk.Moment) ([]desk.Effect, error) {
	var standing Standing
	k := &a.kase
	batch, err := book.Batch()
	if err == nil && k.Read == 0 && k.Code.Pay != nil {
		if standing, err = book.Standing(a.query()); err == nil {
			standing.apply(k, a.scan.Till, &c.cfg, now.At)
		}
	}
	if err != nil {
		return nil, err
	}
	a.charge.Batch, a.charge.Flow, a.charge.SumFen = batch.Number, batch.Flow, batch.SumFen
	k.Card.Closed = !batch.Open || c.cfg.Shift && c.OnDuty() == desk.Shift{}
	v := verdict.Judge(k)
	if v.Reason == verdict.Replayed && a.paid(standing.Last) {
		return c.repeat(book, a, standing.Last)
	}
	if v.Reason == verdict.Granted && a.answer != nil && k.Claim.State == verdict.ClaimRefused {
		v = verdict.Verdict{Reason: a.answer.Reason, Rule: a.answer.Rule}
	}
	switch {
	case v.Reason != verdict.Granted && a.sale == nil:
		return []desk.Effect{desk.Show{Result: a.result(now.At, v)}}, nil
	case v.Reason != verdict.Granted:
		return c.conclude(book, a, batch, v, now)
	case a.sale == nil:
		v = verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedAmount}
		return []desk.Effect{desk.Show{Result: a.result(now.At, v)}}, nil
	case a.claim == "" && !a.confirmed && a.sale.again() && standing.Last.recent(k.At, AgainMS):
		return c.wait(book, a, now)
	case a.claim == "" && !k.Card.Offline:
		return c.ask(book, a, standing.Asked, now)
	}
	return c.conclude(book, a, batch, v, now)
}

func (a *attempt) query() Query {
	q := Query{Pass: a.kase.Code.ID, Account: a.kase.Code.Pay.Account, Day: a.charge.Day, Period: a.charge.Period}
	if p := a.kase.Code.Proof; p != nil {
		q.Phone = p.Phone
	}
	return q
}

// recent allows for a clock that a time service stepped back a little.
func (l *Last) recent(at, within int64) bool {
	return l != nil && at-l.At < within && at-l.At >= -verdict.ClockSlackMS
}

// paid reports that this very code made the account's last charge, just now.
func (a *attempt) paid(l *Last) bool {
	p := a.kase.Code.Proof
	return l.recent(a.kase.At, verdict.RepeatMS) && p.Phone == l.Phone && p.Counter == l.Counter
}

// repeat shows a charge again under the id of another scan.
func (c *Core) repeat(book Book, a *attempt, last *Last) ([]desk.Effect, error) {
	was, ok, err := book.Charge(last.Event)
	if err != nil {
		return nil, err
	}
	r := a.result(a.now.At, verdict.Verdict{Reason: verdict.Granted, Repeat: true})
	if before, shown := ResultOf(&was); ok && shown {
		r.Charge, r.Event = before.Charge, before.Event
	}
	return []desk.Effect{desk.Show{Result: r}}, nil
}

// wait asks the cashier. Only one attempt waits: the one before is declined.
func (c *Core) wait(book Book, a *attempt, now desk.Moment) (effects []desk.Effect, err error) {
	if c.confirm != nil {
		if effects, err = c.decline(book, c.confirm); err != nil {
			return nil, err
		}
	}
	next := c.state
	next.confirm = a
	c.set(next)
	v := verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedConfirm}
	return append(effects, desk.Show{Result: a.result(now.At, v)}), nil
}

func (c *Core) confirmed(book Book, in Confirm, now desk.Moment) ([]desk.Effect, error) {
	a := c.confirm
	if a == nil || a.scan.ID != in.ID {
		return []desk.Effect{desk.Reject{ID: in.ID, Err: desk.ErrNotWaiting}}, nil
	}
	if in.Refuse {
		return c.decline(book, a)
	}
	if c.asking != nil {
		return []desk.Effect{desk.Reject{ID: in.ID, Err: desk.ErrBusy}}, nil
	}
	next := c.state
	next.confirm = nil
	c.set(next)
	yes := new(*a)
	yes.confirmed = true
	return c.decide(book, yes, now)
}

// decline ends an attempt for which the cashier did not say yes: the charge
// before it is shown again.
func (c *Core) decline(book Book, a *attempt) ([]desk.Effect, error) {
	next := c.state
	next.confirm = nil
	c.set(next)
	standing, err := book.Standing(a.query())
	if err != nil {
		return nil, err
	}
	if !standing.Last.recent(a.kase.At, AgainMS) { // what it was asked about was voided meanwhile
		v := verdict.Verdict{Reason: verdict.NeedsInput, Need: verdict.NeedAmount}
		return []desk.Effect{desk.Show{Result: a.result(a.now.At, v)}}, nil
	}
	return c.repeat(book, a, standing.Last)
}

// conclude writes the event of an attempt and everything that follows from it.
func (c *Core) conclude(book Book, a *attempt, b Batch, v verdict.Verdict, now desk.Moment) ([]desk.Effect, error) {
	k := &a.kase
	paid := v.Reason == verdict.Granted
	e := wire.Event{
		Type: wire.EventCharge, Scan: a.scan.ID, Lane: a.scan.Lane, Source: a.scan.Source, Offline: k.Card.Offline,
		Pass: k.Code.ID, Verdict: v, Case: k, Claim: a.claim, Guard: c.OnDuty().Number, Charge: &a.charge,
	}
	if paid {
		b.Charges++
		b.take(a.charge.AmountFen)
		a.charge.Flow, a.charge.SumFen = b.Flow, b.SumFen
	}
	if err := c.Write(book, &e, now); err != nil {
		return nil, err
	}
	if a.claim != "" {
		became := desk.ClaimReturned // the event lets go of what may have been held
		switch {
		case paid:
			became = desk.ClaimOpened
		case k.Claim.State == verdict.ClaimRefused:
			became = desk.ClaimRefused
		}
		if err := book.Settle(k.Code.ID, became); err != nil {
			return nil, err
		}
	}
	r := a.result(now.At, v)
	r.Event, r.Charge.Event, r.Guard = &e.ID, &e.ID, e.Guard
	effects := []desk.Effect{desk.Show{Result: r}}
	if !paid {
		return effects, nil
	}
	if err := book.Take(&e); err != nil {
		return nil, err
	}
	if err := book.SetBatch(b); err != nil {
		return nil, err
	}
	if c.sale != nil && c.sale == a.armed && !c.sale.Sticky {
		effects = append(c.hold(nil), effects...)
	}
	return effects, nil
}

// take counts an accepted charge, or with a negative amount a void.
func (b *Batch) take(fen int64) {
	b.TotalFen += fen
	b.SumFen += fen
	b.Flow++
}
