package till_test

import (
	"errors"
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/signing"
	"campusgate/signing/paycode"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestCharge_CM072_APaymentCodePaysWhatIsKeyed(t *testing.T) {
	b := newBench(t, nil)
	h := b.c.holder(t, 4711, nil)
	r := b.charge(h, 1250, verdict.Granted)
	c := r.Charge
	if r.Event == nil || c.AmountFen != 1250 || c.Day != "2026-09-01" || c.Period != "lunch" || c.Batch != 1 || c.Flow != 1 || !c.Offline {
		t.Fatalf("result %+v, charge %+v", r, c)
	}
	events := b.events()
	e := events[len(events)-1]
	if e.Type != wire.EventCharge || !e.Offline || e.Charge.Config != "v1" || e.Charge.SumFen != 1250 || e.Pass != h.pay.ID ||
		e.Case.Code.Pay.Account != 4711 || e.Case.Card.AmountFen != 1250 {
		t.Fatalf("event %+v", e)
	}
	if v := verdict.Judge(e.Case); v != e.Verdict {
		t.Fatalf("judged again: %+v, the event has %+v", v, e.Verdict)
	}
	// The sale is over: the next code pays nothing.
	if r := b.scan(b.c.holder(t, 4712, nil).show(t, b.wall)); r.Reason != verdict.NeedsInput || r.Need != verdict.NeedAmount || r.Charge != nil {
		t.Fatalf("without a sale %+v", r)
	}
	if got := b.events(); len(got) != len(events) {
		t.Fatalf("a scan without a sale left %+v", got[len(got)-1])
	}
}

func TestCharge_EntryModes(t *testing.T) {
	fixed := func(r *wire.Till) { r.Entry = wire.EntryFixed }
	period := func(r *wire.Till) { r.Entry = wire.EntryPeriod }
	menu := till.Order{Entry: wire.EntryMenu, Items: []till.Pressed{{Key: 12, Quantity: 1}, {Key: 1, Quantity: 2}}}
	for _, c := range []struct {
		name  string
		rules func(*wire.Till)
		order *till.Order
		fen   int64
		entry wire.EntryMode
	}{
		{"Fixed", fixed, nil, 300, wire.EntryFixed},
		{"Period", period, nil, 1200, wire.EntryPeriod},
		{"Menu", nil, &menu, 950, wire.EntryMenu},
		{"AmountInsteadOfFixed", fixed, &till.Order{Entry: wire.EntryAmount, AmountFen: 70}, 70, wire.EntryAmount},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.rules)
			if c.order != nil {
				b.arm(*c.order)
			}
			r := b.scan(b.c.holder(t, 1, nil).show(t, b.wall))
			if r.Reason != verdict.Granted || r.Charge.AmountFen != c.fen || r.Charge.Entry != c.entry {
				t.Fatalf("%+v %+v", r, r.Charge)
			}
			if c.entry == wire.EntryMenu && (len(r.Charge.Items) != 2 || r.Charge.Items[0].Name != "红烧肉") {
				t.Fatalf("items %+v", r.Charge.Items)
			}
		})
	}
	t.Run("NoMealNow", func(t *testing.T) {
		b := newBench(t, period)
		b.pass(3 * 3600_000)
		if r := b.scan(b.c.holder(t, 1, nil).show(t, b.wall)); r.Need != verdict.NeedAmount {
			t.Fatalf("%+v", r)
		}
	})
}

func TestArm_RefusesWhatTheRulesDoNotHave(t *testing.T) {
	b := newBench(t, nil)
	for name, o := range map[string]till.Order{
		"nothing":        {Entry: wire.EntryAmount},
		"negative":       {Entry: wire.EntryAmount, AmountFen: -5},
		"too much":       {Entry: wire.EntryAmount, AmountFen: 1 << 60},
		"no mode":        {AmountFen: 5},
		"mode":           {Entry: "=1+1", AmountFen: 5},
		"no such key":    {Entry: wire.EntryMenu, Items: []till.Pressed{{Key: 2, Quantity: 1}}},
		"no quantity":    {Entry: wire.EntryMenu, Items: []till.Pressed{{Key: 1}}},
		"quantity":       {Entry: wire.EntryMenu, Items: []till.Pressed{{Key: 1, Quantity: 1 << 62}}},
		"no items":       {Entry: wire.EntryMenu},
		"another price":  {Entry: wire.EntryFixed, AmountFen: 1},
		"items of a sum": {Entry: wire.EntryAmount, AmountFen: 5, Items: []till.Pressed{{Key: 1, Quantity: 1}}},
	} {
		if r := find[desk.Reject](t, b.arm(o)); !errors.Is(r.Err, till.ErrSale) {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
}

func TestCharge_WhatTheCardAndTheLimitsSay(t *testing.T) {
	limits := func(r *wire.Till) {
		r.PerTxFen, r.PerDayFen, r.PerMealFen, r.PerMealTx, r.PinAboveFen = 2_000, 3_500, 3_000, 2, 1_500
		r.Offline.PerTxFen = 1_900
	}
	state := func(s wire.CardState, epoch uint32) func(*bench) {
		return func(b *bench) { b.card(1, wire.Card{State: s, Epoch: epoch, At: noonMS}) }
	}
	paid := func(fens ...int64) func(*bench) {
		return func(b *bench) {
			h := b.c.holder(b.tb, 1, nil)
			h.next = 100 // counters before those of the test's own
			for i := range fens {
				h.next = uint64(i)
				b.charge(h, fens[i], verdict.Granted)
			}
		}
	}
	for _, c := range []struct {
		name   string
		before func(*bench)
		fen    int64
		want   verdict.Reason
	}{
		{"InOrder", nil, 1_500, verdict.Granted},
		{"Lost", state(wire.CardLost, 2), 100, verdict.CardLost},
		{"Frozen", state(wire.CardFrozen, 2), 100, verdict.CardFrozen},
		{"Closed", state(wire.CardClosed, 2), 100, verdict.Revoked},
		{"LaterCredential", state(wire.CardActive, 3), 100, verdict.Revoked},
		{"SameCredential", state(wire.CardActive, 2), 100, verdict.Granted},
		{"TillsSingleLimit", nil, 2_001, verdict.LimitSingle},
		{"TillsOfflineLimit", nil, 1_901, verdict.LimitOffline},
		{"Pin", nil, 1_501, verdict.PinRequired},
		{"Meal", paid(1_500, 1_000), 100, verdict.LimitDay},
		{"MealSum", paid(1_500), 1_501, verdict.LimitDay},
		{"NoBatch", func(b *bench) {
			b.step(till.MoveBatch{Stamp: b.stamp(), Move: wire.BatchCloses, By: "C01"})
		}, 100, verdict.TerminalClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, limits)
			if c.before != nil {
				c.before(b)
			}
			h := b.c.holder(t, 1, nil)
			h.next = 1000
			r := b.charge(h, c.fen, c.want)
			if (r.Event == nil) != (c.want == 0) || c.name == "Meal" && r.Rule != verdict.RuleMeal {
				t.Fatalf("%+v", r)
			}
			b.events()
		})
	}
	t.Run("PinConfirmedOnThePhone", func(t *testing.T) {
		b := newBench(t, limits)
		b.amount(1_800)
		if r := b.scan(b.c.holder(t, 1, nil).code(t, b.wall, signing.ContextPIN)); r.Reason != verdict.Granted {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("WithoutRules", func(t *testing.T) {
		b := newBench(t, nil)
		b.amount(100)
		in := b.input(b.c.holder(t, 1, nil).show(t, b.wall))
		in.Till = nil
		if r := find[desk.Show](t, b.step(in)).Result; r.Reason != verdict.PolicyStale {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("NobodyOnDuty", func(t *testing.T) {
		b := newBench(t, nil)
		b.cfg.Shift = true
		b.restart()
		b.charge(b.c.holder(t, 1, nil), 100, verdict.TerminalClosed)
		b.step(desk.BeginShift{Stamp: b.stamp(), Number: "C01", Name: "何收银"})
		h := b.c.holder(t, 1, nil)
		h.next = 5
		if r := b.charge(h, 100, verdict.Granted); r.Guard != "C01" {
			t.Fatalf("%+v", r)
		}
	})
}

func TestOffline_StaysWithinTheCaps(t *testing.T) {
	caps := func(change func(*wire.OfflineCaps)) func(*wire.Till) {
		return func(r *wire.Till) { change(&r.Offline) }
	}
	never := func(p *paycode.Pay) { p.PerDayOfflineFen, p.MaxOfflineTx = 0, 0 }
	for _, c := range []struct {
		name    string
		rules   func(*wire.Till)
		card    func(*paycode.Pay)
		accepts []int64 // amounts, of which the last is refused
	}{
		{"OffByDefault", caps(func(o *wire.OfflineCaps) { o.PerTxFen = 0 }), nil, []int64{1}},
		{"NotAllowedByTheHolder", nil, never, []int64{1}},
		{"CredentialsSum", nil, nil, []int64{3_000, 2_999, 2}},
		{"CredentialsCount", nil, nil, []int64{1, 1, 1, 1, 1}},
		{"TillsSum", caps(func(o *wire.OfflineCaps) { o.PerAccountFen = 500 }), nil, []int64{300, 200, 1}},
		{"TillsRecords", caps(func(o *wire.OfflineCaps) { o.MaxRecords = 2 }), nil, []int64{1, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.rules)
			h := b.c.holder(t, 1, c.card)
			for i, fen := range c.accepts {
				want := verdict.Granted
				if i == len(c.accepts)-1 {
					want = verdict.LimitOffline
				}
				b.charge(h, fen, want)
			}
			b.events()
		})
	}
	t.Run("AgeOfTheSnapshot", func(t *testing.T) {
		b := newBench(t, caps(func(o *wire.OfflineCaps) { o.MaxAgeMS = 3600_000 }))
		h := b.c.holder(t, 1, nil)
		b.charge(h, 1, verdict.Granted)
		b.pass(3600_001)
		b.charge(h, 1, verdict.LimitOffline)
	})
	t.Run("DaysInTheDark", func(t *testing.T) {
		// A till that stays dark takes no more from an account on the second day.
		b := newBench(t, nil)
		h := b.c.holder(t, 1, nil)
		b.charge(h, 3_000, verdict.Granted)
		b.charge(h, 3_000, verdict.Granted)
		b.pass(24 * 3600_000)
		b.charge(h, 1, verdict.LimitOffline)
		// The server has heard of it: the new day begins at nothing.
		check(t, b.j.Ack(b.j.Last()))
		b.charge(h, 3_000, verdict.Granted)
	})
}

func TestNeverTwice_AlsoAfterRestartAndClockChange(t *testing.T) {
	b := newBench(t, func(r *wire.Till) { r.Entry = wire.EntryFixed })
	h := b.c.holder(t, 1, nil)
	text := h.show(t, b.wall)
	first := b.scan(text)
	if first.Reason != verdict.Granted {
		t.Fatalf("%+v", first)
	}
	b.pass(2_000)
	b.reopen()
	b.restart()
	again := b.scan(text)
	if again.Reason != verdict.Granted || !again.Repeat || again.Charge.Flow != first.Charge.Flow || *again.Event != *first.Event {
		t.Fatalf("shown again %+v", again)
	}
	b.pass(9_000)
	if r := b.scan(text); r.Reason != verdict.Replayed {
		t.Fatalf("later %+v", r)
	}
	b.wall -= 20_000
	b.step(desk.Synced{Stamp: b.stamp()})
	b.wall -= 20_000
	if r := b.scan(text); r.Reason == verdict.Granted && !r.Repeat {
		t.Fatalf("after the clock went back %+v", r)
	}
	if got := b.batch(); got.Charges != 1 || got.TotalFen != 300 {
		t.Fatalf("%+v", got)
	}
	b.events()
}

func TestSameHolder_IsAskedAboutWhereNothingWasKeyed(t *testing.T) {
	begin := func(t *testing.T) (*bench, *holder, desk.Result) {
		b := newBench(t, func(r *wire.Till) { r.Entry = wire.EntryFixed })
		h := b.c.holder(t, 1, nil)
		if r := b.scan(h.show(t, b.wall)); r.Reason != verdict.Granted {
			t.Fatalf("%+v", r)
		}
		b.pass(4_000)
		r := b.scan(h.show(t, b.wall))
		if r.Reason != verdict.NeedsInput || r.Need != verdict.NeedConfirm {
			t.Fatalf("the phone's next code %+v", r)
		}
		return b, h, r
	}
	t.Run("Confirmed", func(t *testing.T) {
		b, _, r := begin(t)
		yes := find[desk.Show](t, b.step(till.Confirm{Stamp: b.stamp(), ID: r.ID})).Result
		if yes.Reason != verdict.Granted || yes.Repeat || b.batch().Charges != 2 {
			t.Fatalf("%+v", yes)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		b, _, r := begin(t)
		no := find[desk.Show](t, b.step(till.Confirm{Stamp: b.stamp(), ID: r.ID, Refuse: true})).Result
		if !no.Repeat || no.ID != r.ID || b.batch().Charges != 1 {
			t.Fatalf("%+v", no)
		}
		e := find[desk.Reject](t, b.step(till.Confirm{Stamp: b.stamp(), ID: r.ID}))
		if !errors.Is(e.Err, desk.ErrNotWaiting) {
			t.Fatal(e.Err)
		}
	})
	t.Run("NoAnswer", func(t *testing.T) {
		b, h, r := begin(t)
		b.pass(till.ConfirmMS)
		if no := find[desk.Show](t, b.step(desk.Tick{Stamp: b.stamp()})).Result; !no.Repeat || no.ID != r.ID {
			t.Fatalf("%+v", no)
		}
		if r := b.scan(h.show(t, b.wall)); r.Reason != verdict.Granted {
			t.Fatalf("later %+v", r)
		}
	})
	t.Run("AnotherSaleWasKeyed", func(t *testing.T) {
		b, h, _ := begin(t)
		b.charge(h, 100, verdict.Granted)
	})
	t.Run("Sticky", func(t *testing.T) {
		b := newBench(t, nil)
		h := b.c.holder(t, 1, nil)
		b.arm(till.Order{Entry: wire.EntryAmount, AmountFen: 100, Sticky: true})
		b.scan(h.show(t, b.wall))
		if r := b.scan(h.show(t, b.wall)); r.Need != verdict.NeedConfirm {
			t.Fatalf("%+v", r)
		}
		if r := b.scan(b.c.holder(t, 2, nil).show(t, b.wall)); r.Reason != verdict.Granted {
			t.Fatalf("the next in the queue %+v", r)
		}
	})
}

func TestCharge_HostileTextsChangeNothing(t *testing.T) {
	b := newBench(t, nil)
	b.amount(100)
	before := b.batch()
	for _, text := range []string{"=1+1", "\x00\xff", "CP1:", "CP1:AAAA", "HTTPS://GATE.EXAMPLE.EDU/V/AAAA", "<script>", "' OR 1=1 --"} {
		if r := b.scan(text); r.Reason == verdict.Granted || r.Reason == verdict.NeedsInput {
			t.Errorf("%q: %+v", text, r)
		}
	}
	if got := b.batch(); got != before {
		t.Fatalf("%+v", got)
	}
	b.events()
}

// "Once more?" is declined after the charge that it was about was voided: an older
// one of the same holder is no answer to it.
func TestConfirm_DeclinedAfterAVoidIsNotShownAsPaid(t *testing.T) {
	b := newBench(t, func(r *wire.Till) { r.Entry = wire.EntryFixed })
	h := b.c.holder(t, 1, nil)
	if r := b.scan(h.show(t, b.wall)); r.Reason != verdict.Granted {
		t.Fatalf("breakfast %+v", r)
	}
	b.pass(3600_000)
	lunch := b.scan(h.show(t, b.wall))
	b.pass(5000)
	again := b.scan(h.show(t, b.wall))
	if lunch.Reason != verdict.Granted || again.Need != verdict.NeedConfirm {
		t.Fatalf("lunch %+v, again %+v", lunch, again)
	}
	find[desk.Done](t, b.step(till.Void{Stamp: b.stamp(), Event: *lunch.Event, By: "S01"}))
	r := find[desk.Show](t, b.step(till.Confirm{Stamp: b.stamp(), ID: again.ID, Refuse: true})).Result
	if r.Need != verdict.NeedAmount {
		t.Errorf("result %+v", r)
	}
}
