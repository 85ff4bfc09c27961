package api_test

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/signing"
	"campusgate/signing/code"
)

// at makes it a campus time of 21 November 2026.
func (w *world) at(hour, minute int) {
	w.now.Store(time.Date(2026, 11, 21, hour, minute, 0, 0, time.FixedZone("", 8*3600)).UnixMilli())
}

// household gives the one of a head.
func (w *world) household(t testing.TB, head string) int64 {
	t.Helper()
	var list struct{ Items []api.Household }
	w.want(t, 200, "GET", "/api/v1/households", nil, &list)
	for _, h := range list.Items {
		if h.Head == head {
			return h.ID
		}
	}
	t.Fatalf("no household of %s in %+v", head, list)
	return 0
}

func (w *world) sheetOf(t testing.TB, head string) map[string]any {
	t.Helper()
	return map[string]any{"desk": "community", "household": w.household(t, head), "doc4": "0217", "documents": []string{"id_card", "household_register"}}
}

// turnedAway requires a refusal by the rules and gives its details.
func turnedAway(t testing.TB, r reply, code string) map[string]any {
	t.Helper()
	var p struct {
		Code, Message string
		Details       map[string]any
	}
	r.into(t, &p)
	if r.status != 409 || p.Code != code || p.Message == "" {
		t.Fatalf("%d %s, want 409 %s", r.status, r.body, code)
	}
	return p.Details
}

const papersPath = "/api/v1/papers"

func TestPapers_CQ011_CQ012_CQ013_CQ014_WhoWhereWithWhatAndWhen(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	w.at(9, 30)
	community, retired := enter("T1006"), enter("T1007")
	both := []string{"household_register", "id_card"}

	t.Run("CQ-012 the desk of the campus", func(t *testing.T) {
		for _, c := range []struct{ person, wrong, right, office string }{
			{"T0901", "community", "retired_a", "A区离退休处"}, {"T0902", "retired_a", "community", "社区办"},
		} {
			body := map[string]any{"desk": c.wrong, "person": c.person, "documents": both}
			details := turnedAway(t, w.call(t, community, "POST", papersPath, body), "WRONG_DESK")
			if fmt.Sprint(details["desks"]) != "["+c.office+"]" {
				t.Errorf("%s is sent to %v", c.person, details)
			}
			body["desk"] = c.right
			var p api.Paper
			w.as(t, retired, 201, "POST", papersPath, body, &p)
			if p.Person != c.person || p.Desk != c.right || p.IssuedBy == "" || p.State != "issued" {
				t.Errorf("paper %+v", p)
			}
		}
	})
	sheet := w.sheetOf(t, "林国栋")
	t.Run("CQ-013 both documents", func(t *testing.T) {
		for _, shown := range [][]string{{}, {"id_card"}, {"household_register"}} {
			sheet["documents"] = shown
			details := turnedAway(t, w.call(t, community, "POST", papersPath, sheet), "DOCUMENT_INCOMPLETE")
			if missing := fmt.Sprint(details["missing"]); len(shown) == 1 && strings.Contains(missing, shown[0]) || len(missing) < 5 {
				t.Errorf("shown %v, missing %s", shown, missing)
			}
		}
		sheet["documents"] = append(both, "library_card")
		w.refused(t, w.call(t, community, "POST", papersPath, sheet), 422, "invalid")
		sheet["documents"] = both
	})
	t.Run("CQ-014 in its hours", func(t *testing.T) {
		for _, c := range []struct {
			hour, minute int
			open         bool
		}{{8, 59, false}, {9, 0, true}, {11, 29, true}, {11, 30, false}, {14, 59, false}, {15, 0, true}, {17, 29, true}, {17, 30, false}} {
			w.at(c.hour, c.minute)
			community := enter("T1006")
			var desks struct{ Items []api.DeskNow }
			if w.as(t, community, 200, "GET", "/api/v1/desks", nil, &desks); desks.Items[0].Open != c.open {
				t.Errorf("%02d:%02d: the desk is open: %v", c.hour, c.minute, desks.Items[0].Open)
			}
			r := w.call(t, community, "POST", papersPath, sheet)
			if !c.open {
				if details := turnedAway(t, r, "OUT_OF_HOURS"); fmt.Sprint(details["hours"]) != "[map[from:09:00 to:11:30] map[from:15:00 to:17:30]]" {
					t.Errorf("hours %v", details)
				}
				continue
			}
			var p api.Paper
			if r.into(t, &p); r.status != 201 {
				t.Fatalf("%02d:%02d: %d %s", c.hour, c.minute, r.status, r.body)
			}
			w.as(t, community, 200, "POST", papersPath+"/"+p.Number+"/return", nil, nil)
		}
	})
	t.Run("CQ-011 a household that was never heard of", func(t *testing.T) {
		w.at(10, 0)
		sheet["household"] = 9999
		turnedAway(t, w.call(t, enter("T1006"), "POST", papersPath, sheet), "HOUSEHOLD_UNKNOWN")
		turnedAway(t, w.call(t, enter("T1006"), "POST", papersPath, map[string]any{"desk": "community", "person": "T1001", "documents": both}), "HOUSEHOLD_UNKNOWN")
		w.refused(t, w.call(t, enter("T1006"), "POST", papersPath, map[string]any{"desk": "nowhere", "person": "T0901", "documents": both}), 422, "invalid")
		w.refused(t, w.call(t, enter("T1001"), "POST", papersPath, sheet), 403, "forbidden")
	})
}

func TestPapers_CQ015_ASheetToComeBackOn(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	w.at(10, 0)
	community := enter("T1006")
	var p api.Paper
	w.as(t, community, 201, "POST", papersPath, w.sheetOf(t, "林国栋"), &p)
	if p.Name != "林国栋" || !strings.Contains(p.Address, "松林坡") || p.From != "2026-11-21" || p.Until != "2026-12-20" || p.Pass.Uses != 0 {
		t.Errorf("paper %+v", p)
	}
	read, err := code.Read(w.ring(t), p.Pass.Code)
	ok(t, err)
	if read.Kind() != signing.ResidentMulti || read.Pass.ID.String() != p.Pass.ID || read.Pass.Doc4 != "0217" {
		t.Errorf("code %+v", read.Pass)
	}
	r := w.as(t, community, 200, "GET", papersPath+"/"+p.Number+"/qr.png", nil, nil)
	if _, err := png.Decode(bytes.NewReader(r.body)); err != nil {
		t.Error(err)
	}
	var list struct {
		Items []api.Paper
		Total int
	}
	for query, want := range map[string]int{"": 1, "?q=松林坡": 1, "?q=林国栋": 1, "?q=" + p.Number: 1, "?q=x": 0, "?state=issued": 1, "?state=lost": 0, "?q=%25": 0} {
		if w.as(t, community, 200, "GET", papersPath+query, nil, &list); list.Total != want || len(list.Items) != want {
			t.Errorf("%s: %+v", query, list)
		}
	}
	w.as(t, community, 200, "POST", papersPath+"/"+p.Number+"/lost", nil, &p)
	if p.State != "lost" || p.LostAt == 0 || p.Pass.State != "revoked" {
		t.Errorf("lost: %+v", p)
	}
	for _, path := range []string{"/P20260101-0001", "/P20260101-0001/qr.png"} {
		w.refused(t, w.call(t, community, "GET", papersPath+path, nil), 404, "not_found")
	}
	w.refused(t, w.call(t, community, "POST", papersPath+"/P20260101-0001/return", nil), 404, "not_found")
	w.refused(t, w.call(t, community, "GET", papersPath+"/x'; DROP TABLE papers", nil), 422, "invalid")
}

func TestPapers_CQ016_ASheetExcludesCodesUntilItIsHandedBack(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	w.at(10, 0)
	community, lin, xu := enter("T1006"), enter("13800130021"), enter("13800130022")
	var p api.Paper
	w.as(t, community, 201, "POST", papersPath, w.sheetOf(t, "林国栋"), &p)
	if details := turnedAway(t, w.call(t, community, "POST", papersPath, w.sheetOf(t, "林国栋")), "PAPER_PASS_HELD"); details["number"] != p.Number {
		t.Errorf("details %v", details)
	}
	apply1 := request("cqu.resident_pass", atHome("2026-11-22"))
	for _, who := range []string{lin, xu} {
		turnedAway(t, w.call(t, who, "POST", "/api/v1/applications", apply1), "PAPER_PASS_HELD")
	}
	w.as(t, community, 200, "POST", papersPath+"/"+p.Number+"/return", nil, &p)
	if p.State != "returned" || p.ReturnedBy == "" || p.Pass.State != "revoked" {
		t.Errorf("returned: %+v", p)
	}
	var a apply.Application
	w.as(t, xu, 201, "POST", "/api/v1/applications", apply1, &a)
	if a.Pass == nil {
		t.Error("no code came of it")
	}
}

func TestDesks_OverHTTP(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	desk := map[string]any{
		"id": "north", "name": "北门窗口", "unit": "", "serves": []any{map[string]any{"who": "residents"}}, "hours": []any{}, "documents": []string{"tenancy"},
	}
	var desks struct {
		Items     []api.DeskNow
		Documents map[string]string
	}
	w.want(t, 200, "PUT", "/api/v1/desks", map[string]any{"items": []any{desk}}, &desks)
	if len(desks.Items) != 1 || !desks.Items[0].Open || desks.Documents["id_card"] != "身份证 Identity card" {
		t.Errorf("desks %+v", desks)
	}
	body := w.sheetOf(t, "林国栋")
	body["desk"], body["documents"] = "north", []string{"tenancy"}
	w.as(t, enter("T1006"), 201, "POST", papersPath, body, nil)
	desk["documents"] = []string{"library_card"}
	p := w.refused(t, w.call(t, w.token, "PUT", "/api/v1/desks", map[string]any{"items": []any{desk}}), 422, "invalid")
	if p.Details.Faults[0].Field != "desks[0].documents" {
		t.Errorf("%+v", p)
	}
	w.refused(t, w.call(t, enter("T1006"), "PUT", "/api/v1/desks", map[string]any{"items": []any{}}), 403, "forbidden")
}
