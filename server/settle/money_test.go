package settle_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/settle"
	"campusgate/server/store"
)

func TestRefund_GivesBackWhatIsLeftAndNoMore(t *testing.T) {
	w := open(t)
	a := w.till(t)
	w.top(t, alice, 10_000, noon)
	id := a.sale(t, alice, 1, 1200, noon).String()
	w.catchUp(t, a)

	first := settle.Refund{ID: "refund-0001", Charge: id, Fen: 500, Reason: "菜里有头发"}
	r, err := w.Refund(t.Context(), office, first)
	ok(t, err)
	if r.LeftFen != 700 || r.Day != today || r.By != office {
		t.Errorf("refund %+v", r)
	}
	again, err := w.Refund(t.Context(), office, first)
	ok(t, err)
	if again.At != r.At || again.Fen != 500 {
		t.Errorf("again %+v", again)
	}
	other := first
	other.Fen = 400
	if _, err := w.Refund(t.Context(), office, other); !errors.Is(err, settle.ErrRepeat) {
		t.Errorf("the same id with another amount: %v", err)
	}
	for _, bad := range []settle.Refund{
		{ID: "refund-0002", Charge: id, Fen: 701}, {ID: "refund-0003", Charge: id, Fen: 0}, {ID: "refund-0004", Charge: id, Fen: -5},
	} {
		if _, err := w.Refund(t.Context(), office, bad); !errors.Is(err, settle.ErrAmount) {
			t.Errorf("%d fen: %v", bad.Fen, err)
		}
	}
	if _, err := w.Refund(t.Context(), office, settle.Refund{ID: "refund-0005", Charge: "9-9-9", Fen: 1}); !errors.Is(err, settle.ErrNothing) {
		t.Errorf("of no charge: %v", err)
	}
	if got, took := w.balance(t, alice).Total(), w.has(t, ledger.Merchant(a.merchant)); got != 9300 || took != 700 {
		t.Errorf("the card has %d, the merchant %d", got, took)
	}
	_, err = w.Refund(t.Context(), office, settle.Refund{ID: "refund-0006", Charge: id, Fen: 700})
	ok(t, err)
	list, err := w.Refunds(t.Context(), today)
	ok(t, err)
	if len(list) != 2 || w.balance(t, alice).Total() != 10_000 {
		t.Errorf("refunds %+v, balance %d", list, w.balance(t, alice).Total())
	}
}

func TestPay_WhatClosedDaysAreWorthAndOnce(t *testing.T) {
	w := open(t)
	a, _ := lunch(t, w)
	if _, err := w.Pay(t.Context(), office, "pay-00001", a.merchant, today); !errors.Is(err, settle.ErrDay) {
		t.Errorf("paid for an open day: %v", err)
	}
	w.clock.Store(noon + day)
	_, err := w.Close(t.Context(), office, today)
	ok(t, err)
	for range 2 {
		p, err := w.Pay(t.Context(), office, "pay-00001", a.merchant, today)
		ok(t, err)
		if p.Fen != 2150 {
			t.Errorf("paid %d", p.Fen)
		}
	}
	if _, err := w.Pay(t.Context(), office, "pay-00002", a.merchant, today); !errors.Is(err, settle.ErrAmount) {
		t.Errorf("paid twice: %v", err)
	}
	if got, bank := w.has(t, ledger.Merchant(a.merchant)), w.has(t, ledger.Clearing("bank")); got != 0 || bank != 2150 {
		t.Errorf("the merchant has %d, the bank %d", got, bank)
	}
	st, err := w.Statement(t.Context(), a.merchant, today, today)
	ok(t, err)
	if st.ClosingFen != 0 || len(st.Days) != 1 || st.Days[0].PaidFen != 2150 || len(st.Payments) != 1 {
		t.Errorf("statement %+v", st)
	}
}

// The same code at two tills: the second is in suspense until somebody decides.
func TestResolve_I10_APersonDecidesWhoBearsADuplicate(t *testing.T) {
	for decision, want := range map[cards.DisputeState]struct{ card, merchant, suspense, losses int64 }{
		cards.DisputeMerchant: {10_000 - 1200 - 700, 700, 0, 0},
		cards.DisputeHolder:   {10_000 - 1200, 0, 0, 0},
		cards.DisputeDismiss:  {10_000 - 1200, 700, 0, -700},
	} {
		t.Run(string(decision), func(t *testing.T) {
			w := open(t)
			a, b := w.till(t), w.till(t)
			w.top(t, alice, 10_000, noon)
			a.sale(t, alice, 1, 1200, noon)
			b.sale(t, alice, 1, 700, noon+1)
			w.catchUp(t, a, b)
			open, err := w.Disputes(t.Context(), cards.DisputeOpen, 0, 10)
			ok(t, err)
			if len(open) != 1 || open[0].Fen != 700 || open[0].Account != alice || w.has(t, ledger.Suspense) != -700 {
				t.Fatalf("disputes %+v, suspense %d", open, w.has(t, ledger.Suspense))
			}
			waits, err := w.Suspense(t.Context(), 10)
			ok(t, err)
			if len(waits) != 1 || waits[0].Fen != 700 || waits[0].Account != alice || waits[0].Dispute != open[0].ID || waits[0].Reason != "second_use" ||
				waits[0].At != noon+1 || waits[0].Till != b.agent.Gate || waits[0].Transfer != open[0].Transfer {
				t.Fatalf("in suspense %+v", waits)
			}
			d, err := w.Resolve(t.Context(), office, open[0].ID, decision, "看过录像")
			ok(t, err)
			if waits, err = w.Suspense(t.Context(), 10); err != nil || len(waits) != 0 {
				t.Fatalf("in suspense after the decision: %+v, %v", waits, err)
			}
			if d.State != decision || d.DecidedBy != office {
				t.Errorf("resolved %+v", d)
			}
			if _, err := w.Resolve(t.Context(), office, d.ID, cards.DisputeDismiss, "再来一次"); !errors.Is(err, store.ErrState) {
				t.Errorf("decided twice: %v", err)
			}
			if got := w.balance(t, alice).Total(); got != want.card {
				t.Errorf("the card has %d, want %d", got, want.card)
			}
			for account, fen := range map[ledger.Account]int64{
				ledger.Merchant(b.merchant): want.merchant, ledger.Suspense: want.suspense, ledger.WrittenOff: want.losses,
			} {
				if got := w.has(t, account); got != fen {
					t.Errorf("%s has %d, want %d", account, got, fen)
				}
			}
		})
	}
	w := open(t)
	if _, err := w.Resolve(t.Context(), office, 77, cards.DisputeDismiss, "x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such dispute: %v", err)
	}
}

// A duplicate that the card bears after all is a charge like others: taken back, it
// comes back to the card.
func TestResolve_I10_WhatTheCardBoreComesBackToIt(t *testing.T) {
	for _, how := range []string{"refund", "void"} {
		t.Run(how, func(t *testing.T) {
			w := open(t)
			a, b := w.till(t), w.till(t)
			w.top(t, alice, 10_000, noon-10*minute)
			a.sale(t, alice, 1, 700, noon)
			second := b.sale(t, alice, 1, 700, noon+minute)
			w.catchUp(t, a, b)
			open, err := w.Disputes(t.Context(), cards.DisputeOpen, 0, 10)
			ok(t, err)
			_, err = w.Resolve(t.Context(), office, open[0].ID, cards.DisputeMerchant, "both meals were hers")
			ok(t, err)
			if got := w.balance(t, alice).MainFen; got != 8600 {
				t.Fatalf("two meals leave %d", got)
			}
			if how == "void" {
				b.void(t, second, 700, noon+2*minute)
				w.catchUp(t, b)
			} else {
				_, err := w.Refund(t.Context(), office, settle.Refund{ID: "refund-0001", Charge: second.String(), Fen: 700, Reason: "x"})
				ok(t, err)
			}
			if got, left, took := w.balance(t, alice).MainFen, w.has(t, ledger.Suspense), w.has(t, ledger.Merchant(b.merchant)); got != 9300 || left != 0 || took != 0 {
				t.Errorf("the card has %d, suspense %d, the merchant %d", got, left, took)
			}
		})
	}
}

func TestDebts_TheLargestFirst(t *testing.T) {
	w := open(t)
	a := w.till(t)
	a.sale(t, alice, 1, 300, noon)
	a.sale(t, bob, 1, 900, noon)
	w.catchUp(t, a)
	list, err := w.Debts(t.Context(), 10)
	ok(t, err)
	if len(list) != 2 || list[0].Account != bob || list[0].Fen != -900 || list[1].Fen != -300 || list[0].Since == 0 {
		t.Errorf("debts %+v", list)
	}
}

func TestExportDay_AsAFileThatAddsUp(t *testing.T) {
	w := open(t)
	lunch(t, w)
	var text, book bytes.Buffer
	ok(t, w.ExportDay(t.Context(), office, today, settle.CSV, &text))
	ok(t, w.ExportDay(t.Context(), office, today, settle.XLSX, &book))
	if !strings.HasPrefix(text.String(), "\uFEFF") {
		t.Error("no mark: a spreadsheet would not know that it is UTF-8")
	}
	rows, err := csv.NewReader(strings.NewReader(text.String()[3:])).ReadAll()
	ok(t, err)
	if len(rows) != 7 || rows[1][0] != "1" || rows[1][9] != "12.00" || rows[3][9] != "-8.00" || rows[1][8] != "1" {
		t.Errorf("rows %q", rows)
	}
	file, err := excelize.OpenReader(&book)
	ok(t, err)
	defer func() { _ = file.Close() }()
	sheet := file.GetSheetName(0)
	cells, err := file.GetRows(sheet)
	ok(t, err)
	if len(cells) != 7 || cells[3][9] != "-8.00" {
		t.Errorf("cells %q", cells)
	}
	for r := range cells {
		for c := range cells[r] {
			at, err := excelize.CoordinatesToCellName(c+1, r+1)
			ok(t, err)
			if f, err := file.GetCellFormula(sheet, at); err != nil || f != "" {
				t.Errorf("%s holds a formula %q (%v)", at, f, err)
			}
		}
	}
	if err := w.ExportDay(t.Context(), office, "21.11.2026", settle.CSV, &text); !errors.Is(err, settle.ErrDay) {
		t.Errorf("no date: %v", err)
	}
}

// A row's parts are of its amount, a void's too.
func TestExport_ThePartsOfARowAddUpToItsAmount(t *testing.T) {
	w := open(t)
	a := w.till(t)
	w.top(t, alice, 500, noon-10*minute)
	w.grant(t, alice, "b1", 600, noon-9*minute, noon+30*day)
	sale := a.sale(t, alice, 1, 700, noon)
	a.void(t, sale, 700, noon+minute)
	w.catchUp(t, a)
	for name, export := range map[string]func(out *bytes.Buffer) error{
		"day": func(out *bytes.Buffer) error { return w.ExportDay(t.Context(), office, today, settle.CSV, out) },
		"charges": func(out *bytes.Buffer) error {
			return w.ExportCharges(t.Context(), office, w.charges, charges.Query{By: canteen.Sight{All: true}}, settle.CSV, out)
		},
	} {
		var out bytes.Buffer
		ok(t, export(&out))
		rows, err := csv.NewReader(&out).ReadAll()
		ok(t, err)
		amount := slices.IndexFunc(rows[0], func(head string) bool { return strings.HasPrefix(head, "金额") })
		for _, r := range rows[1:] {
			if got := strings.Join(r[amount:amount+5], " "); got != "7.00 1.00 6.00 0.00 0.00" && got != "-7.00 -1.00 -6.00 0.00 0.00" {
				t.Errorf("%s: %s: %s", name, r[1], got)
			}
		}
		if len(rows) != 3 {
			t.Errorf("%s: %d rows", name, len(rows))
		}
	}
}

func TestYuan(t *testing.T) {
	for fen, want := range map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", 123456: "1234.56", -100: "-1.00"} {
		if got := settle.Yuan(fen); got != want {
			t.Errorf("%d fen: %s, want %s", fen, got, want)
		}
	}
}
