package api_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"testing"

	"campusgate/server/api"
	"campusgate/server/people"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// A code shown at two tills: the office sees what waits and why, and the way
// that it is told of ends it.
func TestSuspense_AChargeWaitsWithItsReasonUntilItIsDecided(t *testing.T) {
	w := newWorld(t)
	clerk := w.someone(t, "C1", people.Post{Role: people.CardOffice})
	finance := w.someone(t, "F1", people.Post{Role: people.Finance})
	_, till := w.shop(t, "一食堂", "")
	secret := sha256.Sum256([]byte("again"))
	ok(t, w.db.NewEnrolment(t.Context(), "test", uint16(till), secret[:], w.now.Load()+60_000))
	agent, err := w.db.Enrol(t.Context(), secret[:], secret[:], "till-pc")
	ok(t, err)
	var head wire.Hash
	var records []wire.Record
	for i, fen := range []int64{1250, 800} {
		r, err := wire.Seal(head, &wire.Event{
			ID: wire.EventID{Agent: agent.ID, Epoch: agent.Epoch, Seq: uint64(i + 1)}, Type: wire.EventCharge, Gate: uint16(till),
			At: w.now.Load() + int64(i), Verdict: verdict.Verdict{Reason: verdict.Granted},
			Case: &verdict.Case{Code: verdict.Code{
				Kind: signing.Pay, Pay: &verdict.Pay{Account: 4711, Epoch: 1}, Proof: &verdict.Proof{Phone: [32]byte{7}, Counter: 9},
			}},
			Charge: &wire.Charge{AmountFen: fen, Entry: wire.EntryAmount, Day: "2026-11-21", Config: "1", Batch: 1, Flow: uint64(i + 1), SumFen: 1250 + 800*int64(i)},
		})
		ok(t, err)
		records, head = append(records, r), r.Hash
	}
	_, err = w.db.Ingest(t.Context(), agent.ID, agent.Epoch, records)
	ok(t, err)
	ok(t, w.charges.CatchUp(t.Context()))
	list := func(who string) (out struct {
		Items      []api.SuspenseEntry
		SumFen     int64 `json:"sum_fen"`
		BalanceFen int64 `json:"balance_fen"`
	},
	) {
		t.Helper()
		w.expect(t, who, "GET", "/api/v1/suspense", nil, 200, &out)
		return out
	}
	got := list(clerk)
	if len(got.Items) != 1 || got.SumFen != -800 || got.BalanceFen != -800 {
		t.Fatalf("%+v", got)
	}
	e := got.Items[0]
	if e.Kind != "charge" || e.Reason != "second_use" || e.Ref != fmt.Sprintf("%d-%d-2", agent.ID, agent.Epoch) || e.Place != "一食堂一号窗口" || e.Account != "" ||
		e.At != w.now.Load()+1 || e.Since != w.now.Load() || e.Dispute == 0 || len(e.Ways) != 3 {
		t.Errorf("%+v", e)
	}
	w.refused(t, w.call(t, w.someone(t, "M1", people.Post{Role: people.Merchant}), "GET", "/api/v1/suspense", nil), http.StatusForbidden, "forbidden")
	w.expect(t, finance, "POST", "/api/v1/disputes/1/resolve", map[string]any{"decision": "dismiss", "text": "学校承担"}, 200, nil)
	if got := list(finance); len(got.Items) != 0 || got.SumFen != 0 || got.BalanceFen != 0 {
		t.Errorf("after the decision %+v", got)
	}
}
