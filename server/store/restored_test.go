package store_test

import (
	"testing"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// TestRestored_DecidesNothingUntilItsAgentsWereHeard: an admission that the server
// granted after the backup is known to the gate alone. Before that gate was heard
// nobody gets an answer; then the pass is used, once.
func TestRestored_DecidesNothingUntilItsAgentsWereHeard(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	other := gateLog(t, s, c, "west", 3)
	if n := must(s.Restored(t.Context(), "test"))(t); n != 2 {
		t.Fatalf("%d agents are waited for, want 2", n)
	}
	lost := l.id(1).String() // of a question that the restored server never heard
	again := claim(c, "2-1-900", passID(1), other.gate)
	if a := decide(t, s, again); a.State != verdict.ClaimSilent {
		t.Fatalf("before the agents were heard: %+v", a)
	}
	e := admit(passID(1), 1, c.seconds()+3600)
	e.Counts, e.Claim = false, lost
	e.Case.Policy.Mode, e.Case.Claim = verdict.Online, verdict.Claim{State: verdict.ClaimGranted}
	l.send(t, s, l.add(t, e))
	ok(t, s.Heard(t.Context(), 1))
	if a := decide(t, s, again); a.State != verdict.ClaimSilent {
		t.Fatalf("one agent is not heard yet: %+v", a)
	}
	ok(t, s.Heard(t.Context(), 2))
	if a := decide(t, s, again); a.State != verdict.ClaimUsed {
		t.Fatalf("the pass was used: %+v", a)
	}
	var f feedMap
	f.pull(t, s, 10)
	if u, _ := f.use(t, passID(1)); u.Count != 1 {
		t.Fatalf("uses: %+v", u)
	}
	if a := decide(t, s, claim(c, lost, passID(1), l.gate)); a.State != verdict.ClaimGranted {
		t.Errorf("the question, asked again: %+v", a)
	}
}

// TestRestored_NumbersOnwards: what was given out after the backup is not given
// out again.
func TestRestored_NumbersOnwards(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	own := must(s.RecordOwn(t.Context(), wire.Event{Type: wire.EventEntry, At: c.at(), Gate: l.gate}))(t)
	before := must(s.Events(t.Context(), 0, 10))(t)
	must(s.Restored(t.Context(), "test"))(t)
	if g := addGate(t, s, "new", verdict.Owner); int(g.ID) < int(l.gate)+256 {
		t.Errorf("gate %d after %d", g.ID, l.gate)
	}
	if a := enrol(t, s, c, l.gate, 7); a.Epoch < 1000 {
		t.Errorf("epoch %d", a.Epoch)
	}
	next := must(s.RecordOwn(t.Context(), wire.Event{Type: wire.EventEntry, At: c.at(), Gate: l.gate}))(t)
	if next.Epoch == own.Epoch {
		t.Errorf("the server's own event %v after %v", next, own)
	}
	all := must(s.Events(t.Context(), 0, 10))(t)
	if last := all[len(all)-1]; last.Position < before[0].Position+1<<32 {
		t.Errorf("position %d after %d", last.Position, before[0].Position)
	}
}

// TestSkip_ShowsWhatNobodyHas: a gap is kept, told and passed once; what follows
// fits the chain.
func TestSkip_ShowsWhatNobodyHas(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	var all []wire.Record
	for n := range 4 {
		all = append(all, l.add(t, admit(passID(n+1), 1, c.seconds()+3600)))
	}
	must(s.Ingest(t.Context(), 1, 1, all[:1]))(t)
	for range 2 {
		if acked := must(s.Skip(t.Context(), 1, 1, 3, all[2].Hash))(t); acked != 3 {
			t.Fatalf("acked %d, want 3", acked)
		}
		c.add(time.Second)
	}
	gaps := must(s.Gaps(t.Context()))(t)
	if len(gaps) != 1 || gaps[0].First != 2 || gaps[0].Last != 3 || s.Stats().Alarms != 1 {
		t.Fatalf("gaps %+v, %d alarms", gaps, s.Stats().Alarms)
	}
	must(s.Ingest(t.Context(), 1, 1, all[3:]))(t)
	if got := must(s.Events(t.Context(), 0, 10))(t); len(got) != 2 || len(must(s.Quarantine(t.Context(), 0, 10))(t)) != 0 {
		t.Fatalf("%d events", len(got))
	}
}
