package approval_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"campusgate/server/approval"

	"pgregory.net/rapid"
)

var campus = time.FixedZone("CST", 8*3600)

// moment is a Friday noon on campus, and what is true then.
func moment() approval.World {
	return approval.World{
		Now:       time.Date(2026, 5, 1, 12, 0, 0, 0, campus),
		Settings:  approval.Settings{AheadDays: 2, QuotaDays: 2, MultiDaysMax: 7},
		Household: approval.Household{ID: "7", Verified: true},
	}
}

var staff = approval.Person{ID: "20010001", Name: "王小明", Unit: "u1", Kind: "staff", Phone: "13800138000"}

// rule compiles a condition over a form with a field of every type.
func rule(t *testing.T, deny string) *approval.Expr {
	t.Helper()
	return load(t, "rule.yaml", ruleFile(deny)).Flows[0].Rules[0].Deny
}

func ruleFile(deny string) []byte {
	quoted, err := json.Marshal(deny)
	if err != nil {
		panic(err)
	}
	return []byte(`
schema: flow/v1
roles: {a: A}
flows:
  - id: x.y
    name: X
    starters: [kind:staff]
    form:
      - {id: text, name: T, type: text}
      - {id: kind, name: K, type: select, options: [a, b]}
      - {id: n, name: N, type: number}
      - {id: m, name: M, type: number}
      - {id: sum, name: S, type: money}
      - {id: day, name: D, type: date}
      - {id: end, name: E, type: date}
      - {id: at, name: A, type: datetime}
      - {id: units, name: U, type: unit, many: true}
      - {id: days, name: L, type: date, many: true}
    rules: [{id: R, say: 不可, deny: ` + string(quoted) + `}]
    steps: [{id: s, name: S, who: [role:a]}]
`)
}

// full is a form with all of it.
func full() map[string]any {
	return map[string]any{
		"text": "甲", "kind": "a", "n": 3.0, "m": 4.0, "sum": int64(500000), "day": "2026-05-02", "end": "2026-05-03",
		"at": "2026-05-02 08:00:00", "units": []any{"u1", "u2"}, "days": []any{"2026-05-01"},
	}
}

func TestExpr_OfEveryKind(t *testing.T) {
	for deny, want := range map[string]bool{
		`true`:                                 true,
		`!true || false`:                       false,
		`form.text == "甲"`:                     true,
		`form.text != "乙" and not (1 == 2)`:    true,
		`form.text contains "甲"`:               true,
		`form.text startsWith "x"`:             false,
		`len(form.text) == 1`:                  true,
		`form.kind in ["a"]`:                   true,
		`form.kind not in ["a"]`:               false,
		`form.n + 1 == form.m`:                 true,
		`form.n * 2 - 1 > form.m`:              true,
		`-form.n < 0 && abs(-3) == 3`:          true,
		`form.sum >= yuan(5000)`:               true,
		`form.sum + yuan(0.01) > yuan(5000)`:   true,
		`form.sum == yuan(5000)`:               true,
		`form.sum * 2 == yuan(10000)`:          true,
		`form.day > today`:                     true,
		`form.day >= "2026-05-03"`:             false,
		`form.at > now`:                        true,
		`form.at < "2026-05-02 08:00:01"`:      true,
		`days(form.day, form.end) == 1`:        true,
		`days(form.at, today) == -1`:           true,
		`days("2026-02-28", "2026-03-01") < 2`: true,
		`"u2" in form.units`:                   true,
		`any(form.units, # == starter.unit)`:   true,
		`all(form.days, # < form.day)`:         true,
		`one(form.days, days(#, today) == 0)`:  true,
		`len(form.units) == 2`:                 true,
		`form.n > 2 ? form.m > 5 : true`:       false,
		`household.verified && !person.paper`:  true,
		`household.id == ""`:                   false,
		`settings.quota_days == 2`:             true,
		`starter.kind == "staff"`:              true,
		`starter.level != "graduate"`:          true,
		`serial == "S1"`:                       true,
	} {
		e := rule(t, deny)
		got, missing, err := e.Bool(approval.NewEnv(full(), staff, "S1", moment()))
		if got != want || missing != "" || err != nil {
			t.Errorf("%s: %v %q %v, want %v", deny, got, missing, err, want)
		}
	}
}

// FuzzExpr: whatever loads has an answer for every form whose values have their
// types, and for one without values an answer or the name of a field.
func FuzzExpr(f *testing.F) {
	for _, deny := range []string{
		`form.day < today && form.sum >= yuan(5000)`, `any(household.dates, abs(days(#, form.day)) < settings.quota_days)`,
		`form.kind in ["a", "b"] ? form.n * 2 > -form.m : len(form.text) == 3`, `form.at > "2026-05-01 08:00:00" or not person.paper`,
		`none(form.days, # == form.end) and "u1" in form.units`, `form.text contains serial + "1"`, `form.n +`, `$env`, `let x = 1; x > 0`,
	} {
		f.Add(deny)
	}
	f.Fuzz(func(t *testing.T, deny string) {
		file, err := approval.Load("rule.yaml", ruleFile(deny))
		if err != nil {
			return
		}
		e := file.Flows[0].Rules[0].Deny
		w := moment()
		w.Household.Dates = []string{"2026-05-01", "2026-06-01"}
		if _, missing, err := e.Bool(approval.NewEnv(full(), staff, "S1", w)); err != nil || missing != "" {
			t.Errorf("%s: %q %v", deny, missing, err)
		}
		if v, missing, err := e.Bool(approval.NewEnv(nil, staff, "", w)); err != nil || v && missing != "" {
			t.Errorf("%s: %v %q %v", deny, v, missing, err)
		}
	})
}

// What an expression does when fields are absent: it either has an answer, or
// names the field. It is never true by mistake, and never an error.
func TestExpr_CQ044_CQ050_AbsentFields(t *testing.T) {
	for _, c := range []struct {
		deny    string
		want    bool
		missing string
	}{
		// Equality with what is written out has an answer: absent is "".
		{`form.kind == "a"`, false, ""},
		{`form.kind != "a"`, true, ""},
		{`form.text == ""`, true, ""},
		{`form.text != ""`, false, ""},
		{`form.n == 0`, false, ""},
		{`form.day == ""`, true, ""},
		{`form.sum != ""`, false, ""},
		{`form.kind in ["a", "b"]`, false, ""},
		{`len(form.units) == 0`, true, ""},
		{`any(form.units, # == "u1")`, false, ""},
		{`"u1" in form.units`, false, ""},
		// Everything else needs the value.
		{`form.day < today`, false, "day"},
		{`form.day >= "2026-05-01"`, false, "day"},
		{`today > form.day`, false, "day"},
		{`!(form.day < today)`, false, "day"},
		{`days(today, form.day) > 2`, false, "day"},
		{`form.sum >= yuan(5000)`, false, "sum"},
		{`form.n < 3`, false, "n"},
		{`form.n + 1 == 4`, false, "n"},
		{`abs(form.n) == 3`, false, "n"},
		{`form.text == form.kind`, false, "text"},
		{`form.day == form.end`, false, "day"},
		{`form.text == starter.name`, false, "text"},
		{`form.day in household.dates`, false, "day"},
		{`form.text contains "x"`, false, "text"},
		{`len(form.text) > 3`, false, "text"},
		{`any(household.dates, # == form.day)`, false, "day"},
		{`(true ? form.day : form.end) < today`, false, "day"},
		// What is decided before is not asked.
		{`false && form.day < today`, false, ""},
		{`true || form.day < today`, true, ""},
		{`form.kind == "a" && days(form.day, form.end) > 7`, false, ""},
		{`form.kind == "" && days(form.day, form.end) > 7`, false, "day"},
	} {
		e := rule(t, c.deny)
		w := moment()
		w.Household.Dates = []string{"2026-05-01"}
		for name, form := range map[string]map[string]any{
			"no form": nil,
			"nulls":   {"text": nil, "kind": nil, "n": nil, "sum": nil, "day": nil, "end": nil, "units": nil},
			"empty":   {"text": "", "kind": "", "n": "", "sum": "", "day": "", "end": "", "units": []any{}},
		} {
			got, missing, err := e.Bool(approval.NewEnv(form, staff, "", w))
			if got != c.want || missing != c.missing || err != nil {
				t.Errorf("%s, %s: %v %q %v; want %v %q", c.deny, name, got, missing, err, c.want, c.missing)
			}
		}
	}
}

// A form whose values do not have their types stops the matter.
func TestExpr_WrongValuesAreErrors(t *testing.T) {
	for deny, form := range map[string]map[string]any{
		`form.day < today`:           {"day": 20260501},
		`days(today, form.day) > 2`:  {"day": "tomorrow"},
		`form.n < 3`:                 {"n": "3"},
		`form.sum < yuan(3)`:         {"sum": []any{1.0}},
		`any(form.units, # == "u1")`: {"units": "u1"},
		`any(form.days, # < today)`:  {"days": []any{1.0}},
		`days(today, form.end) == 0`: {"end": "2026-02-30"},
		`form.text startsWith "x"`:   {"text": map[string]any{}},
	} {
		got, missing, err := rule(t, deny).Bool(approval.NewEnv(form, staff, "", moment()))
		if got || missing != "" || err == nil {
			t.Errorf("%s of %v: %v %q %v, want an error", deny, form, got, missing, err)
		}
	}
	if _, _, err := (&approval.Expr{Text: "true"}).Bool(approval.NewEnv(nil, staff, "", moment())); err == nil {
		t.Error("what was not compiled has an answer")
	}
}

// Numbers come from JSON and from Go alike.
func TestExpr_NumbersOfEveryMake(t *testing.T) {
	e := rule(t, `form.sum >= yuan(5000)`)
	for _, v := range []any{500000.0, int64(500000), 500000} {
		got, _, err := e.Bool(approval.NewEnv(map[string]any{"sum": v}, staff, "", moment()))
		if !got || err != nil {
			t.Errorf("%T: %v %v", v, got, err)
		}
	}
}

func TestNewEnv_ContractEmployeesAndWorkersAreStaff(t *testing.T) {
	e := rule(t, `starter.kind == "staff"`)
	for kind, want := range map[string]bool{"staff": true, "contract": true, "worker": true, "student": false, "": false} {
		p := staff
		p.Kind = kind
		if got, _, err := e.Bool(approval.NewEnv(nil, p, "", moment())); got != want || err != nil {
			t.Errorf("%q: %v %v", kind, got, err)
		}
	}
}

// The most expensive conditions that load end at once.
func TestExpr_EndsQuickly(t *testing.T) {
	w := moment()
	for range 10_000 {
		w.Household.Dates = append(w.Household.Dates, "2026-01-01")
	}
	deny := strings.TrimSuffix(strings.Repeat(`any(household.dates, abs(days(#, form.day)) < 1) || `, 10), "|| ")
	e := rule(t, deny)
	began := time.Now()
	if got, _, err := e.Bool(approval.NewEnv(full(), staff, "", w)); got || err != nil {
		t.Errorf("%v %v", got, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// The quota of a household: two pass dates lie at least the quota's days apart.
func TestResidentPass_CQ003_QuotaByPassDate(t *testing.T) {
	i := shipped(t)["cqu.resident_pass"].Rules
	quota := i[len(i)-1]
	rapid.Check(t, func(t *rapid.T) {
		w := moment()
		w.Settings.QuotaDays = rapid.IntRange(0, 5).Draw(t, "quota")
		date := func(n int) string { return w.Now.AddDate(0, 0, n).Format("2006-01-02") }
		want := false
		day := rapid.IntRange(-400, 400).Draw(t, "day")
		for _, n := range rapid.SliceOfN(rapid.IntRange(day-6, day+6), 0, 5).Draw(t, "dates") {
			w.Household.Dates = append(w.Household.Dates, date(n))
			want = want || max(n-day, day-n) < w.Settings.QuotaDays
		}
		got, missing, err := quota.Deny.Bool(approval.NewEnv(map[string]any{"date": date(day)}, staff, "", w))
		if quota.ID != "HOUSEHOLD_QUOTA_2D" || got != want || missing != "" || err != nil {
			t.Fatalf("%v %q %v, want %v", got, missing, err, want)
		}
	})
}
