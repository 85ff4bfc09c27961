package ledger_test

import (
	"reflect"
	"testing"

	"campusgate/server/ledger"
)

func TestPost_ChargeTakesSubsidyThenMainThenDebt(t *testing.T) {
	w := newWorld(t)
	w.recharge(t, "1", 7, 500)
	w.grant(t, "1", 7, 300)
	if o := w.charge(t, "1", 7, 1000); o.State != ledger.Posted || o.BalanceFen != -200 || o.Seq != 3 {
		t.Fatalf("%+v", o)
	}
	if b := w.balance(t, 7); b != (ledger.Balance{DebtFen: -200}) {
		t.Fatalf("%+v", b)
	}
	w.recharge(t, "2", 7, 500)
	if b := w.balance(t, 7); b != (ledger.Balance{MainFen: 300}) {
		t.Fatalf("debt is paid first: %+v", b)
	}
	if fen := must(w.BalanceOf(t.Context(), w.db.Reader(), ledger.Merchant(shop)))(t); fen != 1000 {
		t.Fatalf("the merchant has %d", fen)
	}
	r, found, err := w.Find(t.Context(), w.db.Reader(), "charge/1")
	want := []ledger.Entry{{Account: ledger.Subsidy(7), Fen: -300}, {Account: ledger.Main(7), Fen: -500}, {Account: ledger.Debt(7), Fen: -200}, {Account: ledger.Merchant(shop), Fen: 1000}}
	if err != nil || !found || !reflect.DeepEqual(r.Entries, want) || r.Line != 3 || r.AmountFen != -1000 || r.BalanceFen != -200 {
		t.Fatalf("%v %v %+v", err, found, r)
	}
}

func TestHold_PromisesOnlyWhatIsFreeAndAnswersTheSameForEver(t *testing.T) {
	w := newWorld(t)
	w.recharge(t, "1", 7, 500)
	for _, c := range []struct {
		hold    ledger.Hold
		granted bool
		free    int64
	}{
		{ledger.Hold{ID: "a", Card: 7, Fen: 300, Expires: w.ms.Load() + 1000}, true, 200},
		{ledger.Hold{ID: "b", Card: 7, Fen: 201, Expires: w.ms.Load() + 1000}, false, 200},
		{ledger.Hold{ID: "a", Card: 7, Fen: 300}, true, 200},
		{ledger.Hold{ID: "a", Card: 7, Fen: 301}, false, 200},
		{ledger.Hold{ID: "a", Card: 8, Fen: 300}, false, 0},
		{ledger.Hold{ID: "c", Card: 7, Fen: 200, Expires: w.ms.Load() + 9000}, true, 0},
		{ledger.Hold{ID: "d", Card: 7, Fen: 0}, false, 0},
		{ledger.Hold{ID: "e", Card: 7, Fen: -5}, false, 0},
	} {
		if granted, free := w.hold(t, c.hold); granted != c.granted || free != c.free {
			t.Errorf("%+v: %v, %d free", c.hold, granted, free)
		}
	}
	w.ms.Add(2000)
	ok(t, w.Lapse(t.Context()))
	if b := w.balance(t, 7); b.HeldFen != 200 {
		t.Fatalf("after the lapse of one: %+v", b)
	}
	w.release(t, "c")
	w.release(t, "never asked")
	if b := w.balance(t, 7); b.HeldFen != 0 || b.Free() != 500 {
		t.Fatalf("after the release: %+v", b)
	}
	if granted, _ := w.hold(t, ledger.Hold{ID: "a", Card: 7, Fen: 300}); !granted || w.balance(t, 7).HeldFen != 0 {
		t.Error("the answer changed after the end, or holds again")
	}
	if granted, _ := w.hold(t, ledger.Hold{ID: "b", Card: 7, Fen: 201}); granted {
		t.Error("the refusal changed")
	}
}
