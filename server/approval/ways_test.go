package approval_test

import (
	"testing"

	"campusgate/server/approval"
)

// A matter that an agreement can end is not promised the steps behind it.
func TestChart_StepsThatTheFlowCanEndBeforeAreOptional(t *testing.T) {
	s := open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "no_"}) // only one way is left
	s.draws("first current 甲一,甲二,乙一 []; left skipped  []; right waiting 乙一 []; seal skipped  []; last waiting 何主任 []")

	s = open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "yes_"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left"})
	s.draws("first done 甲一 [甲一]; left current 丙一 []; right optional 乙一 []; seal optional 甲一,甲二 []; last optional 何主任 []")
	s.do("r3a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "seal", Handler: "r1b"})
	s.draws("first done 甲一 [甲一]; left done 丙一 [丙一]; right skipped  []; seal current 甲二 []; last skipped  []")
}

// The work pass of staff ends with the head of the unit: the offices that decide
// about students are none of its way.
func TestChart_AWorkPassOfStaffShowsNoOfficeOfStudents(t *testing.T) {
	f := shipped(t)["cqu.work_pass"]
	s := newStage(t, f, cast(f), "p0")
	chart, err := f.Chart(s.in, s.w)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"waiting", "skipped", "skipped", "skipped"} {
		if chart[i].State != want {
			t.Errorf("%s is %s, want %s", chart[i].ID, chart[i].State, want)
		}
	}
	plan, no, err := f.Preview(map[string]any{"start": "2026-05-01", "end": "2026-05-02"}, s.person("p0"), s.w)
	if no != nil || err != nil || len(plan) != 1 || plan[0].Step != "unit" {
		t.Errorf("planned %+v %v %v", plan, no, err)
	}
}
