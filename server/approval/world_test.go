package approval_test

import (
	"errors"
	"slices"
	"testing"

	"campusgate/server/approval"
)

var errDown = errors.New("directory is down")

// frail is a directory whose n-th question fails, and all after it.
type frail struct {
	approval.Directory
	left int
}

func (f *frail) spend() error {
	if f.left--; f.left < 0 {
		return errDown
	}
	return nil
}

func (f *frail) Person(id string) (approval.Person, bool, error) {
	if err := f.spend(); err != nil {
		return approval.Person{}, false, err
	}
	return f.Directory.Person(id)
}

func (f *frail) Holders(role string) ([]approval.Person, error) {
	if err := f.spend(); err != nil {
		return nil, err
	}
	return f.Directory.Holders(role)
}

func (f *frail) Head(unit string) (approval.Person, bool, error) {
	if err := f.spend(); err != nil {
		return approval.Person{}, false, err
	}
	return f.Directory.Head(unit)
}

func (f *frail) Above(unit string) (string, error) {
	if err := f.spend(); err != nil {
		return "", err
	}
	return f.Directory.Above(unit)
}

func (f *frail) Admins() ([]approval.Person, error) {
	if err := f.spend(); err != nil {
		return nil, err
	}
	return f.Directory.Admins()
}

// TestStep_AFaultOfTheDirectoryIsAnErrorAndChangesNothing lets every single
// question fail in turn, until an act goes through.
func TestStep_AFaultOfTheDirectoryIsAnErrorAndChangesNothing(t *testing.T) {
	try := func(s *stage, a approval.Act) {
		t.Helper()
		failed := 0
		for n := 0; ; n++ {
			before := asJSON(t, s.in)
			w := s.w
			w.People = &frail{s.roster, n}
			change, no, err := s.flow.Step(s.in, a, w)
			if no != nil {
				t.Fatalf("%s: a fault is no refusal: %v", a.Verb, no)
			}
			if err == nil {
				s.in = change.Instance
				break
			}
			if failed++; !errors.Is(err, errDown) || len(change.Notices)+len(change.Effects) > 0 || asJSON(t, s.in) != before {
				t.Fatalf("%s: %v, %+v", a.Verb, err, change)
			}
		}
		if failed == 0 {
			t.Errorf("%s asked the directory nothing", a.Verb)
		}
	}
	s := open(t, "lab.joint", "ann")
	try(s, approval.Act{Verb: approval.Submit, Actor: s.person("ann"), Form: jointForm(20000, "r1a"), To: []string{"eve"}})
	try(s, approval.Act{Verb: approval.Transfer, Actor: s.person("r2a"), To: []string{"bob"}})
	try(s, approval.Act{Verb: approval.AddSign, Actor: s.person("bob"), To: []string{"kim"}})
	try(s, approval.Act{Verb: approval.SendCopy, Actor: s.person("ann"), To: []string{"kim"}})

	s = open(t, "lab.ways", "head")
	s.submit(map[string]any{"big": "no_"})
	try(s, approval.Act{Verb: approval.Decide, Actor: s.person("r1a"), Outcome: "agree", Next: "right"})
	try(s, approval.Act{Verb: approval.Decide, Actor: s.person("r2a"), Outcome: "complete"}) // up, twice
	s = open(t, "lab.empty_admin", "ann")
	s.flow = flowOf(t, lab(t), "lab.empty_admin")
	s.flow.Starters = append([]approval.Starter{{Role: "r3"}}, s.flow.Starters...)
	try(s, approval.Act{Verb: approval.Submit, Actor: s.person("ann")})
}

func TestStep_AFaultOfTheSerialIsAnError(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.w.Serial = func() (string, error) { return "", errDown }
	_, no, err := s.flow.Step(s.in, approval.Act{Verb: approval.Submit, Actor: s.person("ann"), Form: jointForm(1, "r1a")}, s.w)
	if no != nil || !errors.Is(err, errDown) {
		t.Errorf("%v %v", no, err)
	}
}

func TestStep_ALoopOfUnitsAsksAnAdministrator(t *testing.T) {
	s := open(t, "lab.ways", "head")
	s.roster.Units = []approval.RosterUnit{{ID: "lab", Name: "甲", Above: "b", Head: "head"}, {ID: "b", Name: "乙", Above: "lab"}}
	s.submit(map[string]any{"big": "no_"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "right"})
	s.decide("r2a", "complete")
	s.wants(approval.Completed, "") // the last step skips a seat that nobody holds
}

func TestStep_CQ003_TheQuotaSaysWhichDayIsNext(t *testing.T) {
	f := shipped(t)["cqu.resident_pass"]
	s := newStage(t, f, crew(), "ann")
	s.w.Household = approval.Household{ID: "h", Verified: true, Dates: []string{"2026-05-02", "2026-05-05"}}
	form := filled(f.Form...)
	form["type"], form["date"] = "single", "2026-05-03"
	delete(form, "created")
	no := s.refused("HOUSEHOLD_QUOTA_2D", "ann", approval.Act{Verb: approval.Submit, Form: form})
	if no.Details["quota_days"] != 2 || no.Details["next_date"] != "2026-05-07" {
		t.Errorf("details %v", no.Details)
	}
	form["date"] = "2026-05-04"
	no = s.refused("DATE_TOO_FAR", "ann", approval.Act{Verb: approval.Submit, Form: form})
	if no.Details["ahead_days"] != 2 || no.Details["latest_date"] != "2026-05-03" {
		t.Errorf("details %v", no.Details)
	}
}

func TestStep_TheOptionsOfASelectComeFromTheWorld(t *testing.T) {
	f := shipped(t)["cqu.resident_pass"]
	s := newStage(t, f, crew(), "ann")
	s.w.Household = approval.Household{ID: "h", Verified: true}
	s.w.Options = func(field string) []string {
		if field == "compound" {
			return []string{"松林坡"}
		}
		return nil
	}
	form := filled(f.Form...)
	form["type"] = "single"
	no := s.refused(approval.FieldInvalid, "ann", approval.Act{Verb: approval.Submit, Form: form})
	if no.Field != "compound" {
		t.Errorf("field %s", no.Field)
	}
	form["compound"] = "松林坡"
	s.submit(form)
}

func TestStep_EffectsCarryWhatTheFormHolds(t *testing.T) {
	f := shipped(t)["zz.notice"]
	s := newStage(t, f, cast(f), "p0")
	s.submit(map[string]any{"subject": "停水", "units": []any{"u", "v"}, "body": "明日", "leader": "main_leader", "cc": []any{"clerk"}})
	s.decide("main_leader", "agree")
	if e := s.last.Effects; len(e) != 1 || e[0].Do != "notice.publish" || asJSON(t, e[0].With) != `{"to":["u","v"]}` {
		t.Errorf("effects %+v", e)
	}
	if !slices.Equal(s.told("cc"), []string{"clerk"}) {
		t.Errorf("told %+v", s.last.Notices)
	}
}

func TestStep_ZZ036_ALetterBecomesAnOKR(t *testing.T) {
	f := shipped(t)["zz.mailbox"]
	s := newStage(t, f, cast(f), "p0")
	s.submit(map[string]any{"contact": "13800138000", "leader": "main_leader", "subject": "路灯", "body": "不亮"})
	s.decide("main_leader", "to_okr")
	s.wants(approval.Completed, "")
	if e := s.last.Effects; len(e) != 1 || e[0].Do != "flow.start" || e[0].With["flow"] != "zz.okr" {
		t.Errorf("effects %+v", e)
	}
}
