package lane_test

import (
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestScan_SingleUseIsAdmittedOnce(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, single(1))
	effects := b.scan("a", text)
	if _, ok := effects[0].(lane.Open); !ok {
		t.Fatalf("the barrier comes first, got %+v", effects)
	}
	r := shown(t, effects)
	if r.Reason != verdict.Granted || !r.Opens || r.Name != "陆知夏" || r.Doc4 != "118X" || r.Event == nil {
		t.Fatalf("result %+v", r)
	}
	b.pass(9_999)
	if again := b.refuse("b", text, verdict.Granted); !again.Repeat {
		t.Fatalf("within 10 s: %+v, want a repeat", again)
	}
	b.pass(1)
	used := b.refuse("a", text, verdict.AlreadyUsed)
	if used.FirstUse == nil || used.FirstUse.At != noonMS || used.FirstUse.Gate != home {
		t.Fatalf("first use %+v", used.FirstUse)
	}
	events := b.events()
	if len(events) != 3 || !events[0].Counts || events[1].Counts || events[2].Counts {
		t.Fatalf("events %+v", events)
	}
	if e := events[0]; e.Case == nil || e.Case.At != noonMS || e.Offset == nil || e.Scan != r.ID || e.ID != *r.Event {
		t.Fatalf("event %+v", e)
	}
}

func TestScan_UseSurvivesRestart(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, single(1))
	b.admit("a", text)
	b.reopen()
	b.restart()
	if r := b.refuse("a", text, verdict.Granted); !r.Repeat {
		t.Fatalf("%+v, want a repeat", r)
	}
	b.pass(20_000)
	b.refuse("a", text, verdict.AlreadyUsed)
}

func TestScan_EveryAttemptIsOneEvent(t *testing.T) {
	b := newBench(t, nil)
	b.refuse("a", "no code of ours", verdict.Malformed)
	forged := []byte(b.c.static(t, single(1)))
	if at := len(forged) - 20; forged[at] == 'A' {
		forged[at] = 'B'
	} else {
		forged[at] = 'A'
	}
	b.refuse("a", string(forged), verdict.BadSignature)
	wrong := single(2)
	wrong.Zones = 0b10
	b.refuse("a", b.c.static(t, wrong), verdict.WrongGate)
	late := single(3)
	late.NotBefore, late.Expires = noon-7200, noon-3600
	b.refuse("a", b.c.static(t, late), verdict.Expired)
	events := b.events()
	if len(events) != 4 {
		t.Fatalf("%d events, want 4", len(events))
	}
	for i, want := range []verdict.Reason{verdict.Malformed, verdict.BadSignature, verdict.WrongGate, verdict.Expired} {
		if e := events[i]; e.Verdict.Reason != want || e.Type != wire.EventScan || e.Case == nil {
			t.Errorf("event %d: %+v, want %v", i, e, want)
		}
	}
	if !events[0].Pass.IsZero() || events[3].Pass != late.ID {
		t.Errorf("passes %v and %v", events[0].Pass, events[3].Pass)
	}
}

func TestScan_UnknownLaneChangesNothing(t *testing.T) {
	b := newBench(t, nil)
	if r := find[desk.Reject](t, b.scan("nowhere", "x")); r.Err != desk.ErrNoLane {
		t.Fatal(r.Err)
	}
	if n := len(b.events()); n != 0 {
		t.Fatalf("%d events", n)
	}
}

func TestScan_GateWithoutPolicyAdmitsNobody(t *testing.T) {
	b := newBench(t, nil)
	b.apply(wire.Delta{Items: []wire.Item{{Kind: wire.ItemGate, Key: "3", Gone: true}}})
	b.refuse("a", b.c.static(t, single(1)), verdict.PolicyStale)
}

func TestScan_RevokedAndUsedElsewhere(t *testing.T) {
	b := newBench(t, nil)
	gone, used := single(1), single(2)
	b.apply(wire.Delta{Items: []wire.Item{
		item(t, wire.ItemRevocation, gone.ID.String(), wire.Revocation{At: noonMS, Expires: gone.Expires}),
		item(t, wire.ItemUse, used.ID.String(), wire.Use{First: verdict.Use{At: noonMS - 5, Gate: other}, Count: 1, Expires: used.Expires}),
	}})
	b.refuse("a", b.c.static(t, gone), verdict.Revoked)
	r := b.refuse("a", b.c.static(t, used), verdict.AlreadyUsed)
	if r.FirstUse == nil || r.FirstUse.Gate != other || r.FirstUse.At != noonMS-5 {
		t.Fatalf("first use %+v", r.FirstUse)
	}
	b.apply(wire.Delta{Items: []wire.Item{{Kind: wire.ItemRevocation, Key: gone.ID.String(), Gone: true}}})
	b.admit("a", b.c.static(t, gone))
}

func TestScan_LiveCodeIsGoodOnce(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.live(t, open(1), 7, noon)
	b.admit("a", text)
	b.pass(12_000)
	b.refuse("a", text, verdict.Replayed)
	b.admit("a", b.c.live(t, open(1), 8, noon+12))
}

func TestScan_ReplacedPhoneIsRefused_AndItsSuccessorIsNot(t *testing.T) {
	b := newBench(t, nil)
	old := *b.c
	b.c.pickUp(t, "second phone")
	moved := item(t, wire.ItemPhone, open(1).ID.String(), wire.Phone{Phone: b.c.cnf.ID(), Expires: open(1).Expires})

	b.admit("a", old.live(t, open(1), 7, noon))
	b.apply(wire.Delta{Items: []wire.Item{moved}})
	b.refuse("a", old.live(t, open(1), 8, noon), verdict.Revoked) // no repeat either
	if r := b.admit("out", old.live(t, open(1), 9, noon)); r.Reason != verdict.Attention {
		t.Fatalf("exit with the replaced phone: %v, want attention", r.Reason)
	}
	b.admit("a", old.live(t, open(2), 1, noon)) // another pass of the same phone
	b.pass(12_000)
	b.admit("a", b.c.live(t, open(1), 1, noon+12))

	e := b.events()[1]
	if !e.Case.Record.Replaced || verdict.Judge(e.Case).Reason != verdict.Revoked {
		t.Fatalf("the event does not say why: %+v", e.Case.Record)
	}
	// The pass was moved on while this gate had no network: a credential that
	// lasts longer than all that were replaced belongs to a newer phone.
	b.c.pickUp(t, "third phone")
	b.refuse("a", b.c.live(t, open(1), 1, noon+12), verdict.Revoked)
	longer := open(1)
	longer.Expires++
	b.pass(12_000)
	b.admit("a", b.c.live(t, longer, 2, noon+24))
}

func TestScan_RefusedLiveCodeMayBeShownAgain(t *testing.T) {
	b := newBench(t, nil)
	p := open(1)
	p.Zones = 0b10
	text := b.c.live(t, p, 7, noon)
	b.refuse("a", text, verdict.WrongGate)
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemGate, "3", wire.Gate{ID: home, Zone: 2, Mode: verdict.Owner})}})
	b.admit("a", text)
}

func TestExit_UsesNothing(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	text := b.c.static(t, p)
	b.admit("out", text)
	b.admit("a", text)
	b.pass(30_000)
	if r := b.admit("out", text); r.Reason != verdict.Granted {
		t.Fatalf("exit: %v", r.Reason)
	}
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRevocation, p.ID.String(), wire.Revocation{Expires: p.Expires})}})
	if r := b.admit("out", text); r.Reason != verdict.Attention {
		t.Fatalf("exit of a revoked pass: %v, want attention", r.Reason)
	}
	if e := b.events(); e[0].Counts || !e[1].Counts || e[2].Counts {
		t.Fatalf("counts of %+v", e)
	}
}

func TestExit_BlocksTheSameLiveCode(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.live(t, open(1), 7, noon)
	b.admit("out", text)
	b.refuse("a", text, verdict.Replayed)
}

func TestClock_NeverSyncedAdmitsNobody(t *testing.T) {
	b := &bench{station: newStation(t, newCampus(t), home, nil), cfg: gateConfig(), wall: noonMS}
	b.restart()
	text := b.c.static(t, single(1))
	b.refuse("a", text, verdict.ClockUntrusted)
	if e := b.events()[0]; e.Offset != nil {
		t.Fatalf("offset %d before any comparison", *e.Offset)
	}
	b.step(desk.Synced{Stamp: b.stamp()})
	b.admit("a", text)
}

func TestClock_OffsetCorrectsAWrongComputer(t *testing.T) {
	b := newBench(t, nil)
	b.wall -= 86_400_000
	b.step(desk.Synced{Stamp: b.stamp(), OffsetMS: 86_400_000})
	r := b.admit("a", b.c.static(t, single(1)))
	if r.At != noonMS {
		t.Fatalf("at %d, want %d", r.At, noonMS)
	}
}

func TestClock_SetBackAdmitsNobody_AlsoAfterRestart(t *testing.T) {
	b := newBench(t, nil)
	b.pass(3_600_000)
	b.admit("a", b.c.static(t, single(1)))
	b.wall -= verdict.ClockSlackMS
	b.admit("a", b.c.static(t, single(2)))
	b.wall -= 1
	b.refuse("a", b.c.static(t, single(3)), verdict.ClockUntrusted)
	b.reopen()
	b.restart()
	b.refuse("a", b.c.static(t, single(3)), verdict.ClockUntrusted)
	b.step(desk.Synced{Stamp: b.stamp()})
	b.admit("a", b.c.static(t, single(3)))
}

func TestClock_MarkIsKeptEveryMinute(t *testing.T) {
	b := newBench(t, nil)
	for range 61 {
		b.pass(1000)
		b.tick()
	}
	b.reopen()
	b.restart()
	b.wall -= 30_000
	b.refuse("a", b.c.static(t, single(1)), verdict.ClockUntrusted)
}

func TestClock_WhileTheServerIsThereTheComputersIsNotAsked(t *testing.T) {
	b := newBench(t, nil)
	b.step(desk.Synced{Stamp: b.stamp()})
	n := uint64(1)
	for _, leap := range []int64{3_600_000, -3_600_000, 86_400_000, -86_400_000, -noonMS, 20 * 365 * 86_400_000} {
		b.wall += leap
		b.mono += 100
		if r := b.admit("a", b.c.static(t, single(n))); r.At != noonMS+int64(n)*100 {
			t.Errorf("after a leap of %d ms: at %d", leap, r.At)
		}
		n++
		b.wall -= leap
	}
	// A computer that sleeps does not count what passes: when the server has said
	// nothing for long, or is not there, its clock is all there is.
	b.wall -= 86_400_000
	b.mono += wire.PeerSilenceMS
	b.refuse("a", b.c.static(t, single(n)), verdict.ClockUntrusted)
	b.step(desk.Synced{Stamp: b.stamp(), OffsetMS: 86_400_000})
	b.admit("a", b.c.static(t, single(n)))
	b.wall -= 86_400_000
	away := b.stamp()
	away.Offline = true
	b.step(desk.Tick{Stamp: away})
	if at := b.core.At(away); at != b.core.At(b.stamp())-86_400_000 {
		t.Errorf("without the server it is %d", at)
	}
}

func TestClock_ServerLowersAMarkThatAWrongClockRaised(t *testing.T) {
	b := newBench(t, nil)
	b.pass(wire.PeerSilenceMS + 1)
	b.wall += 30 * 86_400_000
	b.refuse("a", b.c.static(t, single(1)), verdict.ClockUntrusted) // synced too long ago
	b.wall = noonMS
	b.refuse("a", b.c.static(t, single(1)), verdict.ClockUntrusted)
	b.step(desk.Synced{Stamp: b.stamp()})
	b.admit("a", b.c.static(t, single(1)))
	b.reopen()
	b.restart()
	b.admit("a", b.c.static(t, single(2)))
}
