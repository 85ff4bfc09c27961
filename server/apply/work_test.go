package apply_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
)

func state(t testing.TB, in approval.Instance, want approval.State) {
	t.Helper()
	if in.State != want {
		t.Fatalf("state %s, want %s", in.State, want)
	}
}

func TestWork_CQ008_CQ066_CQ068_CQ077_TheHeadOfTheUnitDecides(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-02", "2026-05-08"))
	state(t, in, approval.Running)
	if got := w.told(t, head); !slices.Equal(got, []string{"assigned"}) {
		t.Errorf("the head was told %v", got)
	}
	state(t, w.decide(t, head, in.ID, "agree"), approval.Completed)
	if !slices.Contains(w.told(t, teacher), "completed") {
		t.Errorf("the applicant was told %v", w.told(t, teacher))
	}
	p := w.only(t, teacher)
	first := time.Date(2026, 5, 2, 0, 0, 0, 0, campusTime(t))
	if p.Kind != signing.Work || !p.Bound || p.Code != "" || p.Name != "周敏" || p.Uses != 0 || len(p.Zones.List()) != 0 ||
		p.From != first.Unix() || p.Until != first.AddDate(0, 0, 7).Unix() {
		t.Errorf("pass %+v", p.Pass)
	}
	if p.Application != in.ID {
		t.Errorf("application %s", p.Application)
	}
}

func TestWork_CQ008_NobodyApprovesTheirOwn(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, head, workFlow, work("2026-05-01", "2026-05-02"))
	view, err := w.View(t.Context(), by(head), in.ID)
	ok(t, err)
	if view.Mine != nil || !slices.Equal(view.Waiting, []string{"王磊"}) {
		t.Fatalf("waiting for %v", view.Waiting)
	}
	state(t, w.decide(t, above, in.ID, "agree"), approval.Completed)
}

func TestWork_CQ070_CQ072_StudentsGoThroughTheCollege(t *testing.T) {
	for name, c := range map[string]struct{ student, step, handler, college string }{
		"undergraduate": {undergrad, "xgb", above, teacher},
		"graduate":      {graduate, "ygb", graduates, teacher},
		"foreign":       {foreign, "xgb", above, "T1005"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			in := w.submit(t, c.student, workFlow, work("2026-05-01", "2026-05-02"))
			view, err := w.View(t.Context(), by(c.college), in.ID)
			ok(t, err)
			m := view.Mine
			if m == nil || m.Next == nil || len(m.Next.Choose) != 1 || m.Next.Choose[0].To != c.step || m.Next.Note != "下一步说明" ||
				m.Next.Handler != "required" || m.Opinion != "optional" {
				t.Fatalf("mine %+v", m)
			}
			if p := m.Next.Choose[0].People; len(p) != 1 || p[0].Number != c.handler {
				t.Fatalf("handlers %+v", p)
			}
			a := approval.Act{Verb: approval.Decide, Task: m.Task, Outcome: "agree"}
			w.denied(t, by(c.college), in.ID, a, approval.NextStep)
			a.Next, a.Handler = c.step, head
			w.denied(t, by(c.college), in.ID, a, approval.NextStep)
			a.Handler = c.handler
			state(t, w.act(t, by(c.college), in.ID, a), approval.Running)
			state(t, w.decide(t, c.handler, in.ID, "agree"), approval.Completed)
			w.only(t, c.student)
		})
	}
}

func TestWork_CQ063_OnlyStaffAndStudents(t *testing.T) {
	w := newWorld(t)
	w.refused(t, w.lin, workFlow, work("2026-05-01", "2026-05-01"), approval.NotAStarter)
	w.refused(t, undergrad, residentFlow, atHome("2026-05-01"), approval.NotAStarter)
	list, err := w.Services(t.Context(), by(w.lin))
	ok(t, err)
	if len(list) != 1 || list[0].ID != residentFlow {
		t.Errorf("a resident may start %+v", list)
	}
	if list, err = w.Services(t.Context(), by(teacher)); err != nil || len(list) != 3 {
		t.Errorf("staff may start %+v, %v", list, err)
	}
	// Contract staff and workers are staff.
	state(t, w.submit(t, "T1003", workFlow, work("2026-05-01", "2026-05-01")), approval.Running)
}

func TestWork_CQ065_CQ067_TheServerFillsInWhoApplies(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-01").with(form{"no": "T9999", "person": "别人", "unit": "bwc"}))
	view, err := w.View(t.Context(), by(teacher), in.ID)
	ok(t, err)
	text := map[string]string{}
	for _, f := range view.Form {
		text[f.Name] = f.Text
	}
	for name, want := range map[string]string{"学工号": teacher, "申请人": "周敏", "所在单位": "计算机学院", "通行原因": "实验室值班", "通行开始日期": "2026-05-01"} {
		if text[name] != want {
			t.Errorf("%s is %q, want %q", name, text[name], want)
		}
	}
	long := work("2026-05-01", "2026-05-01").with(form{"reason": strings.Repeat("字", 1001)})
	if r := w.refused(t, teacher, workFlow, long, approval.FieldInvalid); r.Field != "reason" {
		t.Errorf("field %q", r.Field)
	}
	w.submit(t, teacher, workFlow, long.with(form{"reason": strings.Repeat("字", 1000)}))
	delete(long, "reason")
	w.submit(t, teacher, workFlow, long)
}

func TestWork_CQ066_DatesInOrderAndWithinTheSetting(t *testing.T) {
	w := newWorld(t)
	w.refused(t, teacher, workFlow, work("2026-05-02", "2026-05-01"), apply.DateOrder)
	w.refused(t, teacher, workFlow, work("2026-04-02", "2026-04-30"), "DATE_PAST")
	w.submit(t, teacher, workFlow, work("2026-05-01", "2027-05-01"))
	v := apply.Defaults
	v.MaxDays = 7
	ok(t, w.PutSettings(t.Context(), "test", v))
	r := w.refused(t, teacher, workFlow, work("2026-05-01", "2026-05-08"), apply.TooLong)
	if r.Field != "end" || r.Details["max_days"] != 7 || r.Details["last_date"] != "2026-05-07" {
		t.Errorf("%s %v", r.Field, r.Details)
	}
	// Passes whose days overlap are fine.
	for range 2 {
		in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-07"))
		w.decide(t, head, in.ID, "agree")
	}
	if n := len(w.passes(t, teacher)); n != 2 {
		t.Errorf("%d passes", n)
	}
}

func TestWork_CQ016_APaperPassExcludesWorkPasses(t *testing.T) {
	w := newWorld(t)
	w.papers.person = teacher
	w.refused(t, teacher, workFlow, work("2026-05-01", "2026-05-01"), apply.PaperPassHeld)
	w.submit(t, head, workFlow, work("2026-05-01", "2026-05-01"))
}

func TestWork_CQ092_RejectedEndsIt(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-01"))
	state(t, w.decide(t, head, in.ID, "reject", func(a *approval.Act) { a.Opinion = "可在家办公" }), approval.Rejected)
	if len(w.passes(t, teacher)) != 0 {
		t.Error("a pass was issued")
	}
	view, err := w.View(t.Context(), by(teacher), in.ID)
	ok(t, err)
	if view.StateName != "已驳回" || view.Trail[len(view.Trail)-1].Opinion != "可在家办公" {
		t.Errorf("%s %+v", view.StateName, view.Trail)
	}
	w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-01"))
}

func TestWork_CQ090_WithdrawnBeforeAnybodyDecided(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, undergrad, workFlow, work("2026-05-01", "2026-05-01"))
	w.denied(t, by(teacher), in.ID, approval.Act{Verb: approval.Withdraw}, approval.NotYours)
	state(t, w.act(t, by(undergrad), in.ID, approval.Act{Verb: approval.Withdraw}), approval.Withdrawn)
	again := w.act(t, by(undergrad), in.ID, approval.Act{Verb: approval.Submit, Form: work("2026-05-02", "2026-05-03")})
	state(t, again, approval.Running)
	w.decide(t, teacher, in.ID, "agree", func(a *approval.Act) { a.Next, a.Handler = "xgb", above })
	w.denied(t, by(undergrad), in.ID, approval.Act{Verb: approval.Withdraw}, approval.AlreadyReviewed)
	w.decide(t, above, in.ID, "agree")
	if p := w.only(t, undergrad); p.From != time.Date(2026, 5, 2, 0, 0, 0, 0, campusTime(t)).Unix() {
		t.Error("the pass is of the form before")
	}
}

func TestWork_CQ091_TerminatedAtEveryGate(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-03"))
	w.decide(t, head, in.ID, "agree")
	before, err := w.db.Revision(t.Context())
	ok(t, err)
	state(t, w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Terminate}), approval.Terminated)
	p := w.only(t, teacher)
	if issue.State(p.PassStatus, w.Now()) != "revoked" {
		t.Error("the pass still holds")
	}
	if after, err := w.db.Revision(t.Context()); err != nil || after == before {
		t.Errorf("no gate hears of it: revision %d, %v", after, err)
	}
	w.denied(t, by(teacher), in.ID, approval.Act{Verb: approval.Submit}, approval.WrongState)
}

func TestWork_CM040_AnAdministratorVoidsIt(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-03"))
	w.decide(t, head, in.ID, "agree")
	w.denied(t, by(teacher), in.ID, approval.Act{Verb: approval.Void, Opinion: "x"}, approval.NotYours)
	w.denied(t, admin(), in.ID, approval.Act{Verb: approval.Void}, approval.OpinionRequired)
	state(t, w.act(t, admin(), in.ID, approval.Act{Verb: approval.Void, Opinion: "信息有误"}), approval.Voided)
	if p := w.only(t, teacher); issue.State(p.PassStatus, w.Now()) != "revoked" {
		t.Error("the pass still holds")
	}
}

func TestWork_CQ089_DraftsAreKept(t *testing.T) {
	w := newWorld(t)
	in, refusal, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow, Form: form{"reason": "值班"}})
	ok(t, err)
	if refusal != nil {
		t.Fatal(refusal)
	}
	state(t, in, approval.Draft)
	if len(w.told(t, head)) != 0 {
		t.Error("somebody heard of a draft")
	}
	_, err = w.View(t.Context(), by(head), in.ID)
	if err == nil {
		t.Error("somebody else sees a draft")
	}
	w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Save, Form: form{"reason": "消防值班", "start": "2026-05-01"}})
	if r := w.denied(t, by(teacher), in.ID, approval.Act{Verb: approval.Submit}, approval.FieldRequired); r.Field != "end" {
		t.Errorf("field %q", r.Field)
	}
	in = w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Submit, Form: form{"end": "2026-05-02"}})
	state(t, in, approval.Running)
	if in.Form["reason"] != "消防值班" {
		t.Errorf("form %v", in.Form)
	}
	w.denied(t, by(teacher), in.ID, approval.Act{Verb: approval.Discard}, approval.WrongState)

	gone, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow})
	ok(t, err)
	state(t, w.act(t, by(teacher), gone.ID, approval.Act{Verb: approval.Discard}), apply.Discarded)
	if _, err := w.View(t.Context(), by(teacher), gone.ID); err == nil {
		t.Error("it is still there")
	}
}

func TestWork_AnApprovalWaitsForNobodyWhoLeft(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-01"))
	task := w.task(t, head, in.ID)
	left := people.Left
	w.change(t, func(tx *store.Tx) error {
		_, err := w.people.UpdatePerson(tx, "test", head, people.PersonChange{State: &left})
		return err
	})
	_, _, err := w.Act(t.Context(), by(head), in.ID, approval.Act{Verb: approval.Decide, Task: task, Outcome: "agree"})
	if err == nil {
		t.Fatal("somebody who left decided")
	}
	state(t, w.act(t, admin(), in.ID, approval.Act{Verb: approval.Reassign, Task: task, To: []string{above}}), approval.Running)
	state(t, w.decide(t, above, in.ID, "agree"), approval.Completed)
}

func TestWork_OneDecisionOfTwo(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-01"))
	a := approval.Act{Verb: approval.Decide, Task: w.task(t, head, in.ID), Outcome: "agree"}
	w.act(t, by(head), in.ID, a)
	a.Outcome = "reject"
	w.denied(t, by(head), in.ID, a, approval.TaskClosed)
	w.only(t, teacher)
}

func TestLive_CQ077_TwoMinuteCodeForTheHolderOnly(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	w.decide(t, head, in.ID, "agree")
	p := w.only(t, teacher)
	text, expires, err := w.Live(t.Context(), teacher, p.ID)
	ok(t, err)
	read, err := code.Read(w.ring(t), text)
	ok(t, err)
	if !read.Server || read.Pass.ID != p.ID || read.Pass.Expires != expires || expires > w.Now().Unix()+120 {
		t.Errorf("%+v", read.Pass)
	}
	for _, other := range []string{head, "", w.lin} {
		if _, _, err := w.Live(t.Context(), other, p.ID); err == nil {
			t.Errorf("%q got a code of it", other)
		}
	}
}

func TestCar_CQ093_AVehiclePassIsThePlates(t *testing.T) {
	w := newWorld(t)
	car := form{"plate": "渝A·D1234", "start": "2026-05-01", "end": "2026-05-05", "reason": "公务接送"}
	in := w.submit(t, teacher, "cqu.car_pass", car)
	w.decide(t, head, in.ID, "agree")
	if p := w.only(t, teacher); p.Kind != signing.Vehicle || p.Name != "渝A·D1234" {
		t.Errorf("pass %+v", p.Pass)
	}
	long := car.with(form{"plate": strings.Repeat("渝", 17)})
	if r := w.refused(t, teacher, "cqu.car_pass", long, approval.FieldInvalid); r.Field != "plate" {
		t.Errorf("field %q", r.Field)
	}
	v := apply.Defaults
	v.VehiclePass = false
	ok(t, w.PutSettings(t.Context(), "test", v))
	in = w.submit(t, teacher, "cqu.car_pass", car)
	state(t, w.decide(t, head, in.ID, "agree"), approval.Completed)
	if n := len(w.passes(t, teacher)); n != 1 {
		t.Errorf("%d passes while the campus issues none", n)
	}
}
