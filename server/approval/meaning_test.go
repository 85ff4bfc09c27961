package approval_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/approval"
)

// jointForm is a form for lab.joint; 200 yuan ask for r2 too.
func jointForm(fen float64, lead string) map[string]any {
	return map[string]any{"name": "试剂", "amount": fen, "lead": lead}
}

func TestStep_AnyTheFirstDecisionDecides(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.wants(approval.Running, "one", "r1a", "r1b", "r2a")
	if len(s.in.Tasks) != 1 || !slices.Equal(s.in.Tasks[0].Seats, []string{"role:r1", "role:r2"}) {
		t.Fatalf("tasks %+v, want one for all", s.in.Tasks)
	}
	s.decide("r1b", "agree")
	s.wants(approval.Running, "two", "r3a")
	s.refused(approval.TaskClosed, "r1a", approval.Act{Verb: approval.Decide, Task: "t1", Outcome: "reject"})
	s.refused(approval.NoTask, "eve", approval.Act{Verb: approval.Decide, Task: "t1", Outcome: "reject"})
	s.refused(approval.NoTask, "r1a", approval.Act{Verb: approval.Decide, Task: "t9", Outcome: "agree"})
}

func TestStep_ZZ018_ZZ020_AllMustAgreeAndOneHolderOfASeatIsEnough(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	// r1a sits on form:lead and is one of role:r1: one task with both seats.
	s.wants(approval.Running, "joint", "r1a", "r2a", "r3a")
	if task := s.pendingTask("r1a"); !slices.Equal(task.Seats, []string{"form:lead", "role:r1"}) {
		t.Fatalf("seats %v", task.Seats)
	}
	s.decide("r3a", "agree")
	s.decide("r1a", "agree")
	s.wants(approval.Running, "joint", "r2a")
	s.decide("r2a", "agree")
	s.wants(approval.Running, "check", "r2a")
}

func TestStep_ASeatOnlyAppliesWhenItsConditionDoes(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(9999, "r1a"))
	s.wants(approval.Running, "joint", "r1a", "r3a")
}

func TestStep_A25_TheFirstRejectionOfAJointStepEndsTheMatter(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	s.decide("r2a", "agree")
	s.do("r3a", approval.Act{Verb: approval.Decide, Outcome: "reject", Opinion: "不必要"})
	s.wants(approval.Rejected, "")
	if got := s.told("rejected"); !slices.Equal(got, []string{"ann"}) || !strings.Contains(s.last.Notices[0].Text, "不必要") {
		t.Errorf("told %+v", s.last.Notices)
	}
	s.refused(approval.TaskClosed, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree"})
	if s.in.Filed == 0 {
		t.Error("the effect archive.file files the matter")
	}
}

func TestStep_CQ092_ARejectedMatterStaysRejected(t *testing.T) {
	s := open(t, "lab.self_allow", "ann")
	s.submit(nil)
	s.decide("head", "reject")
	s.wants(approval.Rejected, "")
	for _, v := range []approval.Verb{approval.Submit, approval.Save, approval.Withdraw, approval.Terminate} {
		s.refused(approval.WrongState, "ann", approval.Act{Verb: v})
	}
}

func TestStep_AnOwnOutcomeOfAJointStepDecidesAlone(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	s.decide("r3a", "over")
	s.wants(approval.Completed, "")
}

func TestStep_ZA020_ZA035_ReturnGoesToTheStarterAndBackToTheReturner(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	serial := s.in.Serial
	for _, who := range []string{"r1a", "r2a", "r3a"} {
		s.decide(who, "agree")
	}
	s.do("r2a", approval.Act{Verb: approval.Decide, Outcome: "return", Opinion: "改数量"})
	s.wants(approval.Returned, "")
	if !slices.Equal(s.told("returned"), []string{"ann"}) {
		t.Errorf("told %+v", s.last.Notices)
	}
	s.submit(map[string]any{"name": "试剂二"})
	s.wants(approval.Running, "check", "r2a") // not the joint step again
	if s.in.Serial != serial || s.in.Round != 2 || s.in.Since != 1 || s.in.Title != "试剂二" {
		t.Errorf("serial %s → %s, round %d since %d", serial, s.in.Serial, s.in.Round, s.in.Since)
	}
	s.refused(approval.AlreadyReviewed, "ann", approval.Act{Verb: approval.Withdraw})

	// Sent back by a joint step, all its seats are asked again.
	s = open(t, "lab.joint", "ann")
	s.submit(jointForm(9999, "r1a"))
	s.decide("r3a", "agree")
	s.decide("r1a", "return")
	s.submit(jointForm(20000, "r1a"))
	s.wants(approval.Running, "joint", "r1a", "r2a", "r3a")
}

func TestStep_ReturnWithRestartRunsEveryStepAgain(t *testing.T) {
	s := open(t, "lab.added", "ann")
	s.submit(nil)
	s.decide("r1a", "agree")
	s.decide("r3a", "return")
	s.submit(nil)
	s.wants(approval.Running, "one", "r1a", "r1b", "r2a")
	s.do("ann", approval.Act{Verb: approval.Withdraw}) // what was decided before counts no more
}

func TestStep_CQ090_WithdrawOnlyWhileNobodyHasDecidedThenEditAndSubmitAgain(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(20000, "r1a"))
	s.refused(approval.NotYours, "r1a", approval.Act{Verb: approval.Withdraw})
	s.do("ann", approval.Act{Verb: approval.Withdraw})
	s.wants(approval.Withdrawn, "")
	if got := s.told("withdrawn"); !slices.Equal(got, []string{"r1a", "r2a", "r3a"}) {
		t.Errorf("told %v", got)
	}
	s.do("ann", approval.Act{Verb: approval.Save, Form: map[string]any{"name": "改"}})
	s.submit(nil)
	s.decide("r3a", "agree")
	s.refused(approval.AlreadyReviewed, "ann", approval.Act{Verb: approval.Withdraw})
}

func TestStep_CQ091_ZA023_TerminateAtAnyTimeAndForGood(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.refused(approval.WrongState, "ann", approval.Act{Verb: approval.Terminate})
	s.submit(jointForm(20000, "r1a"))
	s.decide("r3a", "agree")
	s.refused(approval.NotYours, "r3a", approval.Act{Verb: approval.Terminate})
	s.do("ann", approval.Act{Verb: approval.Terminate, Opinion: "不需要了"})
	s.wants(approval.Terminated, "")
	if got := s.told("terminated"); !slices.Equal(got, []string{"r1a", "r2a", "r3a"}) {
		t.Errorf("told %v, want all who were asked or have decided", got)
	}
	s.refused(approval.WrongState, "ann", approval.Act{Verb: approval.Submit})
	s.refused(approval.WrongState, "boss", approval.Act{Verb: approval.Void, Admin: true, Opinion: "x"})

	// An administrator may, and the starter hears of it (CM-047).
	s = open(t, "lab.added", "ann")
	s.submit(nil)
	s.do("boss", approval.Act{Verb: approval.Terminate, Admin: true})
	if got := s.last.Notices[0]; !slices.Contains(got.To, "ann") || got.Text != "您好,管理员中止了事项【任何人】,请知悉。" {
		t.Errorf("told %+v", got)
	}
}

func TestStep_TerminateAfterCompletionOnlyWhereAPassIsRevoked(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(500, "r1a"))
	s.decide("r1a", "agree")
	s.decide("r3a", "agree")
	s.wants(approval.Completed, "") // under 10 yuan the system agrees to the check
	ended := s.in.Ended
	s.after(time.Hour)
	s.do("ann", approval.Act{Verb: approval.Terminate})
	if s.in.State != approval.Terminated || len(s.last.Effects) != 1 || s.last.Effects[0].Do != "pass.revoke" || s.in.Ended != ended {
		t.Errorf("%s, effects %v", s.in.State, s.last.Effects)
	}

	s = open(t, "lab.self_allow", "ann")
	s.submit(nil)
	s.decide("head", "agree")
	s.refused(approval.WrongState, "ann", approval.Act{Verb: approval.Terminate})
}

func TestStep_CM040_VoidByAnAdministratorWithAReasonRevokes(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(500, "r1a"))
	s.decide("r1a", "agree")
	s.decide("r3a", "agree")
	s.refused(approval.NotYours, "ann", approval.Act{Verb: approval.Void, Opinion: "x"})
	s.refused(approval.OpinionRequired, "boss", approval.Act{Verb: approval.Void, Admin: true, Opinion: "  "})
	s.do("boss", approval.Act{Verb: approval.Void, Admin: true, Opinion: "填错人"})
	s.wants(approval.Voided, "")
	if len(s.last.Effects) != 1 || s.last.Effects[0].Do != "pass.revoke" {
		t.Errorf("effects %v", s.last.Effects)
	}
	if e := s.in.Trail[len(s.in.Trail)-1]; e.Verb != "void" || e.Opinion != "填错人" || e.Actor != "boss" {
		t.Errorf("trail %+v", e)
	}
	s.refused(approval.WrongState, "boss", approval.Act{Verb: approval.Void, Admin: true, Opinion: "x"})
}

func TestStep_SeqAsksOneAfterTheOther(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(map[string]any{"why": "x"})
	s.wants(approval.Running, "turns", "r1a", "r1b")
	s.refused(approval.WrongState, "r3a", approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	ok := approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"}
	s.do("r1b", ok)
	s.wants(approval.Running, "turns", "r2a")
	if got := s.told("assigned"); !slices.Equal(got, []string{"r2a"}) {
		t.Errorf("told %v", got)
	}
	if s.flow.Sees(s.in, "r3a", false) {
		t.Error("whose turn has not come does not see the matter yet")
	}
	s.do("r2a", ok)
	s.do("r3a", approval.Act{Verb: approval.Decide, Outcome: "reject", Opinion: "不"})
	s.wants(approval.Rejected, "")
}

func TestStep_SelfUpAsksTheNextHeadAbove(t *testing.T) {
	// In a sequence with self: up a starter who holds a seat is replaced.
	s := open(t, "lab.turns", "r2a")
	s.submit(map[string]any{"why": "x"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	s.wants(approval.Running, "turns", "dean") // dept has no head: the school's
	// Of several holders the others are asked.
	s = open(t, "lab.turns", "r1a")
	s.submit(map[string]any{"why": "x"})
	s.wants(approval.Running, "turns", "r1b")
	s.refused(approval.NotOffered, "r1b", approval.Act{Verb: approval.Transfer, To: []string{"r1a"}})
}

func TestStep_SelfSkipAndSelfAllow(t *testing.T) {
	s := open(t, "lab.self_skip", "head")
	s.submit(nil)
	s.wants(approval.Running, "two", "r2a")
	if e := s.in.Trail[1]; e.Verb != "skip" || e.Actor != "system" || e.Step != "one" {
		t.Errorf("trail %+v", e)
	}
	s = open(t, "lab.self_allow", "head")
	s.submit(nil)
	s.wants(approval.Running, "one", "head")
	s.refused(approval.NotOffered, "head", approval.Act{Verb: approval.Decide, Outcome: "return"})
	s.decide("head", "agree")
	s.wants(approval.Completed, "")
	if len(s.last.Notices) != 0 {
		t.Errorf("told %+v of his own act", s.last.Notices)
	}
}

func TestStep_EmptyAsksAdministratorsSkipsOrRefuses(t *testing.T) {
	s := open(t, "lab.empty_admin", "ann")
	s.submit(nil)
	s.wants(approval.Running, "one", "boss")
	s = open(t, "lab.empty_skip", "ann")
	s.submit(nil)
	s.wants(approval.Running, "two", "r1a", "r1b")
	s = open(t, "lab.empty_refuse", "ann")
	s.refused(approval.NoHandler, "ann", approval.Act{Verb: approval.Submit})
	if s.serial != 0 {
		t.Error("a refused submit drew a number")
	}
}

func TestStep_AMatterThatNoStepAppliesToIsRefusedAndNotApproved(t *testing.T) {
	s := open(t, "lab.nobody", "ann")
	s.refused(approval.NoHandler, "ann", approval.Act{Verb: approval.Submit})
}

func TestStep_AutoIsTheSystemsInTheTrail(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(999, "r1a"))
	s.decide("r1a", "agree")
	s.decide("r3a", "agree")
	s.wants(approval.Completed, "")
	var lines []string
	for _, e := range s.in.Trail {
		lines = append(lines, e.Actor+" "+e.Verb)
	}
	want := []string{"ann submit", "r1a agree", "r3a agree", "system agree", "system archive"}
	if !slices.Equal(lines, want) {
		t.Errorf("trail %v, want %v", lines, want)
	}
	var effects []string
	for _, e := range s.last.Effects {
		effects = append(effects, e.Do)
	}
	if !slices.Equal(effects, []string{"archive.file", "pass.issue"}) || s.in.Filed == 0 {
		t.Errorf("effects %v", effects)
	}
}

func TestStep_CQ073_OpinionsAreRequiredOptionalOrDropped(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(nil)
	s.refused(approval.OpinionRequired, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: " \n"})
	for _, who := range []string{"r1a", "r2a", "r3a"} {
		s.do(who, approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	}
	s.do("ann", approval.Act{Verb: approval.Decide, Outcome: "note", Form: map[string]any{"log": "一"}})
	s.decide("ann", "complete")
	s.do("r2a", approval.Act{Verb: approval.Decide, Outcome: "complete", Opinion: "多话", Form: map[string]any{"mark": 80.0}})
	if got := s.in.Trail[len(s.in.Trail)-1].Opinion; got != "" {
		t.Errorf("a step without opinions kept %q", got)
	}
}

func TestStep_ZZ014_A29_EachOfTwoOfficesScores(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(nil)
	for _, who := range []string{"r1a", "r2a", "r3a"} {
		s.do(who, approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	}
	s.do("ann", approval.Act{Verb: approval.Decide, Outcome: "note", Form: map[string]any{"log": "一"}})
	s.decide("ann", "complete")
	s.do("r1b", approval.Act{Verb: approval.Decide, Outcome: "complete", Form: map[string]any{"mark": 90.0}})
	// What the first office wrote does not count for the second.
	no := s.refused(approval.FieldRequired, "r2a", approval.Act{Verb: approval.Decide, Outcome: "complete"})
	if no.Field != "mark" {
		t.Errorf("field %s", no.Field)
	}
	s.do("r2a", approval.Act{Verb: approval.Decide, Outcome: "complete", Form: map[string]any{"mark": 70.0}})
	var marks []any
	for _, r := range s.in.Records {
		if r.Step == "mark" {
			marks = append(marks, r.Values["mark"])
		}
	}
	if !slices.Equal(marks, []any{90.0, 70.0}) {
		t.Errorf("records %v", marks)
	}
}

func TestStep_ZZ023_ARepeatedStepIsRecordedBeforeItIsComplete(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(nil)
	for _, who := range []string{"r1a", "r2a", "r3a"} {
		s.do(who, approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	}
	s.refused(approval.RecordFirst, "ann", approval.Act{Verb: approval.Decide, Outcome: "complete"})
	note := approval.Act{Verb: approval.Decide, Outcome: "note", Form: map[string]any{"log": "第一周"}}
	s.do("ann", note)
	s.do("ann", note)
	s.wants(approval.Running, "work", "ann")
	if len(s.in.Records) != 2 || s.pendingTask("ann").Values != nil {
		t.Errorf("records %+v", s.in.Records)
	}
	// What was typed for another outcome does not stand in the way.
	s.do("ann", approval.Act{Verb: approval.Decide, Outcome: "again", Form: map[string]any{"log": "x", "again_why": "方案有变"}})
	s.wants(approval.Running, "turns", "r1a", "r1b")
	for _, who := range []string{"r1a", "r2a", "r3a"} {
		s.do(who, approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"})
	}
	s.refused(approval.RecordFirst, "ann", approval.Act{Verb: approval.Decide, Outcome: "complete"}) // a new visit
}

func TestStep_AnAbsentFieldThatARuleReadsIsRequired(t *testing.T) {
	s := open(t, "lab.absent", "ann")
	if no := s.refused(approval.FieldRequired, "ann", approval.Act{Verb: approval.Submit, Form: map[string]any{"a": "2026-05-02"}}); no.Field != "b" {
		t.Errorf("field %s", no.Field)
	}
	s.refused("DATE_ORDER", "ann", approval.Act{Verb: approval.Submit, Form: map[string]any{"a": "2026-05-02", "b": "2026-04-30"}})
	no := s.refused("DATE_PAST", "ann", approval.Act{Verb: approval.Submit, Form: map[string]any{"a": "2026-04-01", "b": "2026-04-30"}})
	if no.Details["today"] != "2026-05-01" {
		t.Errorf("details %v", no.Details)
	}
}

func TestStep_VersionIsThatOfTheSubmit(t *testing.T) {
	s := open(t, "lab.added", "ann")
	newer := *s.flow
	newer.Version = 7
	s.flow = &newer
	s.submit(nil)
	if s.in.Version != 7 {
		t.Errorf("version %d", s.in.Version)
	}
	s.decide("r1a", "return")
	newest := newer
	newest.Version = 8
	s.flow = &newest
	s.submit(nil)
	if s.in.Version != 7 {
		t.Errorf("version %d after a return, want the one it was submitted under", s.in.Version)
	}
}

func TestStep_CM034_ZA011_TheSerialIsDrawnOnceAndShown(t *testing.T) {
	s := open(t, "lab.joint", "ann")
	s.submit(jointForm(500, "r1a"))
	if s.in.Serial != "L2026001" || s.in.Form["code"] != "L2026001" || s.serial != 1 {
		t.Errorf("serial %s, code %v, drawn %d times", s.in.Serial, s.in.Form["code"], s.serial)
	}
	s.do("ann", approval.Act{Verb: approval.Withdraw})
	s.submit(nil)
	if s.serial != 1 {
		t.Error("a second submit drew another number")
	}
}
