package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/xuri/excelize/v2"

	"campusgate/configs"
	"campusgate/server/api"
	"campusgate/server/paper"
	"campusgate/server/report"
	"campusgate/server/store/storetest"
)

// brand is in every text of the sweep, so that it can be found again. No base64 and
// no number has a tilde, so no hash holds it by chance.
const brand = "Z~7"

// attack is a text as it stands in JSON between quotes. What is no text at all
// has no plain form.
type attack struct{ name, plain, raw string }

func attacks() []attack {
	var all []attack
	for name, plain := range map[string]string{
		"equals": "=1+1" + brand, "at": "@SUM(A1)" + brand, "plus": "+cmd|' /C calc'!A0" + brand, "minus": "-1+" + brand,
		"tab": "\t=" + brand, "return": "\r=" + brand, "full width": "＝1" + brand, "script": "<script>alert('" + brand + "')</script>",
		"SQL": "'; DROP TABLE persons; --" + brand, "long": strings.Repeat("名", 9_997) + brand, "emoji": "👨‍👩‍👧‍👦" + brand,
		"override": "\u202e" + brand, "NUL": "a\u0000" + brand,
	} {
		raw, _ := json.Marshal(plain)
		all = append(all, attack{name, plain, string(raw[1 : len(raw)-1])})
	}
	return append(all, attack{"invalid UTF-8", "", brand + "\xff\xfe"}, attack{"lone surrogate", "", brand + `\ud800`})
}

// sweep sends attacks into one API.
type sweep struct {
	*world
	attacks []attack
	who     string
	bodies  map[string]map[string]any // by operation: what is asked for where nothing is attacked
	paths   map[string]string         // values of path parameters, by operation or parameter
	count   atomic.Int64
	calls   atomic.Int64
	kept    atomic.Int64 // attacks that an answer has given back
}

// fresh is replaced by another number in every call.
const fresh = "§"

func newSweep(t *testing.T) *sweep {
	t.Helper()
	s := &sweep{world: newWorld(t), attacks: attacks()}
	enter := s.settle(t)
	s.at(10, 0)
	s.want(t, 201, "POST", "/api/v1/posts", map[string]any{"role": "guard", "person": "T1010", "gate": 1}, nil)
	s.who = enter("T1010")
	matter := s.workPass(t, enter("T1001"), "值班", true)
	var p api.Pass
	s.want(t, 201, "POST", "/api/v1/passes", resident(), &p)
	var card api.OfficeCard
	s.want(t, 201, "POST", "/api/v1/cards", map[string]any{"person": "T1003"}, &card)
	text, err := fs.ReadFile(configs.Flows(), "passes.yaml")
	ok(t, err)
	person := map[string]any{"number": "N" + fresh, "name": "林晓岚", "kind": "staff", "level": "", "unit": "cs", "mail": "", "phone": "", "id_number": ""}
	home := map[string]any{"compound": "松林坡", "building": fresh + "栋", "room": "1", "head": "许文娟"}
	member := map[string]any{"name": "许文娟", "relation": "子女", "since": "2026-11-01", "person": "", "phone": "", "id_number": ""}
	unit := map[string]any{"id": "u" + fresh, "name": "单位" + fresh, "kind": "部门", "parent": "cs", "head": "", "campus": "A"}
	with := func(base map[string]any, key string, value any) map[string]any {
		out := maps.Clone(base)
		out[key] = value
		return out
	}
	without := func(base map[string]any, key string) map[string]any {
		out := maps.Clone(base)
		delete(out, key)
		return out
	}
	s.bodies = map[string]map[string]any{
		"act":              {"verb": "comment", "opinion": "好", "to": []any{"T1001"}},
		"apply":            {"flow": "cqu.work_pass", "form": map[string]any{"start": "2026-11-22", "end": "2026-11-23", "reason": "值班"}, "submit": true, "cc": []any{"T1001"}, "key": "k" + fresh},
		"preview-service":  {"form": map[string]any{"start": "2026-11-22", "end": "2026-11-23", "reason": "值班"}},
		"create-person":    person,
		"change-person":    with(without(person, "number"), "state", "active"),
		"create-unit":      unit,
		"change-unit":      without(unit, "id"),
		"create-campus":    {"id": "c" + fresh, "name": "校区" + fresh, "police": "", "zone": 1},
		"change-campus":    {"name": "校区" + fresh, "police": "", "zone": 1},
		"create-compound":  {"campus": "A", "name": "小区" + fresh},
		"change-compound":  {"campus": "A", "name": "小区" + fresh},
		"create-household": with(home, "members", []any{member}),
		"change-household": home,
		"add-member":       member,
		"create-gate":      {"name": "校门" + fresh, "zone": 1, "policy": "owner", "documents": "none"},
		"change-gate":      {"name": "校门" + fresh, "zone": 1, "policy": "owner", "documents": "none"},
		"create-post":      {"role": "desk", "person": "T1002", "unit": "cs", "from": "2026-11-21", "to": "2026-11-22"},
		"create-token":     {"name": "n" + fresh, "scopes": []any{"desk"}, "expires_in": 0},
		"issue-pass":       {"kind": "work", "name": "林晓", "doc4": "204X", "from": "2026-11-21", "until": "2026-11-22"},
		"issue-paper":      {"desk": "retired_a", "person": "T0901", "name": "韩松年", "doc4": "0124", "until": "2026-11-30", "documents": []any{"id_card", "household_register"}, "note": "无"},
		"publish-flows":    {"name": "a.yaml", "yaml": strings.Replace(string(text), "name: 公务车通行申请", "name: 公务车"+fresh, 1)},
		"check-flows":      {"name": "a.yaml", "yaml": string(text)},
		"set-desks": {"items": []any{map[string]any{
			"id": "d" + fresh, "name": "窗口", "en": "Desk", "unit": "", "serves": []any{map[string]any{"who": "residents", "campus": "A"}},
			"hours": []any{map[string]any{"from": "09:00", "to": "11:30"}}, "documents": []any{"id_card"},
		}}},
		"loss-card": {"reason": "丢失"}, "freeze-card": {"reason": "调查"}, "reissue-card": {"reason": "补卡"},
		"plan-subsidies": {"id": "batch-" + fresh + "0000000", "name": "补助", "expires_on": "2026-12-31", "fen": 100, "kind": "staff", "unit": "cs"},
		"change-mail":    {"mail": "lin@yunling.example"}, "verify-code": {"code": p.Code},
	}
	s.paths = map[string]string{
		"account": card.Account, "flow": "cqu.work_pass", "act": matter.ID, "revoke-pass": p.ID, "enrol-phone": p.ID, "change-person": "T1003", "change-unit": "cs-lab",
		"change-campus": "C", "number": "T1004", "person": "T1004",
		// Nothing is there.
		"get-attachment": strings.Repeat("0", 32), "kid": "00000000", "get-paper": "P20200101-0001", "close-card": "999", "remove-member": "999",
	}
	return s
}

func TestHostile_CQ075_EveryTextOfEveryRoute(t *testing.T) {
	if storetest.Raced {
		t.Skip("one caller after the other: make sweeps runs it without the race detector")
	}
	s := newSweep(t)
	doc := s.api.OpenAPI()
	fields := 0
	t.Run("sweep", func(t *testing.T) {
		for path, item := range doc.Paths {
			for method, op := range methods(item) {
				var spots []func(*testing.T, attack)
				for _, p := range op.Parameters {
					if p.Schema.Type == huma.TypeString && p.In != "header" {
						spots = append(spots, s.parameter(op, method, path, p))
					}
				}
				if b := op.RequestBody; b != nil && b.Content["application/json"] != nil {
					body := s.sample(op.OperationID, b.Content["application/json"].Schema)
					for _, at := range places(body, nil) {
						spots = append(spots, s.field(op, method, path, body, at))
					}
				}
				if fields += len(spots); len(spots) == 0 {
					continue
				}
				t.Run(op.OperationID, func(t *testing.T) {
					if op.OperationID == "set-desks" { // which the papers of others need
						defer s.want(t, 200, "PUT", path, map[string]any{"items": paper.DefaultDesks()}, nil)
					} else {
						t.Parallel()
					}
					if body, known := s.bodies[op.OperationID]; known { // or the attacks would not get far
						s.as(t, s.who, op.DefaultStatus, method, s.address(op, path, "", ""), s.filled(body), nil)
					}
					for _, a := range s.attacks {
						for _, send := range spots {
							send(t, a)
						}
					}
				})
			}
		}
	})
	if log := s.log.String(); strings.Contains(log, brand) || !strings.Contains(log, "route=\"POST /api/v1/people\"") {
		t.Error("the log has what was sent, or nothing")
	}
	if fields < 150 || s.kept.Load() < 100 {
		t.Errorf("%d fields, %d texts were kept: the sweep misses its aim", fields, s.kept.Load())
	}
	s.readBack(t)
	s.exports(t)
	t.Logf("%d fields, %d calls, %d texts kept", fields, s.calls.Load(), s.kept.Load())
}

// address fills in a path.
func (s *sweep) address(op *huma.Operation, path string, attacked, value string) string {
	for _, p := range op.Parameters {
		if p.In != "path" {
			continue
		}
		v, known := s.paths[op.OperationID]
		if !known {
			v, known = s.paths[p.Name]
		}
		switch {
		case p.Name == attacked:
			v = url.PathEscape(value)
		case p.Schema.Type == huma.TypeInteger && op.OperationID != "remove-member":
			v = "1"
		case !known:
			v = "0123456789abcdef"
		}
		path = strings.Replace(path, "{"+p.Name+"}", v, 1)
	}
	return path
}

// parameter attacks one in the address.
func (s *sweep) parameter(op *huma.Operation, method, path string, p *huma.Param) func(*testing.T, attack) {
	return func(t *testing.T, a attack) {
		text := a.plain
		switch a.name {
		case "invalid UTF-8":
			text = brand + "\xff\xfe"
		case "lone surrogate":
			text = brand + "\xed\xa0\x80"
		}
		to := s.address(op, path, "", "")
		if p.In == "query" {
			to += "?" + url.Values{p.Name: {text}}.Encode()
		} else {
			to = s.address(op, path, p.Name, text)
		}
		var body any
		if b := op.RequestBody; b != nil && b.Content["application/json"] != nil {
			body = json.RawMessage(s.filled(s.sample(op.OperationID, b.Content["application/json"].Schema)))
		}
		s.send(t, method, to, body, p.Name, a)
	}
}

// field attacks one of a body.
func (s *sweep) field(op *huma.Operation, method, path string, body any, at []any) func(*testing.T, attack) {
	to := s.address(op, path, "", "")
	return func(t *testing.T, a attack) {
		data := s.filled(put(body, at, "@@"))
		name, _ := at[len(at)-1].(string)
		s.send(t, method, to, strings.Replace(data, "@@", a.raw, 1), name, a)
	}
}

func (s *sweep) filled(body any) string {
	data, err := json.Marshal(body)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(data), fresh, strconv.FormatInt(s.count.Add(1), 10))
}

func (s *sweep) send(t *testing.T, method, to string, body any, field string, a attack) {
	t.Helper()
	s.calls.Add(1)
	r := s.call(t, s.who, method, to, body) // holds the answer against the document
	if _, inBody := body.(string); inBody && a.plain == "" && r.status != http.StatusBadRequest {
		t.Errorf("%s %.80s: %s of %s: %d", method, to, a.name, field, r.status)
	}
	if r.status >= http.StatusInternalServerError {
		t.Errorf("%s %.80s, %s of %s: %d %s", method, to, a.name, field, r.status, r.body)
	}
	if r.status >= http.StatusBadRequest {
		var p problem
		if json.Unmarshal(r.body, &p) != nil || p.Code == "" {
			t.Errorf("%s %.80s: no problem but %.200s", method, to, r.body)
		}
		return
	}
	var v any
	if json.Unmarshal(r.body, &v) != nil {
		return // a file
	}
	if top, ok := v.(map[string]any); ok {
		if text, ok := top[field].(string); ok && strings.Contains(text, brand) && text != a.plain && text != strings.TrimSpace(a.plain) {
			t.Errorf("%s %.80s: %s of %s came back as %.80q", method, to, a.name, field, text)
		}
	}
	each(v, "", func(name, text string) {
		if name == field && strings.Contains(text, brand) {
			s.kept.Add(1)
		}
		s.whole(t, to, name, text)
	})
}

// whole requires that a text with the brand in it has one of the attacks in it as
// it was sent, but for spaces around it.
func (s *sweep) whole(t *testing.T, to, name, text string) {
	t.Helper()
	if strings.Contains(text, brand) &&
		!slices.ContainsFunc(s.attacks, func(a attack) bool { return a.plain != "" && strings.Contains(text, strings.TrimSpace(a.plain)) }) {
		t.Errorf("%.80s: %s was kept as %.80q", to, name, text)
	}
}

// sample makes a body: the one that is known for the operation, with more of the
// schema's fields beside.
func (s *sweep) sample(op string, schema *huma.Schema) any {
	body, _ := s.example(schema).(map[string]any)
	if known, ok := s.bodies[op]; ok {
		return known
	}
	return body
}

func (s *sweep) example(schema *huma.Schema) any {
	if schema.Ref != "" {
		schema = s.api.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	switch {
	case schema.Type == huma.TypeObject:
		out := map[string]any{}
		for name, p := range schema.Properties {
			if !p.ReadOnly {
				out[name] = s.example(p)
			}
		}
		return out
	case schema.Items != nil:
		return []any{s.example(schema.Items)}
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type == huma.TypeBoolean:
		return false
	case schema.Type == huma.TypeInteger:
		return 1
	}
	return "x"
}

// places finds where the texts of a body stand.
func places(v any, at []any) (all [][]any) {
	switch v := v.(type) {
	case string:
		return [][]any{slices.Clone(at)}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, places(v[name], append(at, name))...)
		}
	case []any:
		for i := range v {
			all = append(all, places(v[i], append(at, i))...)
		}
	}
	return all
}

// put gives a body with another value at a place.
func put(v any, at []any, value any) any {
	if len(at) == 0 {
		return value
	}
	if list, ok := v.([]any); ok {
		list = slices.Clone(list)
		i, _ := at[0].(int)
		list[i] = put(list[i], at[1:], value)
		return list
	}
	object, _ := v.(map[string]any)
	object = maps.Clone(object)
	name, _ := at[0].(string)
	object[name] = put(object[name], at[1:], value)
	return object
}

// each visits every text of an answer, with the name it goes by.
func each(v any, name string, visit func(name, text string)) {
	switch v := v.(type) {
	case string:
		visit(name, v)
	case map[string]any:
		for key, one := range v {
			each(one, key, visit)
		}
	case []any:
		for _, one := range v {
			each(one, name, visit)
		}
	}
}

// readBack looks at all that was kept: whole, or not at all.
func (s *sweep) readBack(t *testing.T) {
	t.Helper()
	found := 0
	for path, item := range s.api.OpenAPI().Paths {
		op := item.Get
		if op == nil || op.Responses["200"] == nil || op.Responses["200"].Content["application/json"] == nil || strings.Contains(path, "{") {
			continue
		}
		to := path
		if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "size" }) {
			to += "?size=200"
		}
		r := s.call(t, s.who, "GET", to, nil)
		var v any
		if r.status >= 500 || json.Unmarshal(r.body, &v) != nil {
			t.Errorf("%s: %d %.200s", to, r.status, r.body)
		}
		each(v, "", func(name, text string) {
			if strings.Contains(text, brand) {
				found++
			}
			s.whole(t, to, name, text)
		})
	}
	if found < 50 {
		t.Errorf("only %d texts were found again", found)
	}
}

// exports looks at the files that can be taken away.
func (s *sweep) exports(t *testing.T) {
	t.Helper()
	r := s.export(t, s.who, "?format=csv")
	if !bytes.Contains(r.body, []byte(brand)) {
		t.Error("nothing hostile is in the file")
	}
	table, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(r.body, []byte("\xEF\xBB\xBF")))).ReadAll()
	ok(t, err)
	for _, row := range table {
		for _, cell := range row {
			if report.Guard(cell) != cell && !strings.HasPrefix(cell, "'") {
				t.Errorf("a cell is a formula: %q", cell)
			}
		}
	}
	book, err := excelize.OpenReader(bytes.NewReader(s.export(t, s.who, "").body))
	ok(t, err)
	defer func() { ok(t, book.Close()) }()
	sheet := book.GetSheetName(0)
	rows, err := book.GetRows(sheet)
	ok(t, err)
	for y, row := range rows {
		for x := range row {
			cell, err := excelize.CoordinatesToCellName(x+1, y+1)
			ok(t, err)
			if formula, err := book.GetCellFormula(sheet, cell); err != nil || formula != "" {
				t.Errorf("%s is the formula %q, %v", cell, formula, err)
			}
		}
	}
	if len(rows) != len(table) {
		t.Errorf("%d and %d rows", len(rows), len(table))
	}
}
