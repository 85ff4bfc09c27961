package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/server/people"
)

func TestPlaces_CQ026_CQ027_AreDataThatAnAdministratorChanges(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	var c api.Campus
	w.want(t, http.StatusCreated, "POST", "/api/v1/campuses", map[string]any{"id": "D", "name": "D校区", "zone": 4}, &c)
	w.want(t, http.StatusOK, "PUT", "/api/v1/campuses/D", map[string]any{"name": "东校区", "police": "城东派出所"}, &c)
	if c.ID != "D" || c.Police != "城东派出所" || c.Zone != 0 {
		t.Errorf("campus %+v", c)
	}
	var k api.Compound
	w.want(t, http.StatusCreated, "POST", "/api/v1/compounds", map[string]any{"campus": "D", "name": "东苑"}, &k)
	if !k.OnCampus {
		t.Errorf("compound %+v", k)
	}
	w.want(t, http.StatusOK, "PUT", fmt.Sprintf("/api/v1/compounds/%d", k.ID), map[string]any{"campus": "D", "name": "东苑新村", "on_campus": false}, &k)
	var b, r api.PlaceBody
	w.want(t, http.StatusCreated, "POST", fmt.Sprintf("/api/v1/compounds/%d/buildings", k.ID), map[string]any{"name": "1撞"}, &b)
	w.want(t, http.StatusNoContent, "PUT", fmt.Sprintf("/api/v1/buildings/%d", b.ID), map[string]any{"name": "1幢"}, nil)
	w.want(t, http.StatusCreated, "POST", fmt.Sprintf("/api/v1/buildings/%d/rooms", b.ID), map[string]any{"name": "l01"}, &r)
	w.want(t, http.StatusNoContent, "PUT", fmt.Sprintf("/api/v1/rooms/%d", r.ID), map[string]any{"name": "101"}, nil)

	var tree struct{ Items []api.CampusPlaces }
	w.want(t, http.StatusOK, "GET", "/api/v1/places", nil, &tree)
	if len(tree.Items) != 4 || tree.Items[3].Compounds[0].Name != "东苑新村" || tree.Items[3].Compounds[0].Buildings[0].Rooms[0].Name != "101" {
		t.Errorf("places %+v", tree.Items)
	}
	if tree.Items[2].ID != "C" || tree.Items[2].Police != "渝碚路派出所" || tree.Items[2].Compounds[0].Name != "渝碚路131号" {
		t.Errorf("campus C %+v", tree.Items[2])
	}
	var campuses struct{ Items []api.Campus }
	w.want(t, http.StatusOK, "GET", "/api/v1/campuses", nil, &campuses)
	var compounds struct{ Items []api.Compound }
	if w.want(t, http.StatusOK, "GET", "/api/v1/compounds", nil, &compounds); len(campuses.Items) != 4 || len(compounds.Items) != 9 {
		t.Errorf("%d campuses, %d compounds", len(campuses.Items), len(compounds.Items))
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/campuses", map[string]any{"id": "D", "name": "x"}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "PUT", "/api/v1/campuses/Z", map[string]any{"name": "x"}), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/compounds", map[string]any{"campus": "A", "name": " 松 林坡"}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/compounds/999/buildings", map[string]any{"name": "1栋"}), http.StatusNotFound, "not_found")
}

func TestPlaces_CQ046_CQ047_CQ048_OptionsForAForm(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	who := w.enter(t, "S26001")
	for query, want := range map[string]string{
		"": "新华村 松林坡 东林村 柏树林 重大花园 建工东村 建工新村 渝碚路131号",
		"?compound=" + url.QueryEscape("松林坡"):                                        "3栋 10栋",
		"?compound=" + url.QueryEscape("不在的小区"):                                      "",
		"?compound=" + url.QueryEscape("松林坡") + "&building=" + url.QueryEscape("3栋"): "101 102 201",
	} {
		var got struct{ Items []string }
		if w.call(t, who, "GET", "/api/v1/places/options"+query, nil).into(t, &got); got.Items == nil || strings.Join(got.Items, " ") != want {
			t.Errorf("%s gives %v", query, got.Items)
		}
	}
}

func TestHouseholds_CQ003_CQ045_ADeskVerifiesAndDoesNotWrite(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	desk := w.someone(t, "D1", people.Post{Role: people.Desk, Unit: "sqb"})
	body := map[string]any{
		"compound": "松林坡", "building": "3栋", "room": "101", "head": "石磊",
		"members": []map[string]any{{"name": "石磊", "phone": "13800130091", "relation": "户主"}, {"person": "T1003", "relation": "租客"}},
	}
	w.refused(t, w.call(t, desk, "POST", "/api/v1/households", body), http.StatusForbidden, "forbidden")
	var h api.Household
	w.want(t, http.StatusCreated, "POST", "/api/v1/households", body, &h)
	if h.VerifiedAt != 0 || len(h.Members) != 2 || h.Address != "松林坡 3栋 101" || h.Campus != "A" {
		t.Fatalf("made %+v", h)
	}
	path := fmt.Sprintf("/api/v1/households/%d", h.ID)
	w.refused(t, w.call(t, desk, "POST", path+"/members", map[string]any{"name": "石鑫"}), http.StatusForbidden, "forbidden")
	r := w.call(t, desk, "POST", path+"/verify", nil)
	if r.into(t, &h); r.status != http.StatusOK || h.VerifiedAt != w.now.Load() || !strings.Contains(h.VerifiedBy, "D1") {
		t.Fatalf("verified: %d %s", r.status, r.body)
	}
	w.want(t, http.StatusOK, "POST", path+"/members", map[string]any{"name": "石鑫", "relation": "子女"}, &h)
	if len(h.Members) != 3 || h.VerifiedAt == 0 {
		t.Errorf("with a child %+v", h)
	}
	w.want(t, http.StatusNoContent, "DELETE", path+"/members/T1003", nil, nil)
	w.want(t, http.StatusOK, "PUT", path, map[string]any{"compound": "松林坡", "building": "3栋", "room": "102", "head": "石磊"}, &h)
	if len(h.Members) != 2 || h.VerifiedAt != 0 || h.Room != "102" {
		t.Errorf("moved %+v", h)
	}
	id := func(h api.Household) string { return fmt.Sprint(h.ID) }
	for query, want := range map[string]int{
		"": 3, "?verified=false": 1, "?verified=true": 2, "?q=" + url.QueryEscape("石鑫"): 1, "?compound=" + url.QueryEscape("建工新村"): 1, "?q=13800130091": 1,
	} {
		if _, total := listed(t, w, "/households"+query, id); total != want {
			t.Errorf("%s: %d, want %d", query, total, want)
		}
	}
	body["head"] = "林国栋"
	body["room"] = "201"
	refusal := w.refused(t, w.call(t, w.token, "POST", "/api/v1/households", body), 422, "invalid")
	if refusal.Details.Faults[0].Field != "head" {
		t.Errorf("faults %+v", refusal.Details.Faults)
	}
	body["head"] = "石磊"
	body["members"] = []map[string]any{{"name": "别人", "phone": "13800130091"}}
	refusal = w.refused(t, w.call(t, w.token, "POST", "/api/v1/households", body), 422, "invalid")
	if refusal.Details.Faults[0].Field != "members[0].name" {
		t.Errorf("faults %+v", refusal.Details.Faults)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/households/999/verify", nil), http.StatusNotFound, "not_found")
}

func TestUnits_AreMadeAndChanged(t *testing.T) {
	w := newWorld(t)
	w.sample(t)
	var u api.Unit
	w.want(t, http.StatusCreated, "POST", "/api/v1/units", map[string]any{"id": "phys", "name": "物理学院", "parent": "yl", "head": "T1003"}, &u)
	w.want(t, http.StatusOK, "PUT", "/api/v1/units/phys", map[string]any{"name": "物理与光电学院", "parent": "yl", "campus": "B"}, &u)
	if u.Name != "物理与光电学院" || u.Head != "" || u.Campus != "B" {
		t.Errorf("unit %+v", u)
	}
	var all struct{ Items []api.Unit }
	if w.want(t, http.StatusOK, "GET", "/api/v1/units", nil, &all); len(all.Items) != 11 {
		t.Errorf("units %+v", all.Items)
	}
	w.refused(t, w.call(t, w.token, "PUT", "/api/v1/units/yl", map[string]any{"name": "云岭大学", "parent": "phys"}), 422, "invalid")
	w.refused(t, w.call(t, w.token, "PUT", "/api/v1/units/none", map[string]any{"name": "x"}), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/units", map[string]any{"id": "phys", "name": "x"}), 422, "invalid")
}
