package cards_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/store"
)

// recharge gives a card money.
func (w *world) recharge(t testing.TB, account uint64, id string, fen int64) {
	t.Helper()
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		entries, err := w.money.Refill(t.Context(), tx, account, fen)
		if err != nil {
			return err
		}
		data, err := json.Marshal(map[string]any{"order": "R" + id})
		if err != nil {
			return err
		}
		_, err = w.money.Post(tx, ledger.Transfer{
			ID: "recharge/" + id, Kind: ledger.KindRecharge, At: tx.Now(), Day: "2026-11-21", Card: account, Data: data,
			Entries: append(entries, ledger.Entry{Account: ledger.Clearing("trial"), Fen: -fen}), Place: "trial",
		})
		return err
	}))
}

func TestCards_CM082_CM083_BalanceAndTransactionsAddUp(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	w.recharge(t, c.Account, "1", 5_000)
	var spent int64
	for i := range 12 {
		w.add(time.Minute)
		w.spend(t, c.Account, fmt.Sprintf("charge/1-1-%d", i), int64(100+i))
		spent += int64(100 + i)
	}
	var all []cards.Entry
	for before, pages := int64(0), 0; ; pages++ {
		page, next, err := w.Entries(t.Context(), c.Account, before, 5)
		ok(t, err)
		all = append(all, page...)
		if before = next; next == 0 {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
	}
	if len(all) != 13 || all[0].BalanceFen != 5_000-spent || w.balance(t, c.Account).Total() != all[0].BalanceFen {
		t.Fatalf("%d entries, balance %d", len(all), all[0].BalanceFen)
	}
	for i := range len(all) - 1 {
		if all[i].BalanceFen != all[i+1].BalanceFen+all[i].AmountFen {
			t.Errorf("row %d: %d is not %d%+d", i, all[i].BalanceFen, all[i+1].BalanceFen, all[i].AmountFen)
		}
		if e := all[i]; e.Title != (cards.Title{ZH: "消费", EN: "Payment"}) || e.AmountFen >= 0 || e.Place != "一食堂" || len(e.Flags) != 0 {
			t.Errorf("row %d: %+v", i, e)
		}
	}
	if first := all[12]; first.Title.ZH != "充值" || first.AmountFen != 5_000 || first.Order != "R1" {
		t.Errorf("the recharge: %+v", first)
	}
	if page, next, err := w.Entries(t.Context(), w.open(t, "S2").Account, 0, 5); err != nil || len(page) != 0 || next != 0 {
		t.Errorf("a new card: %v %d %v", page, next, err)
	}
}

func TestStatement_AMonthOnceClosedStays(t *testing.T) {
	w := newWorld(t)
	c := w.open(t, "S1")
	w.recharge(t, c.Account, "1", 5_000)
	w.spend(t, c.Account, "charge/1-1-1", 700)
	w.add(20 * 24 * time.Hour) // December
	w.spend(t, c.Account, "charge/1-1-2", 300)
	november, err := w.Statement(t.Context(), c.Account, "2026-11")
	ok(t, err)
	december, err := w.Statement(t.Context(), c.Account, "2026-12")
	ok(t, err)
	if november.OpeningFen != 0 || november.ClosingFen != 4_300 || november.InFen != 5_000 || november.OutFen != 700 || len(november.Entries) != 2 {
		t.Errorf("%+v", november)
	}
	if december.OpeningFen != 4_300 || december.ClosingFen != 4_000 || december.InFen != 0 || december.OutFen != 300 {
		t.Errorf("%+v", december)
	}
	// A payment of November that a till reports in December.
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.money.Post(tx, ledger.Transfer{
			ID: "charge/1-1-3", Kind: ledger.KindCharge, At: tx.Now() - (15 * 24 * time.Hour).Milliseconds(), Day: "2026-11-26", Card: c.Account,
			Entries: []ledger.Entry{{Account: ledger.Main(c.Account), Fen: -50}, {Account: ledger.Merchant(1), Fen: 50}},
			Data:    json.RawMessage(`{"flags":["after_loss"]}`),
		})
		return err
	}))
	again, err := w.Statement(t.Context(), c.Account, "2026-11")
	ok(t, err)
	if again.ClosingFen != november.ClosingFen || len(again.Entries) != 2 {
		t.Errorf("November became %+v", again)
	}
	page, _, err := w.Entries(t.Context(), c.Account, 0, 1)
	ok(t, err)
	if !slices.Equal(page[0].Flags, []string{cards.FlagAfterLoss, cards.FlagLate}) {
		t.Errorf("flags %v", page[0].Flags)
	}
	empty, err := w.Statement(t.Context(), c.Account, "2027-03")
	ok(t, err)
	if empty.OpeningFen != 3_950 || empty.ClosingFen != 3_950 || len(empty.Entries) != 0 {
		t.Errorf("%+v", empty)
	}
	for _, month := range []string{"", "2026", "2026-13", "x", "2026-11-01", "9999999-01"} {
		_, err := w.Statement(t.Context(), c.Account, month)
		wants(t, err, people.ErrInvalid)
	}
}

func TestDispute_OfOnesOwnPaymentsOnce(t *testing.T) {
	w := newWorld(t)
	c, other := w.open(t, "S1"), w.open(t, "S2")
	w.recharge(t, c.Account, "1", 5_000)
	w.spend(t, c.Account, "charge/1-1-1", 700)
	w.spend(t, other.Account, "charge/1-1-2", 700)
	for _, transfer := range []string{"charge/1-1-2", "recharge/1", "charge/none", "", "' OR 1=1"} {
		_, err := w.Dispute(t.Context(), "person S1", c.Account, transfer, "不是我")
		wants(t, err, store.ErrNotFound)
	}
	for _, text := range []string{"", " ", strings.Repeat("不", 501), "a\u202eb", "\xff"} {
		_, err := w.Dispute(t.Context(), "person S1", c.Account, "charge/1-1-1", text)
		wants(t, err, people.ErrInvalid)
	}
	d, err := w.Dispute(t.Context(), "person S1", c.Account, "charge/1-1-1", "不是我\n那天我不在")
	ok(t, err)
	_, err = w.Dispute(t.Context(), "person S1", c.Account, "charge/1-1-1", "还是不是我")
	wants(t, err, cards.ErrDisputed)
	page, _, err := w.Entries(t.Context(), c.Account, 0, 1)
	ok(t, err)
	if !slices.Equal(page[0].Flags, []string{cards.FlagDisputed}) {
		t.Errorf("flags %v", page[0].Flags)
	}
	open, err := cards.Disputes(t.Context(), w.db.Reader(), cards.DisputeOpen, 0, 10)
	ok(t, err)
	if len(open) != 1 || open[0] != d || d.Account != c.Account {
		t.Fatalf("%+v", open)
	}
	resolve := func(id int64) (err error) {
		ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
			_, err = cards.ResolveDispute(tx, "person T1", id, cards.DisputeHolder, "商户同意")
			return nil
		}))
		return err
	}
	ok(t, resolve(d.ID))
	wants(t, resolve(d.ID), store.ErrState)
	wants(t, resolve(99), store.ErrNotFound)
	if page, _, err = w.Entries(t.Context(), c.Account, 0, 1); err != nil || len(page[0].Flags) != 0 {
		t.Errorf("flags %v, %v", page[0].Flags, err)
	}
}
