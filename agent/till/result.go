package till

import (
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func (a *attempt) result(at int64, v verdict.Verdict) desk.Result {
	r := desk.Result{
		ID: a.scan.ID, Lane: a.scan.Lane, Direction: a.kase.Lane.Direction, Source: a.scan.Source, Offline: a.kase.Card.Offline,
	}
	r.Judged(at, &a.kase, v)
	if a.sale == nil {
		return r
	}
	r.Charge = charged(&a.charge, &a.kase)
	if a.answer != nil {
		r.Charge.BalanceFen, r.Charge.Holder = a.answer.BalanceFen, a.answer.Holder
	}
	return r
}

func charged(c *wire.Charge, k *verdict.Case) *desk.Charge {
	return &desk.Charge{
		AmountFen: c.AmountFen, Entry: c.Entry, Items: c.Items, Period: c.Period, Day: c.Day, Batch: c.Batch, Flow: c.Flow,
		Offline: k.Card.Offline,
	}
}

// ResultOf shows a charge of the journal, without what only the server's answer
// said of the holder. It reports false for other events.
func ResultOf(p *desk.Past) (desk.Result, bool) {
	e := &p.Event
	if e.Type != wire.EventCharge || e.Case == nil || e.Charge == nil {
		return desk.Result{}, false
	}
	id := e.ID
	r := desk.Result{
		ID: e.Scan, Event: &id, Lane: e.Lane, Direction: e.Case.Lane.Direction, Source: e.Source, Offline: e.Offline,
		Guard: e.Guard, Annulled: p.Annulled,
	}
	r.Judged(e.At, e.Case, e.Verdict)
	r.Charge = charged(e.Charge, e.Case)
	r.Charge.Event, r.Charge.Voided = &id, p.Annulled
	if b := e.Case.Card.BalanceFen; b != nil && e.Verdict.Reason == verdict.Granted {
		r.Charge.BalanceFen = new(*b - e.Charge.AmountFen)
	}
	return r, true
}
