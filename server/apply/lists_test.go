package apply_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/store"
)

func (w *world) list(t testing.TB, person string, box apply.Box, q apply.Query) []apply.Row {
	t.Helper()
	rows, total, err := w.List(t.Context(), by(person), box, q)
	ok(t, err)
	if q.Size == 0 && q.Page == 0 && total != len(rows) {
		t.Fatalf("%d rows, total %d", len(rows), total)
	}
	return rows
}

func ids(rows []apply.Row) []string {
	list := []string{}
	for _, r := range rows {
		list = append(list, r.ID)
	}
	return list
}

func (w *world) counted(t testing.TB, person string, want map[apply.Box]int) {
	t.Helper()
	got, err := w.Counts(t.Context(), person)
	ok(t, err)
	for _, box := range apply.Boxes {
		if got[box] != want[box] {
			t.Errorf("%s of %s: %d, want %d", box, person, got[box], want[box])
		}
	}
}

func TestLists_CM017_CM020_CM025_CM026_CQ064_CQ074_EverybodysBoxes(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	_, _, err := w.Create(t.Context(), by(teacher), apply.Request{Flow: workFlow})
	ok(t, err)
	w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.SendCopy, To: []string{"T1003", "T1004"}})
	w.counted(t, teacher, map[apply.Box]int{apply.Started: 1, apply.Drafts: 1})
	w.counted(t, head, map[apply.Box]int{apply.Todo: 1})
	w.counted(t, "T1003", map[apply.Box]int{apply.Copied: 1})
	w.counted(t, above, nil)

	row := w.list(t, head, apply.Todo, apply.Query{})[0]
	if row.ID != in.ID || row.Title != "疫期通行证" || row.FlowName != "校区工作通行证" || row.StateName != "审核中" || row.Starter.Name != "周敏" ||
		row.Starter.Unit != "计算机学院" || row.StepName != "部门领导审核" || row.Task == nil || row.Task.State != "pending" || row.Pass != nil {
		t.Errorf("row %+v", row)
	}
	if !slices.Equal(row.Waiting, []string{"陈立"}) {
		t.Errorf("waiting for %v", row.Waiting)
	}
	if want := []apply.Pair{
		{Name: "通行开始日期", EN: "First day", Value: "2026-05-01"},
		{Name: "通行截止日期", EN: "Last day", Value: "2026-05-02"},
		{Name: "通行原因", EN: "Reason", Value: "实验室值班"},
	}; !slices.Equal(row.Summary, want) {
		t.Errorf("summary %v", row.Summary)
	}
	w.decide(t, head, in.ID, "agree")
	w.counted(t, head, map[apply.Box]int{apply.Done: 1})
	row = w.list(t, teacher, apply.Started, apply.Query{})[0]
	if row.StateName != "已完成" || row.Pass == nil || row.Pass.Kind != "work" || row.Pass.State != "issued" || !row.Pass.Mine || len(row.Waiting) != 0 || row.EndedAt == 0 {
		t.Errorf("row %+v, pass %+v", row, row.Pass)
	}
}

func TestLists_CM019_CM021_CQ075_FiltersAndPages(t *testing.T) {
	w := newWorld(t)
	var all []string
	for day := 1; day <= 5; day++ {
		w.at(t, fmt.Sprintf("2026-05-%02d 08:00", day))
		in := w.submit(t, teacher, workFlow, work("2026-05-10", "2026-05-11"))
		all = append([]string{in.ID}, all...)
	}
	w.decide(t, head, all[4], "reject")
	car := w.submit(t, head, "cqu.car_pass", form{"plate": "渝A12345", "start": "2026-05-10", "end": "2026-05-10"})
	for name, c := range map[string]struct {
		box  apply.Box
		who  string
		q    apply.Query
		want []string
	}{
		"all, latest first": {apply.Started, teacher, apply.Query{}, all},
		"a page":            {apply.Started, teacher, apply.Query{Page: 2, Size: 2}, all[2:4]},
		"past the end":      {apply.Started, teacher, apply.Query{Page: 9, Size: 2}, nil},
		"by state":          {apply.Started, teacher, apply.Query{State: approval.Rejected}, all[4:]},
		"by day":            {apply.Started, teacher, apply.Query{From: "2026-05-02", To: "2026-05-03"}, all[2:4]},
		"to do, by name":    {apply.Todo, head, apply.Query{Text: "周敏"}, all[:4]},
		"to do, by title":   {apply.Todo, above, apply.Query{Text: "公务车"}, []string{car.ID}},
		"by flow":           {apply.Todo, above, apply.Query{Flow: workFlow}, nil},
		"a percent sign":    {apply.Todo, head, apply.Query{Text: "%"}, nil},
		"SQL":               {apply.Todo, head, apply.Query{Text: "' OR 1=1 --"}, nil},
		"done":              {apply.Done, head, apply.Query{}, all[4:]},
	} {
		t.Run(name, func(t *testing.T) {
			rows, _, err := w.List(t.Context(), by(c.who), c.box, c.q)
			ok(t, err)
			if got := ids(rows); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	matters, total, err := w.Matters(t.Context(), apply.Query{Flow: workFlow, Size: 3})
	ok(t, err)
	if total != 5 || len(matters) != 3 || matters[0].ID != all[0] {
		t.Errorf("%d of %d", len(matters), total)
	}
}

// It goes away from the to-do list of whoever else could have done it.
func TestLists_CM020_ATaskIsGoneForEverybodyOnceItIsDone(t *testing.T) {
	w := newWorld(t)
	w.verify(t, w.lin, false)
	w.post(t, "community", "T1007")
	in := w.submit(t, w.lin, residentFlow, atHome("2026-05-01"))
	for _, person := range []string{community, "T1007"} {
		w.counted(t, person, map[apply.Box]int{apply.Todo: 1})
	}
	w.decide(t, community, in.ID, "agree")
	w.counted(t, community, map[apply.Box]int{apply.Done: 1})
	w.counted(t, "T1007", nil)
}

func TestView_CQ055_CQ069_CQ072_DetailAsEachOneSeesIt(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	mine, err := w.View(t.Context(), by(teacher), in.ID)
	ok(t, err)
	if mine.Version != 1 || mine.Mine != nil || len(mine.Chart) != 4 || mine.Chart[0].State != "current" || mine.Chart[0].People[0].Name != "陈立" {
		t.Errorf("version %d, mine %v, chart %+v", mine.Version, mine.Mine, mine.Chart)
	}
	for _, verb := range []string{"withdraw", "terminate", "urge", "cc", "comment"} {
		if !slices.Contains(mine.Actions, verb) {
			t.Errorf("the starter may not %s: %v", verb, mine.Actions)
		}
	}
	theirs, err := w.View(t.Context(), by(head), in.ID)
	ok(t, err)
	m := theirs.Mine
	if m == nil || len(m.Outcomes) < 2 || m.Outcomes[0].Name != "同意" || m.Outcomes[1].Name != "不同意" || !slices.Contains(m.Actions, "transfer") {
		t.Fatalf("mine %+v", m)
	}
	if slices.Contains(theirs.Actions, "withdraw") || slices.Contains(theirs.Actions, "terminate") || theirs.Tasks[0].People[0] != "陈立" || !theirs.Tasks[0].Mine {
		t.Errorf("actions %v, tasks %+v", theirs.Actions, theirs.Tasks)
	}
	if theirs.Tasks[0].Seats[0] != "部门负责人" || theirs.Trail[0].Verb != "submit" || theirs.Trail[0].Actor.Number != teacher {
		t.Errorf("seats %v, trail %+v", theirs.Tasks[0].Seats, theirs.Trail)
	}
	if _, err := w.View(t.Context(), by(w.lin), in.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else: %v", err)
	}
	if _, _, err := w.Act(t.Context(), by(w.lin), in.ID, approval.Act{Verb: approval.Say, Opinion: "x"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else acts: %v", err)
	}
	if a, err := w.View(t.Context(), admin(), in.ID); err != nil || !slices.Contains(a.Actions, "void") {
		t.Errorf("administrator: %v, %v", a.Actions, err)
	}
}

func TestView_CM026_LookingMarksACopyAsRead(t *testing.T) {
	w := newWorld(t)
	in, _, err := w.Create(t.Context(), by(teacher), apply.Request{
		Flow: workFlow, Form: work("2026-05-01", "2026-05-02"), Submit: true, CC: []string{"T1003"},
	})
	ok(t, err)
	a, err := w.View(t.Context(), by(teacher), in.ID)
	ok(t, err)
	if len(a.Copies) != 1 || a.Copies[0].Person.Name != "赵一鸣" || a.Copies[0].ReadAt != 0 {
		t.Fatalf("copies %+v", a.Copies)
	}
	if a, err = w.View(t.Context(), by("T1003"), in.ID); err != nil || a.Copies[0].ReadAt == 0 {
		t.Errorf("copies %+v, %v", a.Copies, err)
	}
	if len(a.Actions) == 0 || slices.Contains(a.Actions, "terminate") {
		t.Errorf("actions %v", a.Actions)
	}
	_, refusal, err := w.Create(t.Context(), by(teacher), apply.Request{
		Flow: workFlow, Form: work("2026-05-01", "2026-05-02"), Submit: true, CC: []string{"T0000"},
	})
	ok(t, err)
	if refusal == nil || refusal.Code != approval.NoSuchPerson {
		t.Errorf("a copy for nobody: %v", refusal)
	}
	w.counted(t, teacher, map[apply.Box]int{apply.Started: 1})
}

func TestTalk_CM038_CM049_CM050_TransferUrgeComment(t *testing.T) {
	w := newWorld(t)
	in := w.submit(t, teacher, workFlow, work("2026-05-01", "2026-05-02"))
	w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Urge})
	w.denied(t, by(teacher), in.ID, approval.Act{Verb: approval.Urge}, approval.TooSoon)
	if got := w.told(t, head); !slices.Equal(got, []string{"urged", "assigned"}) {
		t.Errorf("told %v", got)
	}
	w.act(t, by(head), in.ID, approval.Act{Verb: approval.Say, Opinion: "请说明具体实验室"})
	w.act(t, by(teacher), in.ID, approval.Act{Verb: approval.Say, Opinion: "综合楼 502"})
	w.act(t, by(head), in.ID, approval.Act{Verb: approval.Transfer, Task: w.task(t, head, in.ID), To: []string{above}})
	a, err := w.View(t.Context(), by(head), in.ID)
	ok(t, err)
	if len(a.Comments) != 2 || a.Comments[1].From.Name != "周敏" || a.Comments[1].Text != "综合楼 502" || a.Mine != nil {
		t.Errorf("comments %+v", a.Comments)
	}
	w.counted(t, head, nil)
	w.counted(t, above, map[apply.Box]int{apply.Todo: 1})
}

func TestKeys_TheSameKeyGivesTheSameApplication(t *testing.T) {
	w := newWorld(t)
	r := apply.Request{Flow: workFlow, Form: work("2026-05-01", "2026-05-02"), Submit: true, Key: "phone-1"}
	first, _, err := w.Create(t.Context(), by(teacher), r)
	ok(t, err)
	w.at(t, "2026-05-01 09:00")
	again, refusal, err := w.Create(t.Context(), by(teacher), r)
	ok(t, err)
	if refusal != nil || again.ID != first.ID {
		t.Fatalf("%v, %s after %s", refusal, again.ID, first.ID)
	}
	w.counted(t, teacher, map[apply.Box]int{apply.Started: 1})
	if other, _, err := w.Create(t.Context(), by(head), r); err != nil || other.ID == first.ID {
		t.Errorf("the key of somebody else: %s, %v", other.ID, err)
	}
	r.Form = work("2026-05-01", "2026-05-09")
	if _, _, err := w.Create(t.Context(), by(teacher), r); !errors.Is(err, apply.ErrKey) {
		t.Errorf("the key for something else: %v", err)
	}
}
