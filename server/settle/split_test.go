package settle_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/ledger"
	"campusgate/server/settle"
)

// grant gives a card a subsidy at a moment, and expire takes what is left of it
// as the card office does: by what the accounts hold then.
func (w *world) grant(t tb, card uint64, batch string, fen, at, ends int64) {
	t.Helper()
	w.ends[batch] = ends
	w.post(t, ledger.Transfer{
		ID: fmt.Sprintf("subsidy/%s/%d", batch, card), Kind: ledger.KindSubsidy, At: at, Day: dayOf(at), Card: card,
		Entries: []ledger.Entry{{Account: ledger.Subsidy(card), Fen: fen}, {Account: ledger.Subsidies, Fen: -fen}},
	})
}

func (w *world) expire(t tb, card uint64, batch string, granted, at int64) {
	t.Helper()
	left := min(granted, w.balance(t, card).SubsidyFen)
	if left == 0 {
		return
	}
	w.post(t, ledger.Transfer{
		ID: fmt.Sprintf("expiry/%s/%d", batch, card), Kind: ledger.KindExpiry, At: at, Day: dayOf(at), Card: card,
		Entries: []ledger.Entry{{Account: ledger.Subsidy(card), Fen: -left}, {Account: ledger.Subsidies, Fen: left}},
	})
}

// A charge from before the subsidy ended comes after it: it was the subsidy's to
// pay.
func TestSplit_ALateChargeIsPaidByTheSubsidyOfItsTime(t *testing.T) {
	w := open(t)
	a := w.till(t)
	w.top(t, alice, 10_000, noon-10*minute)
	w.grant(t, alice, "b1", 1000, noon-9*minute, noon+60*minute)
	a.sale(t, alice, 1, 700, noon)
	w.expire(t, alice, "b1", 1000, noon+60*minute)
	w.catchUp(t, a)
	if b := w.balance(t, alice); b.MainFen != 9300 || b.SubsidyFen != 0 {
		t.Fatalf("before the close: %+v", b)
	}
	w.clock.Store(noon + day)
	_, err := w.Close(t.Context(), office, today)
	ok(t, err)
	if b := w.balance(t, alice); b.MainFen != 10_000 || b.SubsidyFen != 0 || b.DebtFen != 0 || w.has(t, ledger.Subsidies) != -700 {
		t.Errorf("after the close: %+v, subsidies %d", b, w.has(t, ledger.Subsidies))
	}
}

// A charge from before the subsidy was granted is the holder's own to pay,
// however late it comes.
func TestSplit_ASubsidyPaysNothingFromBeforeIt(t *testing.T) {
	w := open(t)
	a := w.till(t)
	w.top(t, alice, 10_000, noon-10*minute)
	a.sale(t, alice, 1, 700, noon)
	w.grant(t, alice, "b1", 1000, noon+minute, noon+30*day)
	w.catchUp(t, a)
	if b := w.balance(t, alice); b.SubsidyFen != 300 {
		t.Fatalf("before the close: %+v", b)
	}
	w.clock.Store(noon + day)
	_, err := w.Close(t.Context(), office, today)
	ok(t, err)
	if b := w.balance(t, alice); b.MainFen != 9300 || b.SubsidyFen != 1000 {
		t.Errorf("after the close: %+v", b)
	}
	// Interrupted and done again, nothing moves any more.
	ok(t, w.FinishSplits(t.Context()))
	if b := w.balance(t, alice); b.MainFen != 9300 || b.SubsidyFen != 1000 {
		t.Errorf("once more: %+v", b)
	}
}

// happening is something of one noon, whose moment is its place.
type happening struct {
	kind string // sale, void, top or grant
	till int    // a grant ends so many places later, 0 = much later
	fen  int64
}

func happenings(t *rapid.T) []happening {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) happening {
		return happening{
			kind: rapid.SampledFrom([]string{"sale", "sale", "sale", "void", "top", "grant", "grant"}).Draw(t, "kind"),
			till: rapid.IntRange(0, 2).Draw(t, "till"),
			fen:  rapid.Int64Range(1, 900).Draw(t, "fen"),
		}
	}), 1, 12).Draw(t, "happenings")
}

// stage is a world in which days pass, each with a card of its own.
type stage struct {
	*world
	tills []*till
	days  int64
}

// outcome is what a day left.
type outcome struct {
	ledger.Balance
	fund, suspense int64
}

// play lets them happen on the next day; the tills come online in their turns, and
// at the end. Then the day is closed.
func (w *stage) play(t tb, list []happening, turns []int) outcome {
	w.days++
	start := noon + w.days*day
	card := alice + uint64(w.days)*10
	w.clock.Store(start)
	fund, suspense := w.has(t, ledger.Subsidies), w.has(t, ledger.Suspense)
	w.top(t, card, 500, start-minute)
	type granted struct {
		batch string
		fen   int64
	}
	due := map[int][]granted{} // by the place at which they end
	var unsold func(at int64)  // of the last sale
	for i, h := range list {
		at := start + int64(i)*minute
		for _, g := range due[i] {
			w.expire(t, card, g.batch, g.fen, at)
		}
		switch h.kind {
		case "sale":
			k := w.tills[h.till]
			id := k.sale(t, card, uint64(i+1), h.fen, at)
			unsold = func(at int64) { k.void(t, id, h.fen, at) }
		case "void":
			if unsold != nil {
				unsold(at)
				unsold = nil
			}
		case "top":
			w.top(t, card, h.fen, at)
		case "grant":
			batch, ends := fmt.Sprintf("b%d-%d", w.days, i), start+10_000*day
			if h.till > 0 {
				ends = start + int64(i+h.till)*minute
				due[i+h.till] = append(due[i+h.till], granted{batch, h.fen})
			}
			w.grant(t, card, batch, h.fen, at, ends)
		}
		if turn := turns[i%len(turns)]; turn < len(w.tills) {
			w.tills[turn].upload(t, 1+i%2)
			ok(t, w.charges.CatchUp(context.Background()))
		}
	}
	w.catchUp(t, w.tills...)
	w.clock.Store(start + day)
	if _, err := w.Close(context.Background(), office, dayOf(start)); err != nil {
		t.Fatalf("close: %v", err)
	}
	return outcome{w.balance(t, card), w.has(t, ledger.Subsidies) - fund, w.has(t, ledger.Suspense) - suspense}
}

// Whatever the order in which tills come online, after the close every account
// has the same.
func TestSplit_I7_TheOrderOfUploadsDoesNotMatter(t *testing.T) {
	w := &stage{world: open(t)}
	w.tills = []*till{w.till(t), w.till(t), w.till(t)}
	rapid.Check(t, func(t *rapid.T) {
		list := happenings(t)
		turns := func(name string) []int { return rapid.SliceOfN(rapid.IntRange(0, 5), 1, 8).Draw(t, name) }
		first, second := w.play(t, list, turns("first")), w.play(t, list, turns("second"))
		if first != second {
			t.Errorf("%+v; in another order %+v", first, second)
		}
	})
	report, err := w.money.Verify(t.Context(), nil)
	ok(t, err)
	if !report.Sound() {
		t.Errorf("the ledger is unsound: %+v", report.Faults)
	}
}

// A subsidy is for meals: what main alone has paid stays so when the day is closed.
func TestSplit_WhatNoSubsidyIsForIsPaidByMain(t *testing.T) {
	for kind, to := range map[ledger.Kind]ledger.Account{
		ledger.KindPayout: ledger.Drawer(1), ledger.KindUtility: ledger.Utility("electricity"), ledger.KindRecharge: ledger.Clearing("trial"),
	} {
		t.Run(string(kind), func(t *testing.T) {
			w := open(t)
			a := w.till(t)
			w.top(t, alice, 10_000, noon-10*minute)
			w.grant(t, alice, "b1", 10_000, noon-9*minute, noon+30*day)
			a.sale(t, alice, 1, 700, noon)
			w.catchUp(t, a)
			w.post(t, ledger.Transfer{ID: "x/1", Kind: kind, At: noon + minute, Day: today, Card: alice, Entries: []ledger.Entry{
				{Account: ledger.Main(alice), Fen: -5000}, {Account: to, Fen: 5000},
			}})
			w.clock.Store(noon + day)
			_, err := w.Close(t.Context(), office, today)
			ok(t, err)
			if b := w.balance(t, alice); b.MainFen != 5000 || b.SubsidyFen != 9300 {
				t.Errorf("after the close %+v", b)
			}
		})
	}
}

// What a subsidy paid is the subsidy's again when it comes back, also after the day of
// the charge was closed.
func TestSplit_WhatComesBackAfterTheCloseIsASubsidyStill(t *testing.T) {
	for _, how := range []string{"refund", "void"} {
		t.Run(how, func(t *testing.T) {
			w := open(t)
			a := w.till(t)
			w.top(t, alice, 500, noon-10*minute)
			w.grant(t, alice, "b1", 600, noon-9*minute, noon+30*day)
			sale := a.sale(t, alice, 1, 700, noon)
			w.catchUp(t, a)
			a.void(t, sale, 700, noon+minute)
			w.clock.Store(noon + day)
			_, err := w.Close(t.Context(), office, today)
			ok(t, err)
			if how == "void" {
				w.catchUp(t, a)
			} else {
				_, err := w.Refund(t.Context(), office, settle.Refund{ID: "refund-0001", Charge: sale.String(), Fen: 700, Reason: "x"})
				ok(t, err)
			}
			w.clock.Store(noon + 2*day)
			_, err = w.Close(t.Context(), office, tomorrow)
			ok(t, err)
			if b := w.balance(t, alice); b.MainFen != 500 || b.SubsidyFen != 600 {
				t.Errorf("after the close %+v", b)
			}
		})
	}
}
