package lane_test

import (
	"strconv"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// newShared is a gate of the policy first_seen beside another one, which has been
// on for a while and knows that it is current.
func newShared(t *testing.T, limits wire.Offline) *bench {
	b := newBench(t, func(g *wire.Gate) { g.Mode, g.Offline = verdict.FirstSeen, &limits })
	b.apply(wire.Delta{Items: []wire.Item{
		item(t, wire.ItemGate, strconv.Itoa(other), wire.Gate{ID: other, Name: "西门", Zone: 1, Mode: verdict.FirstSeen}),
	}})
	check(t, b.snap.Current(b.time()))
	b.pass(wire.ReserveMS)
	return b
}

func (b *bench) says(q wire.Claim, state verdict.ClaimState) []desk.Effect {
	return b.step(desk.ClaimReply{Stamp: b.stamp(), From: q.Owner, Answer: q.Answer(state)})
}

func (b *bench) reserve(t *testing.T, p wire.Claim, gate uint16) verdict.ClaimState {
	p.ID, p.Gate, p.Owner, p.Reserve = "15-1-1", gate, home, wire.ReserveTake
	return find[desk.Reply](t, b.step(lane.ClaimAsked{Stamp: b.stamp(), Claim: p})).Answer.State
}

func TestShared_SilenceAdmitsUnconfirmedAndOnlyWithinLimits(t *testing.T) {
	b := newShared(t, wire.Offline{Max: 1, MaxAgeMS: 60_000})
	q := b.question("a", b.c.static(t, single(1)))
	if q.Owner != 0 || q.Reserve != wire.ReserveTake {
		t.Fatalf("first question %+v, want one to the server", q)
	}
	q = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	if q.Owner != other {
		t.Fatalf("second question %+v, want one to the other gate", q)
	}
	effects := b.says(q, verdict.ClaimSilent)
	r := shown(t, effects)
	if opened(effects) != 1 || r.Reason != verdict.Granted {
		t.Fatalf("effects %+v", effects)
	}
	e := b.events()[0]
	if !e.Counts || e.Verdict.Mark != verdict.MarkUnconfirmed || len(e.Case.Claim.Unreached) != 2 {
		t.Fatalf("event %+v", e)
	}
	q = b.question("a", b.c.static(t, single(2)))
	q = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	if r := shown(t, b.says(q, verdict.ClaimSilent)); r.Reason != verdict.OfflineNotAllowed {
		t.Fatalf("the second without confirmation: %v", r.Reason)
	}
}

func TestShared_NothingAloneWhileLeased(t *testing.T) {
	b := newShared(t, wire.Offline{Max: 9, MaxAgeMS: 60_000})
	q := b.question("a", b.c.static(t, single(1)))
	q = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	pong := find[desk.Pong](t, b.step(lane.Pinged{Stamp: b.stamp(), Ping: wire.Ping{Nonce: 2, Heard: 1}})).Pong
	if !pong.Promise || !pong.FirstSeen {
		t.Fatalf("pong %+v", pong)
	}
	later := find[desk.Later](t, b.says(q, verdict.ClaimSilent))
	if later.MS != wire.LeaseGateMS {
		t.Fatalf("waits %d ms", later.MS)
	}
	b.pass(later.MS)
	if effects := b.step(desk.Waited{Stamp: b.stamp(), Claim: later.Claim}); opened(effects) != 1 {
		t.Fatalf("effects %+v after the lease", effects)
	}
}

func TestShared_LowerGateGoesOnAndAReservationHolds(t *testing.T) {
	b := newShared(t, wire.Offline{Max: 9, MaxAgeMS: 60_000})
	p := single(1)
	q := b.question("a", b.c.static(t, p))
	if got := b.reserve(t, q, other); got != verdict.ClaimReserved {
		t.Fatalf("gate %d is told %s by gate %d, which asks itself", other, got, home)
	}
	if effects := b.says(q, verdict.ClaimUsed); shown(t, effects).Reason != verdict.AlreadyUsed {
		t.Fatalf("effects %+v", effects)
	}
	if got := b.reserve(t, q, other); got != verdict.ClaimGranted {
		t.Fatalf("a free pass: %s", got)
	}
	q = b.question("a", b.c.static(t, p))
	q = find[desk.Ask](t, b.says(q, verdict.ClaimSilent)).Claim
	if effects := b.says(q, verdict.ClaimSilent); opened(effects) != 0 {
		t.Fatal("admitted what another gate was told is free")
	}
}

func TestShared_AGrantThatTurnedIntoUsedIsGivenBack(t *testing.T) {
	for name, granted := range map[string]bool{"granted before": true, "never granted": false} {
		t.Run(name, func(t *testing.T) {
			b := newShared(t, wire.Offline{Max: 9, MaxAgeMS: 60_000})
			q := b.question("a", b.c.static(t, single(1)))
			if granted {
				a := q.Answer(verdict.ClaimGranted)
				a.Dark = []uint16{other}
				dark := find[desk.Ask](t, b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: a})).Claim
				b.pass(wire.AskTimeoutMS + 1)
				if q = find[desk.Ask](t, b.says(dark, verdict.ClaimSilent)).Claim; q.Owner != 0 || q.Try != 1 {
					t.Fatalf("the server is asked again with %+v", q)
				}
			}
			a := q.Answer(verdict.ClaimUsed)
			a.Try = q.Try
			effects := b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: a})
			if r := shown(t, effects); r.Reason != verdict.AlreadyUsed || opened(effects) != 0 {
				t.Fatalf("effects %+v", effects)
			}
			back := 0
			for _, e := range b.events() {
				if e.Type == wire.EventAnnul && e.Claim == q.ID && e.Annuls == nil {
					back++
				}
			}
			if want := map[bool]int{true: 1}[granted]; back != want {
				t.Errorf("given back %d times, want %d", back, want)
			}
		})
	}
}

func (b *bench) time() time.Time { return time.UnixMilli(b.wall) }
