package api_test

import (
	"net/http"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func nightHours() map[string]any {
	return map[string]any{
		"kinds": []string{"work", "visitor"}, "week": []any{map[string]any{"day": 6, "from": 1320, "until": 120}},
		"dates": []any{map[string]any{"from": "2026-10-01", "until": "2026-10-07"}},
	}
}

func TestLanePolicy_SetAndRead(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "东门", 1)
	w.gate(t, "西门", 1)
	var p api.LanePolicyOf
	w.want(t, http.StatusOK, "GET", "/api/v1/gates/1/policy", nil, &p)
	if p.AreaName != "zone:1" || len(p.AreaGates) != 2 || p.Area.Passback != "none" || len(p.Hours) != 0 {
		t.Fatalf("as made: %+v", p)
	}
	w.want(t, http.StatusOK, "PUT", "/api/v1/gates/1/policy", map[string]any{
		"lanes": []any{map[string]any{"name": "车道", "kinds": []string{"vehicle"}}}, "hours": []any{nightHours()}, "exempt": []string{"work"},
		"area": map[string]any{"passback": "enforce", "limit": 40, "forget_hours": 12, "day_end": 240},
	}, &p)
	w.want(t, http.StatusOK, "GET", "/api/v1/gates/1/policy", nil, &p)
	if len(p.Lanes) != 1 || p.Lanes[0].Kinds[0] != "vehicle" || len(p.Hours) != 1 || strings.Join(p.Hours[0].Kinds, " ") != "work visitor" ||
		p.Hours[0].Week[0] != (verdict.WeekSpan{Day: 6, Span: verdict.Span{From: 1320, Until: 120}}) || p.Hours[0].Dates[0].Until != "2026-10-07" ||
		p.Exempt[0] != "work" || p.Area.Passback != "enforce" || *p.Area.DayEnd != 240 || p.ChangedAt == 0 {
		t.Fatalf("policy %+v", p)
	}
	var other api.LanePolicyOf
	w.want(t, http.StatusOK, "GET", "/api/v1/gates/2/policy", nil, &other)
	if other.Area.Limit != 40 || len(other.Hours) != 0 {
		t.Errorf("the other gate of the zone: %+v", other)
	}
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/gates/9/policy", nil), http.StatusNotFound, "not_found")
}

func TestLanePolicy_NamesTheFieldThatIsWrong(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "东门", 1)
	area := map[string]any{}
	for field, body := range map[string]map[string]any{
		"hours":            {"area": area, "hours": []any{nightHours(), nightHours()}},
		"lanes":            {"area": area, "lanes": []any{map[string]any{"name": "", "kinds": []string{"work"}}}},
		"group":            {"area": area, "group": " x"},
		"area.day_end":     {"area": map[string]any{"day_end": 1440}},
		"hours[0].kinds":   {"area": area, "hours": []any{map[string]any{"kinds": []string{}, "week": []any{}}}},
		"exempt[0]":        {"area": area, "exempt": []string{"pay"}},
		"area.passback":    {"area": map[string]any{"passback": "maybe"}},
		"lanes[0].kinds[0": {"area": area, "lanes": []any{map[string]any{"name": "x", "kinds": []string{"=1+1"}}}},
	} {
		r := w.call(t, w.token, "PUT", "/api/v1/gates/1/policy", body)
		w.refused(t, r, http.StatusUnprocessableEntity, "invalid")
		if !strings.Contains(string(r.body), field) {
			t.Errorf("%s is not named: %s", field, r.body)
		}
	}
	var p api.LanePolicyOf
	if w.want(t, http.StatusOK, "GET", "/api/v1/gates/1/policy", nil, &p); p.ChangedAt != 0 {
		t.Errorf("something was changed: %+v", p)
	}
}

func TestEmergency_RaisedAndEnded(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "东门", 1)
	var list struct{ Emergencies []api.EmergencyState }
	ask := map[string]any{"scope": "zone:1", "state": "lockdown", "reason": "演练", "until": w.now.Load() + 60_000}
	w.want(t, http.StatusOK, "POST", "/api/v1/emergency", ask, &list)
	if e := list.Emergencies[0]; e.Scope != "zone:1" || e.State != "lockdown" || e.Reason != "演练" || e.By == "" || e.Source != "server" || e.Until == 0 {
		t.Fatalf("in force %+v", e)
	}
	w.want(t, http.StatusOK, "POST", "/api/v1/emergency", map[string]any{"scope": "zone:1", "state": "normal", "reason": "结束"}, &list)
	if len(list.Emergencies) != 0 {
		t.Fatalf("still in force %+v", list)
	}
	for field, bad := range map[string]map[string]any{
		"reason": {"scope": "campus", "state": "open", "reason": " "},
		"scope":  {"scope": "gate:7", "state": "open", "reason": "x"},
		"until":  {"scope": "campus", "state": "open", "reason": "x", "until": 1},
		"state":  {"scope": "campus", "state": "party", "reason": "x"},
	} {
		r := w.call(t, w.token, "POST", "/api/v1/emergency", bad)
		w.refused(t, r, http.StatusUnprocessableEntity, "invalid")
		if !strings.Contains(string(r.body), field) {
			t.Errorf("%s is not named: %s", field, r.body)
		}
	}
	nothing := map[string]any{"scope": "campus", "state": "normal", "reason": "x"}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/emergency", nothing), http.StatusNotFound, "not_found")
}

func TestOccupancy_WhoIsInsideAndTheClerksClear(t *testing.T) {
	w := newWorld(t)
	e := w.enrol(t, w.gate(t, "东门", 1), public(t))
	w.want(t, http.StatusOK, "PUT", "/api/v1/gates/1/policy", map[string]any{"area": map[string]any{"watch": true}}, nil)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	id, err := signing.ParsePassID(p.ID)
	ok(t, err)
	event := wire.Event{
		ID: wire.EventID{Agent: e.Agent, Epoch: 1, Seq: 1}, Type: wire.EventScan, Gate: e.Gate, At: w.now.Load(), Pass: id,
		Verdict: verdict.Verdict{Reason: verdict.Granted},
		Case:    &verdict.Case{Code: verdict.Code{Kind: signing.ResidentSingle, ID: id, Expires: w.now.Load()/1000 + 3600}},
	}
	r, err := wire.Seal(wire.Hash{}, &event)
	ok(t, err)
	_, err = w.db.Ingest(t.Context(), e.Agent, 1, []wire.Record{r})
	ok(t, err)
	var list struct {
		Areas  []api.AreaOccupancy
		Inside []api.InsidePass
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/occupancy?area=zone:1", nil, &list)
	if len(list.Areas) != 1 || list.Areas[0].Inside != 1 || len(list.Inside) != 1 || list.Inside[0].Name == "" || list.Inside[0].Gate != e.Gate ||
		list.Inside[0].Kind != "resident_single" || list.Inside[0].Since != w.now.Load() {
		t.Fatalf("inside %+v", list)
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/occupancy?area=zone:1&q=%25", nil, &list) // no wildcard
	if len(list.Inside) != 0 {
		t.Errorf("a wildcard finds %+v", list.Inside)
	}
	clear := "/api/v1/occupancy/" + p.ID + "/clear"
	w.refused(t, w.call(t, w.token, "POST", clear, map[string]any{"reason": ""}), http.StatusUnprocessableEntity, "invalid")
	w.want(t, http.StatusOK, "POST", clear, map[string]any{"reason": "出门漏扫"}, nil)
	w.refused(t, w.call(t, w.token, "POST", clear, map[string]any{"reason": "x"}), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/occupancy/zz/clear", map[string]any{"reason": "x"}), http.StatusNotFound, "not_found")
	w.want(t, http.StatusOK, "GET", "/api/v1/occupancy?area=zone:1", nil, &list)
	if list.Areas[0].Inside != 0 || len(list.Inside) != 0 {
		t.Errorf("after the clear %+v", list)
	}
}
