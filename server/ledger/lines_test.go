package ledger_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/ledger"
)

// The worked ledger of the requirements: one recharge and several charges.
func TestLines_CM077_CM078_EachBalanceIsTheOneBelowPlusItsOwnAmount(t *testing.T) {
	w := newWorld(t)
	w.recharge(t, "1", 7, 3000)
	for i, fen := range []int64{850, 1200, 300} {
		w.charge(t, fmt.Sprint(i), 7, fen)
	}
	w.charge(t, "other", 8, 500) // another's, in between
	w.recharge(t, "2", 7, 5000)
	lines := w.lines(t, 7)
	type row struct {
		kind            ledger.Kind
		amount, balance int64
	}
	var got []row
	for _, l := range lines {
		got = append(got, row{l.Kind, l.AmountFen, l.BalanceFen})
	}
	want := []row{
		{ledger.KindRecharge, 5000, 5650},
		{ledger.KindCharge, -300, 650},
		{ledger.KindCharge, -1200, 950},
		{ledger.KindCharge, -850, 2150},
		{ledger.KindRecharge, 3000, 3000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	addsUp(t, lines, w.balance(t, 7).Total())
	if l := lines[4]; l.Seq != 1 || l.Transfer != "recharge/1" || l.Place != "微信" || l.Day != day || l.At == 0 || l.PostedAt != w.ms.Load() {
		t.Errorf("%+v", l)
	}
}

// Pages of any size, read while more is posted, are the statement: nothing is
// missing and nothing is there twice.
func TestLines_CM077_CM078_PagesOfAnySizeAddUp(t *testing.T) {
	w := newWorld(t)
	card := uint64(0)
	rapid.Check(t, func(r *rapid.T) {
		card++
		for i, fen := range rapid.SliceOfN(rapid.Int64Range(-900, 900), 1, 30).Draw(r, "amounts") {
			switch id := fmt.Sprintf("%d-%d", card, i); {
			case fen > 0:
				w.recharge(r, id, card, fen)
			case fen < 0:
				w.charge(r, id, card, -fen)
			}
		}
		whole := w.lines(r, card)
		addsUp(r, whole, w.balance(r, card).Total())
		limit := rapid.IntRange(1, 10).Draw(r, "limit")
		pages := []ledger.Line{}
		for before := int64(0); ; {
			page := must(w.Lines(context.Background(), w.db.Reader(), card, before, limit))(r)
			if len(page) > limit {
				r.Fatalf("%d lines", len(page))
			}
			pages = append(pages, page...)
			if len(page) < limit {
				break
			}
			before = page[len(page)-1].Seq
			w.recharge(r, fmt.Sprintf("late %d-%d", card, before), card, 1)
		}
		if !reflect.DeepEqual(pages, whole) {
			r.Fatalf("pages %+v, the whole %+v", pages, whole)
		}
	})
}

// What concerns a card without moving its money is a line of nothing.
func TestLines_CM078_SuspenseIsALineOfNothingAndStillAddsUp(t *testing.T) {
	w := newWorld(t)
	w.recharge(t, "1", 7, 1000)
	tr := ledger.Transfer{ID: "charge/2", Kind: ledger.KindCharge, Card: 7, Data: []byte(`{"flags":["disputed"]}`), Entries: []ledger.Entry{
		{Account: ledger.Suspense, Fen: -400}, {Account: ledger.Merchant(shop), Fen: 400},
	}}
	if o := w.post(t, tr); o.State != ledger.Posted || o.BalanceFen != 1000 {
		t.Fatalf("%+v", o)
	}
	if o := w.takeBack(t, ledger.KindVoid, "void/2", "charge/2", 7, 0); o.State != ledger.Posted {
		t.Fatalf("%+v", o)
	}
	lines := w.lines(t, 7)
	addsUp(t, lines, 1000)
	if lines[0].Reverses != "charge/2" || lines[0].AmountFen != 0 || string(lines[1].Data) != `{"flags":["disputed"]}` || lines[2].Data != nil {
		t.Errorf("%+v", lines)
	}
	if fen := must(w.BalanceOf(t.Context(), w.db.Reader(), ledger.Suspense))(t); fen != 0 {
		t.Errorf("suspense has %d", fen)
	}
}

func TestTotals_SumByAccountKindAndDay(t *testing.T) {
	w := newWorld(t)
	w.recharge(t, "1", 7, 5000)
	w.charge(t, "1", 7, 300)
	w.charge(t, "2", 7, 200)
	w.takeBack(t, ledger.KindRefund, "refund/1", "charge/1", 7, 100)
	w.post(t, ledger.Transfer{ID: "late", Kind: ledger.KindCharge, Day: "2026-11-20", Card: 7, Entries: []ledger.Entry{{Account: ledger.Main(7), Fen: -50}, {Account: ledger.Merchant(30), Fen: 50}}})
	m3, m30 := ledger.Merchant(shop), ledger.Merchant(30)
	for name, c := range map[string]struct {
		q    ledger.Query
		want []ledger.Sum
	}{
		"one account": {ledger.Query{Accounts: "merchant/3"}, []ledger.Sum{
			{m3, ledger.KindCharge, day, 2, 500, 0}, {m3, ledger.KindRefund, day, 1, 0, -100},
		}},
		"a kind of accounts": {ledger.Query{Accounts: "merchant", Kind: ledger.KindCharge}, []ledger.Sum{
			{m3, ledger.KindCharge, day, 2, 500, 0}, {m30, ledger.KindCharge, "2026-11-20", 1, 50, 0},
		}},
		"days":    {ledger.Query{To: "2026-11-20", Accounts: "merchant"}, []ledger.Sum{{m30, ledger.KindCharge, "2026-11-20", 1, 50, 0}}},
		"from":    {ledger.Query{From: day, Kind: ledger.KindRecharge, Accounts: "clearing"}, []ledger.Sum{{ledger.Clearing("wechat"), ledger.KindRecharge, day, 1, 0, -5000}}},
		"nothing": {ledger.Query{Accounts: "merchan"}, []ledger.Sum{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := must(w.Totals(t.Context(), w.db.Reader(), c.q))(t); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
	var sum int64
	for _, s := range must(w.Totals(t.Context(), w.db.Reader(), ledger.Query{}))(t) {
		sum += s.InFen + s.OutFen
	}
	if sum != 0 {
		t.Errorf("everything comes to %d", sum)
	}
}
