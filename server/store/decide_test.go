package store_test

import (
	"testing"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func claim(c *clock, id string, pass signing.PassID, gate uint16) wire.Claim {
	return wire.Claim{ID: id, Pass: pass, Gate: gate, Uses: 1, Expires: c.seconds() + 3600, At: c.at()}
}

func decide(t testing.TB, s *store.Store, c wire.Claim) wire.Answer {
	t.Helper()
	a := must(s.Decide(t.Context(), c))(t)
	if a.ID != c.ID {
		t.Fatalf("answer to %s names %s", c.ID, a.ID)
	}
	return a
}

func TestDecide_FirstIsGrantedAndTheRestAreUsed(t *testing.T) {
	s, c := newStore(t)
	first := claim(c, "1-1-1", passID(1), 1)
	if a := decide(t, s, first); a.State != verdict.ClaimGranted {
		t.Fatalf("first: %+v", a)
	}
	c.add(5e9)
	second := claim(c, "2-1-1", passID(1), 2)
	for range 2 {
		if a := decide(t, s, second); a.State != verdict.ClaimUsed || a.First == nil || *a.First != (verdict.Use{At: first.At, Gate: 1}) {
			t.Fatalf("second: %+v", a)
		}
		if a := decide(t, s, first); a.State != verdict.ClaimGranted {
			t.Fatalf("first, again: %+v", a)
		}
	}
	var f feedMap
	f.pull(t, s, 10)
	if u, _ := f.use(t, passID(1)); u.Count != 1 || u.First.Gate != 1 {
		t.Fatalf("feed: %+v", u)
	}
}

func TestDecide_SeveralUses(t *testing.T) {
	s, c := newStore(t)
	for i, want := range []verdict.ClaimState{verdict.ClaimGranted, verdict.ClaimGranted, verdict.ClaimUsed} {
		cl := claim(c, "1-1-"+string(rune('1'+i)), passID(1), 1)
		cl.Uses = 2
		if a := decide(t, s, cl); a.State != want {
			t.Fatalf("claim %d: %+v", i, a)
		}
	}
}

func TestDecide_GivenBack(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	granted := claim(c, "1-1-1", passID(1), l.gate)
	decide(t, s, granted)
	l.send(t, s, l.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Claim: granted.ID}))
	if a := decide(t, s, granted); a.State != verdict.ClaimSilent {
		t.Fatalf("the dead claim: %+v", a)
	}
	if a := decide(t, s, claim(c, "2-1-1", passID(1), 9)); a.State != verdict.ClaimGranted {
		t.Fatalf("the next: %+v", a)
	}
}

func TestDecide_GivenBackBeforeItWasAsked(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	l.send(t, s, l.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Claim: "1-1-1"}))
	if a := decide(t, s, claim(c, "1-1-1", passID(1), l.gate)); a.State != verdict.ClaimSilent {
		t.Fatalf("late question: %+v", a)
	}
	if a := decide(t, s, claim(c, "1-1-2", passID(1), l.gate)); a.State != verdict.ClaimGranted {
		t.Fatalf("next question: %+v", a)
	}
}

func TestDecide_RevokedIsSilent(t *testing.T) {
	s, c := newStore(t)
	addPass(t, s, c, passID(1), 0)
	ok(t, s.RevokePass(t.Context(), "test", passID(1), "moved"))
	if a := decide(t, s, claim(c, "1-1-1", passID(1), 1)); a.State != verdict.ClaimSilent {
		t.Fatalf("revoked: %+v", a)
	}
}

func TestDecide_OnlyWhatNoGateMayBeDeciding(t *testing.T) {
	s, c := newStore(t)
	owner := addGate(t, s, "owner", verdict.Owner)
	online := addGate(t, s, "online", verdict.Online)
	enrol(t, s, c, owner.ID, 2)
	addPass(t, s, c, passID(1), owner.ID)
	addPass(t, s, c, passID(2), online.ID)
	if a := decide(t, s, claim(c, "9-1-1", passID(1), online.ID)); a.State != verdict.ClaimSilent {
		t.Fatalf("a pass of a gate that decides: %+v", a)
	}
	if a := decide(t, s, claim(c, "9-1-2", passID(2), online.ID)); a.State != verdict.ClaimGranted {
		t.Fatalf("a pass of an online gate: %+v", a)
	}
	// The owner goes online, but may have admitted somebody meanwhile.
	toOnline := func(g *store.Gate) error { g.Mode = verdict.Online; return nil }
	if g := must(s.ChangeGate(t.Context(), "test", owner.ID, toOnline))(t); g.DrainingSince == 0 {
		t.Fatalf("not draining: %+v", g)
	}
	if a := decide(t, s, claim(c, "9-1-3", passID(1), online.ID)); a.State != verdict.ClaimSilent {
		t.Fatalf("a pass of a draining gate: %+v", a)
	}
	must(s.Drained(t.Context(), "test", owner.ID))(t)
	if a := decide(t, s, claim(c, "9-1-4", passID(1), online.ID)); a.State != verdict.ClaimGranted {
		t.Fatalf("after draining: %+v", a)
	}
}

func TestDecide_ErrStateOnAnotherPassUnderTheSameID(t *testing.T) {
	s, c := newStore(t)
	decide(t, s, claim(c, "1-1-1", passID(1), 1))
	_, err := s.Decide(t.Context(), claim(c, "1-1-1", passID(2), 1))
	wants(t, err, store.ErrState)
	for _, bad := range []wire.Claim{{}, {ID: "1-1-2", Gate: 1}, {Pass: passID(1), Gate: 1}, {ID: "1-1-2", Pass: passID(1)}} {
		_, err := s.Decide(t.Context(), bad)
		wants(t, err, store.ErrState)
	}
}

func TestDecide_FaultsThenRetry(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			s, c := newStore(t)
			cl := claim(c, "1-1-1", passID(1), 1)
			s.SetCommitFault(f.once())
			_, err := s.Decide(t.Context(), cl)
			wants(t, err, errDisk)
			s.SetCommitFault(nil)
			// Somebody else comes before the retry.
			other := decide(t, s, claim(c, "2-1-1", passID(1), 2))
			again := decide(t, s, cl)
			if (again.State == verdict.ClaimGranted) != f.apply || (other.State == verdict.ClaimGranted) == f.apply {
				t.Fatalf("retry %+v, other %+v", again, other)
			}
		})
	}
}

// Many gates ask for the same passes at once: each pass is granted once.
func TestDecide_ConcurrentClaimsGrantOnce(t *testing.T) {
	s, c := newStore(t)
	const gates, passes = 16, 20
	granted := make(chan int, gates*passes)
	done := make(chan error, gates)
	for g := range gates {
		go func() {
			for p := range passes {
				a, err := s.Decide(t.Context(), claim(c, wire.EventID{Agent: uint32(g + 1), Epoch: 1, Seq: uint64(p + 1)}.String(), passID(p), uint16(g+1)))
				if err != nil {
					done <- err
					return
				}
				if a.State == verdict.ClaimGranted {
					granted <- p
				}
			}
			done <- nil
		}()
	}
	for range gates {
		ok(t, <-done)
	}
	close(granted)
	count := map[int]int{}
	for p := range granted {
		count[p]++
	}
	for p := range passes {
		if count[p] != 1 {
			t.Errorf("pass %d was granted %d times", p, count[p])
		}
	}
}
