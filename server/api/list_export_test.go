package api_test

import (
	"io/fs"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/apply"
)

func TestExport_CQ075_TheTrailTellsWhoTookRowsOfAList(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff := enter("T1001")
	for range 2 {
		w.workPass(t, staff, "保密任务", true)
	}
	w.workPass(t, staff, "草稿", false)
	var got struct {
		Items []apply.Row
		Total int
	}
	w.as(t, staff, 200, "POST", "/api/v1/applications/export", map[string]any{"box": "started", "q": "周敏", "state": "running", "from": "", "to": "", "flow": ""}, &got)
	if len(got.Items) != 2 || got.Total != 2 || got.Items[0].Summary[2].Value != "保密任务" {
		t.Errorf("%d of %d rows: %+v", len(got.Items), got.Total, got.Items)
	}
	// As in every other file, nobody is named in full.
	for _, row := range got.Items {
		if row.Starter.Name != "*敏" || row.Starter.Number != "***01" || strings.Contains(row.Title, "周敏") {
			t.Errorf("starter %+v, title %q", row.Starter, row.Title)
		}
	}
	w.as(t, enter("T1002"), 200, "POST", "/api/v1/applications/export", map[string]any{"box": "started"}, &got)
	if got.Total != 0 {
		t.Errorf("another person's list has %d rows", got.Total)
	}
	w.refused(t, w.call(t, staff, "POST", "/api/v1/applications/export", map[string]any{"box": "everything"}), 422, "invalid")
	trail, err := w.db.Trail(t.Context(), 0, 10_000)
	ok(t, err)
	var found []string
	for _, e := range trail {
		if e.Action == "list.exported" {
			found = append(found, e.Actor+" "+e.Target+" "+string(e.Details))
		}
	}
	want := `person T1001 list started {"flow":"","from":"","rows":2,"state":"running","text":true,"to":""}`
	if len(found) != 2 || found[0] != want || !strings.HasPrefix(found[1], "person T1002 list started ") {
		t.Errorf("trail %q, want %s first", found, want)
	}
}

// A field may name somebody whatever it is called: one rule masks all files.
func TestExportList_CQ075_NamesNobodyInFull(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	text, err := fs.ReadFile(configs.Flows(), "arts.yaml")
	ok(t, err)
	_, err = w.apply.Publish(t.Context(), "test", "arts.yaml", string(text))
	ok(t, err)
	staff := enter("T1001")
	w.as(t, staff, 201, "POST", "/api/v1/applications", request("zja.car", map[string]any{"contact": "李建国", "at": "2026-11-25 08:00:00", "reason": "接送"}), nil)
	var got struct{ Items []apply.Row }
	w.as(t, staff, 200, "POST", "/api/v1/applications/export", map[string]any{"box": "started"}, &got)
	for _, row := range got.Items {
		for _, p := range row.Summary {
			if strings.Contains(p.Value, "李建国") {
				t.Errorf("%s %s: %q", row.FlowName, p.Name, p.Value)
			}
		}
	}
}
