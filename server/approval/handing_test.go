package approval_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/approval"
)

func TestStep_CM038_ZA015_TransferKeepsBothInTheTrail(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	s.refused(approval.AlreadyHolds, "r2a", approval.Act{Verb: approval.Transfer, To: []string{"r3a"}})
	s.refused(approval.NoSuchPerson, "r2a", approval.Act{Verb: approval.Transfer, To: []string{"ghost"}})
	s.refused(approval.FieldInvalid, "r2a", approval.Act{Verb: approval.Transfer, To: []string{"eve", "bob"}})
	s.refused(approval.NotOffered, "r2a", approval.Act{Verb: "delegate", To: []string{"eve"}})
	s.do("r2a", approval.Act{Verb: approval.Transfer, To: []string{"eve"}, Opinion: "请代办"})
	s.wants(approval.Running, "joint", "eve", "r1a", "r3a")
	if e := s.in.Trail[len(s.in.Trail)-1]; e.Actor != "r2a" || e.Verb != "transfer" || !slices.Equal(e.To, []string{"eve"}) {
		t.Errorf("trail %+v", e)
	}
	if !slices.Equal(s.told("assigned"), []string{"eve"}) || !s.flow.Sees(s.in, "r2a", false) {
		t.Error("the new holder is told, the old one still sees the matter")
	}
	s.refused(approval.TaskClosed, "r2a", approval.Act{Verb: approval.Decide, Outcome: "agree"})
	// Who has decided a task of this step cannot be given another.
	s.decide("r3a", "agree")
	s.refused(approval.AlreadyHolds, "eve", approval.Act{Verb: approval.Transfer, To: []string{"r3a"}})
}

func TestStep_TransferOfASharedTaskLeavesItToTheOthers(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.Transfer, To: []string{"eve"}})
	s.wants(approval.Running, "one", "eve", "r1b", "r2a")
}

func TestStep_ZA016_ReassignByAnAdministrator(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	to := []string{"eve"}
	s.refused(approval.NotYours, "r1a", approval.Act{Verb: approval.Reassign, Task: "t1", To: to})
	s.refused(approval.NoTask, "boss", approval.Act{Verb: approval.Reassign, Admin: true, Task: "t7", To: to})
	s.do("boss", approval.Act{Verb: approval.Reassign, Admin: true, Task: "t1", To: to})
	s.wants(approval.Running, "one", "eve")
	s.refused(approval.TaskClosed, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree"})
	s.decide("eve", "agree")
	s.refused(approval.TaskClosed, "boss", approval.Act{Verb: approval.Reassign, Admin: true, Task: "t1", To: []string{"bob"}})
}

func TestStep_ZA021_ZA026_A27_AddedBeforeMeThenTheTaskReturns(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.refused(approval.AlreadyHolds, "r1a", approval.Act{Verb: approval.AddSign, To: []string{"r1b"}})
	s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.AddSign})
	s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve"}, At: "never"})
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve", "bob"}})
	s.wants(approval.Running, "one", "bob", "eve") // the task waits, for the others of it too
	say := approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "可以"}
	for _, outcome := range []string{"agree", "reject", "return"} {
		s.refused(approval.NotOffered, "eve", approval.Act{Verb: approval.Decide, Outcome: outcome, Opinion: "x"})
	}
	s.refused(approval.OpinionRequired, "eve", approval.Act{Verb: approval.Decide, Outcome: "complete"})
	s.do("eve", say)
	s.wants(approval.Running, "one", "bob")
	s.do("bob", say)
	s.wants(approval.Running, "one", "r1a") // to the one who asked, not to r1b
	s.decide("r1a", "agree")
	s.wants(approval.Running, "two", "r3a")
}

func TestStep_AddedAnyAsksOnlyOneOfThem(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve", "bob"}, Mode: approval.Any})
	s.do("bob", approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "可以"})
	s.wants(approval.Running, "one", "r1a")
}

func TestStep_AddedAfterMeAreAskedOnceIHaveAgreed(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve"}, At: "after"})
	s.wants(approval.Running, "one", "r1a", "r1b", "r2a")
	s.decide("r1a", "agree")
	s.wants(approval.Running, "one", "eve")
	s.do("eve", approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "知悉"})
	s.wants(approval.Running, "two", "r3a")
}

func TestStep_AddedInParallelHoldTheStepButNotMe(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve"}, At: "parallel"})
	s.wants(approval.Running, "one", "eve", "r1a", "r1b", "r2a")
	s.decide("r1a", "agree")
	s.wants(approval.Running, "one", "eve")
	s.do("eve", approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "可以"})
	s.wants(approval.Running, "two", "r3a")

	s = open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve"}, At: "parallel"})
	s.decide("r1a", "reject")
	s.wants(approval.Rejected, "")
}

func TestStep_NestedAddSignComesBackThroughEverybody(t *testing.T) {
	say := approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "可以"}
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve"}})
	s.do("eve", approval.Act{Verb: approval.AddSign, To: []string{"bob"}})
	s.refused(approval.AlreadyHolds, "bob", approval.Act{Verb: approval.AddSign, To: []string{"r1a"}}) // who waits for him
	s.wants(approval.Running, "one", "bob")
	s.do("bob", say)
	s.wants(approval.Running, "one", "eve")
	s.do("eve", approval.Act{Verb: approval.AddSign, To: []string{"kim"}, At: "after"})
	s.do("eve", say)
	s.wants(approval.Running, "one", "kim")
	s.do("kim", say)
	s.wants(approval.Running, "one", "r1a")
}

func TestStep_TheChoiceIsKeptUntilThoseAddedAfterHaveSpoken(t *testing.T) {
	s := open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "yes_"})
	s.do("r1a", approval.Act{Verb: approval.AddSign, To: []string{"eve"}, At: "after"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left", Handler: "r3a"})
	s.wants(approval.Running, "first", "eve")
	s.do("eve", approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "可以"})
	s.wants(approval.Running, "left", "r3a")
}

func TestStep_CQ072_TheHandlerChoosesTheNextStepAndItsHandler(t *testing.T) {
	s := open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "no_"})
	no := s.refused(approval.NextStep, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree"})
	if no.Field != "next" || !slices.Equal(no.Details["choose"].([]string), []string{"right"}) {
		t.Errorf("%+v, want the one choice whose condition holds", no)
	}
	s.refused(approval.NextStep, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left"})
	s.refused(approval.NextStep, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "right", Handler: "eve"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "right"}) // optional: all who may
	s.wants(approval.Running, "right", "r2a")
	s.decide("r2a", "complete")
	s.wants(approval.Running, "last", "head") // the step that was not chosen never ran
	s.refused(approval.NextStep, "head", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left"})

	s = open(t, "lab.ways", "ann")
	s.submit(map[string]any{"big": "yes_"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left"})
	no = s.refused(approval.NextStep, "r3a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "seal"})
	if no.Field != "handler" {
		t.Errorf("field %s", no.Field)
	}
	s.do("r3a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "seal", Handler: "r1b"})
	s.wants(approval.Running, "seal", "r1b")
}

func TestStep_ZZ011_AClaimedTaskIsNobodyElses(t *testing.T) {
	s := newStage(t, flowOf(t, lab(t), "lab.ways"), crew(), "ann")
	s.roster.Posts = append(s.roster.Posts, approval.RosterPost{Role: "r2", Person: "bob"})
	s.submit(map[string]any{"big": "no_"})
	s.refused(approval.NotOffered, "r1a", approval.Act{Verb: approval.TakeUp}) // no step to claim
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "right"})
	s.wants(approval.Running, "right", "bob", "r2a")
	s.do("bob", approval.Act{Verb: approval.TakeUp})
	s.wants(approval.Running, "right", "bob")
	s.refused(approval.TaskClosed, "r2a", approval.Act{Verb: approval.Decide, Outcome: "complete"})
	s.refused(approval.TaskClosed, "r2a", approval.Act{Verb: approval.TakeUp})
	s.decide("bob", "complete")
}

func TestStep_CM026_CopiesAreReadAndGiveNoRightToAct(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.do("ann", approval.Act{Verb: approval.Submit, Form: jointForm(500, "r1a"), To: []string{"eve"}})
	if got := s.told("cc"); !slices.Equal(got, []string{"eve", "r3a"}) {
		t.Errorf("told %v, want the starter's copy and the flow's own", got)
	}
	s.refused(approval.NoTask, "eve", approval.Act{Verb: approval.Decide, Outcome: "agree"})
	s.refused(approval.NotYours, "eve", approval.Act{Verb: approval.SendCopy, To: []string{"bob"}})
	s.refused(approval.NoSuchPerson, "r1a", approval.Act{Verb: approval.SendCopy, To: []string{"ghost"}})
	s.do("r1a", approval.Act{Verb: approval.SendCopy, To: []string{"bob", "eve"}})
	if got := s.told("cc"); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("told %v, want only who had none", got)
	}
	s.do("eve", approval.Act{Verb: approval.MarkRead})
	i := slices.IndexFunc(s.in.Copies, func(c approval.Copy) bool { return c.Person == "eve" })
	if s.in.Copies[i].Read == 0 || s.in.Copies[i].By != "ann" {
		t.Errorf("copy %+v", s.in.Copies[i])
	}
}

func TestStep_ZA024_CM049_UrgeOncePerTaskAndHour(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	s.refused(approval.NotYours, "r1a", approval.Act{Verb: approval.Urge})
	s.do("ann", approval.Act{Verb: approval.Urge})
	if got := s.told("urged"); len(got) != 3 {
		t.Errorf("told %v", got)
	}
	urged := s.w.Now
	s.after(59 * time.Minute)
	no := s.refused(approval.TooSoon, "ann", approval.Act{Verb: approval.Urge})
	if no.Details["again_at"] != urged.Add(time.Hour).UnixMilli() {
		t.Errorf("details %v", no.Details)
	}
	// A task that changed hands may be urged at once, the others not yet.
	s.do("r2a", approval.Act{Verb: approval.Transfer, To: []string{"eve"}})
	s.do("ann", approval.Act{Verb: approval.Urge})
	if got := s.told("urged"); !slices.Equal(got, []string{"eve"}) {
		t.Errorf("told %v", got)
	}
	s.after(time.Minute)
	s.do("ann", approval.Act{Verb: approval.Urge})
	if got := s.told("urged"); !slices.Equal(got, []string{"r1a", "r3a"}) {
		t.Errorf("told %v", got)
	}
}

func TestStep_CM050_CommentsGoToThoseWhoSeeTheMatter(t *testing.T) {
	s := open(t, "lab.self_allow", "ann")
	s.refused(approval.WrongState, "ann", approval.Act{Verb: approval.Say, Opinion: "在吗"})
	s.submit(nil)
	s.refused(approval.NotYours, "eve", approval.Act{Verb: approval.Say, Opinion: "在吗"})
	s.refused(approval.OpinionRequired, "ann", approval.Act{Verb: approval.Say})
	s.refused(approval.NoSuchPerson, "ann", approval.Act{Verb: approval.Say, Opinion: "看", To: []string{"eve"}})
	s.do("ann", approval.Act{Verb: approval.Say, Opinion: "{actor} 请看", To: []string{"head"}})
	if n := s.last.Notices; len(n) != 1 || n[0].Text != "您好,安就事项【本人可批】给您留言:{actor} 请看" {
		t.Errorf("told %+v", n)
	}
	s.do("head", approval.Act{Verb: approval.Say, Opinion: "收到"})
	if got := s.told("comment"); !slices.Equal(got, []string{"ann"}) || len(s.in.Comments) != 2 {
		t.Errorf("told %v", got)
	}
}

func TestStep_ZU009_RatingOnceForEachTargetAfterTheEnd(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(500, "r1a"))
	good := approval.Act{Verb: approval.Rate, Target: "service", Stars: 5, Opinion: "快"}
	s.refused(approval.WrongState, "ann", good)
	s.decide("r1a", "agree")
	s.decide("r3a", "agree")
	s.refused(approval.NotYours, "r1a", good)
	s.refused(approval.FieldInvalid, "ann", approval.Act{Verb: approval.Rate, Target: "score", Stars: 5})
	s.refused(approval.FieldInvalid, "ann", approval.Act{Verb: approval.Rate, Target: "service", Stars: 6})
	s.do("ann", good)
	s.refused(approval.NotOffered, "ann", good)
	s.do("ann", approval.Act{Verb: approval.Rate, Target: "process", Stars: 1})
	s.refused(approval.NotOffered, "ann", good)
}

func TestStep_SavedWorkOfAHandlerCountsForNothingUntilTheyDecide(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.Save, Opinion: "草稿意见"})
	if task := s.pendingTask("r1a"); task.Opinion != "草稿意见" || task.State != approval.Pending {
		t.Errorf("%+v", task)
	}
	s.refused(approval.NoTask, "eve", approval.Act{Verb: approval.Save, Opinion: "x"})
	s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.Save, Form: map[string]any{"nothing": "x"}})
}

func TestStep_HostileTextIsRefusedOrKeptAsItIs(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	long := strings.Repeat("名", 10_000)
	for _, bad := range []string{long, "\xff\xfe", "a\x00b", "\u202eabc"} {
		s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: bad})
		s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.Transfer, To: []string{bad}})
	}
	s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.SendCopy, To: make([]string, 1)})
	many := make([]string, approval.MaxItems+1)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	s.refused(approval.FieldInvalid, "r1a", approval.Act{Verb: approval.SendCopy, To: many})
	for _, odd := range []string{"=1+1", "@SUM(A1)", "<script>alert(1)</script>", "'; DROP TABLE x;--", "🙂"} {
		s.do("r1a", approval.Act{Verb: approval.Save, Opinion: odd})
		if got := s.in.Tasks[0].Opinion; got != odd {
			t.Errorf("kept %q of %q", got, odd)
		}
	}
}
