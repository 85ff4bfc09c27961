package campus_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/snapshot"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

// local calls the API of a gate's own computer.
func local(g *campus.Gate) campus.Client { return campus.Client{Base: strings.TrimSuffix(g.URL, "/")} }

// guardHired makes a guard with a PIN at the server.
func guardHired(t *testing.T, c *campus.Campus, number, pin string) {
	t.Helper()
	for _, call := range []struct {
		method, path string
		body         map[string]any
	}{
		{http.MethodPost, "/api/v1/people", map[string]any{"number": number, "name": "秦砚书", "kind": "worker"}},
		{http.MethodPost, "/api/v1/posts", map[string]any{"role": "guard", "person": number, "gate": c.Gates[0].ID}},
		{http.MethodPut, "/api/v1/people/" + number + "/pin", map[string]any{"pin": pin}},
	} {
		if err := c.Client.Do(t.Context(), call.method, call.path, call.body, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A gate that asks for documents, from the scanner's cable to the relay's: the
// guideline and the guard come down from the server, the guard logs in, a scan
// waits, the answer opens, and the server holds what was shown, by which rule
// and before whom.
func TestLine_CQ005_CQ078_CQ079_CQ080_DocumentsRequired(t *testing.T) {
	t.Parallel()
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}, Documents: true})
	gate := c.Gates[0]
	pc, relay, scanner := local(gate), campustest.Watch(t, gate), plug(t, gate)
	guardHired(t, c, "G0021", "470318")
	passes := campustest.Issue(t, c, gate, 5)

	login := func(pin string) error {
		return pc.Do(t.Context(), http.MethodPost, "/api/v1/shift", map[string]any{"number": "G0021", "pin": pin}, nil)
	}
	eventually(t, func() (bool, error) { err := login("470318"); return err == nil, err })
	if err := login("470319"); err == nil || !strings.Contains(err.Error(), "bad_pin") {
		t.Fatalf("a wrong PIN: %v", err)
	}
	eventually(t, func() (bool, error) {
		var found struct{ Passes []snapshot.Found }
		err := pc.Do(t.Context(), http.MethodGet, "/api/v1/passes?q="+passes[4].ID, nil, &found)
		return len(found.Passes) == 1 && found.Passes[0].State == "valid", err
	})
	// From here on without a network: everything is on the gate's disk.
	c.Server.Kill()
	knowsOffline(t, gate)

	waits := func(pass campus.Pass) (id string) {
		t.Helper()
		scanner.scan(t, pass.Code)
		eventually(t, func() (bool, error) {
			var list struct{ Scans []desk.Result }
			err := pc.Do(t.Context(), http.MethodGet, "/api/v1/scans", nil, &list)
			if err != nil || len(list.Scans) == 0 || list.Scans[0].Pass.String() != pass.ID || list.Scans[0].Need != "document" {
				return false, err
			}
			id = list.Scans[0].ID
			return true, nil
		})
		return id
	}
	answer := func(id string, body map[string]any) (r desk.Result) {
		t.Helper()
		if err := pc.Do(t.Context(), http.MethodPost, "/api/v1/scans/"+id+"/answer", body, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := answer(waits(passes[2]), map[string]any{"documents": []string{"campus_card"}}); r.Opens || r.Guard != "G0021" || r.Reason.String() != "document_not_accepted" {
		t.Fatalf("a campus card: %+v", r)
	}
	if r := answer(waits(passes[3]), map[string]any{"documents": []string{"lease"}}); r.Opens || len(r.Missing) != 2 {
		t.Fatalf("a lease alone: %+v", r)
	}
	if n := relay.Pulses(); n != 0 {
		t.Fatalf("opened %d times for a refusal", n)
	}
	tenant := []string{"lease", "landlord_certificate", "id_card_elsewhere"}
	if r := answer(waits(passes[0]), map[string]any{"documents": tenant}); !r.Opens || r.Rule != "tenant" {
		t.Fatalf("a tenant's three: %+v", r)
	}
	relay.Await(t, 1)
	if r := answer(waits(passes[1]), map[string]any{"document": "id_card"}); !r.Opens || r.Rule != "resident" {
		t.Fatalf("an ID card: %+v", r)
	}
	relay.Await(t, 2)

	// Somebody without a code, and a student who leaves.
	enter := func(body map[string]any) (r desk.Result) {
		t.Helper()
		if err := pc.Do(t.Context(), http.MethodPost, "/api/v1/entries", body, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := enter(map[string]any{"rule": "visitor"}); r.Opens || !r.Barred {
		t.Fatalf("a visitor: %+v", r)
	}
	form := map[string]any{"rule": "winter_student", "direction": "out", "documents": []string{"consent_form"}, "register": map[string]any{"person": "沈未央", "number": "2019114"}}
	if r := enter(form); !r.Opens {
		t.Fatalf("a student: %+v", r)
	}
	relay.Await(t, 3)

	if err := c.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	type event struct {
		Type, Reason, Rule, Guard, Opinion string
		PassID                             string `json:"pass_id"`
		Documents                          []string
		Offline                            bool
	}
	var events []event
	eventually(t, func() (bool, error) {
		var page struct{ Events []event }
		err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/events?limit=100", nil, &page)
		events = page.Events
		judged := slices.IndexFunc(events, func(e event) bool { return e.Type != "shift" && e.Opinion == "" }) < 0
		return len(events) >= 7 && judged, err
	})
	admitted := 0
	for _, e := range events {
		if e.Type != "shift" && e.Opinion != e.Reason {
			t.Errorf("the server judges otherwise: %+v", e)
		}
		if e.Guard != "G0021" {
			t.Errorf("no guard: %+v", e)
		}
		if e.PassID == passes[0].ID && e.Reason == "granted" {
			if admitted++; e.Rule != "tenant" || !slices.Equal(e.Documents, tenant) || !e.Offline {
				t.Errorf("the tenant's admission: %+v", e)
			}
		}
	}
	if admitted != 1 {
		t.Errorf("%d admissions of the tenant in %+v", admitted, events)
	}
	var registers struct {
		Items []struct{ Person string }
	}
	if err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/registers?open=true", nil, &registers); err != nil || len(registers.Items) != 1 || registers.Items[0].Person != "沈未央" {
		t.Errorf("registers %+v, %v", registers, err)
	}

	// The post is taken away: the guard is off duty at a gate that is connected.
	var posts struct {
		Items []struct {
			ID     json.Number
			Person string
		}
	}
	if err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/posts?role=guard", nil, &posts); err != nil || len(posts.Items) != 1 {
		t.Fatal(posts, err)
	}
	if err := c.Client.Do(t.Context(), http.MethodDelete, "/api/v1/posts/"+posts.Items[0].ID.String(), nil, nil); err != nil {
		t.Fatal(err)
	}
	c.Server.Kill() // a start tells the gates at once what a minute would
	if err := c.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (bool, error) {
		var s console.Status
		err := pc.Do(t.Context(), http.MethodGet, "/api/v1/status", nil, &s)
		return err == nil && s.Shift.Guard == nil, err
	})
}
