package api_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"campusgate/server/people"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const tillBody = `{"name":%q,"merchant":%d,"place":"一楼","rules":{"entry":"amount","periods":[{"id":"lunch","name":"午餐","from":660,"until":810}],"offline":{"per_tx_fen":2000,"per_account_fen":0,"max_records":0,"max_age_ms":0}}}`

// expect makes a call that must be answered so.
func (w *world) expect(t *testing.T, who, method, path string, body any, status int, into any) {
	t.Helper()
	r := w.call(t, who, method, path, body)
	if r.status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, r.status, r.body, status)
	}
	if into != nil {
		r.into(t, into)
	}
}

// shop makes a merchant with a till, which took what is given, and gives their
// numbers.
func (w *world) shop(t *testing.T, name string, managers string, fen ...int64) (merchant, till int) {
	t.Helper()
	var m, k struct{ ID int }
	w.expect(t, w.token, "POST", "/api/v1/merchants", fmt.Sprintf(`{"name":%q,"managers":[%s]}`, name, managers), 201, &m)
	w.expect(t, w.token, "POST", "/api/v1/tills", fmt.Sprintf(tillBody, name+"一号窗口", m.ID), 201, &k)
	secret := sha256.Sum256([]byte(name))
	ok(t, w.db.NewEnrolment(t.Context(), "test", uint16(k.ID), secret[:], w.now.Load()+60_000))
	agent, err := w.db.Enrol(t.Context(), secret[:], secret[:], "till-pc")
	ok(t, err)
	var records []wire.Record
	var head wire.Hash
	var sum int64
	for i, amount := range fen {
		sum += amount
		r, err := wire.Seal(head, &wire.Event{
			ID: wire.EventID{Agent: agent.ID, Epoch: agent.Epoch, Seq: uint64(i + 1)}, Type: wire.EventCharge, Gate: uint16(k.ID),
			At: w.now.Load() + int64(i)*3_600_000, Verdict: verdict.Verdict{Reason: verdict.Granted},
			Case:   &verdict.Case{Code: verdict.Code{Kind: signing.Pay, Pay: &verdict.Pay{Account: 4711, Epoch: 1}, Proof: &verdict.Proof{Counter: uint64(k.ID*100 + i)}}},
			Charge: &wire.Charge{AmountFen: amount, Entry: wire.EntryAmount, Day: "2026-11-21", Period: "lunch", Config: "1", Batch: 1, Flow: uint64(i + 1), SumFen: sum},
		})
		ok(t, err)
		records, head = append(records, r), r.Hash
	}
	_, err = w.db.Ingest(t.Context(), agent.ID, agent.Epoch, records)
	ok(t, err)
	ok(t, w.charges.CatchUp(t.Context()))
	return m.ID, k.ID
}

func TestCharges_AManagerSeesTheirOwnAndFinanceAll(t *testing.T) {
	w := newWorld(t)
	manager := w.someone(t, "M1", people.Post{Role: people.Merchant})
	finance := w.someone(t, "F1", people.Post{Role: people.Finance})
	mine, mineTill := w.shop(t, "一食堂", `"M1"`, 1250, 800, 300)
	_, otherTill := w.shop(t, "二食堂", "", 500)

	type charge struct {
		Event, Kind, Transfer string
		Till                  int
		AmountFen             int64 `json:"amount_fen"`
		DebtFen               int64 `json:"debt_fen"`
		Flags                 []string
	}
	list := func(who, query string) (all []charge, next int64) {
		t.Helper()
		var out struct {
			Charges []charge
			Next    int64
		}
		w.expect(t, who, "GET", "/api/v1/charges"+query, nil, 200, &out)
		return out.Charges, out.Next
	}
	for query, want := range map[string][2]int{
		"": {3, 4}, "?flag=debt": {3, 4}, "?flag=late": {0, 0}, "?period=lunch": {3, 4}, "?period=dinner": {0, 0},
		"?day=2026-11-21": {3, 4}, "?day=2026-11-22": {0, 0}, fmt.Sprintf("?till=%d", otherTill): {0, 1},
		fmt.Sprintf("?merchant=%d", mine): {3, 3}, "?account=12345678": {0, 0},
	} {
		own, _ := list(manager, query)
		every, _ := list(finance, query)
		if len(own) != want[0] || len(every) != want[1] {
			t.Errorf("%q: %d and %d, want %v", query, len(own), len(every), want)
		}
	}
	page, next := list(manager, "?limit=2")
	rest, end := list(manager, fmt.Sprintf("?limit=2&after=%d", next))
	if len(page) != 2 || len(rest) != 1 || end != 0 || page[0].AmountFen != 300 || rest[0].AmountFen != 1250 || rest[0].DebtFen != 1250 ||
		rest[0].Till != mineTill || rest[0].Transfer != "charge/"+rest[0].Event || strings.Join(rest[0].Flags, " ") != "debt" {
		t.Errorf("%+v, then %+v", page, rest)
	}

	type turnover struct {
		Rows []struct {
			Key     string
			Charges int
			NetFen  int64 `json:"net_fen"`
		}
	}
	for by, want := range map[string]string{
		"hour": "12:1250 13:800 14:300", "merchant": fmt.Sprintf("%d:2350", mine), "till": fmt.Sprintf("%d:2350", mineTill), "period": "lunch:2350",
	} {
		var out turnover
		w.expect(t, manager, "GET", "/api/v1/turnover?by="+by+"&day=2026-11-21", nil, 200, &out)
		var got []string
		for _, r := range out.Rows {
			got = append(got, fmt.Sprintf("%s:%d", r.Key, r.NetFen))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %s: %q, want %s", by, got, want)
		}
	}
	w.expect(t, manager, "GET", "/api/v1/turnover?day=yesterday", nil, 422, nil)
	w.expect(t, manager, "POST", "/api/v1/merchants", `{"name":"三食堂"}`, 403, nil)

	var tills struct {
		Tills []struct {
			ID    int
			Agent *struct{ Acked int }
			Rules struct{ Entry string }
		}
	}
	w.expect(t, manager, "GET", "/api/v1/tills", nil, 200, &tills)
	if len(tills.Tills) != 1 || tills.Tills[0].ID != mineTill || tills.Tills[0].Agent == nil || tills.Tills[0].Agent.Acked != 3 {
		t.Errorf("%+v", tills.Tills)
	}
	change := `{"rules":{"entry":"fixed","fixed_fen":900,"offline":{"per_tx_fen":0,"per_account_fen":0,"max_records":0,"max_age_ms":0}}}`
	w.expect(t, manager, "PATCH", fmt.Sprintf("/api/v1/tills/%d", mineTill), change, 200, nil)
	w.expect(t, manager, "PATCH", fmt.Sprintf("/api/v1/tills/%d", otherTill), change, 404, nil)
	bad := strings.Replace(change, "900", "-1", 1)
	w.expect(t, manager, "PATCH", fmt.Sprintf("/api/v1/tills/%d", mineTill), bad, http.StatusUnprocessableEntity, nil)
	var gates struct{ Gates []struct{ ID int } }
	w.expect(t, w.token, "GET", "/api/v1/gates", nil, 200, &gates)
	if len(gates.Gates) != 0 {
		t.Errorf("tills among the gates: %+v", gates.Gates)
	}
}
