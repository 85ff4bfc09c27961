package api_test

import (
	"net/http"
	"testing"

	"campusgate/server/api"
)

func TestGates_FirstSeenHasLimits(t *testing.T) {
	w := newWorld(t)
	var g api.Gate
	w.want(t, http.StatusCreated, "POST", "/api/v1/gates", map[string]any{"name": "东门", "zone": 1, "policy": "first_seen"}, &g)
	if g.Policy != "first_seen" || g.Offline == nil || *g.Offline != (api.GateOffline{Max: 50, MaxAgeMinutes: 240, Confirm: "guard"}) {
		t.Fatalf("usual: %+v", g)
	}
	w.want(t, http.StatusOK, "PATCH", "/api/v1/gates/1", map[string]any{"offline": map[string]any{"max": 3, "confirm": "none"}}, &g)
	if *g.Offline != (api.GateOffline{Max: 3, MaxAgeMinutes: 240, Confirm: "none"}) {
		t.Fatalf("what was not given stays: %+v", g.Offline)
	}
	if w.want(t, http.StatusOK, "PATCH", "/api/v1/gates/1", map[string]any{"name": "东一门"}, &g); g.Offline.Max != 3 {
		t.Fatalf("another name: %+v", g.Offline)
	}
	for field, bad := range map[string]map[string]any{
		"offline.max":             {"max": 0},
		"offline.max_age_minutes": {"max_age_minutes": 10081},
		"offline.confirm":         {"confirm": "maybe"},
	} {
		p := w.refused(t, w.call(t, w.token, "PATCH", "/api/v1/gates/1", map[string]any{"offline": bad}), 422, "invalid")
		if len(p.Details.Faults) == 0 || p.Details.Faults[0].Field != field {
			t.Errorf("%v: faults %+v, want %s", bad, p.Details.Faults, field)
		}
	}
	w.refused(t, w.call(t, w.token, "PATCH", "/api/v1/gates/1", map[string]any{"offline": map[string]any{"max": 1001}}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "PATCH", "/api/v1/gates/1", map[string]any{"policy": "owner", "offline": map[string]any{"max": 3}}), 422, "invalid")
	var list struct{ Gates []api.Gate }
	if w.want(t, http.StatusOK, "GET", "/api/v1/gates", nil, &list); *list.Gates[0].Offline != (api.GateOffline{Max: 3, MaxAgeMinutes: 240, Confirm: "none"}) {
		t.Fatalf("after the refusals: %+v", list.Gates[0])
	}
}

func TestGates_WhoLeavesFirstSeenDrainsUntilConfirmed(t *testing.T) {
	w := newWorld(t)
	w.want(t, http.StatusCreated, "POST", "/api/v1/gates", map[string]any{"name": "东门", "zone": 1, "policy": "first_seen"}, nil)
	w.enrol(t, 1, public(t))
	var g api.Gate
	w.want(t, http.StatusOK, "PATCH", "/api/v1/gates/1", map[string]any{"policy": "owner"}, &g)
	if g.Policy != "owner" || g.Offline != nil || g.DrainingSince != w.now.Load() || g.OwnsFrom == 0 {
		t.Fatalf("left: %+v", g)
	}
	g = api.Gate{} // what is not in the answer would stay
	w.want(t, http.StatusOK, "POST", "/api/v1/gates/1/drained", nil, &g)
	if g.DrainingSince != 0 || g.OwnsFrom != 0 {
		t.Fatalf("confirmed: %+v", g)
	}
	trail, err := w.db.Trail(t.Context(), 0, 100)
	ok(t, err)
	var said []string
	for _, entry := range trail {
		if entry.Target == "gate 1" {
			said = append(said, entry.Action)
		}
	}
	if n := len(said); n < 3 || said[0] != "gate.created" || said[n-2] != "gate.changed" || said[n-1] != "gate.drained" {
		t.Fatalf("trail: %q", said)
	}
}
