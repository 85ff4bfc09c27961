package api_test

import (
	"crypto/ed25519"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/hub"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestGates_MadeChangedAndListed(t *testing.T) {
	w := newWorld(t)
	w.want(t, http.StatusOK, "POST", "/api/v1/zones", map[string]any{"id": 1, "name": "A 区"}, nil)
	var g api.Gate
	w.want(t, http.StatusCreated, "POST", "/api/v1/gates", map[string]any{"name": "东门", "zone": 1}, &g)
	if g != (api.Gate{ID: 1, Name: "东门", Zone: 1, Policy: "owner", Documents: "none", CreatedAt: w.now.Load()}) {
		t.Fatalf("gate %+v", g)
	}
	w.want(t, http.StatusOK, "PATCH", "/api/v1/gates/1", map[string]any{"documents": "required", "zone": 2, "policy": "online"}, &g)
	if g.Documents != "required" || g.Zone != 2 || g.Name != "东门" || g.Policy != "online" || g.DrainingSince != 0 {
		t.Fatalf("changed %+v", g)
	}
	var list struct{ Gates []api.Gate }
	if w.want(t, http.StatusOK, "GET", "/api/v1/gates", nil, &list); len(list.Gates) != 1 || list.Gates[0] != g {
		t.Fatalf("list %+v", list)
	}
	var zones struct{ Zones []api.Zone }
	if w.want(t, http.StatusOK, "GET", "/api/v1/zones", nil, &zones); len(zones.Zones) != 2 || zones.Zones[0].Name != "A 区" {
		t.Fatalf("zones %+v", zones)
	}
}

func TestGates_Refusals(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "east", 1)
	for name, c := range map[string]struct {
		method, path string
		body         any
		status       int
		code, field  string
	}{
		"ErrNameTaken":    {"POST", "/gates", map[string]any{"name": "east", "zone": 1}, 409, "taken", ""},
		"ErrNameMissing":  {"POST", "/gates", map[string]any{"zone": 1}, 422, "invalid", "body"},
		"ErrNameEmpty":    {"POST", "/gates", map[string]any{"name": "  ", "zone": 1}, 422, "invalid", "name"},
		"ErrNameLong":     {"POST", "/gates", map[string]any{"name": strings.Repeat("东", 30), "zone": 1}, 422, "invalid", "name"},
		"ErrZone0":        {"POST", "/gates", map[string]any{"name": "x", "zone": 0}, 422, "invalid", "zone"},
		"ErrZone33":       {"POST", "/gates", map[string]any{"name": "x", "zone": 33}, 422, "invalid", "zone"},
		"ErrPolicy":       {"POST", "/gates", map[string]any{"name": "x", "zone": 1, "policy": "maybe"}, 422, "invalid", "policy"},
		"ErrOffline":      {"POST", "/gates", map[string]any{"name": "x", "zone": 1, "offline": map[string]any{"max": 5}}, 422, "invalid", "offline"},
		"ErrOfflineOwner": {"PATCH", "/gates/1", map[string]any{"offline": map[string]any{}}, 422, "invalid", "offline"},
		"ErrChangeNone":   {"PATCH", "/gates/9", map[string]any{}, 404, "not_found", ""},
		"ErrChangeID":     {"PATCH", "/gates/70000", map[string]any{}, 422, "invalid", "id"},
		"ErrEnrolNone":    {"POST", "/gates/9/enrolments", nil, 404, "not_found", ""},
		"ErrDrainedNone":  {"POST", "/gates/9/drained", nil, 404, "not_found", ""},
		"ErrZoneName":     {"POST", "/zones", map[string]any{"id": 1, "name": ""}, 422, "invalid", "name"},
		"ErrRevokeNobody": {"POST", "/agents/9/revoke", nil, 404, "not_found", ""},
		"ErrRevokeFar":    {"POST", "/agents/4294967297/revoke", nil, 422, "invalid", "id"},
		"ErrNoRoute":      {"GET", "/nothing", nil, 404, "no_such_route", ""},
		"ErrNoMethod":     {"DELETE", "/gates", nil, 405, "method_not_allowed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.refused(t, w.call(t, w.token, c.method, "/api/v1"+c.path, c.body), c.status, c.code)
			if c.field != "" && (len(p.Details.Faults) == 0 || p.Details.Faults[0].Field != c.field) {
				t.Fatalf("faults %+v", p.Details.Faults)
			}
		})
	}
	if r := w.call(t, w.token, "DELETE", "/api/v1/gates", nil); r.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", r.header.Get("Allow"))
	}
}

func TestEnrol_GivesAnIdentityOnce(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "东门", 1)
	var code api.Enrolment
	w.want(t, http.StatusCreated, "POST", "/api/v1/gates/1/enrolments", map[string]any{}, &code)
	parsed, err := wire.ParseEnrolCode(code.Code)
	ok(t, err)
	root := w.root.Public().(ed25519.PublicKey)
	if !parsed.Names(root) || code.ExpiresAt != w.now.Load()+24*3600*1000 {
		t.Fatalf("code %+v", code)
	}
	key := public(t)
	ask := wire.Enrol{Code: strings.ToLower(code.Code), PublicKey: key, Hostname: "gate-pc"}
	var first, again wire.Enrolled
	r := w.call(t, "", "POST", wire.EnrolPath, ask)
	r.into(t, &first)
	if r.status != http.StatusCreated || first.Agent != 1 || first.Epoch != 1 || first.Gate != gate || first.Site != "云岭大学" ||
		first.Zone != "Asia/Shanghai" || string(first.Root) != string(root) {
		t.Fatalf("%d %+v", r.status, first)
	}
	ring, err := signing.OpenKeyring(first.Root, first.Keyring, 1)
	ok(t, err)
	if len(ring.Keys) != 4 {
		t.Fatalf("keyring %+v", ring)
	}
	// The same agent asks again because it never saw the answer.
	if w.call(t, "", "POST", wire.EnrolPath, ask).into(t, &again); again.Agent != 1 || again.Epoch != 1 {
		t.Fatalf("again %+v", again)
	}
	ask.PublicKey = public(t)
	w.refused(t, w.call(t, "", "POST", wire.EnrolPath, ask), http.StatusConflict, "enrolment_used")
}

func TestEnrol_AgainEndsTheOldAgent(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "东门", 1)
	w.enrol(t, gate, public(t))
	w.now.Add(3600_000)
	if second := w.enrol(t, gate, public(t)); second.Agent != 1 || second.Epoch != 2 {
		t.Fatalf("second %+v", second)
	}
	if !slices.Contains(w.link.dropped, "1 "+wire.ByeEpoch) {
		t.Fatalf("dropped %v", w.link.dropped)
	}
	var list struct{ Gates []api.Gate }
	w.want(t, http.StatusOK, "GET", "/api/v1/gates", nil, &list)
	if g := list.Gates[0]; g.OwnsFrom != w.Now().Unix()+1 || g.DrainingSince != w.now.Load() {
		t.Fatalf("gate %+v", g)
	}
	var g api.Gate
	if w.want(t, http.StatusOK, "POST", "/api/v1/gates/1/drained", nil, &g); g.OwnsFrom != 0 || g.DrainingSince != 0 {
		t.Fatalf("drained %+v", g)
	}
}

func TestEnrol_RefusesAndSlowsDown(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "东门", 1)
	root := w.root.Public().(ed25519.PublicKey)
	guess := wire.FormatEnrolCode([10]byte{1}, root)
	ask := func(code string, key []byte) reply {
		return w.call(t, "", "POST", wire.EnrolPath, wire.Enrol{Code: code, PublicKey: key, Hostname: "x"})
	}
	w.refused(t, ask("ABCD", public(t)), 422, "bad_enrolment_code")
	w.refused(t, ask(wire.FormatEnrolCode([10]byte{1}, public(t)), public(t)), 422, "bad_enrolment_code")
	w.refused(t, ask(guess, []byte("short")), 422, "bad_key")
	w.refused(t, ask(guess, public(t)), http.StatusNotFound, "enrolment_unknown")
	var late api.Enrolment
	w.want(t, http.StatusCreated, "POST", "/api/v1/gates/1/enrolments", nil, &late)
	w.now.Add((24 * time.Hour).Milliseconds())
	w.refused(t, ask(late.Code, public(t)), http.StatusGone, "enrolment_expired")
	for range 9 {
		w.refused(t, ask(guess, public(t)), http.StatusNotFound, "enrolment_unknown")
	}
	r := ask(guess, public(t))
	w.refused(t, r, http.StatusTooManyRequests, "too_many_attempts")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.now.Add(7000)
	w.refused(t, ask(guess, public(t)), http.StatusNotFound, "enrolment_unknown")
}

func TestAgents_LiveStateAndRevocation(t *testing.T) {
	w := newWorld(t)
	e := w.enrol(t, w.gate(t, "东门", 1), public(t))
	offset := int64(250)
	w.link.states[e.Agent] = hub.State{
		Connected: true, Since: w.Now(), LastSeen: w.Now(), Remote: "192.0.2.1", Software: "agent/1", Epoch: 1, OffsetMS: &offset,
		Queue: 7, Applied: wire.Cursor{Revision: 9}, Health: wire.Health{
			Lanes:   map[string]string{"main": "ok"},
			Devices: []wire.Device{{Lane: "main", Kind: "scanner", Driver: "serial", Name: "2", State: "lost", Since: 5, Detail: "unplugged"}},
		},
	}
	var list struct{ Agents []api.Agent }
	w.want(t, http.StatusOK, "GET", "/api/v1/agents", nil, &list)
	if a := list.Agents[0]; a.Live == nil || !a.Live.Connected || a.Live.Queue != 7 || a.Live.Revision != 9 || *a.Live.OffsetMS != 250 || a.Live.Since != w.now.Load() {
		t.Fatalf("agent %+v %+v", a, a.Live)
	}
	if d := list.Agents[0].Live.Devices; len(d) != 1 || d[0] != (api.AgentDevice{Lane: "main", Kind: "scanner", Driver: "serial", Name: "2", State: "lost", Since: 5, Detail: "unplugged"}) {
		t.Errorf("devices %+v", d)
	}
	// After a restart only the last report is left.
	delete(w.link.states, e.Agent)
	ok(t, w.db.Seen(t.Context(), e.Agent, []byte(`{"Connected":true,"Queue":3,"Epoch":1}`)))
	w.want(t, http.StatusOK, "GET", "/api/v1/agents", nil, &list)
	if a := list.Agents[0]; a.Live == nil || a.Live.Connected || a.Live.Queue != 3 {
		t.Fatalf("agent %+v", a.Live)
	}
	var a api.Agent
	w.want(t, http.StatusOK, "POST", fmt.Sprintf("/api/v1/agents/%d/revoke", e.Agent), nil, &a)
	if a.RevokedAt != w.now.Load() || !slices.Contains(w.link.dropped, "1 "+wire.ByeUnknownAgent) {
		t.Fatalf("revoked %+v, dropped %v", a, w.link.dropped)
	}
}

func TestEvents_ListedWithConflictsAndQuarantine(t *testing.T) {
	w := newWorld(t)
	east, west := w.enrol(t, w.gate(t, "东门", 1), public(t)), w.enrol(t, w.gate(t, "西门", 1), public(t))
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	id, err := signing.ParsePassID(p.ID)
	ok(t, err)
	w.someone(t, "2006020")
	var hashes []string
	for i, e := range []wire.Enrolled{east, west} {
		event := wire.Event{
			ID: wire.EventID{Agent: e.Agent, Epoch: 1, Seq: 1}, Type: wire.EventScan, Gate: e.Gate, Lane: "主通道", At: w.now.Load() + int64(i),
			Pass: id, Offline: true, Counts: true, Verdict: verdict.Verdict{Reason: verdict.Granted, Repeat: i == 1},
			Guard: []string{"2013044", "2006020"}[i],
		}
		if i == 1 {
			event.Case = &verdict.Case{Code: verdict.Code{Kind: signing.ResidentSingle, ID: id, Uses: 1, Owner: e.Gate}}
			event.Case.Policy.Mode = verdict.FirstSeen
		}
		r, err := wire.Seal(wire.Hash{}, &event)
		ok(t, err)
		hashes = append(hashes, r.Hash.String())
		_, err = w.db.Ingest(t.Context(), e.Agent, 1, []wire.Record{r})
		ok(t, err)
	}
	_, err = w.db.Ingest(t.Context(), east.Agent, 1, []wire.Record{{Seq: 2, Body: []byte(`{}`)}})
	ok(t, err)

	var events struct {
		Events []api.Event
		Next   int64
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/events?after=0&limit=500", nil, &events)
	if len(events.Events) != 2 || events.Next != 2 {
		t.Fatalf("events %+v", events)
	}
	if e := events.Events[0]; e.ID != "1-1-1" || e.PassID != p.ID || e.Reason != "granted" || !e.Offline || e.Gate != 1 || e.Lane != "主通道" ||
		e.At != w.now.Load() || e.ReceivedAt != w.now.Load() || e.Type != "scan" || e.Opinion != "" || e.Hash != hashes[0] {
		t.Fatalf("event %+v", e)
	}
	if first, second := events.Events[0], events.Events[1]; first.Repeat || !second.Repeat || second.Hash != hashes[1] {
		t.Fatalf("repeats or hashes of %+v", events.Events)
	}
	var raw struct{ Events []map[string]any }
	w.want(t, http.StatusOK, "GET", "/api/v1/events?after=0&limit=1", nil, &raw)
	for _, field := range []string{"type", "repeat", "opinion", "hash"} {
		if _, there := raw.Events[0][field]; !there {
			t.Errorf("an event without %s: %v", field, raw.Events[0])
		}
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/events?after=2&limit=500", nil, &events)
	if len(events.Events) != 0 || events.Next != 2 {
		t.Fatalf("after the last: %+v", events)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/events?disputed=true", nil, &events)
	if len(events.Events) != 0 {
		t.Fatalf("disputed: %+v", events)
	}
	for _, bad := range []string{"after=-1", "after=x", "limit=0", "limit=1001", "since=3"} {
		w.refused(t, w.call(t, w.token, "GET", "/api/v1/events?"+bad, nil), 422, "invalid")
	}
	var conflicts struct{ Conflicts []api.Conflict }
	w.want(t, http.StatusOK, "GET", "/api/v1/conflicts", nil, &conflicts)
	if len(conflicts.Conflicts) != 1 {
		t.Fatalf("conflicts %+v", conflicts)
	}
	c := conflicts.Conflicts[0]
	want := []api.Admission{
		{Ref: "1-1-1", Gate: 1, GateName: "东门", At: w.now.Load(), Event: "1-1-1", Offline: true, Guard: "2013044"},
		{Ref: "2-1-1", Gate: 2, GateName: "西门", At: w.now.Load() + 1, Event: "2-1-1", Mode: "first_seen", Offline: true, Guard: "2006020", GuardName: "林晓岚"},
	}
	if c.ID != p.ID+"/2-1-1" || c.PassID != p.ID || c.Allowed != 1 || !slices.Equal(c.Admissions, want) {
		t.Fatalf("conflict %+v", c)
	}
	seen := func(ref string) reply {
		return w.call(t, w.token, "POST", "/api/v1/conflicts/"+p.ID+"/seen", map[string]any{"ref": ref, "remark": "断网,已核实"})
	}
	w.refused(t, seen("1-1-1"), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/conflicts/x/seen", map[string]any{"ref": "2-1-1", "remark": ""}), http.StatusNotFound, "not_found")
	if r := seen("2-1-1"); r.status != http.StatusNoContent {
		t.Fatalf("seen: %+v", r)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/conflicts?unseen=true", nil, &conflicts)
	if len(conflicts.Conflicts) != 0 {
		t.Fatalf("still unseen: %+v", conflicts)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/conflicts", nil, &conflicts)
	if c := conflicts.Conflicts[0]; c.SeenAt != w.now.Load() || c.SeenBy == "" || c.Remark != "断网,已核实" {
		t.Fatalf("seen %+v", c)
	}
	var quarantine struct {
		Records []api.Quarantined
		Next    int64
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/quarantine", nil, &quarantine)
	if len(quarantine.Records) != 1 || quarantine.Records[0].Event != "1-1-2" || quarantine.Next != 1 {
		t.Fatalf("quarantine %+v", quarantine)
	}
	if w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &p); p.State != "used" || p.Used != 2 || p.FirstUse == nil || p.FirstUse.Gate != 1 {
		t.Fatalf("pass %+v", p)
	}
	body := string(w.call(t, "", "GET", "/metrics", nil).body)
	for _, line := range []string{`campusgate_events_total{reason="granted"} 2`, "campusgate_alarms_total 1", "campusgate_agents_connected 0", "campusgate_devices_down 0", "campusgate_webhook_untold_messages 0", `campusgate_recharge_issues_open{kind="mismatch"} 0`} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("metrics lack %q", line)
		}
	}
}
