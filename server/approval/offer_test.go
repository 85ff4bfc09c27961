package approval_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/approval"
)

var matterVerbs = []approval.Verb{
	approval.Submit, approval.Save, approval.Discard, approval.Withdraw, approval.Terminate, approval.Void, approval.Reassign,
	approval.Urge, approval.SendCopy, approval.Say, approval.Rate, approval.Print, approval.Trace, approval.MarkRead,
}

// TestOffers_AreWhatStepAccepts tries, in whatever state a matter comes to,
// everything that is offered to somebody and everything that is not.
func TestOffers_AreWhatStepAccepts(t *testing.T) {
	file := lab(t)
	rapid.Check(t, func(rt *rapid.T) {
		flow := rapid.SampledFrom(file.Flows).Draw(rt, "flow")
		if flow.ID == "lab.empty_refuse" || flow.ID == "lab.nobody" || flow.ID == "lab.absent" {
			rt.Skip("refuses every submit, for reasons of its own")
		}
		starter := rapid.SampledFrom([]string{"ann", "head", "r2a"}).Draw(rt, "starter")
		s := newStage(t, flow, crew(), starter)
		for range rapid.IntRange(0, 12).Draw(rt, "steps") {
			if rapid.Bool().Draw(rt, "onwards") {
				s.once(rt, s.onwards(rt))
			} else {
				s.once(rt, s.draw(rt, rapid.SampledFrom(append(waiting(s.in), starter, "boss")).Draw(rt, "who")))
			}
		}
		for _, who := range []string{starter, "r1a", "r1b", "r2a", "r3a", "eve", "boss"} {
			s.agrees(rt, who)
		}
	})
}

func (s *stage) agrees(rt *rapid.T, who string) {
	admin := who == "boss"
	offer, err := s.flow.Offers(s.in, s.person(who), admin, s.w)
	if err != nil {
		rt.Fatal(err)
	}
	try := func(offered bool, a approval.Act) {
		a.Actor, a.Admin = s.person(who), admin
		_, no, err := s.flow.Step(s.in, a, s.w)
		if err != nil {
			rt.Fatal(err)
		}
		if offered != (no == nil) {
			rt.Fatalf("%s %s %s %s: offered %v, refused %v, in %s at %s", who, a.Verb, a.Outcome, a.Task, offered, no, s.in.State, s.in.Step)
		}
	}
	task := ""
	for _, t := range s.in.Tasks {
		if t.State == approval.Pending || task == "" {
			task = t.ID
		}
	}
	target := append(offer.Rate, "service")[0]
	proper := map[approval.Verb]approval.Act{
		approval.Submit: {Form: filled(s.flow.Form...)}, approval.Save: {Form: filled(s.flow.Form...)},
		approval.SendCopy: {To: []string{"kim"}}, approval.Rate: {Target: target, Stars: 5},
		approval.Reassign: {Task: task, To: []string{"dean"}},
	}
	for _, v := range matterVerbs {
		a := proper[v]
		a.Verb, a.Opinion = v, "好"
		if v == approval.Reassign && slices.Contains(held(s.in), "dean") {
			continue
		}
		offered := slices.Contains(offer.Verbs, v)
		if v == approval.Save && !offered && offer.Task != nil {
			continue // a handler's save is another one
		}
		try(offered, a)
	}
	if offer.Task == nil {
		for _, outcome := range []string{"agree", "reject", "return", "complete"} {
			try(false, approval.Act{Verb: approval.Decide, Outcome: outcome, Opinion: "好"})
		}
		try(false, approval.Act{Verb: approval.TakeUp})
		try(false, approval.Act{Verb: approval.Transfer, To: []string{"kim"}})
		try(false, approval.Act{Verb: approval.AddSign, To: []string{"kim"}})
		return
	}
	s.tasks(rt, offer.Task, try)
}

// held are all who are asked in the present step, or have decided it.
func held(in approval.Instance) []string {
	var all []string
	for _, t := range in.Tasks {
		if t.Visit == in.Visit {
			all = append(all, append(t.Candidates, t.By)...)
		}
	}
	return all
}

func (s *stage) tasks(rt *rapid.T, task *approval.TaskOffer, try func(bool, approval.Act)) {
	free := ""
	for _, id := range []string{"kim", "bob", "dean"} {
		if !slices.Contains(held(s.in), id) && id != s.in.Starter.ID {
			free = id
		}
	}
	for _, v := range []approval.Verb{approval.TakeUp, approval.Transfer, approval.AddSign, approval.Save} {
		if free == "" && (v == approval.Transfer || v == approval.AddSign) {
			continue
		}
		try(slices.Contains(task.Actions, v), approval.Act{Verb: v, Task: task.Task, To: []string{free}})
	}
	for _, id := range []string{"agree", "reject", "return", "complete", "over", "note", "again", "x"} {
		a := approval.Act{Verb: approval.Decide, Task: task.Task, Outcome: id, Opinion: "好"}
		i := slices.IndexFunc(task.Outcomes, func(o approval.OutcomeOffer) bool { return o.ID == id })
		if i < 0 {
			a.Form = map[string]any{}
			for _, f := range task.Form {
				maps.Copy(a.Form, filled(f))
			}
			try(false, a)
			continue
		}
		o := task.Outcomes[i]
		s.fill(rt, &a, task, o)
		try(true, a)
	}
}

func TestOffers_CQ072_NameTheNextStepsAndWhoMayHandleThem(t *testing.T) {
	s := open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "yes_"})
	offer, err := s.flow.Offers(s.in, s.person("r1a"), false, s.w)
	if err != nil {
		t.Fatal(err)
	}
	next := offer.Task.Next
	if next == nil || len(next.Choose) != 2 || next.Choose[0].To != "left" || next.Choose[0].People[0].ID != "r3a" ||
		next.Note != "说明" || next.Handler != "optional" {
		t.Errorf("next %+v", next)
	}
	if o := offer.Task.Outcomes; len(o) != 3 || !o[0].Next || o[1].Next {
		t.Errorf("outcomes %+v, want only agree to choose", o)
	}
	if got := offer.Task.Actions; !slices.Equal(got, []approval.Verb{approval.Transfer, approval.AddSign, approval.SendCopy, approval.Save}) {
		t.Errorf("actions %v", got)
	}
}

// TestRights_WhoMayDoWhatToARunningMatter is the table of rights.
func TestRights_WhoMayDoWhatToARunningMatter(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.do("ann", approval.Act{Verb: approval.Submit, To: []string{"eve"}})
	for who, want := range map[string][]approval.Verb{
		"ann":  {approval.Withdraw, approval.Terminate, approval.Urge, approval.SendCopy, approval.Say, approval.Print, approval.Trace},
		"r1a":  {approval.SendCopy, approval.Say, approval.Print, approval.Trace, approval.MarkRead},
		"eve":  {approval.Say, approval.Print, approval.MarkRead},
		"boss": {approval.Terminate, approval.Void, approval.Reassign, approval.SendCopy, approval.Say, approval.Print, approval.Trace},
		"kim":  nil,
		"r3a":  nil, // whose turn has not come
	} {
		offer, err := s.flow.Offers(s.in, s.person(who), who == "boss", s.w)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(offer.Verbs, want) {
			t.Errorf("%s may %v, want %v", who, offer.Verbs, want)
		}
		sees := s.flow.Sees(s.in, who, who == "boss")
		if sees != (len(want) > 0) {
			t.Errorf("%s sees the matter: %v", who, sees)
		}
	}
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	for who, want := range map[string]bool{"r1a": true, "r1b": true, "r2a": true, "r3a": false, "": false} {
		if got := s.flow.Sees(s.in, who, false); got != want {
			t.Errorf("after a decision %q sees the matter: %v, want %v", who, got, want)
		}
	}
}

func TestRights_CQ089_OnlyTheStarterTouchesADraft(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.do("ann", approval.Act{Verb: approval.Save, Form: map[string]any{"name": "半"}})
	if s.in.Title != "半" || s.in.State != approval.Draft || len(s.in.Trail) != 0 {
		t.Errorf("draft %+v", s.in)
	}
	s.do("ann", approval.Act{Verb: approval.Discard})
	for _, v := range []approval.Verb{approval.Submit, approval.Discard} {
		s.refused(approval.NotYours, "eve", approval.Act{Verb: v})
		s.refused(approval.NotYours, "boss", approval.Act{Verb: v, Admin: true})
	}
	s.refused(approval.NoTask, "eve", approval.Act{Verb: approval.Save})
	s.refused(approval.FieldInvalid, "ann", approval.Act{Verb: approval.Save, Form: map[string]any{"other": "x"}})
	s.refused(approval.FieldRequired, "ann", approval.Act{Verb: approval.Submit})
	student := open(t, "lab.joint", "kim")
	student.refused(approval.NotAStarter, "kim", approval.Act{Verb: approval.Submit, Form: jointForm(1, "r1a")})
	worker := open(t, "lab.joint", "bob") // a worker is staff
	worker.submit(jointForm(1, "r1a"))
}

func TestRights_WhoMayStart(t *testing.T) {
	for _, c := range []struct {
		starter approval.Starter
		who     string
		want    bool
	}{
		{approval.Starter{Kind: "staff"}, "ann", true},
		{approval.Starter{Kind: "staff"}, "bob", true}, // a worker
		{approval.Starter{Kind: "worker"}, "bob", true},
		{approval.Starter{Kind: "worker"}, "ann", false},
		{approval.Starter{Kind: "staff"}, "kim", false},
		{approval.Starter{Role: "r1"}, "r1a", true},
		{approval.Starter{Role: "r1"}, "r2a", false},
	} {
		f := &approval.Flow{Starters: []approval.Starter{c.starter}}
		p, _, err := crew().Person(c.who)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.MayStart(p, crew()); got != c.want || err != nil {
			t.Errorf("%s may start %+v: %v %v", c.who, c.starter, got, err)
		}
	}
}

func TestRights_OnlyTheSystemReminds(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.refused(approval.NotOffered, "boss", approval.Act{Verb: approval.Remind, Admin: true})
	s.do("system", approval.Act{Verb: approval.Remind})
	if len(s.last.Notices) != 0 {
		t.Errorf("told %+v", s.last.Notices)
	}
}
