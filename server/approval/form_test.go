package approval_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/approval"

	"pgregory.net/rapid"
)

// oneField is a flow with a single field, called f.
func oneField(t *testing.T, field string) *approval.Flow {
	t.Helper()
	return load(t, "field.yaml", []byte(`
schema: flow/v1
roles: {a: A}
flows:
  - {id: x.y, name: X, starters: [kind:staff], form: [{id: f, name: F, `+field+`}], steps: [{id: s, name: S, who: [role:a]}]}
`)).Flows[0]
}

func check(f *approval.Flow, old, in map[string]any, whole bool) (map[string]any, *approval.Refusal) {
	return f.CheckForm(f.Form, old, in, approval.NewEnv(old, staff, "S1", moment()), whole)
}

func TestCheckForm_ValuesOfEveryType(t *testing.T) {
	long := strings.Repeat("字", 1001)
	for _, c := range []struct {
		field string
		in    any
		want  any // nil = absent; a code = refused
	}{
		{"type: text", "甲 ", "甲 "},
		{"type: text", "", nil},
		{"type: text", " 　\u00a0", nil},
		{"type: text", nil, nil},
		{"type: text", "e\u0301", "é"},
		{"type: text", "😀", "😀"},
		{"type: text", "=1+1", "=1+1"},
		{"type: text", "@SUM(A1)", "@SUM(A1)"},
		{"type: text", "+1", "+1"},
		{"type: text", "-1", "-1"},
		{"type: text", "<script>alert(1)</script>", "<script>alert(1)</script>"},
		{"type: text", "'; DROP TABLE passes; --", "'; DROP TABLE passes; --"},
		{"type: text", "a\tb", approval.FieldInvalid},
		{"type: text", "a\nb", approval.FieldInvalid},
		{"type: text", "a\rb", approval.FieldInvalid},
		{"type: text", "a\x00b", approval.FieldInvalid},
		{"type: text", "a\u0085b", approval.FieldInvalid},
		{"type: text", "a\u202eb", approval.FieldInvalid},
		{"type: text", "a\u2067b", approval.FieldInvalid},
		{"type: text", "a\xffb", approval.FieldInvalid},
		{"type: text", "a\ufffdb", approval.FieldInvalid},
		{"type: text", "\xd6\xd8\xc7\xec", approval.FieldInvalid},
		{"type: text", long, approval.FieldInvalid},
		{"type: text", strings.Repeat("a", 10_000), approval.FieldInvalid},
		{"type: text, max: 3", "一二三", "一二三"},
		{"type: text, max: 3", "一二三四", approval.FieldInvalid},
		{"type: text", 3.0, approval.FieldInvalid},
		{"type: text", true, approval.FieldInvalid},
		{"type: text", map[string]any{"a": 1}, approval.FieldInvalid},
		{"type: text", []any{"a"}, approval.FieldInvalid},
		{"type: textarea", "a\n\tb", "a\n\tb"},
		{"type: textarea", "a\r\nb", approval.FieldInvalid},
		{"type: richtext", "<b>a</b>\n", "<b>a</b>\n"},
		{"type: number", 3.5, 3.5},
		{"type: number", json.Number("-2"), -2.0},
		{"type: number", "3", approval.FieldInvalid},
		{"type: number", 1e16, approval.FieldInvalid},
		{"type: money", 500000.0, int64(500000)},
		{"type: money", 0.0, int64(0)},
		{"type: money", -1.0, approval.FieldInvalid},
		{"type: money", 1.5, approval.FieldInvalid},
		{"type: date", "2026-05-01", "2026-05-01"},
		{"type: date", "2026-02-29", approval.FieldInvalid},
		{"type: date", "2024-02-29", "2024-02-29"},
		{"type: date", "2026-5-1", approval.FieldInvalid},
		{"type: date", "0001-01-01", approval.FieldInvalid},
		{"type: date", "2026-05-01 08:00:00", approval.FieldInvalid},
		{"type: datetime", "2026-05-01 08:00:00", "2026-05-01 08:00:00"},
		{"type: datetime", "2026-05-01 08:00", "2026-05-01 08:00:00"},
		{"type: datetime", "2026-05-01T08:00:00", approval.FieldInvalid},
		{"type: datetime", "2026-05-01 24:00:00", approval.FieldInvalid},
		{"type: phone", "13800138000", "13800138000"},
		{"type: phone", "+86 23-6510 1234", "+86 23-6510 1234"},
		{"type: phone", "1380013x000", approval.FieldInvalid},
		{"type: phone", "１３８００１３８０００", approval.FieldInvalid},
		{"type: phone", "110", approval.FieldInvalid},
		{"type: select, options: [a, b]", "a", "a"},
		{"type: select, options: [a, b]", "c", approval.FieldInvalid},
		{"type: select", "任意", "任意"},
		{"type: user", "20010001", "20010001"},
		{"type: user", "a b", approval.FieldInvalid},
		{"type: unit", "../x", approval.FieldInvalid},
		{"type: file", "att_9-Z", "att_9-Z"},
		{"type: image", strings.Repeat("a", 65), approval.FieldInvalid},
		{"type: file, many: true", []any{"a1", "a2"}, "[a1 a2]"},
		{"type: file, many: true", []string{"a1"}, "[a1]"},
		{"type: file, many: true", []any{}, nil},
		{"type: file, many: true", "a1", approval.FieldInvalid},
		{"type: file, many: true", []any{"a1", "a1"}, approval.FieldInvalid},
		{"type: file, many: true", []any{"a1", ""}, approval.FieldInvalid},
		{"type: file, many: true", slices.Repeat([]any{"a"}, 51), approval.FieldInvalid},
	} {
		form, refusal := check(oneField(t, c.field), nil, map[string]any{"f": c.in}, true)
		var got any
		switch {
		case refusal != nil:
			got = refusal.Code
			if refusal.Field != "f" || refusal.Say == "" || refusal.En == "" || len(refusal.Say) > 200 {
				t.Errorf("%s, %.40v: refusal %+v", c.field, c.in, refusal)
			}
		case form["f"] != nil:
			got = form["f"]
		}
		if list, ok := got.([]any); ok {
			texts := []string{}
			for _, one := range list {
				texts = append(texts, one.(string))
			}
			got = "[" + strings.Join(texts, " ") + "]"
		}
		if got != c.want {
			t.Errorf("%s, %.40q: got %v, want %v", c.field, c.in, got, c.want)
		}
	}
}

// The form of the resident pass, field by field.
func TestCheckForm_ResidentPass(t *testing.T) {
	f := shipped(t)["cqu.resident_pass"]
	good := map[string]any{
		"type": "single", "head": "王大明", "compound": "松林坡", "building": "3", "room": "301", "date": "2026-05-02",
	}
	with := func(id string, v any) map[string]any {
		m := maps.Clone(good)
		m[id] = v
		return m
	}
	for _, c := range []struct {
		name  string
		in    map[string]any
		code  string
		field string
	}{
		{"single day", good, "", ""},
		{"CQ-044 type must be given", with("type", ""), approval.FieldRequired, "type"},
		{"CQ-044 type is one of two", with("type", "forever"), approval.FieldInvalid, "type"},
		{"CQ-045 head of household", with("head", nil), approval.FieldRequired, "head"},
		{"CQ-046 compound", with("compound", nil), approval.FieldRequired, "compound"},
		{"CQ-047 building", with("building", nil), approval.FieldRequired, "building"},
		{"CQ-048 room", with("room", nil), approval.FieldRequired, "room"},
		{"CQ-049 date", with("date", nil), approval.FieldRequired, "date"},
		{"CQ-049 date is real", with("date", "2026-04-31"), approval.FieldInvalid, "date"},
		{"CQ-044 several days need an end", with("type", "multi"), approval.FieldRequired, "to"},
		{"CQ-050 reason has 1000 characters", with("reason", strings.Repeat("因", 1000)), "", ""},
		{"CQ-050 and no more", with("reason", strings.Repeat("因", 1001)), approval.FieldInvalid, "reason"},
		{"CQ-052 unknown field", with("household", "7"), approval.FieldInvalid, "household"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := maps.Clone(c.in)
			form, refusal := check(f, nil, c.in, true)
			if !maps.Equal(before, c.in) {
				t.Error("what was sent has changed")
			}
			if c.code != "" {
				if refusal == nil || refusal.Code != c.code || refusal.Field != c.field {
					t.Errorf("got %v", refusal)
				}
				return
			}
			if refusal != nil {
				t.Fatal(refusal)
			}
			// CQ-043, CQ-051: the server fills these in.
			if form["phone"] != staff.Phone || form["created"] != "2026-05-01 12:00:00" || form["to"] != nil {
				t.Errorf("%v", form)
			}
		})
	}
	t.Run("CQ-050 several days need a reason", func(t *testing.T) {
		in := with("type", "multi")
		in["to"] = "2026-05-04"
		if _, refusal := check(f, nil, in, true); refusal == nil || refusal.Field != "reason" {
			t.Errorf("got %v", refusal)
		}
	})
	t.Run("CQ-089 a draft may be incomplete", func(t *testing.T) {
		form, refusal := check(f, nil, map[string]any{"head": "王"}, false)
		if refusal != nil || form["head"] != "王" || len(form) != len(f.Form) {
			t.Errorf("%v %v", form, refusal)
		}
	})
}

func TestCheckForm_CQ065_ReadonlyIsTheServersOwn(t *testing.T) {
	f := shipped(t)["cqu.work_pass"]
	in := map[string]any{"no": "admin", "person": "别人", "unit": "u9", "start": "2026-05-01", "end": "2026-05-02"}
	form, refusal := check(f, nil, in, true)
	if refusal != nil || form["no"] != staff.ID || form["person"] != staff.Name || form["unit"] != "u1" {
		t.Errorf("%v %v", form, refusal)
	}
}

// What reads the clock is kept; what reads facts follows them.
func TestCheckForm_CQ051_CreatedIsFilledInOnce(t *testing.T) {
	f := shipped(t)["cqu.resident_pass"]
	old := map[string]any{"created": "2026-04-30 09:00:00", "phone": "13800138999", "head": "王大明"}
	form, refusal := check(f, old, map[string]any{"created": "2020-01-01 00:00:00", "room": "2"}, false)
	if refusal != nil || form["created"] != "2026-04-30 09:00:00" || form["phone"] != staff.Phone {
		t.Errorf("%v %v", form, refusal)
	}
	if form["head"] != "王大明" || form["room"] != "2" {
		t.Errorf("not named is not kept: %v", form)
	}
	if form, _ := check(f, old, map[string]any{"head": nil}, false); form["head"] != nil {
		t.Errorf("null clears: %v", form)
	}
	if old["room"] != nil || len(old) != 3 {
		t.Errorf("the old form has changed: %v", old)
	}
}

func TestCheckForm_OptionsOfTheCaller(t *testing.T) {
	f := shipped(t)["cqu.resident_pass"]
	env := approval.NewEnv(nil, staff, "", moment())
	env.Options = func(field string) []string {
		if field == "compound" {
			return []string{"松林坡"}
		}
		return nil
	}
	for compound, want := range map[string]bool{"松林坡": true, "别处": false} {
		_, refusal := f.CheckForm(f.Form, nil, map[string]any{"compound": compound, "building": "任意"}, env, false)
		if (refusal == nil) != want {
			t.Errorf("%s: %v", compound, refusal)
		}
	}
}

func TestCheckForm_RequiredNamesTheFieldOfTheApplication(t *testing.T) {
	f := load(t, "x.yaml", []byte(`
schema: flow/v1
roles: {a: A}
flows:
  - id: x.y
    name: X
    starters: [kind:staff]
    form: [{id: day, name: 日期, type: date}]
    steps:
      - id: s
        name: S
        who: [role:a]
        form: [{id: note, name: 注, type: text, required_if: 'form.day < today'}]
`)).Flows[0]
	step := f.Steps[0].Form
	env := approval.NewEnv(nil, staff, "", moment())
	_, refusal := f.CheckForm(step, nil, nil, env, true)
	if refusal == nil || refusal.Code != approval.FieldRequired || refusal.Field != "day" || refusal.Say != "请填写日期" {
		t.Errorf("got %v", refusal)
	}
	_, refusal = f.CheckForm(step, map[string]any{"day": "2026-04-30"}, nil, env, true)
	if refusal == nil || refusal.Field != "note" {
		t.Errorf("got %v", refusal)
	}
	if _, refusal = f.CheckForm(step, map[string]any{"day": "2026-05-01"}, nil, env, true); refusal != nil {
		t.Errorf("got %v", refusal)
	}
}

func TestPrefill_ZU002_WhatIsKnownIsFilledIn(t *testing.T) {
	f := shipped(t)["zja.hardship"]
	form, err := f.Prefill(approval.NewEnv(nil, staff, "", moment()))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "王小明", "unit": "u1", "created": "2026-05-01 12:00:00", "contact": "13800138000",
		"pledge": "本人郑重承诺:所填基本情况真实、准确。",
	}
	if !maps.Equal(form, want) {
		t.Errorf("got %v, want %v", form, want)
	}
}

// people is a directory of two, of whom one holds a post.
type people struct {
	approval.Directory
	err error
}

func (p people) Person(id string) (approval.Person, bool, error) {
	return approval.Person{ID: id}, id == "p1" || id == "p2", p.err
}

func (p people) Holders(role string) ([]approval.Person, error) {
	return []approval.Person{{ID: "p1"}}, p.err
}

func (p people) UnitName(id string) (string, error) {
	return map[string]string{"u1": "学院"}[id], p.err
}

func TestCheckPeople_OnlyThoseWhomTheFieldNames(t *testing.T) {
	f := shipped(t)["zz.notice"]
	for _, c := range []struct {
		form  map[string]any
		field string
	}{
		{map[string]any{"leader": "p1", "units": []any{"u1"}}, ""},
		{map[string]any{}, ""},
		{map[string]any{"leader": "p2"}, "leader"}, // there, but without the post
		{map[string]any{"leader": "p9"}, "leader"},
		{map[string]any{"cc": []any{"p1", "p2"}}, ""}, // anybody
		{map[string]any{"cc": []any{"p1", "p9"}}, "cc"},
		{map[string]any{"units": []any{"u1", "u9"}}, "units"},
	} {
		refusal, err := approval.CheckPeople(f.Form, c.form, people{})
		switch {
		case err != nil:
			t.Error(err)
		case c.field == "" && refusal != nil, c.field != "" && (refusal == nil || refusal.Field != c.field):
			t.Errorf("%v: got %v, want %s", c.form, refusal, c.field)
		}
	}
	broken := errors.New("broken")
	if _, err := approval.CheckPeople(f.Form, map[string]any{"leader": "p1"}, people{err: broken}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestFormatSerial_CM034_ZA011(t *testing.T) {
	flows := shipped(t)
	day := time.Date(2024, 8, 21, 23, 0, 0, 0, campus)
	for _, c := range []struct {
		flow           string
		n              int
		serial, period string
	}{
		{"cqmm.purchase", 3, "CGSQ202408210003", "20240821"},
		{"cqmm.purchase", 12345, "CGSQ2024082112345", "20240821"},
		{"zja.hardship", 261, "20240800261", "202408"},
		{"cqu.work_pass", 1, "", ""},
	} {
		f := flows[c.flow]
		if s, p := f.FormatSerial(day, c.n), f.SerialPeriod(day); s != c.serial || p != c.period {
			t.Errorf("%s: %q %q, want %q %q", c.flow, s, p, c.serial, c.period)
		}
	}
}

func TestFormatTitle(t *testing.T) {
	flows := shipped(t)
	for _, c := range []struct {
		flow string
		form map[string]any
		want string
	}{
		{"cqu.resident_pass", nil, "校区居民通行证"},
		{"cqu.work_pass", nil, "疫期通行证"},
		{"zja.hardship", nil, "工会困难补助申请 - S1"},
		{"cqmm.purchase", map[string]any{"name": "显微镜"}, "显微镜"},
		{"cqmm.purchase", nil, "采购立项/申请/变更"},
		{"cqmm.purchase", map[string]any{"name": "{serial}{form.code}"}, "{serial}{form.code}"},
		{"cqmm.purchase", map[string]any{"name": strings.Repeat("长", 500)}, strings.Repeat("长", 99) + "…"},
	} {
		if got := flows[c.flow].FormatTitle(c.form, "S1", "王小明"); got != c.want {
			t.Errorf("%s: %q, want %q", c.flow, got, c.want)
		}
	}
	f := oneField(t, `type: money}], title: "{starter}: {form.f}元", rules: [{id: R, deny: person.paper, say: 不可`)
	if got := f.FormatTitle(map[string]any{"f": int64(123456)}, "", "王\n小明"); got != "王 小明: 1234.56元" {
		t.Errorf("got %q", got)
	}
}

// Whatever is sent, CheckForm answers; and what it lets through it lets through
// again, unchanged, also after a journey through JSON.
func TestCheckForm_IsStable(t *testing.T) {
	flows := shipped(t)
	ids := slices.Sorted(maps.Keys(flows))
	rapid.Check(t, func(t *rapid.T) {
		f := flows[rapid.SampledFrom(ids).Draw(t, "flow")]
		in := map[string]any{}
		for _, field := range f.Form {
			in[field.ID] = rapid.OneOf(
				rapid.Just[any](nil), rapid.Map(rapid.String(), func(s string) any { return s }),
				rapid.Map(rapid.Float64(), func(n float64) any { return n }), rapid.Just[any]("2026-05-01"),
				rapid.Just[any]([]any{"a", "b"}), rapid.Just[any](300.0), rapid.Just[any]("13800138000"),
			).Draw(t, field.ID)
			if _, refusal := check(f, nil, map[string]any{field.ID: in[field.ID]}, false); refusal != nil {
				delete(in, field.ID)
			}
		}
		once, refusal := check(f, nil, in, false)
		if refusal != nil {
			t.Fatalf("refused together: %v", refusal)
		}
		data, err := json.Marshal(once)
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]any
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		twice, refusal := check(f, back, nil, false)
		if refusal != nil {
			t.Fatalf("refused again: %v", refusal)
		}
		again, err := json.Marshal(twice)
		if err != nil || string(again) != string(data) {
			t.Fatalf("%s became %s", data, again)
		}
	})
}
