package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/report"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const workRecords = "/api/v1/reports/cqu.work_pass"

type records struct {
	Items   []report.Record
	Total   int
	Columns []report.Column
}

// workPass applies for one, or keeps a draft.
func (w *world) workPass(t testing.TB, who, reason string, submit bool) apply.Application {
	t.Helper()
	var a apply.Application
	form := map[string]any{"start": "2026-12-20", "end": "2026-12-26", "reason": reason}
	w.as(t, who, 201, "POST", "/api/v1/applications", map[string]any{"flow": "cqu.work_pass", "form": form, "submit": submit}, &a)
	return a
}

func (w *world) act(t testing.TB, who, id string, act map[string]any) {
	t.Helper()
	w.as(t, who, 200, "POST", "/api/v1/applications/"+id+"/act", act, nil)
}

// decide makes the decision that waits for somebody.
func (w *world) decide(t testing.TB, who, id, outcome string) {
	t.Helper()
	var a apply.Application
	w.as(t, who, 200, "GET", "/api/v1/applications/"+id, nil, &a)
	if a.Mine == nil {
		t.Fatalf("nothing waits for them in %+v", a.Row)
	}
	w.act(t, who, id, map[string]any{"verb": "decide", "task": a.Mine.Task, "outcome": outcome})
}

func TestReports_CQ085_CQ086_CQ087_CQ088_AllRecordsOfAFlow(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff, head, leader := enter("T1001"), enter("T1002"), enter("T1009")
	ids := map[string]string{"draft": w.workPass(t, staff, "草稿", false).ID}
	for _, state := range []string{"running", "withdrawn", "terminated", "rejected", "completed"} {
		ids[state] = w.workPass(t, staff, "实验 "+state, true).ID
	}
	w.act(t, staff, ids["withdrawn"], map[string]any{"verb": "withdraw"})
	w.act(t, staff, ids["terminated"], map[string]any{"verb": "terminate"})
	w.decide(t, head, ids["rejected"], "reject")
	w.decide(t, head, ids["completed"], "agree")
	student := w.workPass(t, enter("S26002"), "论文", true)

	var all records
	t.Run("CQ-085 all records and the current step, for whom the flow names", func(t *testing.T) {
		w.as(t, leader, 200, "GET", workRecords, nil, &all)
		if all.Total != 7 || len(all.Items) != 7 {
			t.Fatalf("%d records", all.Total)
		}
		for _, r := range all.Items {
			want := map[string]string{ids["running"]: "部门领导审核", student.ID: "学院管理人员审核"}[r.ID]
			if r.Cells["step"] != want {
				t.Errorf("%s is at %q, want %q", r.State, r.Cells["step"], want)
			}
		}
		w.as(t, enter("T1008"), 200, "GET", workRecords, nil, nil) // whose post is that of another office
		w.want(t, 200, "GET", workRecords, nil, nil)
		for _, who := range []string{staff, head, enter("T1005"), enter("S26001")} {
			for _, path := range []string{workRecords, workRecords + "/export", "/api/v1/reports/charts?flow=cqu.work_pass", "/api/v1/reports/no.such"} {
				w.refused(t, w.call(t, who, "GET", path, nil), 403, "forbidden")
			}
		}
		var mine struct{ Items []api.ReadableFlow }
		w.as(t, leader, 200, "GET", "/api/v1/reports", nil, &mine)
		if len(mine.Items) != 1 || mine.Items[0].ID != "cqu.work_pass" || !mine.Items[0].Export {
			t.Errorf("flows of the leader: %+v", mine.Items)
		}
		w.as(t, staff, 200, "GET", "/api/v1/reports", nil, &mine)
		if len(mine.Items) != 0 {
			t.Errorf("flows of somebody whom no flow names: %+v", mine.Items)
		}
		// The flow of residents names nobody; the figures of all flows are not hers.
		for _, path := range []string{"/api/v1/reports/cqu.resident_pass", "/api/v1/reports/charts", "/api/v1/reports/cqu.resident_pass/export"} {
			w.refused(t, w.call(t, leader, "GET", path, nil), 403, "forbidden")
		}
		w.refused(t, w.call(t, w.token, "GET", "/api/v1/reports/no.such", nil), 404, "not_found")
	})
	t.Run("CQ-086 by month, or by days, or all", func(t *testing.T) {
		now := w.now.Load()
		w.now.Store(time.Date(2026, 12, 1, 0, 30, 0, 0, time.FixedZone("", 8*3600)).UnixMilli()) // still November in UTC
		late := w.workPass(t, enter("T1001"), "十二月", true)
		w.now.Store(now)
		for query, want := range map[string]int{
			"": 8, "?month=2026-11": 7, "?month=2026-12": 1, "?month=2026-10": 0, "?from=2026-12-01": 1, "?to=2026-11-30": 7,
			"?from=2026-11-21&to=2026-12-01": 8, "?month=2026-11&state=running": 2,
		} {
			var got records
			if w.as(t, leader, 200, "GET", workRecords+query, nil, &got); got.Total != want {
				t.Errorf("%s: %d records, want %d", query, got.Total, want)
			}
		}
		for _, query := range []string{"?month=2026-13", "?month=x", "?month=2026-11&from=2026-11-01", "?from=2026-02-30", "?to=yesterday"} {
			w.refused(t, w.call(t, leader, "GET", workRecords+query, nil), 422, "invalid")
		}
		w.act(t, enter("T1001"), late.ID, map[string]any{"verb": "withdraw"})
	})
	t.Run("CQ-087 by state", func(t *testing.T) {
		for state, name := range map[string]string{
			"draft": "草稿", "running": "审核中", "rejected": "已驳回", "withdrawn": "已撤回", "terminated": "已终止", "completed": "已完成",
		} {
			var got records
			w.as(t, leader, 200, "GET", workRecords+"?month=2026-11&state="+state, nil, &got)
			if !slices.ContainsFunc(got.Items, func(r report.Record) bool { return r.ID == ids[state] }) {
				t.Errorf("%s: %+v", state, got.Items)
			}
			for _, r := range got.Items {
				if string(r.State) != state || r.Cells["state"] != name || r.StateEN == "" {
					t.Errorf("%s: %+v", state, r)
				}
			}
		}
		w.refused(t, w.call(t, leader, "GET", workRecords+"?state=gone", nil), 422, "invalid")
	})
	t.Run("CQ-088 the columns, and the detail of a record", func(t *testing.T) {
		var names []string
		for _, c := range all.Columns {
			names = append(names, c.ID+" "+c.Name)
			if c.EN == "" || !c.Shown {
				t.Errorf("column %+v", c)
			}
		}
		want := []string{
			"number 学工号", "person 申请人", "unit 所在单位", "start 通行开始日期", "end 通行截止日期", "reason 通行原因", "applied_at 申请时间",
			"state 流程状态", "step 当前环节",
		}
		if !slices.Equal(names, want) {
			t.Errorf("columns %q", names)
		}
		i := slices.IndexFunc(all.Items, func(r report.Record) bool { return r.ID == ids["completed"] })
		if got := fmt.Sprint(all.Items[i].Cells); got != "map[applied_at:2026-11-21 12:00:00 end:2026-12-26 number:T1001 person:周敏 reason:实验 completed start:2026-12-20 state:已完成 step: unit:计算机学院]" {
			t.Errorf("cells %s", got)
		}
		var a apply.Application
		w.as(t, leader, 200, "GET", "/api/v1/applications/"+ids["running"], nil, &a)
		if a.Mine != nil || slices.Contains(a.Actions, "withdraw") || slices.Contains(a.Actions, "terminate") {
			t.Errorf("a reader may %v", a.Actions)
		}
		w.refused(t, w.call(t, leader, "POST", "/api/v1/applications/"+ids["running"]+"/act", map[string]any{"verb": "terminate"}), 404, "not_found")
		w.refused(t, w.call(t, enter("T1005"), "GET", "/api/v1/applications/"+ids["running"], nil), 404, "not_found")
	})
	t.Run("CQ-075 looked for by name, number or title, a page at a time", func(t *testing.T) {
		for q, want := range map[string]int{"吕青": 1, "S26002": 1, "周": 7, "疫期": 8, "%": 0, "' OR 1=1 --": 0} {
			var got records
			if w.as(t, leader, 200, "GET", workRecords+"?size=2&q="+url.QueryEscape(q), nil, &got); got.Total != want || len(got.Items) != min(want, 2) {
				t.Errorf("%q: %d of %d, want %d", q, len(got.Items), got.Total, want)
			}
		}
	})
}

func (w *world) export(t testing.TB, who, query string) reply {
	t.Helper()
	return w.as(t, who, 200, "GET", workRecords+"/export"+query, nil, nil)
}

func readCSV(t testing.TB, data []byte) [][]string {
	t.Helper()
	text, marked := bytes.CutPrefix(data, []byte("\xEF\xBB\xBF"))
	if !marked {
		t.Errorf("no mark: %.20q", data)
	}
	table, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	ok(t, err)
	return table
}

func TestExport_CQ074_CQ075_CQ088_AFileWithTheColumnsThatWereChosen(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff, leader := enter("T1001"), enter("T1009")
	texts := []string{"值班", "=1+1", "带\"引号\",逗号", "第一行\n第二行", "＝HYPERLINK(\"x\")", "  @SUM(A1)", "-1", "_x0041_", "👨‍👩‍👧‍👦"}
	for _, text := range texts {
		w.workPass(t, staff, text, true)
	}
	r := w.export(t, leader, "?format=csv")
	if kind := r.header.Get("Content-Type"); kind != "text/csv; charset=utf-8" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment;") {
		t.Errorf("headers %v", r.header)
	}
	if bytes.Count(r.body, []byte("\n")) != bytes.Count(r.body, []byte("\r\n")) {
		t.Error("a line does not end in CRLF")
	}
	table := readCSV(t, r.body)
	if len(table) != len(texts)+1 || strings.Join(table[0], " ") != "学工号 申请人 所在单位 通行开始日期 通行截止日期 通行原因 申请时间 流程状态 当前环节" {
		t.Fatalf("table %q", table)
	}
	var got []string
	for _, row := range table[1:] {
		if row[0] != "***01" || row[1] != "*敏" || row[3] != "2026-12-20" || row[6] != "2026-11-21 12:00:00" {
			t.Errorf("row %q", row)
		}
		got = append(got, row[5])
	}
	for _, text := range texts {
		want := report.Guard(text)
		if inert := strings.HasPrefix(want, "'"); inert != slices.Contains([]string{"=1+1", "＝HYPERLINK(\"x\")", "  @SUM(A1)", "-1"}, text) {
			t.Errorf("%q is guarded: %v", text, inert)
		}
		if !slices.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}

	// In full: a right of its own, a reason, and a line in the trail.
	plain := workRecords + "/export?format=csv&plain=true"
	w.refused(t, w.call(t, leader, "GET", plain+"&reason="+url.QueryEscape("上级检查"), nil), 403, "forbidden")
	w.refused(t, w.call(t, w.token, "GET", plain+"&reason=+x+", nil), 422, "reason_missing")
	full := readCSV(t, w.as(t, w.token, 200, "GET", plain+"&reason="+url.QueryEscape("上级检查"), nil, nil).body)
	if len(full) != len(table) || full[1][0] != "T1001" || full[1][1] != "周敏" {
		t.Errorf("in full: %q", full)
	}

	book, err := excelize.OpenReader(bytes.NewReader(w.export(t, leader, "?format=xlsx&columns=reason,start,applied_at").body))
	ok(t, err)
	defer func() { ok(t, book.Close()) }()
	const sheet = "查询统计"
	rows, err := book.GetRows(sheet)
	ok(t, err)
	if len(rows) != len(texts)+1 || strings.Join(rows[0], " ") != "通行原因 通行开始日期 申请时间" {
		t.Fatalf("book %q", rows)
	}
	got = nil
	for i, row := range rows[1:] {
		got = append(got, row[0])
		if row[1] != "2026-12-20" || row[2] != "2026-11-21 12:00:00" {
			t.Errorf("row %q", row)
		}
		for column, want := range map[string]excelize.CellType{"A": excelize.CellTypeInlineString, "B": excelize.CellTypeUnset} {
			cell := fmt.Sprint(column, i+2)
			kind, err := book.GetCellType(sheet, cell)
			ok(t, err)
			formula, err := book.GetCellFormula(sheet, cell)
			ok(t, err)
			if kind != want || formula != "" {
				t.Errorf("%s is %v with the formula %q", cell, kind, formula)
			}
		}
	}
	for _, text := range texts {
		if !slices.Contains(got, text) {
			t.Errorf("%q is not in %q", text, got)
		}
	}

	if table = readCSV(t, w.export(t, leader, "?format=csv&state=rejected").body); len(table) != 1 {
		t.Errorf("filtered: %q", table)
	}
	for _, columns := range []string{"nosuch", "number,number", ",", "phone"} {
		w.refused(t, w.call(t, leader, "GET", workRecords+"/export?columns="+columns, nil), 422, "no_such_column")
	}
	w.refused(t, w.call(t, leader, "GET", workRecords+"/export?format=pdf", nil), 422, "invalid")
}

func TestExport_CQ075_TheTrailTellsWhoTookHowMuch(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	w.workPass(t, enter("T1001"), "保密任务", true)
	leader := enter("T1009")
	w.export(t, leader, "?format=csv&month=2026-11&state=running&q="+url.QueryEscape("周敏")+"&columns=number,reason")
	w.refused(t, w.call(t, leader, "GET", workRecords+"/export?columns=nosuch", nil), 422, "no_such_column")
	trail, err := w.db.Trail(t.Context(), 0, 10_000)
	ok(t, err)
	var found []string
	for _, e := range trail {
		if e.Action == "report.exported" {
			found = append(found, e.Actor+" "+e.Target+" "+string(e.Details))
		}
	}
	want := `person T1009 flow cqu.work_pass {"columns":["number","reason"],"format":"csv","from":"2026-11-01","plain":false,"reason":"","rows":1,"state":"running","text":true,"to":"2026-11-30"}`
	if len(found) != 1 || found[0] != want {
		t.Errorf("trail %q, want %s", found, want)
	}
	for _, secret := range []string{"保密任务", "周敏"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestExport_OfMoreThanTheLimitIsRefused(t *testing.T) {
	if storetest.Raced {
		t.Skip("one call: make sweeps runs it without the race detector")
	}
	w := newWorld(t)
	w.settle(t)
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO applications (id, flow, version, state, step, starter, starter_name, unit, title, serial, created_at, body)
			WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i <= $1)
			SELECT 'x' || i, 'cqu.work_pass', 1, 'draft', '', 'T1001', '周敏', 'cs', '', '', i, x'' FROM n`, report.MaxRows)
	}))
	w.refused(t, w.call(t, w.token, "GET", workRecords+"/export", nil), 422, "too_many_rows")
}

// One that cannot be written to its end must not look whole.
func TestExport_BreaksOffWhenARecordCannotBeRead(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	a := w.workPass(t, enter("T1001"), "值班", true)
	ok(t, w.spoil(a.ID))
	for _, format := range []string{"csv", "xlsx"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.URL+workRecords+"/export?format="+format, nil)
		ok(t, err)
		as(req, w.token)
		res, err := w.Client().Do(req)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			ok(t, res.Body.Close())
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", format, err)
		}
	}
	if !strings.Contains(w.log.String(), "export broke off") || strings.Contains(w.log.String(), "msg=panic") {
		t.Error("the log does not tell of it")
	}
}

func TestCharts_CQ085_FiguresByDayGateReasonAndUnit(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff := enter("T1001")
	a := w.workPass(t, staff, "值班", true)
	w.workPass(t, staff, "值班", true)
	w.workPass(t, staff, "草稿", false)
	w.decide(t, enter("T1002"), a.ID, "agree")
	var resident apply.Application
	w.as(t, enter("13800130021"), 201, "POST", "/api/v1/applications", request("cqu.resident_pass", atHome("2026-11-22")), &resident)
	w.as(t, staff, 200, "GET", "/api/v1/applications/"+a.ID, nil, &a)
	west := w.gate(t, "西门", 1)
	at := func(day int) int64 {
		return time.Date(2026, 11, day, 0, 5, 0, 0, time.FixedZone("", 8*3600)).UnixMilli()
	}
	for _, e := range []struct {
		pass   string
		gate   uint16
		day    int
		reason verdict.Reason
		repeat bool
	}{
		{a.Pass.ID, 1, 20, verdict.Granted, false},
		{a.Pass.ID, 1, 20, verdict.Granted, true},
		{a.Pass.ID, west, 21, verdict.Expired, false},
		{resident.Pass.ID, west, 21, verdict.Attention, false},
		{resident.Pass.ID, west, 21, verdict.AlreadyUsed, false},
		{resident.Pass.ID, 99, 21, verdict.AlreadyUsed, false},
		{"", 1, 21, verdict.Malformed, false},
		{"", 1, 22, verdict.Malformed, false},
	} {
		var pass signing.PassID
		if e.pass != "" {
			var err error
			pass, err = signing.ParsePassID(e.pass)
			ok(t, err)
		}
		_, err := w.db.RecordOwn(t.Context(), wire.Event{
			Type: wire.EventScan, At: at(e.day), Gate: e.gate, Pass: pass, Verdict: verdict.Verdict{Reason: e.reason, Repeat: e.repeat}, Case: &verdict.Case{},
			Lane: `"repeat":true`,
		})
		ok(t, err)
	}
	var all, own report.Charts
	w.as(t, enter("T1008"), 200, "GET", "/api/v1/reports/charts?from=2026-11-20&to=2026-11-21", nil, &all)
	want := []report.Day{{Key: "2026-11-20", Admitted: 1}, {Key: "2026-11-21", Count: 3, Admitted: 1, Refused: 4}}
	if !slices.Equal(all.Days, want) {
		t.Errorf("days %+v", all.Days)
	}
	if want := []report.GateFigure{
		{Key: "2", Name: "西门", Count: 3, Admitted: 1, Refused: 2}, {Key: "1", Name: "东门", Count: 2, Admitted: 1, Refused: 1}, {Key: "99", Count: 1, Refused: 1},
	}; !slices.Equal(all.Gates, want) {
		t.Errorf("gates %+v", all.Gates)
	}
	if len(all.Hours) != 0 || all.Running != 1 {
		t.Errorf("%d hours, %d under review", len(all.Hours), all.Running)
	}
	w.as(t, enter("T1008"), 200, "GET", "/api/v1/reports/charts?from=2026-11-21&to=2026-11-21", nil, &own)
	if len(own.Hours) != 24 || own.Hours[0] != (report.Hour{Key: "00", Admitted: 1, Refused: 4}) || own.Hours[1] != (report.Hour{Key: "01"}) {
		t.Errorf("hours %+v", own.Hours)
	}
	if len(all.Reasons) != 5 || all.Reasons[0].Key != "already_used" || all.Reasons[0].Count != 2 || all.Reasons[0].Name == "" || all.Reasons[0].EN == "" {
		t.Errorf("reasons %+v", all.Reasons)
	}
	if len(all.Units) != 2 || all.Units[0] != (report.UnitFigure{Key: "cs", Name: "计算机学院", Count: 2}) || all.Units[1].Name != "无单位" {
		t.Errorf("units %+v", all.Units)
	}
	leader := enter("T1009")
	w.as(t, leader, 200, "GET", "/api/v1/reports/charts?flow=cqu.work_pass&from=2026-11-20&to=2026-11-21", nil, &own)
	want = []report.Day{{Key: "2026-11-20", Admitted: 1}, {Key: "2026-11-21", Count: 2, Refused: 1}}
	if !slices.Equal(own.Days, want) || len(own.Gates) != 2 || len(own.Units) != 1 {
		t.Errorf("of the flow: %+v", own)
	}
	w.as(t, leader, 200, "GET", "/api/v1/reports/charts?flow=cqu.work_pass", nil, &own)
	if len(own.Days) != 30 || own.Days[29].Key != "2026-11-21" {
		t.Errorf("%d days", len(own.Days))
	}
	for _, query := range []string{"from=2026-11-22&to=2026-11-21", "from=2025-11-20&to=2026-11-21", "from=x", "flow="} {
		r := w.call(t, w.token, "GET", "/api/v1/reports/charts?"+query, nil)
		if query == "flow=" {
			if r.status != 200 {
				t.Errorf("%s: %d", query, r.status)
			}
			continue
		}
		w.refused(t, r, 422, "invalid")
	}
	var table struct{ Items []api.Flow }
	w.as(t, enter("T1008"), 200, "GET", "/api/v1/flows", nil, &table)
	if body, err := json.Marshal(all); err != nil || strings.Contains(string(body), "null") {
		t.Errorf("%s %v", body, err)
	}
}
