package approval_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/approval"
)

var anyVerb = []approval.Verb{
	approval.Save, approval.Submit, approval.Decide, approval.TakeUp, approval.Withdraw, approval.Terminate, approval.Void,
	approval.Transfer, approval.Reassign, approval.AddSign, approval.SendCopy, approval.Urge, approval.Say, approval.Rate,
	approval.MarkRead, approval.Discard, approval.Print, approval.Trace, approval.Remind, "nonsense", "",
}

// sample is a proper value for a field.
func sample(f *approval.Field) any {
	var v any
	switch f.Type {
	case approval.Number:
		v = 7.0
	case approval.Money:
		v = 20000.0
	case approval.Date:
		v = "2026-05-02"
	case approval.Datetime:
		v = "2026-05-02 08:00:00"
	case approval.Select:
		v = "甲"
		if len(f.Options) > 0 {
			v = f.Options[0]
		}
	case approval.Unit:
		v = "lab"
	case approval.User:
		v = "r1a"
	case approval.Phone:
		v = "13800138000"
	case approval.FileRef, approval.Image:
		v = "file1"
	case approval.Text, approval.Textarea, approval.Richtext, approval.Note:
		v = "=1+1 <b>文字</b>"
	}
	if f.Many {
		return []any{v}
	}
	return v
}

func filled(fields ...*approval.Field) map[string]any {
	form := map[string]any{}
	for _, f := range fields {
		form[f.ID] = sample(f)
	}
	return form
}

// draw makes an act: mostly a sensible one, else anything.
func (s *stage) draw(t *rapid.T, who string) approval.Act {
	people := rapid.SampledFrom([]string{"ann", "head", "dean", "r1a", "r1b", "r2a", "r3a", "boss", "bob", "kim", "eve", "ghost"})
	a := approval.Act{
		Actor: s.person(who), Admin: who == "boss",
		Verb:    rapid.SampledFrom(anyVerb).Draw(t, "verb"),
		Outcome: rapid.SampledFrom([]string{"agree", "reject", "return", "complete", "over", "note", "again", "x"}).Draw(t, "outcome"),
		Opinion: rapid.SampledFrom([]string{"", "好", "{title}"}).Draw(t, "opinion"),
		Next:    rapid.SampledFrom([]string{"", "left", "right", "seal"}).Draw(t, "next"),
		Handler: rapid.SampledFrom([]string{"", "r1a", "r2a", "r3a"}).Draw(t, "handler"),
		To:      rapid.SliceOfN(people, 0, 2).Draw(t, "to"),
		At:      rapid.SampledFrom([]string{"", "before", "after", "parallel", "x"}).Draw(t, "at"),
		Mode:    rapid.SampledFrom([]approval.Mode{"", approval.All, approval.Any, "x"}).Draw(t, "mode"),
		Target:  "service", Stars: rapid.IntRange(0, 6).Draw(t, "stars"),
	}
	if n := len(s.in.Tasks); n > 0 && rapid.Bool().Draw(t, "named") {
		a.Task = fmt.Sprintf("t%d", rapid.IntRange(0, n+1).Draw(t, "task"))
	}
	var fields []*approval.Field
	switch a.Verb {
	case approval.Submit, approval.Save:
		fields = s.flow.Form
	default:
		offer, err := s.flow.Offers(s.in, a.Actor, a.Admin, s.w)
		if err != nil {
			t.Fatal(err)
		}
		if offer.Task != nil {
			o := rapid.SampledFrom(offer.Task.Outcomes).Draw(t, "offered")
			a.Outcome, fields = o.ID, o.Form
			if o.StepForm {
				fields = slices.Concat(offer.Task.Form, o.Form)
			}
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "form") > 0 {
		a.Form = filled(fields...)
	}
	return a
}

// onwards is an act that takes the matter further: a submit, or a decision with
// all that it asks for.
func (s *stage) onwards(t *rapid.T) approval.Act {
	pending := waiting(s.in)
	if len(pending) == 0 {
		return approval.Act{Verb: approval.Submit, Actor: s.person(s.in.Starter.ID), Form: filled(s.flow.Form...)}
	}
	a := approval.Act{Verb: approval.Decide, Opinion: "好", Actor: s.person(rapid.SampledFrom(pending).Draw(t, "actor"))}
	offer, err := s.flow.Offers(s.in, a.Actor, false, s.w)
	if err != nil {
		t.Fatal(err)
	}
	if offer.Task == nil || len(offer.Task.Outcomes) == 0 {
		t.Fatalf("%s has a pending task and nothing to do with it", a.Actor.ID)
	}
	s.fill(t, &a, offer.Task, rapid.SampledFrom(offer.Task.Outcomes).Draw(t, "outcome"))
	return a
}

// fill gives an act all that an outcome asks for.
func (s *stage) fill(t *rapid.T, a *approval.Act, task *approval.TaskOffer, o approval.OutcomeOffer) {
	a.Task, a.Outcome = task.Task, o.ID
	a.Form = filled(o.Form...)
	if o.StepForm {
		a.Form = filled(slices.Concat(task.Form, o.Form)...)
	}
	if o.Next && len(task.Next.Choose) > 0 {
		c := rapid.SampledFrom(task.Next.Choose).Draw(t, "choice")
		a.Next = c.To
		if len(c.People) > 0 {
			a.Handler = rapid.SampledFrom(c.People).Draw(t, "chosen").ID
		}
	}
}

var ends = []approval.State{approval.Completed, approval.Rejected, approval.Terminated, approval.Voided}

// sound checks what must hold after every step.
func sound(t *rapid.T, a approval.Act, before approval.Instance, c approval.Change) {
	in := c.Instance
	if len(in.Trail) < len(before.Trail) || len(before.Trail) > 0 && !reflect.DeepEqual(in.Trail[:len(before.Trail)], before.Trail) {
		t.Fatal("the trail was rewritten")
	}
	pending := 0
	for i, task := range in.Tasks {
		open := task.State == approval.Pending || task.State == approval.Waiting
		if open && in.State != approval.Running {
			t.Fatalf("task %s is open in a matter that is %s", task.ID, in.State)
		}
		if task.State == approval.Pending {
			pending++
		}
		if open && len(task.Candidates) == 0 {
			t.Fatalf("task %s is nobody's", task.ID)
		}
		if i < len(before.Tasks) && (before.Tasks[i].State == approval.Done || before.Tasks[i].State == approval.Cancelled) && !reflect.DeepEqual(task, before.Tasks[i]) {
			t.Fatalf("closed task %s was changed", task.ID)
		}
	}
	if in.State == approval.Running && pending == 0 {
		t.Fatalf("dead end at %s after %s", in.Step, a.Verb)
	}
	if slices.Contains(ends, in.State) != (in.Ended != 0) {
		t.Fatalf("%s, ended %d", in.State, in.Ended)
	}
	terminal := 0
	for _, n := range c.Notices {
		if slices.Contains(ends, approval.State(n.Event)) {
			terminal++
			if n.Event != string(in.State) {
				t.Fatalf("told %s of a matter that is %s", n.Event, in.State)
			}
		}
		if len(n.To) == 0 || n.Text == "" || slices.Contains(n.To, "system") || len(slices.Compact(slices.Clone(n.To))) != len(n.To) {
			t.Fatalf("a notice of no use: %+v", n)
		}
		if n.Actor != "" && slices.Contains(n.To, a.Actor.ID) {
			t.Fatalf("%s is told of their own act: %+v", a.Actor.ID, n)
		}
	}
	ended := in.State != before.State && slices.Contains(ends, in.State)
	want := 0
	if ended {
		want = 1
	}
	// Where nobody but the actor took part there is nobody to tell.
	if terminal != want && (terminal > want || a.Actor.ID != in.Starter.ID) {
		t.Fatalf("%d notices of the end, want %d: %s → %s", terminal, want, before.State, in.State)
	}
}

// TestStep_RandomActsKeepEveryMatterSound drives matters with anything that
// anybody might send.
func TestStep_RandomActsKeepEveryMatterSound(t *testing.T) {
	flows := lab(t).Flows
	rapid.Check(t, func(rt *rapid.T) {
		flow := rapid.SampledFrom(flows).Draw(rt, "flow")
		starter := rapid.SampledFrom([]string{"ann", "head", "r1a", "r2a", "dean"}).Draw(rt, "starter")
		s := newStage(t, flow, crew(), starter)
		for range 40 {
			var a approval.Act
			if rapid.IntRange(0, 2).Draw(rt, "onwards") > 0 {
				a = s.onwards(rt)
			} else {
				a = s.draw(rt, rapid.SampledFrom(append(waiting(s.in), starter, "boss", "eve")).Draw(rt, "who"))
			}
			s.after(time.Duration(rapid.IntRange(0, 90).Draw(rt, "minutes")) * time.Minute)
			s.once(rt, a)
		}
	})
}

// once does an act twice, on the matter and on what JSON makes of it: both must
// come to the same, and neither touch what they were given.
func (s *stage) once(rt *rapid.T, a approval.Act) {
	before := asJSON(s.t, s.in)
	var read approval.Instance
	if err := json.Unmarshal([]byte(before), &read); err != nil {
		rt.Fatal(err)
	}
	serial := s.serial
	again, noAgain, err := s.flow.Step(read, a, s.w)
	if err != nil {
		rt.Fatal(err)
	}
	s.serial = serial
	change, no, err := s.flow.Step(s.in, a, s.w)
	if err != nil {
		rt.Fatal(err)
	}
	if asJSON(s.t, s.in) != before {
		rt.Fatalf("%s changed what it was given", a.Verb)
	}
	if asJSON(s.t, change) != asJSON(s.t, again) || asJSON(s.t, no) != asJSON(s.t, noAgain) {
		rt.Fatalf("%s comes out otherwise after a way through JSON:\n%s\n%s", a.Verb, asJSON(s.t, change), asJSON(s.t, again))
	}
	if no != nil {
		if no.Code == "" || no.Say == "" || s.serial != serial {
			rt.Fatalf("a refusal without a reason, or that drew a number: %+v", no)
		}
		return
	}
	sound(rt, a, s.in, change)
	s.in, s.last = change.Instance, change
}
