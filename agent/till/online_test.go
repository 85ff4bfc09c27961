package till_test

import (
	"errors"
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// online is a till with a link.
func online(t *testing.T, rules func(*wire.Till)) *bench {
	t.Helper()
	b := newBench(t, rules)
	b.offline = false
	return b
}

// ask arms, scans, and wants a question to the server.
func (b *bench) ask(h *holder, fen int64) (wire.Claim, *desk.Scan) {
	b.tb.Helper()
	b.amount(fen)
	in := b.input(h.show(b.tb, b.wall))
	return find[desk.Ask](b.tb, b.step(in)).Claim, in
}

func (b *bench) hear(id string, state verdict.ClaimState, charge *wire.ChargeAnswer) []desk.Effect {
	b.tb.Helper()
	return b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: id, State: state, Charge: charge}})
}

func yes(balance int64) *wire.ChargeAnswer {
	return &wire.ChargeAnswer{Reason: verdict.Granted, BalanceFen: &balance, Holder: "*晓"}
}

func TestOnline_TheServersYes(t *testing.T) {
	b := online(t, func(r *wire.Till) { r.Offline.PerTxFen = 0 })
	h := b.c.holder(t, 4711, nil)
	q, in := b.ask(h, 1250)
	want := wire.ChargeAsk{
		Account: 4711, Epoch: 2, Phone: in.Code.Phone, Counter: 1, Context: 2, AmountFen: 1250, Day: "2026-09-01", Period: "lunch",
	}
	if q.ID != "17-1-1" || q.Gate != home || q.Owner != 0 || q.Uses != 0 || *q.Charge != want || q.Expires != h.pay.Expires {
		t.Fatalf("asked %+v %+v", q, q.Charge)
	}
	r := find[desk.Show](t, b.hear(q.ID, verdict.ClaimGranted, yes(8750))).Result
	if r.Reason != verdict.Granted || r.Offline || r.Charge.Offline || *r.Charge.BalanceFen != 8750 || r.Charge.Holder != "*晓" {
		t.Fatalf("%+v %+v", r, r.Charge)
	}
	events := b.events()
	e := events[len(events)-1]
	if e.Claim != q.ID || e.Offline || *e.Case.Card.BalanceFen != 10_000 || verdict.Judge(e.Case) != e.Verdict {
		t.Fatalf("event %+v", e)
	}
	b.pass(120_000)
	b.step(desk.Tick{Stamp: b.stamp()})
	if n := len(b.events()); n != len(events) {
		t.Fatal("a settled question was given back")
	}
}

func TestOnline_TheServersNo(t *testing.T) {
	for _, no := range []wire.ChargeAnswer{
		{Reason: verdict.InsufficientBalance}, {Reason: verdict.LimitDay, Rule: verdict.RuleMeal}, {Reason: verdict.CardFrozen},
	} {
		b := online(t, nil)
		h := b.c.holder(t, 1, nil)
		q, _ := b.ask(h, 100)
		r := find[desk.Show](t, b.hear(q.ID, verdict.ClaimRefused, &no)).Result
		if r.Reason != no.Reason || r.Rule != no.Rule {
			t.Fatalf("%+v, want %+v", r, no)
		}
		events := b.events()
		if e := events[len(events)-1]; e.Claim != q.ID || e.Verdict.Reason != no.Reason || e.Case.Claim.State != verdict.ClaimRefused {
			t.Fatalf("%+v", e)
		}
		// The sale stands, and another holder is asked about.
		if q := find[desk.Ask](t, b.step(b.input(b.c.holder(t, 2, nil).show(t, b.wall)))); q.Claim.ID != "17-1-2" {
			t.Fatalf("%+v", q)
		}
	}
}

func TestOnline_SilenceIsDecidedHere(t *testing.T) {
	for name, answer := range map[string]*wire.Answer{
		"silent":           {State: verdict.ClaimSilent},
		"yes without more": {State: verdict.ClaimGranted},
		"no without why":   {State: verdict.ClaimRefused},
		"no that is a yes": {State: verdict.ClaimRefused, Charge: yes(1)},
	} {
		t.Run(name, func(t *testing.T) {
			b := online(t, nil)
			h := b.c.holder(t, 1, nil)
			q, _ := b.ask(h, 3_000)
			r := find[desk.Show](t, b.hear(q.ID, answer.State, answer.Charge)).Result
			if r.Reason != verdict.Granted || !r.Charge.Offline {
				t.Fatalf("%+v", r)
			}
			q, _ = b.ask(h, 3_001)
			r = find[desk.Show](t, b.hear(q.ID, answer.State, answer.Charge)).Result
			if r.Reason != verdict.LimitOffline {
				t.Fatalf("over the cap %+v", r)
			}
			events := b.events()
			if e := events[len(events)-1]; e.Claim != q.ID || !e.Offline {
				t.Fatalf("the event does not let go of the claim: %+v", e)
			}
			if late := b.hear(q.ID, verdict.ClaimGranted, yes(1)); len(late) != 0 {
				t.Fatalf("a late answer: %+v", late)
			}
		})
	}
}

func TestOnline_WhatIsClearIsNotAsked(t *testing.T) {
	b := online(t, func(r *wire.Till) { r.PinAboveFen = 1000 })
	b.charge(b.c.holder(t, 1, nil), 1001, verdict.PinRequired)
	b.card(2, wire.Card{State: wire.CardLost, At: noonMS})
	b.charge(b.c.holder(t, 2, nil), 100, verdict.CardLost)
}

func TestOnline_OthersWaitInLine(t *testing.T) {
	b := online(t, func(r *wire.Till) { r.Entry = wire.EntryFixed })
	first, second, third := b.c.holder(t, 1, nil), b.c.holder(t, 2, nil), b.c.holder(t, 3, nil)
	one := b.input(first.show(t, b.wall))
	q := find[desk.Ask](t, b.step(one)).Claim
	two, again, three := b.input(second.show(t, b.wall)), b.input(""), b.input(third.show(t, b.wall))
	again.Code, again.Err = one.Code, one.Err
	for _, in := range []*desk.Scan{again, two, three} {
		if effects := b.step(in); len(effects) != 0 {
			t.Fatalf("%+v", effects)
		}
	}
	b.pass(250)
	effects := b.hear(q.ID, verdict.ClaimGranted, yes(1))
	var shown []desk.Result
	for _, e := range effects {
		if s, ok := e.(desk.Show); ok {
			shown = append(shown, s.Result)
		}
	}
	if len(shown) != 2 || shown[0].ID != one.ID || shown[0].Repeat || shown[1].ID != again.ID || !shown[1].Repeat {
		t.Fatalf("%+v", shown)
	}
	q = find[desk.Ask](t, effects).Claim
	if q.Charge.Account != 2 {
		t.Fatalf("asked about %+v", q)
	}
	q = find[desk.Ask](t, b.hear(q.ID, verdict.ClaimGranted, yes(1))).Claim
	if r := find[desk.Show](t, b.hear(q.ID, verdict.ClaimSilent, nil)).Result; r.ID != three.ID || !r.Charge.Offline {
		t.Fatalf("%+v", r)
	}
	b.events()
	q = find[desk.Ask](t, b.step(b.input(b.c.holder(t, 4, nil).show(t, b.wall)))).Claim
	for range 8 {
		b.step(b.input(second.show(t, b.wall)))
	}
	if r := find[desk.Reject](t, b.step(b.input(third.show(t, b.wall)))); !errors.Is(r.Err, desk.ErrBusy) {
		t.Fatalf("%v after %v", r.Err, q.ID)
	}
}

func TestOnline_AQuestionWithoutAChargeIsGivenBack(t *testing.T) {
	b := online(t, nil)
	h := b.c.holder(t, 1, nil)
	q, _ := b.ask(h, 100)
	b.reopen()
	b.restart() // the till went down between asking and deciding
	before := len(b.events())
	b.pass(desk.ClaimMS + 1)
	b.step(desk.Tick{Stamp: b.stamp()})
	b.step(desk.Tick{Stamp: b.stamp()})
	events := b.events()
	if len(events) != before+1 {
		t.Fatalf("%d events, want one more than %d", len(events), before)
	}
	if e := events[before]; e.Type != wire.EventVoid || e.Claim != q.ID || e.Annuls != nil || e.Charge != nil || e.Pass != h.pay.ID {
		t.Fatalf("%+v", e)
	}
}

func TestOnline_TheSameQuestionKeepsItsID(t *testing.T) {
	b := online(t, nil)
	h := b.c.holder(t, 1, nil)
	b.amount(100)
	text := h.show(t, b.wall)
	q := find[desk.Ask](t, b.step(b.input(text))).Claim
	b.restart()
	b.amount(100)
	if again := find[desk.Ask](t, b.step(b.input(text))).Claim; again.ID != q.ID {
		t.Fatalf("asked again as %s, before as %s", again.ID, q.ID)
	}
	b.restart()
	b.amount(200)
	before := len(b.events())
	if other := find[desk.Ask](t, b.step(b.input(text))).Claim; other.ID == q.ID {
		t.Fatal("another amount under the same id")
	}
	if e := b.events()[before]; e.Type != wire.EventVoid || e.Claim != q.ID {
		t.Fatalf("the earlier question was not given back: %+v", e)
	}
}

func TestOnline_ABatchThatClosedMeanwhileChargesNothing(t *testing.T) {
	b := online(t, nil)
	q, _ := b.ask(b.c.holder(t, 1, nil), 100)
	b.step(till.MoveBatch{Stamp: b.stamp(), Move: wire.BatchCloses, By: "C01"})
	if r := find[desk.Show](t, b.hear(q.ID, verdict.ClaimGranted, yes(1))).Result; r.Reason != verdict.TerminalClosed {
		t.Fatalf("%+v", r)
	}
	events := b.events()
	if e := events[len(events)-1]; e.Claim != q.ID {
		t.Fatalf("the claim is not let go of: %+v", e)
	}
}
