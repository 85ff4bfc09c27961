package settle_test

import (
	"errors"
	"strings"
	"testing"

	"campusgate/server/ledger"
	"campusgate/server/settle"
	"campusgate/signing/wire"
)

const alice, bob, carol = uint64(4_000_000_000_000_001), uint64(4_000_000_000_000_002), uint64(4_000_000_000_000_003)

// lunch is two tills with some sales, all of them posted.
func lunch(t *testing.T, w *world) (a, b *till) {
	t.Helper()
	a, b = w.till(t), w.till(t)
	for _, card := range []uint64{alice, bob, carol} {
		w.top(t, card, 10_000, noon-60*minute)
	}
	a.batch(t, wire.BatchOpens, 0, 0, 0, noon-minute)
	a.sale(t, alice, 1, 1200, noon)
	voided := a.sale(t, bob, 1, 800, noon+minute)
	a.void(t, voided, 800, noon+2*minute)
	a.sale(t, carol, 1, 950, noon+3*minute)
	a.batch(t, wire.BatchCloses, 3, 1, 2150, noon+90*minute)
	b.sale(t, alice, 2, 300, noon+4*minute)
	b.sale(t, bob, 2, 50, noon+5*minute)
	w.catchUp(t, a, b)
	return a, b
}

func (w *world) wantReport(t *testing.T, day string) *settle.DayReport {
	t.Helper()
	r, err := w.Report(t.Context(), day)
	ok(t, err)
	return r
}

func TestClose_TheThreeAgreeToTheFen(t *testing.T) {
	w := open(t)
	lunch(t, w)
	w.clock.Store(noon + day)
	r, err := w.Close(t.Context(), office, today)
	ok(t, err)
	if want := (settle.Checks{TillFen: 2500, ServerFen: 2500, MerchantFen: 2500}); r.Checks != want || r.State != settle.StateClosed || r.ClosedBy != office {
		t.Errorf("closed with %+v, %s by %q", r.Checks, r.State, r.ClosedBy)
	}
	if len(r.Totals) != 2 || r.Totals[0].Charges != 3 || r.Totals[0].Voids != 1 || r.Totals[0].Fen != 2150 || r.Totals[1].Fen != 350 {
		t.Errorf("totals %+v", r.Totals)
	}
	if len(r.Batches) != 1 || r.Batches[0].Fen != 2150 || r.Batches[0].ServerFen != 2150 {
		t.Errorf("batches %+v", r.Batches)
	}
	if len(r.Gaps)+len(r.Differences) != 0 {
		t.Errorf("gaps %+v, differences %+v", r.Gaps, r.Differences)
	}
	if _, err := w.Close(t.Context(), office, today); !errors.Is(err, settle.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
}

func TestClose_WaitsForTheEndOfTheDayAndForTheDaysBefore(t *testing.T) {
	w := open(t)
	a, _ := lunch(t, w)
	if _, err := w.Close(t.Context(), office, today); !errors.Is(err, settle.ErrOpen) {
		t.Errorf("closed at noon: %v", err)
	}
	// Half past three at night is still the business day before: it begins at four.
	w.clock.Store(noon + 15*60*minute + 30*minute)
	if _, err := w.Close(t.Context(), office, today); !errors.Is(err, settle.ErrOpen) {
		t.Errorf("closed at night: %v", err)
	}
	w.clock.Store(noon + 2*day)
	a.sale(t, bob, 9, 100, noon+day)
	w.catchUp(t, a)
	if _, err := w.Close(t.Context(), office, tomorrow); !errors.Is(err, settle.ErrOpen) || !strings.Contains(err.Error(), today) {
		t.Errorf("the second day was closed first: %v", err)
	}
	for _, bad := range []string{"", "yesterday", "2026-02-30"} {
		if _, err := w.Close(t.Context(), office, bad); !errors.Is(err, settle.ErrDay) {
			t.Errorf("day %q: %v", bad, err)
		}
	}
	for _, d := range []string{today, tomorrow} {
		_, err := w.Close(t.Context(), office, d)
		ok(t, err)
	}
}

// One upload that is lost on the way from the events to the ledger: the close
// names the number, and what it is worth.
func TestClose_I6_ALostUploadIsNamed(t *testing.T) {
	w := open(t)
	a := w.till(t)
	w.top(t, alice, 10_000, noon)
	a.sale(t, alice, 1, 1200, noon)
	lost := a.sale(t, alice, 2, 700, noon+minute)
	lost2 := a.sale(t, alice, 3, 30, noon+2*minute)
	a.sale(t, alice, 4, 500, noon+3*minute)
	a.upload(t, 0)
	w.drop(t, lost)
	w.drop(t, lost2)
	w.catchUp(t, a)
	w.clock.Store(noon + day)

	var u *settle.Unaccounted
	_, err := w.Close(t.Context(), office, today)
	if !errors.Is(err, settle.ErrGaps) || !errors.As(err, &u) || len(u.Gaps) != 1 {
		t.Fatalf("closed: %v", err)
	}
	g := u.Gaps[0]
	if g.Gate != a.agent.Gate || g.From != 2 || g.To != 3 || g.Fen == nil || *g.Fen != 730 || g.Day != today {
		t.Errorf("gap %+v of %v", g, g.Fen)
	}
	if r := w.wantReport(t, today); r.State != settle.StateOpen || r.Checks.TillFen != 2430 || r.Checks.ServerFen != 1700 || r.Checks.MerchantFen != 1700 {
		t.Errorf("%+v", r.Checks)
	}

	wrong := g
	wrong.To = 2
	if _, err := w.Waive(t.Context(), office, today, wrong, "one of them"); !errors.Is(err, settle.ErrNothing) {
		t.Errorf("half of a gap was waived: %v", err)
	}
	_, err = w.Waive(t.Context(), office, today, g, "硬盘损坏,已与商户核对")
	ok(t, err)
	r, err := w.Close(t.Context(), office, today)
	ok(t, err)
	if len(r.Gaps) != 1 || r.Gaps[0].Waived == nil || r.Gaps[0].Waived.By != office || *r.Gaps[0].Fen != 730 || len(r.Differences) != 0 {
		t.Errorf("closed with %+v and %+v", r.Gaps, r.Differences)
	}
	// It stays accounted for.
	a.sale(t, alice, 5, 100, noon+day)
	w.catchUp(t, a)
	w.clock.Store(noon + 2*day)
	_, err = w.Close(t.Context(), office, tomorrow)
	ok(t, err)
}

func TestClose_I6_NumbersMissingAtTheEndAreNamedByWhatCameAfter(t *testing.T) {
	for name, after := range map[string]func(*till){
		"a refused charge": func(k *till) { k.declined(t, bob, 9, noon+5*minute) },
		"a closed batch":   func(k *till) { k.batch(t, wire.BatchCloses, 2, 0, 1900, noon+5*minute) },
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			a := w.till(t)
			w.top(t, alice, 10_000, noon)
			a.batch(t, wire.BatchOpens, 0, 0, 0, noon-minute)
			a.sale(t, alice, 1, 1200, noon)
			lost := a.sale(t, alice, 2, 700, noon+minute)
			after(a)
			a.upload(t, 0)
			w.drop(t, lost)
			w.catchUp(t, a)
			w.clock.Store(noon + day)
			var u *settle.Unaccounted
			if _, err := w.Close(t.Context(), office, today); !errors.As(err, &u) || len(u.Gaps) != 1 || u.Gaps[0].From != 2 || u.Gaps[0].To != 2 {
				t.Errorf("closed: %v", err)
			}
		})
	}
}

func TestClose_I9_ADifferenceStopsItUntilSomebodyAnswersForIt(t *testing.T) {
	w := open(t)
	a, _ := lunch(t, w)
	// Money on the merchant's account that no till reported.
	w.post(t, ledger.Transfer{
		ID: "charge/invented", Kind: ledger.KindCharge, At: noon, Day: today, Card: alice,
		Entries: []ledger.Entry{{Account: ledger.Main(alice), Fen: -10}, {Account: ledger.Merchant(a.merchant), Fen: 10}},
	})
	w.clock.Store(noon + day)
	var u *settle.Unaccounted
	_, err := w.Close(t.Context(), office, today)
	if !errors.Is(err, settle.ErrDifferences) || !errors.As(err, &u) || len(u.Differences) != 1 {
		t.Fatalf("closed: %v", err)
	}
	d := u.Differences[0]
	if d.What != "merchant" || *d.ServerFen != 2150 || *d.MerchantFen != 2160 {
		t.Errorf("difference %+v", d)
	}
	if _, err := w.Accept(t.Context(), office, today, "till", d.Ref, "no such one"); !errors.Is(err, settle.ErrNothing) {
		t.Errorf("accepted what is not there: %v", err)
	}
	_, err = w.Accept(t.Context(), office, today, d.What, d.Ref, "人工入账,附件 3")
	ok(t, err)
	// What was accepted was that sum, not any.
	w.post(t, ledger.Transfer{
		ID: "charge/another", Kind: ledger.KindCharge, At: noon, Day: today, Card: alice,
		Entries: []ledger.Entry{{Account: ledger.Main(alice), Fen: -1}, {Account: ledger.Merchant(a.merchant), Fen: 1}},
	})
	if _, err := w.Close(t.Context(), office, today); !errors.Is(err, settle.ErrDifferences) {
		t.Errorf("closed with another difference: %v", err)
	}
	_, err = w.Accept(t.Context(), office, today, d.What, d.Ref, "再加 0.01,附件 4")
	ok(t, err)
	r, err := w.Close(t.Context(), office, today)
	ok(t, err)
	if len(r.Differences) != 1 || r.Differences[0].Accepted == nil || r.Differences[0].Accepted.Owner != office {
		t.Errorf("closed with %+v", r.Differences)
	}
}

// A closed day never changes: what comes later keeps its date and is settled
// with the open day.
// A void that comes after the office's refund moves nothing, and so counts nothing.
func TestClose_I9_AVoidOfWhatWasRefundedIsNotTakenOffTwice(t *testing.T) {
	w := open(t)
	a := w.till(t)
	w.top(t, alice, 10_000, noon)
	a.sale(t, alice, 1, 5000, noon)
	sale := a.sale(t, alice, 2, 700, noon+minute)
	w.catchUp(t, a)
	a.void(t, sale, 700, noon+2*minute) // not sent yet
	w.clock.Store(noon + day)
	_, err := w.Close(t.Context(), office, today)
	ok(t, err)
	_, err = w.Refund(t.Context(), office, settle.Refund{ID: "refund-0001", Charge: sale.String(), Fen: 700, Reason: "x"})
	ok(t, err)
	w.catchUp(t, a)
	w.clock.Store(noon + 2*day)
	_, err = w.Close(t.Context(), office, tomorrow)
	ok(t, err)
	p, err := w.Pay(t.Context(), office, "pay-00001", a.merchant, tomorrow)
	ok(t, err)
	if left := w.has(t, ledger.Merchant(a.merchant)); p.Fen != 5000 || left != 0 {
		t.Errorf("%d fen are paid, and %d are left", p.Fen, left)
	}
}

func TestClose_I8_AClosedDayIsFrozen(t *testing.T) {
	w := open(t)
	a, b := lunch(t, w)
	b.sale(t, carol, 7, 640, noon+10*minute) // not uploaded yet
	w.clock.Store(noon + day)
	before, err := w.Close(t.Context(), office, today)
	ok(t, err)
	a.sale(t, alice, 8, 100, noon+day)
	w.catchUp(t, a, b)
	after := w.wantReport(t, today)
	if len(after.Totals) != len(before.Totals) || after.Totals[0] != before.Totals[0] || after.Totals[1] != before.Totals[1] {
		t.Errorf("closed with %+v, and then %+v", before.Totals, after.Totals)
	}
	w.clock.Store(noon + 2*day)
	r, err := w.Close(t.Context(), office, tomorrow)
	ok(t, err)
	var late, own int64
	for _, total := range r.Totals {
		if total.Late {
			late += total.Fen
		} else {
			own += total.Fen
		}
	}
	if late != 640 || own != 100 {
		t.Errorf("late %d, own %d: %+v", late, own, r.Totals)
	}
	st, err := w.Statement(t.Context(), b.merchant, today, tomorrow)
	ok(t, err)
	if st.ClosingFen != 350+640 || st.ClosingFen != w.has(t, ledger.Merchant(b.merchant)) || st.Days[1].LateFen != 640 {
		t.Errorf("statement %+v", st)
	}
}
