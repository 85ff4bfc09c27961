package apply_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
)

func shipped(t testing.TB, name string) string {
	t.Helper()
	text, err := fs.ReadFile(configs.Flows(), name)
	ok(t, err)
	return string(text)
}

func (w *world) version(t testing.TB, flow string) int {
	t.Helper()
	f, err := w.Flow(flow)
	ok(t, err)
	return f.Flow.Version
}

func TestFlows_CQ069_WhatSaysSomethingNewGetsTheNextVersion(t *testing.T) {
	w := newWorld(t)
	text := shipped(t, "passes.yaml")
	changed, err := w.Publish(t.Context(), "test", "passes.yaml", "# a comment moves every line\n"+text)
	ok(t, err)
	if len(changed) != 0 || w.version(t, workFlow) != 1 {
		t.Fatalf("a comment made new versions of %v", changed)
	}
	before := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	draft, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow, Form: work("2026-05-01", "2026-05-02")})
	ok(t, err)

	renamed := strings.Replace(text, "name: 部门领导审核, todo: 待审核, when", "name: 单位主要负责人审批, todo: 待审核, when", 1)
	changed, err = w.Publish(t.Context(), "test", "passes.yaml", renamed)
	ok(t, err)
	if !slices.Equal(changed, []string{workFlow}) || w.version(t, workFlow) != 2 || w.version(t, residentFlow) != 1 {
		t.Fatalf("changed %v", changed)
	}
	step := func(id string) (int, string) {
		a, err := w.View(t.Context(), by(head), id)
		ok(t, err)
		return a.Version, a.StepName
	}
	if v, name := step(before.ID); v != 1 || name != "部门领导审核" {
		t.Errorf("what was submitted before: version %d, %s", v, name)
	}
	w.act(t, by(teacher), draft.ID, approval.Act{Verb: approval.Submit})
	if v, name := step(draft.ID); v != 2 || name != "单位主要负责人审批" {
		t.Errorf("the draft: version %d, %s", v, name)
	}
	// All of it is there after a restart.
	w.open(t)
	if v, _ := step(before.ID); v != 1 || w.version(t, workFlow) != 2 {
		t.Error("versions changed by a restart")
	}
	state(t, w.decide(t, head, before.ID, "agree"), approval.Completed)
}

func TestFlows_AFaultyFileChangesNothing(t *testing.T) {
	w := newWorld(t)
	text := strings.Replace(shipped(t, "passes.yaml"), "household.paper", "household.papre", 1)
	_, err := w.Publish(t.Context(), "test", "x.yaml", text)
	faults, ok := errors.AsType[*approval.Faults](err)
	if !ok || len(faults.List) == 0 || faults.List[0].Line == 0 || faults.List[0].File != "x.yaml" {
		t.Fatalf("error %v", err)
	}
	if w.version(t, residentFlow) != 1 {
		t.Error("it was published")
	}
}

func TestFlows_ZU001_SwitchedOnAndOffOneByOne(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	draft, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow, Form: work("2026-05-01", "2026-05-02")})
	ok(t, err)
	ok(t, w.SetFlow(t.Context(), "test", workFlow, false))
	if _, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a stopped flow was started: %v", err)
	}
	w.denied(t, by(teacher), draft.ID, approval.Act{Verb: approval.Submit}, apply.FlowStopped)
	state(t, w.decide(t, head, in.ID, "agree"), approval.Completed)
	if err := w.SetFlow(t.Context(), "test", "no.such", true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such flow: %v", err)
	}
	ok(t, w.SetFlow(t.Context(), "test", workFlow, true))
	w.act(t, by(teacher), draft.ID, approval.Act{Verb: approval.Submit})
}

func TestSerial_CM034_NumbersWithoutGaps(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "arts.yaml")
	w.post(t, "union_reviewer", head)
	f := form{"contact": "13800130001", "facts": "家庭困难", "reviewer": head}
	first := w.submit(t, teacher, "zja.hardship", f)
	w.refused(t, teacher, "zja.hardship", f.with(form{"facts": ""}), approval.FieldRequired)
	second := w.submit(t, teacher, "zja.hardship", f)
	if first.Serial != "20260500001" || second.Serial != "20260500002" || second.Title != "工会困难补助申请 - 20260500002" {
		t.Errorf("serials %q %q, title %q", first.Serial, second.Serial, second.Title)
	}
	w.at(t, "2026-06-01 00:00")
	if third := w.submit(t, teacher, "zja.hardship", f); third.Serial != "20260600001" {
		t.Errorf("next month: %q", third.Serial)
	}
	if rows := w.list(t, teacher, apply.Started, apply.Query{Text: "2026050000"}); len(rows) != 2 {
		t.Errorf("%d rows by serial", len(rows))
	}
}

// township brings the flows of the town government in, with their posts.
func township(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	w.publish(t, "township.yaml")
	for role, person := range map[string]string{
		"party_office": teacher, "main_leader": head, "deputy_leader": above, "dept_village": "T1003", "efficiency_office": "T1009",
	} {
		w.post(t, role, person)
	}
	return w
}

func TestEffects_ZZ036_ALetterBecomesAnOKR(t *testing.T) {
	w := township(t)
	in := w.submit(t, "T1003", "zz.mailbox", form{"contact": "13800130003", "leader": head, "subject": "路灯", "body": "三栋前路灯不亮"})
	state(t, w.decide(t, head, in.ID, "to_okr"), approval.Completed)
	rows := w.list(t, head, apply.Drafts, apply.Query{})
	if len(rows) != 1 || rows[0].Flow != "zz.okr" {
		t.Fatalf("drafts %+v", rows)
	}
	a, err := w.View(t.Context(), by(head), rows[0].ID)
	ok(t, err)
	if a.Origin != in.ID {
		t.Errorf("origin %q", a.Origin)
	}
}

func TestEffects_ZZ038_ZZ039_ApprovedNoticesAreReadByThoseTheyAreFor(t *testing.T) {
	w := township(t)
	in := w.submit(t, teacher, "zz.notice", form{"subject": "停水通知", "units": []any{"cs"}, "body": "周六停水", "leader": head})
	w.decide(t, head, in.ID, "agree")
	in = w.submit(t, teacher, "zz.announcement", form{"subject": "放假安排", "body": "五一放假", "leader": head})
	w.decide(t, head, in.ID, "agree")
	titles := func(person string) (list []string) {
		found, total, err := w.Bulletins(t.Context(), person, apply.Query{})
		ok(t, err)
		for _, b := range found {
			list = append(list, b.Title)
		}
		if total != len(list) {
			t.Errorf("total %d", total)
		}
		return list
	}
	if got := titles(undergrad); !slices.Equal(got, []string{"放假安排", "停水通知"}) {
		t.Errorf("in the unit: %v", got)
	}
	if got := titles(w.lin); !slices.Equal(got, []string{"放假安排"}) {
		t.Errorf("elsewhere: %v", got)
	}
	if !slices.Contains(w.told(t, undergrad), "notice") {
		t.Errorf("told %v", w.told(t, undergrad))
	}
}

func TestTick_ZZ015_RemindsOnce(t *testing.T) {
	w := township(t)
	okr := w.submit(t, teacher, "zz.okr", form{"name": "雨污分流", "detail": "一期", "leader": head})
	w.decide(t, head, okr.ID, "agree")
	w.decide(t, teacher, okr.ID, "complete", func(a *approval.Act) {
		a.Form = form{"unit": "arch", "deputy": above, "remind_at": "2026-05-03 09:00:00"}
	})
	w.decide(t, "T1005", okr.ID, "complete")
	for range 2 {
		ok(t, w.Tick(t.Context()))
	}
	if slices.Contains(w.told(t, "T1005"), "remind") {
		t.Fatal("reminded too early")
	}
	w.at(t, "2026-05-03 09:00")
	for range 2 {
		ok(t, w.Tick(t.Context()))
	}
	n := 0
	for _, kind := range w.told(t, "T1005") {
		if kind == "remind" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("reminded %d times: %v", n, w.told(t, "T1005"))
	}
}

func TestVisitor_ZZ032_CQ035_OffUnlessTheCampusSaysSo(t *testing.T) {
	w := township(t)
	text := strings.Replace(shipped(t, "township.yaml"),
		"    # on: {completed: [{do: pass.issue, with: {type: visitor}}]", "    on: {completed: [{do: pass.issue, with: {type: visitor}}]", 1)
	changed, err := w.Publish(t.Context(), "test", "township.yaml", text)
	ok(t, err)
	if !slices.Contains(changed, "zz.visit") {
		t.Fatalf("changed %v", changed)
	}
	visit := form{"visitors": "许一鸣", "leader": head, "at": "2026-05-02 10:00:00", "reason": "座谈"}
	in := w.submit(t, "T1003", "zz.visit", visit)
	w.decide(t, head, in.ID, "agree")
	if len(w.passes(t, "T1003")) != 0 {
		t.Fatal("a visitor pass though they are off")
	}
	v := apply.Defaults
	v.VisitorPass = true
	ok(t, w.PutSettings(t.Context(), "test", v))
	in = w.submit(t, "T1003", "zz.visit", visit)
	w.decide(t, head, in.ID, "agree")
	if p := w.only(t, "T1003"); p.Kind != signing.Visitor || p.Uses != 1 || p.Name != "许一鸣" || p.Until-p.From != 24*3600 || p.Code == "" {
		t.Errorf("pass %+v", p.Pass)
	}
}

func TestArchive_ZZ028_FiledByItself(t *testing.T) {
	w := township(t)
	in := w.submit(t, "T1003", "zz.seal", form{"date": "2026-05-01", "seal": "行政章", "use": "合同", "leader": head})
	done := w.decide(t, head, in.ID, "agree")
	state(t, done, approval.Completed)
	if done.Filed == 0 {
		t.Error("not filed")
	}
	for text, want := range map[string]int{"": 1, "用章": 1, "采购": 0} {
		if list, total, err := w.Archive(t.Context(), apply.Query{Text: text}); err != nil || total != want || len(list) != want {
			t.Errorf("%q: %+v, %d, %v", text, list, total, err)
		}
	}
}

func TestSettings_OnlyWithinTheirRanges(t *testing.T) {
	w := newWorld(t)
	for field, edit := range map[string]func(*apply.Settings){
		"ahead_days": func(v *apply.Settings) { v.AheadDays = -1 }, "quota_days": func(v *apply.Settings) { v.QuotaDays = 1000 },
		"quota_codes": func(v *apply.Settings) { v.QuotaCodes = 0 }, "multi_days_max": func(v *apply.Settings) { v.MultiDaysMax = 0 },
		"max_days": func(v *apply.Settings) { v.MaxDays = -7 },
	} {
		v := apply.Defaults
		edit(&v)
		err := w.PutSettings(t.Context(), "test", v)
		var f *issue.Fault
		if !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if v, err := w.Settings(t.Context()); err != nil || v != apply.Defaults {
		t.Errorf("settings %+v, %v", v, err)
	}
}
