package charges_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/ledger"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// deed is what a till did, with accounts and tills by number.
type deed struct {
	till, account int
	ctr           uint64
	fen, at       int64
	voids         int // number of an earlier deed of the same till; -1 = a charge
	declined      bool
	claim         bool // it had asked, and heard nothing
}

// story is a day: what is on the cards, and what the tills did.
type story struct {
	main, subsidy []int64
	tills         int
	deeds         []deed
}

func aStory(t *rapid.T) story {
	s := story{tills: rapid.IntRange(1, 3).Draw(t, "tills")}
	for range rapid.IntRange(1, 3).Draw(t, "accounts") {
		s.main = append(s.main, rapid.Int64Range(0, 500).Draw(t, "main"))
		s.subsidy = append(s.subsidy, rapid.Int64Range(0, 300).Draw(t, "subsidy"))
	}
	for range rapid.IntRange(1, 14).Draw(t, "deeds") {
		d := deed{
			till: rapid.IntRange(0, s.tills-1).Draw(t, "till"), account: rapid.IntRange(0, len(s.main)-1).Draw(t, "account"),
			ctr: rapid.Uint64Range(1, 5).Draw(t, "ctr"), fen: rapid.Int64Range(1, 400).Draw(t, "fen"),
			at: noon + rapid.Int64Range(0, 3).Draw(t, "at"), voids: -1,
			declined: rapid.IntRange(0, 7).Draw(t, "declined") == 0, claim: rapid.Bool().Draw(t, "claim"),
		}
		if rapid.IntRange(0, 3).Draw(t, "void") == 0 {
			for i := range s.deeds {
				if s.deeds[i].till == d.till && s.deeds[i].voids < 0 && !s.deeds[i].declined {
					d.voids, d.declined = i, false
				}
			}
		}
		s.deeds = append(s.deeds, d)
	}
	return s
}

// outcome is what a story comes to.
type outcome struct {
	Total, Debt []int64
	Merchants   []int64
	Suspense    int64
	Marks       []string // of each deed
	Disputes    map[string]int
}

// expected works the outcome out without a database.
func (s *story) expected() outcome {
	o := outcome{Merchants: make([]int64, s.tills), Disputes: map[string]int{}}
	for i := range s.main {
		o.Total = append(o.Total, s.main[i]+s.subsidy[i])
	}
	type proof struct {
		account int
		ctr     uint64
	}
	first := map[proof]int{}
	voided := map[int]bool{}
	before := func(i, j int) bool {
		a, b := &s.deeds[i], &s.deeds[j]
		if a.at != b.at {
			return a.at < b.at
		}
		if a.till != b.till {
			return a.till < b.till
		}
		return i < j
	}
	for i, d := range s.deeds {
		p := proof{d.account, d.ctr}
		switch j, known := first[p]; {
		case d.declined:
		case d.voids >= 0:
			voided[d.voids] = true
		case !known || before(i, j):
			first[p] = i
		}
	}
	for i, d := range s.deeds {
		p := proof{d.account, d.ctr}
		if d.declined || d.voids >= 0 {
			o.Marks = append(o.Marks, "0 0")
			continue
		}
		duplicate, gone := 0, 0
		if first[p] != i {
			duplicate = 1
		}
		if voided[i] {
			gone = 1
		}
		o.Marks = append(o.Marks, fmt.Sprint(duplicate, gone))
		if duplicate == 1 {
			o.Disputes[map[int]string{0: "open", 1: "dismiss"}[gone]]++
		}
		if gone == 1 {
			continue
		}
		o.Merchants[d.till] += d.fen
		if duplicate == 1 {
			o.Suspense -= d.fen
		} else {
			o.Total[d.account] -= d.fen
		}
	}
	for _, fen := range o.Total {
		o.Debt = append(o.Debt, min(0, fen))
	}
	return o
}

// play uploads a story in pieces of any size, some of them again, from the tills
// in any order, and posts whenever it comes to that.
func (w *world) play(t *rapid.T, s *story) outcome {
	o := outcome{Disputes: map[string]int{}, Suspense: -w.has(t, ledger.Suspense)}
	var accounts []uint64
	for i := range s.main {
		accounts = append(accounts, w.account(t, s.main[i], s.subsidy[i]))
	}
	var tills []*till
	for range s.tills {
		tills = append(tills, w.till(t))
	}
	events := make([]wire.EventID, len(s.deeds))
	for i, d := range s.deeds {
		k := tills[d.till]
		sold := sale{account: accounts[d.account], ctr: d.ctr, fen: d.fen, at: d.at, offline: true}
		if d.claim {
			k.asked++
			sold.claim = fmt.Sprintf("%d-%d-%d", k.agent.ID, k.agent.Epoch, k.asked)
		}
		if d.declined {
			sold.reason = verdict.LimitOffline
		}
		if d.voids >= 0 {
			events[i] = k.void(t, events[d.voids], s.deeds[d.voids].fen)
		} else {
			events[i] = k.charge(t, sold)
		}
	}
	for left := true; left; {
		k := tills[rapid.IntRange(0, len(tills)-1).Draw(t, "from")]
		k.upload(t, rapid.IntRange(1, 6).Draw(t, "records"), rapid.IntRange(0, 4).Draw(t, "again"))
		if rapid.Bool().Draw(t, "post") {
			ok(t, w.CatchUp(t.Context()))
		}
		left = false
		for _, k := range tills {
			left = left || k.sent < len(k.journal)
		}
	}
	ok(t, w.CatchUp(t.Context()))
	for i, a := range accounts {
		b := w.balance(t, a)
		if b.DebtFen < 0 && b.MainFen+b.SubsidyFen > 0 {
			t.Fatalf("account %d has money and a debt: %+v", i, b)
		}
		o.Total, o.Debt = append(o.Total, b.Total()), append(o.Debt, b.DebtFen)
		for _, state := range w.list(t, "SELECT state FROM disputes WHERE account = $1", int64(a)) {
			o.Disputes[state]++
		}
	}
	for _, k := range tills {
		o.Merchants = append(o.Merchants, w.has(t, ledger.Merchant(k.merchant)))
	}
	for _, id := range events {
		o.Marks = append(o.Marks, w.row(t, id, "duplicate, voided_by IS NOT NULL"))
	}
	o.Suspense += w.has(t, ledger.Suspense)
	return o
}

// Whatever the order, the pieces and the repeats in which records arrive, cards,
// merchants, suspense and the marks of every charge come to what the records say.
func TestCharges_I3_I7_I10_TheOrderOfArrivalChangesNothing(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		s := aStory(t)
		// A void of what was voided before is a problem of its own.
		seen := map[int]bool{}
		for i := range s.deeds {
			if v := s.deeds[i].voids; v >= 0 {
				if seen[v] {
					s.deeds[i].voids, s.deeds[i].declined = -1, true
				}
				seen[v] = true
			}
		}
		want := s.expected()
		if got := w.play(t, &s); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
	if p := w.problems(t); len(p) != 0 {
		t.Errorf("problems %q", p)
	}
	report, err := w.money.Verify(t.Context(), nil)
	ok(t, err)
	if len(report.Faults) != 0 {
		t.Errorf("the ledger does not add up: %+v", report)
	}
}
