package store_test

import (
	"testing"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// An agent speaks for its own gate, and counts only what it decides: a stolen
// gate PC must not use up other gates' passes in their name.
func TestIngest_AgentSpeaksForItselfOnly(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 1)
	addGate(t, s, "west", verdict.Owner)
	pass := addPass(t, s, c, passID(1), 2)

	foreign := admit(pass.ID, 1, pass.Until)
	l.gate = 2
	l.send(t, s, l.add(t, foreign))
	quarantined := must(s.Quarantine(t.Context(), 0, 10))(t)
	if len(quarantined) != 1 || quarantined[0].Problem != "body names another gate" {
		t.Fatalf("quarantine: %+v", quarantined)
	}

	l.gate = 1
	others := admit(pass.ID, 1, pass.Until)
	r := l.add(t, others) // the fixture makes its own gate the owner
	l.send(t, s, r)
	if got := must(s.Pass(t.Context(), pass.ID))(t); got.Used != 1 {
		t.Fatalf("its own decision counts: used %d", got.Used)
	}
	alarms := s.Stats().Alarms
	for _, e := range []wire.Event{
		{Type: wire.EventGrant, Pass: passID(2), For: 2, Counts: true, Verdict: verdict.Verdict{Reason: verdict.Granted}},
		{Type: wire.EventGrant, Pass: passID(2), Claim: "1-1-1", For: 2, Counts: true, Verdict: verdict.Verdict{Reason: verdict.Granted}},
	} {
		l.send(t, s, l.add(t, e))
	}
	if n := s.Stats().Alarms - alarms; n != 2 {
		t.Errorf("%d alarms for grants to nobody and to itself, want 2", n)
	}
	var f feedMap
	f.pull(t, s, 100)
	if _, there := f.use(t, passID(2)); there {
		t.Error("a use that nobody asked for was counted")
	}
}

// The use of a phone-bound pass outlives the credential that was shown.
func TestIngest_UseLastsAsLongAsItsPass(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 1)
	pass := addPass(t, s, c, passID(1), 1)
	credential := pass.Until - 1800
	e := admit(pass.ID, 1, credential)
	e.Case.Code.Bound = true
	l.send(t, s, l.add(t, e))
	var f feedMap
	f.pull(t, s, 100)
	if u, there := f.use(t, pass.ID); !there || u.Expires != pass.Until {
		t.Fatalf("use %+v (%v), want it to end with the pass at %d", u, there, pass.Until)
	}
	ok(t, s.PruneFeed(t.Context(), time.Unix(credential+60, 0).UnixMilli()))
	if got := must(s.Pass(t.Context(), pass.ID))(t); got.Used != 1 {
		t.Errorf("used %d after pruning", got.Used)
	}
}
