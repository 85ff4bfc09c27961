package charges_test

import (
	"slices"
	"testing"

	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func wantHas(t *testing.T, w *world, what string, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d fen, want %d", what, got, want)
	}
}

func TestCharges_ASaleGoesFromCardToMerchantAndBackWithItsVoid(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 300)
	k := w.till(t)
	id := k.charge(t, sale{account: a, ctr: 1, fen: 500})
	k.charge(t, sale{account: a, ctr: 2, fen: 9_999, reason: verdict.LimitSingle})
	k.post(t)
	if b := w.balance(t, a); b != (ledger.Balance{MainFen: 800}) {
		t.Fatalf("%+v", b)
	}
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 500)
	if got := w.row(t, id, "kind, transfer, main_fen, subsidy_fen, debt_fen, settle_day"); got != "charge charge/"+id.String()+" 200 300 0 "+today {
		t.Error(got)
	}
	void := k.void(t, id, 500)
	k.post(t)
	if b := w.balance(t, a); b != (ledger.Balance{MainFen: 1_000, SubsidyFen: 300}) {
		t.Fatalf("%+v", b)
	}
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 0)
	if got := w.row(t, id, "voided_by"); got != void.String() {
		t.Error(got)
	}
	k.void(t, id, 500)
	k.post(t)
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 0)
	if p := w.problems(t); !slices.Equal(p, []string{"void"}) {
		t.Errorf("problems %q", p)
	}
}

func TestCharges_I4_WhatWasTakenIsPostedWhateverBecameOfTheCard(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		card  charges.Card
		lost  int64
		known bool
		flags string
	}{
		"lost before":         {lost: noon - 1, known: true, flags: "1"},
		"lost after":          {lost: noon + 1, known: true, flags: "0"},
		"frozen":              {card: charges.Card{State: wire.CardFrozen, Epoch: 1}, known: true, flags: "0"},
		"closed":              {card: charges.Card{State: wire.CardClosed, Epoch: 1}, known: true, flags: "0"},
		"of an earlier epoch": {card: charges.Card{State: wire.CardActive, Epoch: 9}, known: true, flags: "0"},
		"of nobody we know":   {known: false, flags: "0"},
	} {
		a := w.account(t, 300, 0)
		w.cards.put(a, c.card)
		if c.lost != 0 {
			w.cards.lose(a, c.lost)
		}
		if !c.known {
			delete(w.cards.cards, a)
		}
		k := w.till(t)
		id := k.charge(t, sale{account: a, ctr: 1, fen: 500, offline: true})
		k.post(t)
		if b := w.balance(t, a); b != (ledger.Balance{DebtFen: -200}) {
			t.Errorf("%s: %+v", name, b)
		}
		if got := w.row(t, id, "after_loss, late, duplicate"); got != c.flags+" 0 0" {
			t.Errorf("%s: flags %s", name, got)
		}
		wantHas(t, w, name, w.has(t, ledger.Merchant(k.merchant)), 500)
	}
}

func TestCharges_I6_WhatIsMissingIsNamedAndTheMoneyPostedAllTheSame(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 10_000, 0)
	k := w.till(t)
	k.charge(t, sale{account: a, ctr: 1, fen: 100})
	k.flow++ // two charges that never came, of 300 together
	k.flow++
	k.sum += 300
	k.charge(t, sale{account: a, ctr: 2, fen: 100})
	k.charge(t, sale{account: a, ctr: 3, fen: 100})
	k.write(t, wire.Event{Type: wire.EventBatch, At: noon, Batch: &wire.Batch{
		Number: 1, Move: wire.BatchCloses, Charges: 5, TotalFen: 600, Flow: k.flow, SumFen: k.sum,
	}})
	k.post(t)
	if p, want := w.problems(t), []string{"flow 2 4", "sum 200 500", "batch 300 600"}; !slices.Equal(p, want) {
		t.Errorf("problems %q, want %q", p, want)
	}
	wantHas(t, w, "card", w.balance(t, a).Total(), 9_700)

	// A batch of a new journal that adds up.
	k.enrol(t, k.agent.Gate)
	k.write(t, wire.Event{Type: wire.EventBatch, At: noon, Batch: &wire.Batch{Number: 2, Move: wire.BatchOpens}})
	k.spoil = func(e *wire.Event) {
		if e.Charge != nil {
			e.Charge.Batch = 2
		}
	}
	k.void(t, k.charge(t, sale{account: a, ctr: 4, fen: 100}), 100)
	k.charge(t, sale{account: a, ctr: 5, fen: 250})
	k.write(t, wire.Event{Type: wire.EventBatch, At: noon, Batch: &wire.Batch{
		Number: 2, Move: wire.BatchCloses, Charges: 2, Voids: 1, TotalFen: 250, Flow: k.flow, SumFen: k.sum,
	}})
	k.post(t)
	if p := w.problems(t); len(p) != 3 {
		t.Errorf("problems %q", p)
	}
	if got := w.list(t, "SELECT concat_ws(' ', number, total_fen, server_fen, server_charges, server_voids, flow_from, flow_to) FROM batches WHERE epoch = 2"); !slices.Equal(got, []string{"2 250 250 2 1 0 3"}) {
		t.Errorf("%q", got)
	}
}

func TestCharges_I8_ALateChargeKeepsItsDayAndIsSettledWithTheOpenOne(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 10_000, 0)
	k := w.till(t)
	early := k.charge(t, sale{account: a, ctr: 1, fen: 100})
	k.post(t)
	ok(t, w.db.Change(t.Context(), func(x *store.Tx) error {
		for _, day := range []string{"2026-11-21", "2026-11-22"} { // the next one too: somebody was in a hurry
			if err := x.Exec("INSERT INTO days (day, closed_at, closed_by, report) VALUES ($1, $2, 'test', '{}')", day, x.Now()); err != nil {
				return err
			}
		}
		return nil
	}))
	late := k.charge(t, sale{account: a, ctr: 2, fen: 100})
	k.post(t)
	for id, want := range map[wire.EventID]string{early: "2026-11-21 2026-11-21 0", late: "2026-11-21 2026-11-23 1"} {
		if got := w.row(t, id, "day, settle_day, late"); got != want {
			t.Errorf("%v: %s, want %s", id, got, want)
		}
	}
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 200)
}

func TestCharges_I10_FurtherChargesOfAProofGoToSuspense(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 0)
	k, o := w.till(t), w.till(t)
	first := o.charge(t, sale{account: a, ctr: 7, fen: 300, at: noon - minute, offline: true})
	second := k.charge(t, sale{account: a, ctr: 7, fen: 500, offline: true})
	k.post(t)
	wantHas(t, w, "card, of the one that came first", w.balance(t, a).Total(), 500)
	o.post(t)
	wantHas(t, w, "card, of the one that was first", w.balance(t, a).Total(), 700)
	wantHas(t, w, "suspense", w.has(t, ledger.Suspense), -500)
	wantHas(t, w, "both merchants", w.has(t, ledger.Merchant(k.merchant))+w.has(t, ledger.Merchant(o.merchant)), 800)
	if got := w.row(t, first, "duplicate") + w.row(t, second, "duplicate, suspense_fen, transfer"); got != "01 500 suspense/"+second.String() {
		t.Error(got)
	}
	if got := w.list(t, "SELECT concat_ws(' ', kind, account = $1, transfer, state) FROM disputes", int64(a)); !slices.Equal(got, []string{"second_use 1 suspense/" + second.String() + " open"}) {
		t.Errorf("disputes %q", got)
	}
	k.void(t, second, 500)
	k.post(t)
	wantHas(t, w, "suspense", w.has(t, ledger.Suspense), 0)
	wantHas(t, w, "the merchant of the void", w.has(t, ledger.Merchant(k.merchant)), 0)
	wantHas(t, w, "card", w.balance(t, a).Total(), 700)
	if got := w.list(t, "SELECT state FROM disputes"); !slices.Equal(got, []string{"dismiss"}) {
		t.Errorf("disputes %q", got)
	}
	if p := w.problems(t); len(p) != 0 {
		t.Errorf("problems %q", p)
	}
}

// A till is enrolled again while its old journal is still on its way.
func TestCharges_AVoidMayComeBeforeItsCharge(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 0)
	k := w.till(t)
	id := k.charge(t, sale{account: a, ctr: 1, fen: 400})
	old, records := k.agent, k.journal
	k.enrol(t, k.agent.Gate)
	void := k.void(t, id, 400)
	k.post(t)
	wantHas(t, w, "card", w.balance(t, a).Total(), 1_000)
	if p := w.problems(t); !slices.Equal(p, []string{"void"}) {
		t.Errorf("problems %q", p)
	}
	_, err := w.db.Ingest(t.Context(), old.ID, old.Epoch, records)
	ok(t, err)
	ok(t, w.CatchUp(t.Context()))
	wantHas(t, w, "card", w.balance(t, a).Total(), 1_000)
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 0)
	if got := w.row(t, id, "voided_by"); got != void.String() {
		t.Error(got)
	}
	if got := w.row(t, void, "transfer"); got != "void/"+void.String() {
		t.Error(got)
	}
	if p := w.problems(t); len(p) != 0 {
		t.Errorf("problems %q", p)
	}
}

func TestCharges_AVoidOfAnotherTillMovesNothing(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 0)
	k, o := w.till(t), w.till(t)
	id := k.charge(t, sale{account: a, ctr: 1, fen: 400})
	k.post(t)
	o.void(t, id, 400)
	o.post(t)
	wantHas(t, w, "card", w.balance(t, a).Total(), 600)
	wantHas(t, w, "merchant", w.has(t, ledger.Merchant(k.merchant)), 400)
	if p := w.problems(t); !slices.Equal(p, []string{"void"}) {
		t.Errorf("problems %q", p)
	}
}

// The merchant of the prices that were in force is paid.
func TestCharges_TheMerchantOfThatVersionIsPaid(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 0)
	k, o := w.till(t), w.till(t)
	k.charge(t, sale{account: a, ctr: 1, fen: 400})
	to := o.merchant
	changed, err := w.canteen.ChangeTill(t.Context(), "test", everything, k.agent.Gate, tillChange{Merchant: &to})
	ok(t, err)
	k.version = changed.Rules.Version
	k.charge(t, sale{account: a, ctr: 2, fen: 30})
	k.post(t)
	wantHas(t, w, "the old one", w.has(t, ledger.Merchant(k.merchant)), 400)
	wantHas(t, w, "the new one", w.has(t, ledger.Merchant(o.merchant)), 30)
}
