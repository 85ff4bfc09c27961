package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/api"
	"campusgate/server/people"
	rulebook "campusgate/server/rules"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestDocuments_ReadAndReplacedAsYAML(t *testing.T) {
	w := newWorld(t)
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/documents", nil), http.StatusNotFound, "not_found")
	text, err := configs.Samples.ReadFile(rulebook.Sample)
	ok(t, err)
	put := func(yaml string) reply {
		return w.call(t, w.token, "PUT", "/api/v1/documents", map[string]any{"yaml": yaml})
	}
	var d api.Documents
	r := put(string(text))
	if r.into(t, &d); r.status != http.StatusOK || d.YAML != string(text) {
		t.Fatalf("%d %.300s", r.status, r.body)
	}
	if feed, err := w.db.Feed(t.Context(), wire.Cursor{}, 100); err != nil || !strings.Contains(string(feed.Items[len(feed.Items)-1].Body), "租房合同") {
		t.Fatalf("the gates were told %+v, %v", feed.Items, err)
	}
	p := w.refused(t, put(strings.Replace(string(text), "    form: copy", "    form: fax", 1)), http.StatusUnprocessableEntity, "invalid_file")
	if !strings.Contains(p.Details.What, "documents.yaml:") || !strings.Contains(p.Details.What, "form") {
		t.Errorf("what %q", p.Details.What)
	}
	for name, yaml := range map[string]string{"empty": "", "no YAML": "documents: &a !000 ", "formula": "=1+1", "script": "<script>"} {
		if r := put(yaml); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := put(strings.Repeat("#", 30_000)); r.status != http.StatusUnprocessableEntity {
		t.Errorf("endless: %d %s", r.status, r.body)
	}
	guard := w.someone(t, "G0021", people.Post{Role: people.Guard})
	r = w.call(t, guard, "GET", "/api/v1/documents", nil)
	if r.into(t, &d); r.status != http.StatusOK || d.YAML != string(text) {
		t.Fatalf("a guard reads %d %.300s", r.status, r.body)
	}
	w.refused(t, w.call(t, guard, "PUT", "/api/v1/documents", map[string]any{"yaml": string(text)}), http.StatusForbidden, "forbidden")
}

func TestPIN_CQ079_IsSetForGuardsAndNeverShown(t *testing.T) {
	w := newWorld(t)
	w.someone(t, "G0021", people.Post{Role: people.Guard})
	w.someone(t, "S0001")
	set := func(number, pin string) reply {
		return w.call(t, w.token, "PUT", "/api/v1/people/"+number+"/pin", map[string]any{"pin": pin})
	}
	if r := set("G0021", "470318"); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.refused(t, set("G0021", "123456"), http.StatusUnprocessableEntity, "weak_pin")
	w.refused(t, set("S0001", "470318"), http.StatusConflict, "state")
	w.refused(t, set("X9", "470318"), http.StatusNotFound, "not_found")
	d, err := w.db.Feed(t.Context(), wire.Cursor{}, 100)
	ok(t, err)
	told := false
	for _, it := range d.Items {
		told = told || it.Kind == wire.ItemGuard && it.Key == "G0021"
	}
	if !told {
		t.Error("the gates were not told")
	}
	if strings.Contains(w.log.String(), "470318") || strings.Contains(string(w.call(t, w.token, "GET", "/api/v1/audit", nil).body), "470318") {
		t.Error("the PIN is in the log or in the trail")
	}
}

func TestEvents_CQ031_ShowDocumentsRuleAndGuard(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "东门", 1)
	e := w.enrol(t, gate, public(t))
	c := &verdict.Case{At: w.now.Load(), Vouched: true, Lane: verdict.Lane{Gate: gate, Direction: verdict.Exit}, Document: verdict.Documents{
		Required: true, Rule: "winter_student", Shown: []string{"consent_form"},
		Sets: []verdict.DocumentSet{{Rule: "winter_student", All: []string{"consent_form"}}},
	}}
	record, err := wire.Seal(wire.Hash{}, &wire.Event{
		ID: wire.EventID{Agent: e.Agent, Epoch: 1, Seq: 1}, Type: wire.EventRegister, At: c.At, Gate: gate, Lane: "主通道", Case: c,
		Verdict: verdict.Judge(c), Documents: []string{"consent_form"}, Guard: "G0021", Note: "同意书已核对",
		Register: &wire.Register{Kind: verdict.RegisterStudent, Person: "沈未央", Number: "2019114"},
	})
	ok(t, err)
	_, err = w.db.Ingest(t.Context(), e.Agent, 1, []wire.Record{record})
	ok(t, err)
	var events struct{ Events []api.Event }
	w.want(t, http.StatusOK, "GET", "/api/v1/events", nil, &events)
	got := events.Events[0]
	if got.Type != "register" || got.Documents[0] != "consent_form" || got.Rule != "winter_student" || got.Guard != "G0021" || got.Note != "同意书已核对" {
		t.Errorf("event %+v", got)
	}
	var list struct {
		Items []api.Register
		Total int
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/registers?open=true&kind=student&q=2019", nil, &list)
	if len(list.Items) != 1 || list.Total != 1 || list.Items[0].Person != "沈未央" || list.Items[0].Began.Gate != gate || list.Items[0].Ended != nil {
		t.Errorf("registers %+v", list)
	}
	r := w.call(t, w.token, "GET", "/api/v1/registers?page=9", nil)
	var empty map[string]json.RawMessage
	if r.into(t, &empty); r.status != http.StatusOK || string(empty["items"]) != "[]" || string(empty["total"]) != "1" {
		t.Errorf("beyond the end: %s", r.body)
	}
}
