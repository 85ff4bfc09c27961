package apply_test

import (
	"slices"
	"strings"
	"testing"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/notify"
)

// texts are the messages that somebody got, newest first.
func (w *world) texts(t testing.TB, person string) []string {
	t.Helper()
	found, _, err := w.news.List(t.Context(), person, notify.Filter{Limit: 100})
	ok(t, err)
	var texts []string
	for _, m := range found {
		texts = append(texts, m.Text)
		if !strings.HasPrefix(m.Link, "/applications/") || m.Subject == "" {
			t.Errorf("message %+v", m)
		}
	}
	return texts
}

func purchase() form {
	return form{
		"name": "实验台", "wanted_by": teacher, "wanted_unit": "cs", "category": "新增", "kind": "申请", "need_on": "2026-06-01",
		"buy_type": "自行采购", "budget": 123450, "purpose": "教学实验",
	}
}

func TestPurchase_CM018_CM022_CM024_CM032_CM033_CM035_CM039_FromFormToList(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "college.yaml")
	w.post(t, "buyer", graduates)
	in := w.submit(t, teacher, "cqmm.purchase", purchase())
	if in.Serial != "CGSQ202605010001" || in.Title != "实验台" {
		t.Errorf("serial %q, title %q", in.Serial, in.Title)
	}
	a, err := w.View(t.Context(), by(teacher), in.ID)
	ok(t, err)
	text := map[string]string{}
	for _, f := range a.Form {
		text[f.Name] = f.Text
	}
	for name, want := range map[string]string{
		"流程编码": "CGSQ202605010001", "制单人": "周敏", "制单部门": "计算机学院", "制单日期": "2026-05-01 08:00:00", "需求人": "周敏", "需求部门": "计算机学院",
		"申请类别": "新增", "申请预算合计(元)": "1234.50 元",
	} {
		if text[name] != want {
			t.Errorf("%s is %q, want %q", name, text[name], want)
		}
	}
	row := w.list(t, head, apply.Todo, apply.Query{})[0]
	if row.Title != "实验台" || row.Starter.Name != "周敏" || row.SubmittedAt == 0 || row.Group == "" || row.Task.State != "pending" {
		t.Errorf("row %+v", row)
	}
	w.decide(t, head, in.ID, "agree")
	row = w.list(t, teacher, apply.Started, apply.Query{})[0]
	if row.StateName != "审核中" || row.StepName != "采购专员" || !slices.Equal(row.Waiting, []string{"冯雪"}) {
		t.Errorf("progress %+v", row)
	}
	if row = w.list(t, head, apply.Done, apply.Query{})[0]; row.Task == nil || row.Task.State != "done" {
		t.Errorf("done %+v", row.Task)
	}
	w.decide(t, graduates, in.ID, "agree")
	if row = w.list(t, teacher, apply.Started, apply.Query{})[0]; row.StateName != "已通过" {
		t.Errorf("state %s", row.StateName)
	}
}

func TestDone_CM023_ReturnedStoppedAndFinished(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "college.yaml")
	w.post(t, "buyer", graduates)
	back := w.submit(t, teacher, "cqmm.purchase", purchase())
	w.decide(t, head, back.ID, "return", func(a *approval.Act) { a.Opinion = "请补充型号" })
	stopped := w.submit(t, teacher, "cqmm.purchase", purchase())
	w.decide(t, head, stopped.ID, "agree")
	w.act(t, by(teacher), stopped.ID, approval.Act{Verb: approval.Terminate})
	done := w.submit(t, teacher, "cqmm.purchase", purchase())
	w.decide(t, head, done.ID, "agree")
	w.decide(t, graduates, done.ID, "agree")
	names := map[string]string{}
	for _, row := range w.list(t, head, apply.Done, apply.Query{}) {
		names[row.ID] = row.StateName
	}
	for id, want := range map[string]string{back.ID: "退回", stopped.ID: "中止", done.ID: "已通过"} {
		if names[id] != want {
			t.Errorf("%q, want %q", names[id], want)
		}
	}
	// Sent again, it begins anew, and the timeline keeps all of it.
	w.act(t, by(teacher), back.ID, approval.Act{Verb: approval.Submit, Form: form{"purpose": "教学实验,型号 X2"}})
	a, err := w.View(t.Context(), by(head), back.ID)
	ok(t, err)
	var verbs []string
	for _, l := range a.Trail {
		verbs = append(verbs, l.Name)
	}
	if !slices.Equal(verbs, []string{"提交", "退回", "提交"}) || a.Mine == nil {
		t.Errorf("timeline %v", verbs)
	}
}

func TestToolbars_CM031_CM037_CM041_CM042_CQ073_WhatIsOffered(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "college.yaml")
	draft, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: "cqmm.purchase", Form: purchase()})
	ok(t, err)
	offers := func(who apply.Actor, want ...string) apply.Application {
		t.Helper()
		a, err := w.View(t.Context(), who, draft.ID)
		ok(t, err)
		for _, verb := range want {
			if !slices.Contains(a.Actions, verb) && (a.Mine == nil || !slices.Contains(a.Mine.Actions, verb)) {
				t.Errorf("%s: no %s among %v", who.Person, verb, a.Actions)
			}
		}
		return a
	}
	offers(by(teacher), "save", "submit", "discard", "print")
	w.act(t, by(teacher), draft.ID, approval.Act{Verb: approval.Submit})
	offers(by(teacher), "withdraw", "terminate", "urge", "cc", "comment", "print", "trace")
	a := offers(by(head), "transfer", "cc", "save", "print", "trace", "add_sign")
	if a.Mine.Opinion != "optional" {
		t.Errorf("opinion %s", a.Mine.Opinion)
	}
	offers(admin(), "void")
}

func TestMessages_CM046_CM047_CM048_AsTheSourceWordsThem(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	if got := w.texts(t, head); len(got) != 1 || got[0] != "您好,您收到了周敏发起的事项【疫期通行证】,请及时办理。" {
		t.Errorf("new task: %q", got)
	}
	w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Urge})
	if got := w.texts(t, head); got[0] != "您好,周敏发送给您的【疫期通行证】还未处理,请及时处理。" {
		t.Errorf("urged: %q", got[0])
	}
	w.act(t, admin(), in.ID, approval.Act{Verb: approval.Terminate})
	if got := w.texts(t, teacher); len(got) == 0 || got[0] != "您好,蒋涛中止了事项【疫期通行证】,请知悉。" {
		t.Errorf("terminated: %q", got)
	}
	student := w.submit(t, undergrad, workFlow, work("2026-05-01", "2026-05-02"))
	w.decide(t, teacher, student.ID, "agree", func(a *approval.Act) { a.Next, a.Handler, a.Opinion = "xgb", above, "请尽快到学院登记。" })
	if got := w.texts(t, undergrad); len(got) == 0 || got[0] != "计算机学院周敏已经处理了您的事项【疫期通行证】!请尽快到学院登记。" {
		t.Errorf("handled: %q", got)
	}
}

func TestDetail_CQ053_CQ054_CQ055_WhatAResidentSeesOfTheirs(t *testing.T) {
	w := newWorld(t)
	w.verify(t, w.lin, false)
	in := w.submit(t, w.lin, residentFlow, atHome("2026-05-02").with(form{"reason": "购物"}))
	w.decide(t, community, in.ID, "agree")
	a, err := w.View(t.Context(), by(w.lin), in.ID)
	ok(t, err)
	text := map[string]string{}
	for _, f := range a.Form {
		text[f.Name] = f.Text
	}
	for name, want := range map[string]string{
		"手机号": "13800130021", "通行证类型": "单次通行证明", "户主姓名": "林国栋", "小区名称": "松林坡", "楼栋号": "3栋", "门牌号": "201",
		"通行日期": "2026-05-02", "申请原因": "购物", "创建时间": "2026-05-01 08:00:00",
	} {
		if text[name] != want {
			t.Errorf("%s is %q, want %q", name, text[name], want)
		}
	}
	if a.Reviewer == nil || a.Reviewer.Number != community || a.Reviewer.Name != "吴静" || a.Starter.Name != "林国栋" {
		t.Errorf("reviewer %+v, applicant %+v", a.Reviewer, a.Starter)
	}
	if a.IDNumber == "" || strings.Contains(a.IDNumber, "19650312") {
		t.Errorf("ID number %q", a.IDNumber)
	}
	row := w.list(t, w.lin, apply.Started, apply.Query{})[0]
	if want := []apply.Pair{
		{Name: "通行证类型", EN: "Type of pass", Value: "单次通行证明", ValueEN: "Single entry"},
		{Name: "小区名称", EN: "Compound", Value: "松林坡"},
		{Name: "通行日期", EN: "Date of entry", Value: "2026-05-02"},
	}; !slices.Equal(row.Summary, want) {
		t.Errorf("summary %v", row.Summary)
	}
}

func TestWork_CQ007_CQ009_ForTheApplicantOnly(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, "T1005", workFlow, work("2026-05-01", "2026-05-02")) // head of a college in B, who comes to A
	w.decide(t, above, in.ID, "agree")
	p := w.only(t, "T1005")
	if p.Name != "钱芳" || !p.Zones.Admit(1) || !p.Zones.Admit(2) || !p.Bound {
		t.Errorf("pass %+v", p.Pass)
	}
	for _, other := range []string{above, teacher} {
		if held, err := w.Holds(t.Context(), other, p.ID); err != nil || held {
			t.Errorf("%s holds it, %v", other, err)
		}
	}
}
