package approval_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"campusgate/server/approval"
)

// crew is who is who in the tests of lab.yaml: two hold r1, one r2, one r3.
func crew() *approval.Roster {
	return &approval.Roster{
		Units: []approval.RosterUnit{
			{ID: "lab", Name: "实验室", Above: "dept", Head: "head"},
			{ID: "dept", Name: "系", Above: "school"},
			{ID: "school", Name: "学校", Head: "dean"},
		},
		People: []approval.Person{
			{ID: "ann", Name: "安", Unit: "lab", Kind: "staff", Phone: "13800138001"},
			{ID: "head", Name: "何主任", Unit: "lab", Kind: "staff"},
			{ID: "dean", Name: "丁校长", Unit: "school", Kind: "staff"},
			{ID: "r1a", Name: "甲一", Unit: "dept", Kind: "staff"},
			{ID: "r1b", Name: "甲二", Unit: "dept", Kind: "staff"},
			{ID: "r2a", Name: "乙一", Unit: "dept", Kind: "staff"},
			{ID: "r3a", Name: "丙一", Unit: "dept", Kind: "staff"},
			{ID: "boss", Name: "管理员", Unit: "school", Kind: "staff"},
			{ID: "bob", Name: "鲍", Unit: "lab", Kind: "worker"},
			{ID: "kim", Name: "金", Unit: "lab", Kind: "student", Level: "graduate"},
			{ID: "eve", Name: "外人", Unit: "school", Kind: "staff"},
		},
		Posts: []approval.RosterPost{
			{Role: "r1", Person: "r1a"},
			{Role: "r1", Person: "r1b"},
			{Role: "r2", Person: "r2a"},
			{Role: "r3", Person: "r3a"},
		},
		Boss: []string{"boss"},
	}
}

// stage is a matter in a test.
type stage struct {
	t      testing.TB
	flow   *approval.Flow
	in     approval.Instance
	w      approval.World
	roster *approval.Roster
	last   approval.Change
	serial int
}

func lab(t testing.TB) *approval.File {
	t.Helper()
	data, err := os.ReadFile("testdata/lab.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := approval.Load("lab.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func flowOf(t testing.TB, file *approval.File, id string) *approval.Flow {
	t.Helper()
	i := slices.IndexFunc(file.Flows, func(f *approval.Flow) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("no flow %s", id)
	}
	return file.Flows[i]
}

// open begins a matter of a flow in lab.yaml.
func open(t testing.TB, flow, starter string) *stage {
	t.Helper()
	return newStage(t, flowOf(t, lab(t), flow), crew(), starter)
}

func newStage(t testing.TB, f *approval.Flow, roster *approval.Roster, starter string) *stage {
	t.Helper()
	s := &stage{t: t, flow: f, roster: roster}
	s.w = approval.World{
		Now:      time.Date(2026, 5, 1, 9, 0, 0, 0, time.FixedZone("Asia/Shanghai", 8*3600)),
		Settings: approval.Settings{AheadDays: 2, QuotaDays: 2, MultiDaysMax: 7},
		People:   roster,
		Serial: func() (string, error) {
			s.serial++
			return f.FormatSerial(s.w.Now, s.serial), nil
		},
	}
	in, err := f.Open("m1", s.person(starter), s.w)
	if err != nil {
		t.Fatal(err)
	}
	s.in = in
	return s
}

func (s *stage) person(id string) approval.Person {
	s.t.Helper()
	if id == "system" {
		return approval.Person{ID: "system"}
	}
	p, ok, err := s.roster.Person(id)
	if err != nil || !ok {
		s.t.Fatalf("no person %s", id)
	}
	return p
}

// step does something and gives the refusal.
func (s *stage) step(who string, a approval.Act) *approval.Refusal {
	s.t.Helper()
	a.Actor = s.person(who)
	change, no, err := s.flow.Step(s.in, a, s.w)
	if err != nil {
		s.t.Fatalf("%s %s: %v", who, a.Verb, err)
	}
	if no == nil {
		s.in, s.last = change.Instance, change
	}
	return no
}

// do does something that must be accepted.
func (s *stage) do(who string, a approval.Act) {
	s.t.Helper()
	if no := s.step(who, a); no != nil {
		s.t.Fatalf("%s %s %s: refused: %v", who, a.Verb, a.Outcome, no)
	}
}

// refused does something that must be refused with a code.
func (s *stage) refused(code, who string, a approval.Act) *approval.Refusal {
	s.t.Helper()
	before := asJSON(s.t, s.in)
	no := s.step(who, a)
	if no == nil || no.Code != code {
		s.t.Fatalf("%s %s %s: got %v, want %s", who, a.Verb, a.Outcome, no, code)
	}
	if no.Say == "" || asJSON(s.t, s.in) != before {
		s.t.Fatalf("%s: a refusal says why and changes nothing", code)
	}
	return no
}

func (s *stage) decide(who, outcome string) {
	s.t.Helper()
	s.do(who, approval.Act{Verb: approval.Decide, Outcome: outcome})
}

// submit sends the matter with a form.
func (s *stage) submit(form map[string]any) {
	s.t.Helper()
	s.do(s.in.Starter.ID, approval.Act{Verb: approval.Submit, Form: form})
}

func (s *stage) wants(state approval.State, step string, pending ...string) {
	s.t.Helper()
	got := waiting(s.in)
	slices.Sort(pending)
	if s.in.State != state || s.in.Step != step || !slices.Equal(got, pending) {
		s.t.Fatalf("at %s %q %v, want %s %q %v", s.in.State, s.in.Step, got, state, step, pending)
	}
}

// waiting are those whose turn it is.
func waiting(in approval.Instance) []string {
	var all []string
	for _, t := range in.Tasks {
		switch {
		case t.State != approval.Pending:
		case t.By != "":
			all = append(all, t.By)
		default:
			all = append(all, t.Candidates...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// pendingTask is the pending task of somebody.
func (s *stage) pendingTask(who string) approval.Task {
	s.t.Helper()
	for _, t := range s.in.Tasks {
		if t.State == approval.Pending && slices.Contains(t.Candidates, who) {
			return t
		}
	}
	s.t.Fatalf("%s has no pending task", who)
	return approval.Task{}
}

func (s *stage) told(event string) []string {
	var all []string
	for _, n := range s.last.Notices {
		if n.Event == event {
			all = append(all, n.To...)
		}
	}
	return all
}

func (s *stage) after(d time.Duration) { s.w.Now = s.w.Now.Add(d) }

func asJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
