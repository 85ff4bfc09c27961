package approval_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/approval"
)

// drawn is a chart in short: step, state and people.
func (s *stage) drawn() string {
	s.t.Helper()
	chart, err := s.flow.Chart(s.in, s.w)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, c := range chart {
		people := make([]string, len(c.People))
		for i, p := range c.People {
			people[i] = p.Name
		}
		all = append(all, c.ID+" "+c.State+" "+strings.Join(people, ",")+" ["+strings.Join(c.By, ",")+"]")
	}
	return strings.Join(all, "; ")
}

func (s *stage) draws(want string) {
	s.t.Helper()
	if got := s.drawn(); got != want {
		s.t.Errorf("drawn\n%s\nwant\n%s", got, want)
	}
}

func TestChart_CQ069_ZA013_ZA026_ShowsWhatIsDoneCurrentAndToCome(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.draws("joint waiting  []; check optional 乙一 []; file optional  []") // the form does not say yet
	s.submit(jointForm(20000, "r1a"))
	s.decide("r3a", "agree")
	s.draws("joint current 甲一,乙一,丙一 [丙一]; check optional 乙一 []; file optional  []")
	s.decide("r1a", "agree")
	s.decide("r2a", "agree")
	s.draws("joint done 甲一,乙一,丙一 [甲一,乙一,丙一]; check current 乙一 []; file waiting  []")
	s.decide("r2a", "reject")
	s.draws("joint done 甲一,乙一,丙一 [甲一,乙一,丙一]; check done 乙一 [乙一]; file cancelled  []")
}

func TestChart_WhatACondiditonOrAChoiceLeavesOutIsSkipped(t *testing.T) {
	s := open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "yes_"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "right"})
	s.draws("first done 甲一 [甲一]; left skipped  []; right current 乙一 []; seal skipped  []; last waiting 何主任 []")
	s.decide("r2a", "complete")
	s.decide("head", "agree")
	s.draws("first done 甲一 [甲一]; left skipped  []; right done 乙一 [乙一]; seal skipped  []; last done 何主任 [何主任]")
}

func TestChart_AStepThatIsToBeDoneAgainWaitsAgain(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(nil)
	for _, who := range []string{"r1a", "r2a", "r3a"} {
		s.do(who, approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	}
	s.do("ann", approval.Act{Verb: approval.Decide, Outcome: "again", Form: map[string]any{"again_why": "x"}})
	s.draws("turns current 甲一,甲二,乙一,丙一 []; work waiting 安 []; mark waiting 甲一,甲二,乙一 []")
}

func TestPreview_ZA012_SaysWhoWillReview(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	plan, no, err := s.flow.Preview(jointForm(999, "r1b"), s.person("ann"), s.w)
	if no != nil || err != nil {
		t.Fatal(no, err)
	}
	var got []string
	for _, p := range plan {
		ids := make([]string, len(p.People))
		for i, who := range p.People {
			ids[i] = who.ID
		}
		slices.Sort(ids)
		got = append(got, p.Step+" "+strings.Join(ids, ","))
	}
	if want := []string{"joint r1b,r3a", "check ", "file "}; !slices.Equal(got, want) || !plan[1].Auto {
		t.Errorf("%v, want %v", got, want)
	}
	// A seat whose field is empty is left open; nothing is drawn or kept.
	if plan, no, err = s.flow.Preview(nil, s.person("ann"), s.w); no != nil || err != nil || len(plan[0].People) != 0 || s.serial != 0 {
		t.Errorf("%+v %v %v", plan, no, err)
	}
}

func TestPreview_RefusesWhatASubmitWould(t *testing.T) {
	s := open(t, "lab.empty_refuse", "ann")
	for want, try := range map[string]func() (*approval.Refusal, error){
		approval.NoHandler: func() (*approval.Refusal, error) {
			_, no, err := s.flow.Preview(nil, s.person("ann"), s.w)
			return no, err
		},
		approval.NotAStarter: func() (*approval.Refusal, error) {
			_, no, err := s.flow.Preview(nil, s.person("kim"), s.w)
			return no, err
		},
		approval.FieldInvalid: func() (*approval.Refusal, error) {
			_, no, err := s.flow.Preview(map[string]any{"x": 1}, s.person("ann"), s.w)
			return no, err
		},
		approval.NoSuchPerson: func() (*approval.Refusal, error) {
			joint := flowOf(t, lab(t), "lab.joint")
			_, no, err := joint.Preview(map[string]any{"lead": "eve"}, s.person("ann"), s.w)
			return no, err
		},
	} {
		if no, err := try(); no == nil || no.Code != want || err != nil {
			t.Errorf("got %v %v, want %s", no, err, want)
		}
	}
}

func TestPreview_AFieldThatDecidesAboutAStepIsRequired(t *testing.T) {
	f := shipped(t)["zz.purchase.regular"]
	s := newStage(t, f, cast(f), "p0")
	_, no, err := f.Preview(map[string]any{"module": "purchase"}, s.person("p0"), s.w)
	if no == nil || no.Code != approval.FieldRequired || no.Field != "amount" || err != nil {
		t.Errorf("%v %v", no, err)
	}
}

func TestDue_ZZ015_RemindersComeOnceWhenTheirTimeHas(t *testing.T) {
	f := shipped(t)["zz.okr"]
	s := newStage(t, f, cast(f), "p0")
	at := s.w.Now.Add(time.Hour)
	s.submit(map[string]any{"name": "修桥", "detail": "东桥", "leader": "main_leader"})
	s.do("main_leader", approval.Act{Verb: approval.Decide, Outcome: "agree", Form: map[string]any{"remind_at": at.Format(time.DateTime)}})
	s.do("p0", approval.Act{Verb: approval.Decide, Outcome: "complete", Form: map[string]any{"unit": "u", "deputy": "deputy_leader"}})
	s.decide("clerk", "complete")
	if due := f.Due(s.in, at.UnixMilli()-1); len(due) != 0 {
		t.Errorf("due early: %+v", due)
	}
	if due := f.Due(s.in, at.UnixMilli()); len(due) != 1 || due[0].Step != "work" || due[0].Remind != at.UnixMilli() {
		t.Fatalf("due %+v", due)
	}
	s.w.Now = at
	s.do("system", approval.Act{Verb: approval.Remind})
	if got := s.told("reminded"); !slices.Equal(got, []string{"clerk"}) || len(f.Due(s.in, at.UnixMilli()+1)) != 0 {
		t.Errorf("told %v, due again %v", got, f.Due(s.in, at.UnixMilli()+1))
	}
}
