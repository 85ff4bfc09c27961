package approval_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/approval"
)

// TestCases plays the cases that the product ships.
func TestCases_CQ003_CQ008_CQ041_CQ044_CQ068_CQ070_ZZ007_ZZ020_ZZ021_ZA021_AllComeOutAsWritten(t *testing.T) {
	flows := slices.Collect(maps.Values(shipped(t)))
	names, err := fs.Glob(configs.Flows(), "cases/*.yaml")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d cases: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(name, "cases/"), ".yaml"), func(t *testing.T) {
			data, err := fs.ReadFile(configs.Flows(), name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := approval.LoadCase(name, data)
			if err != nil {
				t.Fatal(err)
			}
			trace, err := c.Run(flows)
			if err != nil {
				t.Errorf("%v\n%s", err, strings.Join(trace, "\n"))
			}
		})
	}
}

const shortCase = `case: 请假
flow: lab.self_skip
now: "2026-05-01 09:00:00"
units: [{id: u, name: 系, head: h1}]
people:
  - {id: s1, name: 甲, unit: u}
  - {id: h1, name: 乙, unit: u}
  - {id: r2, name: 丙, posts: [r2, "r1@u"]}
admins: [r2]
steps:
  - {do: submit, by: s1, form: {why: x}, expect: `

func TestCase_TellsWhatCameOutOtherwiseWithItsLine(t *testing.T) {
	flows := lab(t).Flows
	for want, expect := range map[string]string{
		"x.case:11: steps[0].expect.state: got running, want draft":           `{state: draft}}`,
		"x.case:11: steps[0].expect.step: got one, want two":                  `{step: two}}`,
		"x.case:11: steps[0].expect.pending: got [h1], want []":               `{pending: []}}`,
		"x.case:11: steps[0].expect.refused: got none, want NO_TASK":          `{refused: NO_TASK}}`,
		"x.case:11: steps[0].expect.field: got none, want why":                `{field: why}}`,
		"x.case:11: steps[0].expect.effects: got [], want [pass.issue]":       `{effects: [pass.issue]}}`,
		"x.case:11: steps[0].expect.told: got [assigned], want [cc]":          `{told: [cc]}}`,
		"x.case:11: steps[0].expect.title: got 本人跳过, want 请假":                 `{title: 请假}}`,
		"x.case:11: steps[0].expect.filed: got false, want true":              `{filed: true}}`,
		"x.case:12: steps[1].expect.refused: got NO_TASK, want none":          "{}}\n  - {do: decide, by: r2, outcome: agree, expect: {}}",
		"x.case:12: steps[1].expect.step: got two, want one":                  "{}}\n  - {do: decide, by: h1, outcome: agree, after: 1h, expect: {step: one}}",
		"x.case:11: steps[0].expect.state: unknown state \"gone\"; there are": `{state: gone}}`,
	} {
		c, err := approval.LoadCase("x.case", []byte(shortCase+expect))
		if err == nil {
			_, err = c.Run(flows)
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", expect, err, want)
		}
	}
}

func TestLoadCase_NamesTheLineOfWhatItDoesNotUnderstand(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "x.case",
		"[]":                        "x.case:1",
		"flow: a\nnow: today\n":     "x.case:2: now: want a time",
		"flow: a\nfoo: b\n":         "x.case:2: foo: unknown key",
		shortCase + "{}, after: x}": "x.case:11: steps[0].after: want a time",
		shortCase + "{}, mode: x}":  "x.case:11: steps[0].mode: unknown mode",
		shortCase + "{}, stars: 9}": "x.case:11: steps[0].stars: want a whole number",
		strings.Replace(shortCase, "unit: u}\n  - {id: h1", "unit: w}\n  - {id: h1", 1) + "{}}": "x.case:6: people[0].unit: unknown unit",
		strings.Replace(shortCase, "by: s1", "by: s2", 1) + "{}}":                               "x.case:11: steps[0].by: there is no",
	} {
		if _, err := approval.LoadCase("x.case", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	c, err := approval.LoadCase("x.case", []byte(shortCase+"{}}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(nil); err == nil || !strings.Contains(err.Error(), `there is no flow "lab.self_skip"`) {
		t.Errorf("got %v", err)
	}
}

func TestRoster_FindsHoldersInTheNearestUnitAbove(t *testing.T) {
	r := crew()
	r.Posts = append(r.Posts, approval.RosterPost{Role: "clerk", Person: "dean", Unit: "school"}, approval.RosterPost{Role: "clerk", Person: "eve", Unit: "dept"})
	for unit, want := range map[string]string{"lab": "eve", "dept": "eve", "school": "dean", "nowhere": "", "": ""} {
		got := ""
		people, err := r.HoldersAt("clerk", unit)
		for _, p := range people {
			got += p.ID
		}
		if err != nil || got != want {
			t.Errorf("at %q: %q %v, want %q", unit, got, err, want)
		}
	}
}
