package store_test

import (
	"fmt"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// by is an admission in a mode, offline or not, with a guard on shift.
func by(e wire.Event, mode verdict.Mode, offline bool, guard string) wire.Event {
	e.Case.Policy.Mode, e.Offline, e.Guard = mode, offline, guard
	return e
}

func TestConflicts_SayModesAndGuardsOfBothGatesHoweverLateTheirJournals(t *testing.T) {
	s, c := newStore(t)
	east, west := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	exp, first := c.seconds()+86400, c.at()
	// East was dark and admits alone; west asked the server under a claim.
	mine := east.add(t, by(admit(passID(1), 1, exp), verdict.FirstSeen, true, "2013044"))
	c.add(time.Minute)
	asked := claim(c, "2-1-1", passID(1), west.gate)
	if a := decide(t, s, asked); a.State != verdict.ClaimGranted {
		t.Fatalf("claim: %+v", a)
	}
	under := by(admit(passID(1), 1, exp), verdict.Online, false, "2006020")
	under.Claim, under.Counts = asked.ID, false
	theirs := west.add(t, under)
	again := under
	again.Verdict.Repeat, again.Guard = true, "9999999"
	repeat := west.add(t, again)

	c.add(6 * time.Hour)
	east.send(t, s, mine)
	got := must(s.Conflicts(t.Context(), 50))(t)
	if len(got) != 1 || len(got[0].Admissions) != 2 || got[0].ID() != passID(1).String()+"/1-1-1" {
		t.Fatalf("one journal has come: %+v", got)
	}
	if a := got[0].Admissions[1]; a != (store.Admission{Ref: "claim:2-1-1", Gate: west.gate, GateName: "west", At: first + 60_000}) {
		t.Fatalf("of a journal that has not come: %+v", a)
	}
	west.send(t, s, theirs, repeat)
	got = must(s.Conflicts(t.Context(), 50))(t)
	want := []store.Admission{
		{Ref: "1-1-1", Gate: east.gate, GateName: "east", At: first, Event: *east.id(1), Mode: verdict.FirstSeen, Offline: true, Guard: "2013044"},
		{Ref: "claim:2-1-1", Gate: west.gate, GateName: "west", At: first + 60_000, Event: *west.id(1), Mode: verdict.Online, Guard: "2006020"},
	}
	if len(got) != 1 || got[0].Allowed != 1 || got[0].Admissions[0] != want[0] || got[0].Admissions[1] != want[1] {
		t.Fatalf("both have come: %+v", got)
	}
}

func TestConflicts_AFurtherAdmissionIsANewOne(t *testing.T) {
	s, c := newStore(t)
	logs := []*agentLog{gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3), gateLog(t, s, c, "north", 4)}
	exp := c.seconds() + 3600
	for _, l := range logs[:2] {
		l.send(t, s, l.add(t, admit(passID(1), 1, exp)))
	}
	one := must(s.Unseen(t.Context(), 10))(t)[0]
	ok(t, s.SeeConflict(t.Context(), "test", one.Pass, one.Ref, "断网"))
	ok(t, s.ToldOf(t.Context(), &one))
	if n := len(must(s.Unseen(t.Context(), 10))(t)) + len(must(s.Untold(t.Context(), c.at(), 10))(t)); n != 0 {
		t.Fatal("seen and told, and still there")
	}
	logs[2].send(t, s, logs[2].add(t, admit(passID(1), 1, exp)))
	two := must(s.Unseen(t.Context(), 10))(t)
	if len(two) != 1 || two[0].ID() == one.ID() || len(two[0].Admissions) != 3 || two[0].Remark != "" || two[0].SeenBy != "" {
		t.Fatalf("the third: %+v", two)
	}
	// What was under way of the first changes nothing of the second.
	ok(t, s.ToldOf(t.Context(), &one))
	ok(t, s.TellAgain(t.Context(), &one, c.at()+1e6, "late"))
	wants(t, s.SeeConflict(t.Context(), "test", one.Pass, one.Ref, "late"), store.ErrNotFound)
	if due := must(s.Untold(t.Context(), c.at(), 10))(t); len(due) != 1 || due[0].ID() != two[0].ID() || due[0].Attempts != 0 {
		t.Fatalf("to be told: %+v", due)
	}
}

// BenchmarkConflicts is the report of 50, in a file with many more.
func BenchmarkConflicts(b *testing.B) {
	s, c := newStore(b)
	logs := []*agentLog{gateLog(b, s, c, "east", 2), gateLog(b, s, c, "west", 3)}
	exp := c.seconds() + 3600
	for _, l := range logs {
		var records []wire.Record
		for i := range 5000 {
			id := passID(1)
			copy(id[:], fmt.Sprintf("%08d", i))
			records = append(records, l.add(b, by(admit(signing.PassID(id), 1, exp), verdict.Owner, true, "2013044")))
		}
		l.send(b, s, records...)
	}
	for b.Loop() {
		if got := must(s.Conflicts(b.Context(), 50))(b); len(got) != 50 {
			b.Fatalf("%d conflicts", len(got))
		}
	}
}
