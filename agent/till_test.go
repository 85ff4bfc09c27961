//go:build linux

package agent_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/configs"
	"campusgate/signing"
	"campusgate/signing/paycode"
	"campusgate/signing/pin"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const cash = "mode: terminal\nshift: required"

// becomeTill gives the station what a server tells a till, with the clerk C01
// and the supervisor S01.
func (s *station) becomeTill() {
	s.t.Helper()
	t := s.t
	db := must[*disk.DB](t)(disk.Open(filepath.Join(s.data, agent.StoreName)))
	defer func() { check(t, db.Close()) }()
	id := must[*journal.Journal](t)(journal.Open(db)).Identity()
	snap := must[*snapshot.Snapshot](t)(snapshot.OpenTill(db, id.Gate, id.Site, id.Root))
	put := func(kind wire.ItemKind, key string, body any) wire.Item {
		return wire.Item{Kind: kind, Key: key, Body: must[[]byte](t)(json.Marshal(body))}
	}
	guard := func(name, digits string, supervisor bool) wire.Guard {
		return wire.Guard{Name: name, Hash: must[string](t)(pin.Make(rand.Reader, digits)), Supervisor: supervisor}
	}
	check(t, snap.Apply([]wire.Delta{{
		Reset: true, Cursor: wire.Cursor{Lineage: "l", Revision: 9},
		Items: []wire.Item{
			put(wire.ItemGate, strconv.Itoa(home), wire.Gate{ID: home, Name: "一食堂三号窗口", Mode: verdict.Owner}),
			put(wire.ItemTill, strconv.Itoa(home), wire.Till{
				Version: "v1", Name: "一食堂三号窗口", Merchant: "一食堂", Entry: wire.EntryAmount,
				Menu: []wire.MenuKey{{Key: 12, Name: "红烧肉", PriceFen: 850}}, Offline: wire.OfflineCaps{PerTxFen: 3_000},
			}),
			put(wire.ItemGuard, "C01", guard("何收银", "470318", false)),
			put(wire.ItemGuard, "S01", guard("吕主管", "835260", true)),
		},
	}}))
	check(t, snap.Current(time.Now()))
}

// payment is a new holder's first code.
func (s *station) payment(account uint64) string {
	s.t.Helper()
	key := must[*ecdsa.PrivateKey](s.t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	now := time.Now().Unix()
	p := paycode.Pay{
		ID: signing.PassID{byte(account)}, Account: account, Epoch: 1, PerTxFen: 5_000, PerDayOfflineFen: 5_000, MaxOfflineTx: 5,
		IssuedAt: now - 60, Expires: now + 3600, Phone: must[signing.PhoneKey](s.t)(signing.PhoneKeyOf(&key.PublicKey)),
	}
	cred := must[[]byte](s.t)(p.Sign(s.payer))
	proof := signing.Proof{T: now, Counter: 1, Context: signing.ContextPay}
	return paycode.LiveText(must[[]byte](s.t)(signing.MakeProof(key, nil, cred, proof)))
}

// call wants a status, and reads the answer into into unless that is nil.
func (r *running) call(method, path string, in any, want int, into any) {
	r.t.Helper()
	body := must[[]byte](r.t)(json.Marshal(in))
	req := must[*http.Request](r.t)(http.NewRequest(method, r.url+"/api/v1"+path, bytes.NewReader(body)))
	req.Header.Set("Content-Type", "application/json")
	res := must[*http.Response](r.t)(r.http.Do(req))
	defer func() { _ = res.Body.Close() }()
	raw := must[[]byte](r.t)(io.ReadAll(res.Body))
	if res.StatusCode != want {
		r.t.Fatalf("%s %s: %s: %s", method, path, res.Status, raw)
	}
	switch into := into.(type) {
	case nil:
	case *bytes.Buffer:
		into.Write(raw)
	default:
		check(r.t, json.Unmarshal(raw, into))
	}
}

// refused wants an error with this code.
func (r *running) refused(method, path string, in any, status int, code string) {
	r.t.Helper()
	var body struct{ Code string }
	if r.call(method, path, in, status, &body); body.Code != code {
		r.t.Errorf("%s %s: %s, want %s", method, path, body.Code, code)
	}
}

type login struct {
	Number string `json:"number"`
	PIN    string `json:"pin"`
}

func TestAgent_CM072_ATillTakesMoneyWithoutANetwork(t *testing.T) {
	s := newStation(t)
	s.becomeTill()
	lane := "  - name: 收款台\n    scanner: {driver: serial, path: " + s.scanner.Host + ", baud: 115200}\n"
	r := s.start(s.settings(lane, cash), deps(0))
	if st := r.until("the scanner is ok", scannerIs("ok")); st.Mode != "terminal" || st.Documents != "none" || !st.Shift.Required {
		t.Fatalf("%+v", st)
	}
	var v till.View
	r.call("GET", "/till", nil, 200, &v)
	if v.Till.Name != "一食堂三号窗口" || v.Batch.Open || v.Cashier != nil || !v.Offline || v.Till.Periods == nil {
		t.Fatalf("%+v", v)
	}
	r.refused("POST", "/till/batch/open", login{}, 403, "no_shift")
	r.refused("POST", "/till/batch/open", login{"C01", "000000"}, 401, "bad_pin")
	r.call("POST", "/shift", login{"C01", "470318"}, 200, nil)
	r.refused("POST", "/till/batch/open", login{}, 409, "batch_state")

	r.refused("PUT", "/till/sale", till.Order{Entry: "menu", Items: []till.Pressed{{Key: 9, Quantity: 1}}}, 422, "bad_sale")
	r.call("PUT", "/till/sale", till.Order{Entry: "menu", Items: []till.Pressed{{Key: 12, Quantity: 1}}}, 200, &v)
	if v.Sale == nil || v.Sale.AmountFen != 850 || !v.Batch.Open || v.Cashier.Name != "何收银" {
		t.Fatalf("%+v", v)
	}
	s.send(s.payment(1)) // by the scanner
	first := r.scanned()
	if first.Reason != verdict.Granted || first.Charge == nil || first.Charge.AmountFen != 850 || !first.Charge.Offline || first.Guard != "C01" {
		t.Fatalf("%+v", first)
	}
	if got := r.present(s.payment(2)); got.Need != verdict.NeedAmount {
		t.Fatalf("without a sale: %+v", got)
	}
	r.call("PUT", "/till/sale", till.Order{Entry: "amount", AmountFen: 1_000}, 200, nil)
	r.call("DELETE", "/till/sale", struct{}{}, 200, &v)
	if v.Sale != nil {
		t.Fatalf("%+v", v.Sale)
	}
	r.call("PUT", "/till/sale", till.Order{Entry: "amount", AmountFen: 1_000}, 200, nil)
	if got := r.present(s.payment(3)); got.Reason != verdict.Granted {
		t.Fatalf("%+v", got)
	}

	void := "/till/charges/" + first.Event.String() + "/void"
	r.refused("POST", void, login{"C01", "470318"}, 403, "not_supervisor")
	r.refused("POST", void, login{"S01", "470318"}, 401, "bad_pin")
	r.refused("POST", "/till/charges/13-1-99/void", login{"S01", "835260"}, 404, "unknown_charge")
	r.refused("POST", "/till/charges/=1+1/void", login{"S01", "835260"}, 404, "unknown_charge")
	var voided desk.Result
	r.call("POST", void, login{"S01", "835260"}, 200, &voided)
	if !voided.Charge.Voided || voided.ID != first.ID {
		t.Fatalf("%+v", voided)
	}
	r.refused("POST", void, login{"S01", "835260"}, 409, "not_voidable")
	var list struct{ Charges []desk.Result }
	r.call("GET", "/till/charges?limit=5", nil, 200, &list)
	if len(list.Charges) != 2 || !list.Charges[1].Charge.Voided {
		t.Fatalf("%+v", list)
	}
	r.refused("GET", "/till/charges?limit=0", nil, 422, "bad_request")
	r.refused("POST", "/scans/"+first.ID+"/answer", map[string]bool{"confirm": true}, 409, "not_waiting")
	r.refused("POST", "/scans/nothing/answer", map[string]bool{"refuse": true}, 404, "unknown_scan")
	r.refused("POST", "/scans/"+first.ID+"/answer", map[string]bool{}, 422, "bad_request")
	r.refused("GET", "/registers", nil, 404, "not_found")
	r.refused("POST", "/till/batch/burn", struct{}{}, 404, "not_found")

	r.hears(func(v *till.View) bool { return v.Backlog.Records == 3 && v.Backlog.Fen == 1_000 && v.Last != nil })
	r.end()
	r = s.start(s.settings(lane, cash), deps(0))
	var b till.Batch
	r.call("POST", "/till/batch/close", struct{}{}, 200, &b)
	if b.Open || b.Number != 1 || b.Charges != 2 || b.Voids != 1 || b.TotalFen != 1_000 || b.ClosedBy != "C01" {
		t.Fatalf("%+v", b)
	}
	var batches struct{ Batches []till.Batch }
	r.call("GET", "/till/batches", nil, 200, &batches)
	if len(batches.Batches) != 1 || batches.Batches[0] != b {
		t.Fatalf("%+v", batches)
	}
	r.end()
	var out strings.Builder
	report, err := agent.Doctor(t.Context(), s.settings(lane, cash), agent.Surroundings{})
	if err := errors.Join(err, report.Write(&out)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "一食堂三号窗口, 3 records of 10.00 yuan to send") {
		t.Fatalf("the doctor says\n%s", &out)
	}
}

// hears reads the feed until the till is as wanted.
func (r *running) hears(wanted func(*till.View) bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		_, raw, err := r.feed.ReadMessage()
		check(r.t, err)
		var m struct {
			Type string
			till.View
		}
		if err := json.Unmarshal(raw, &m); err == nil && m.Type == "till" && wanted(&m.View) {
			return
		}
	}
	r.t.Fatal("the feed never says so")
}

func TestAgent_AGateHasNoTill(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings("  - name: 小门\n"), deps(0))
	r.until("any", func(console.Status) bool { return true })
	r.refused("GET", "/till", nil, 404, "not_found")
	r.refused("PUT", "/till/sale", till.Order{}, 405, "method_not_allowed")
}

func TestConfig_TheTillsSampleIsATill(t *testing.T) {
	text := must[[]byte](t)(configs.Samples.ReadFile("till.yaml"))
	s := must[agent.Settings](t)(agent.ParseConfig("till.yaml", text))
	if !s.Till || !s.Shift || len(s.Lanes) != 1 || s.Lanes[0].Barrier.Driver != "none" {
		t.Fatalf("%+v", s)
	}
}
