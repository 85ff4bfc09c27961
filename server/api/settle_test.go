package api_test

import (
	"net/http"
	"testing"

	"campusgate/server/api"
	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/store"
)

// What the office reads of a card names it by the number that people know, and
// takes the queries that the holder's own pages take.
func TestCardOffice_CM078_CM083_ReadsACardByItsNumber(t *testing.T) {
	w := newWorld(t)
	w.someone(t, "S1")
	var c api.OfficeCard
	w.want(t, http.StatusCreated, "POST", "/api/v1/cards", map[string]any{"person": "S1"}, &c)
	w.want(t, 200, "POST", "/api/v1/cards/"+c.Account+"/opening", map[string]any{"amount_fen": 5000}, nil)
	owing(t, w, c.Account, 5650)

	var page api.CardEntries
	w.want(t, 200, "GET", "/api/v1/cards/"+c.Account+"/entries?limit=1", nil, &page)
	if len(page.Entries) != 1 || page.Entries[0].BalanceFen != -650 || page.Next == 0 {
		t.Fatalf("%+v", page)
	}
	w.want(t, 200, "GET", "/api/v1/cards/"+c.Account+"/entries?limit=1&before=2", nil, &page)
	if len(page.Entries) != 1 || page.Entries[0].BalanceFen != 5000 {
		t.Errorf("%+v", page)
	}
	var month api.CardStatement
	w.want(t, 200, "GET", "/api/v1/cards/"+c.Account+"/statement?month=2026-11", nil, &month)
	if month.InFen != 5000 || month.OutFen != 5650 || month.ClosingFen != -650 {
		t.Errorf("%+v", month)
	}

	var disputes struct{ Items []api.Disputed }
	w.want(t, 200, "GET", "/api/v1/disputes", nil, &disputes)
	if len(disputes.Items) != 1 || disputes.Items[0].Account != c.Account || disputes.Items[0].AmountFen != 5650 {
		t.Errorf("%+v", disputes)
	}
	var debts struct{ Items []api.Debtor }
	w.want(t, 200, "GET", "/api/v1/debts", nil, &debts)
	if len(debts.Items) != 1 || debts.Items[0].Account != c.Account || debts.Items[0].Fen != -650 {
		t.Errorf("%+v", debts)
	}
}

// owing charges a card, and has its holder dispute that.
func owing(t *testing.T, w *world, number string, fen int64) {
	t.Helper()
	card, err := w.cards.ByDisplay(t.Context(), w.db.Reader(), number)
	if err != nil {
		t.Fatal(err)
	}
	var state ledger.State
	err = w.db.Change(t.Context(), func(tx *store.Tx) error {
		entries, err := w.money.Spend(tx.Context(), tx, card.Account, fen)
		if err != nil {
			return err
		}
		out, err := w.money.Post(tx, ledger.Transfer{
			ID: "charge/7-1-1", Kind: ledger.KindCharge, At: tx.Now(), Day: "2026-11-21", Card: card.Account,
			Entries: append(entries, ledger.Entry{Account: ledger.Merchant(1), Fen: fen}), Place: "一食堂",
		})
		if state = out.State; err != nil {
			return err
		}
		_, _, err = cards.OpenDispute(tx, "person S1", cards.Dispute{Account: card.Account, Transfer: "charge/7-1-1", Kind: cards.ByHolder, Text: "不是我"})
		return err
	})
	if err != nil || state != ledger.Posted {
		t.Fatal(state, err)
	}
}
