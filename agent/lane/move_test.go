package lane_test

import (
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Passes that this gate gives up to another, and those that it is given.

func moveOf(p pass.Pass, id string) wire.Move {
	return wire.Move{
		ID: id, Pass: p.ID, From: home, To: other, Epoch: 1, AgentEpoch: 1, Issued: p.IssuedAt, Expires: p.Expires,
	}
}

func (b *bench) move(m wire.Move) wire.Moved {
	b.tb.Helper()
	a := find[desk.Reply](b.tb, b.step(lane.MoveAsked{Stamp: b.stamp(), Move: m})).Moved
	if err := a.Check(); a.ID != m.ID || err != nil {
		b.tb.Fatalf("answer %+v: %v", a, err)
	}
	return a
}

func (b *bench) wantMoved(m wire.Move, want wire.MoveState) wire.Moved {
	b.tb.Helper()
	a := b.move(m)
	if a.State != want {
		b.tb.Fatalf("move %s: %+v, want %s", m.ID, a, want)
	}
	return a
}

func (b *bench) owned(p pass.Pass, o wire.Ownership) {
	b.tb.Helper()
	o.Expires = p.Expires
	b.apply(wire.Delta{Items: []wire.Item{item(b.tb, wire.ItemOwner, p.ID.String(), o)}})
}

func TestMove_IsDurableBeforeTheAnswerAndTheGateDecidesNoMore(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	a := b.wantMoved(moveOf(p, "move-0001"), wire.MoveReleased)
	if a.Stands == nil || *a.Stands != moveOf(p, "move-0001") {
		t.Fatalf("stands %+v", a.Stands)
	}
	for range 2 {
		events := b.events()
		if e := events[0]; len(events) != 1 || e.Type != wire.EventRelease || e.Pass != p.ID || e.Move == nil || *e.Move != moveOf(p, "move-0001") || e.Counts {
			t.Fatalf("events %+v", events)
		}
		// Asked for it, it names the successor; shown here, it asks there.
		got := b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimSilent)
		if got.Owner != other || got.Epoch != 1 || got.Check() != nil {
			t.Fatalf("answer %+v", got)
		}
		b.wantMoved(moveOf(p, "move-0001"), wire.MoveReleased)
		b.reopen()
		b.restart()
	}
	q := b.question("a", b.c.static(t, p))
	if q.Owner != other {
		t.Fatalf("asks %d", q.Owner)
	}
	if r := shown(t, b.reply(q.ID, verdict.ClaimSilent, nil)); r.Reason != verdict.OfflineNotAllowed || r.Owner == nil || r.Owner.Gate != other {
		t.Fatalf("shown here: %+v", r)
	}
}

func TestMove_IsRefusedWhereThePassIsUsedOrNotThisGates(t *testing.T) {
	p := single(1)
	for name, c := range map[string]struct {
		before func(*testing.T, *bench)
		move   func(*wire.Move)
		want   wire.MoveState
	}{
		"admitted here": {before: func(t *testing.T, b *bench) { b.admit("a", b.c.static(t, p)) }, want: wire.MoveUsed},
		"granted to another": {before: func(t *testing.T, b *bench) {
			b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
		}, want: wire.MoveUsed},
		"used elsewhere": {before: func(t *testing.T, b *bench) {
			b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemUse, p.ID.String(), wire.Use{First: verdict.Use{At: noonMS, Gate: other}, Count: 1, Expires: p.Expires})}})
		}, want: wire.MoveUsed},
		"revoked": {before: func(t *testing.T, b *bench) {
			b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRevocation, p.ID.String(), wire.Revocation{Expires: p.Expires})}})
		}, want: wire.MoveRefused},
		"moved away already": {before: func(_ *testing.T, b *bench) {
			b.owned(p, wire.Ownership{Gate: other, Epoch: 1, AgentEpoch: 1})
		}, move: func(m *wire.Move) { m.Epoch = 2 }, want: wire.MoveRefused},
		"issued before this enrolment": {before: func(t *testing.T, b *bench) {
			b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemGate, "3", wire.Gate{ID: home, Name: "东门", Zone: 1, Mode: verdict.Owner, OwnsFrom: p.IssuedAt + 1})}})
		}, want: wire.MoveRefused},
		"the server decides here": {before: func(t *testing.T, b *bench) {
			b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemGate, "3", wire.Gate{ID: home, Name: "东门", Zone: 1, Mode: verdict.Online})}})
		}, want: wire.MoveRefused},
		"another gate's":      {move: func(m *wire.Move) { m.From, m.To = other, home }, want: wire.MoveRefused},
		"an epoch ahead":      {move: func(m *wire.Move) { m.Epoch = 2 }, want: wire.MoveRefused},
		"to itself":           {move: func(m *wire.Move) { m.To = home }, want: wire.MoveRefused},
		"to nobody of a gate": {move: func(m *wire.Move) { m.AgentEpoch = 0 }, want: wire.MoveRefused},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			if c.before != nil {
				c.before(t, b)
			}
			n := len(b.events())
			m := moveOf(p, "move-0001")
			if c.move != nil {
				c.move(&m)
			}
			b.wantMoved(m, c.want)
			if len(b.events()) != n {
				t.Fatalf("events %+v", b.events())
			}
		})
	}
}

func TestMove_OfAnAnnulledAdmissionIsAllowedAndALateSecondWishIsToldTheFirst(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	r := b.admit("a", b.c.static(t, p))
	b.wantMoved(moveOf(p, "move-0001"), wire.MoveUsed)
	b.annul(r.ID)
	b.wantMoved(moveOf(p, "move-0001"), wire.MoveReleased)
	second := moveOf(p, "move-0002")
	second.To = 7
	if a := b.wantMoved(second, wire.MoveRefused); a.Stands == nil || *a.Stands != moveOf(p, "move-0001") {
		t.Fatalf("stands %+v", a.Stands)
	}
	changed := moveOf(p, "move-0001")
	changed.To = 7
	b.wantMoved(changed, wire.MoveRefused)
}

func TestMove_AGateDecidesWhatWasMovedToItsOwnEnrolment(t *testing.T) {
	p := elsewhere(1)
	late := func(g *wire.Gate) { g.OwnsFrom = p.IssuedAt + 1 } // enrolled again after the issue
	b := newBench(t, late)
	b.owned(p, wire.Ownership{Gate: home, Epoch: 1, AgentEpoch: 1})
	if r := b.admit("a", b.c.static(t, p)); r.Reason != verdict.Granted {
		t.Fatal(r.Reason)
	}
	q := claimOf(p, "15-1-1")
	b.wantAnswer(q, verdict.ClaimUsed)
	if e := b.events()[0]; e.Case.Record.Moved != verdict.MovedHere || verdict.Judge(e.Case) != e.Verdict {
		t.Fatalf("case %+v", e.Case.Record)
	}
	second := elsewhere(2)
	b.owned(second, wire.Ownership{Gate: home, Epoch: 1, AgentEpoch: 1})
	b.wantAnswer(claimOf(second, "15-1-2"), verdict.ClaimGranted)
}

func TestMove_AReenrolledAgentDoesNotOwnWhatItsPredecessorWasGiven(t *testing.T) {
	p := elsewhere(1)
	p.IssuedAt = noon - 60 // a credential that was renewed since
	b := newBench(t, func(g *wire.Gate) { g.OwnsFrom = noon - 3600 })
	b.owned(p, wire.Ownership{Gate: home, Epoch: 1, AgentEpoch: 9})
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimSilent)
	b.wantMoved(wire.Move{ID: "move-0002", Pass: p.ID, From: home, To: other, Epoch: 2, AgentEpoch: 1, Issued: p.IssuedAt, Expires: p.Expires}, wire.MoveRefused)
	q := b.question("a", b.c.static(t, p))
	if r := shown(t, b.reply(q.ID, verdict.ClaimSilent, nil)); r.Reason != verdict.OfflineNotAllowed {
		t.Fatal(r.Reason)
	}
	// Until an administrator has said that nothing of its predecessor is missing.
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemGate, "3", wire.Gate{ID: home, Name: "东门", Zone: 1, Mode: verdict.Owner})}})
	b.wantAnswer(claimOf(p, "15-1-2"), verdict.ClaimGranted)
}

func TestMove_ThereAndBackAgain(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.wantMoved(moveOf(p, "move-0001"), wire.MoveReleased)
	b.owned(p, wire.Ownership{Gate: other, Epoch: 1, AgentEpoch: 1})
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimSilent)
	b.owned(p, wire.Ownership{Gate: home, Epoch: 2, AgentEpoch: 1})
	b.wantMoved(moveOf(p, "move-0001"), wire.MoveReleased) // for ever, and long past
	b.admit("a", b.c.static(t, p))
	// A snapshot of an older server changes nothing for whoever gave it up.
	c := newBench(t, nil)
	c.wantMoved(moveOf(p, "move-0001"), wire.MoveReleased)
	c.owned(p, wire.Ownership{Gate: home})
	c.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimSilent)
}

func TestMove_TheGateThatAsksFollowsTheSuccessor(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	text := b.c.static(t, p)
	q := b.question("a", text)
	again := find[desk.Ask](t, b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: q.ID, State: verdict.ClaimSilent, Owner: 7, Epoch: 1}})).Claim
	if again.ID != q.ID || again.Owner != 7 {
		t.Fatalf("asks %+v after %+v", again, q)
	}
	// Whoever names a third gate then is told of a second move; it is followed too.
	third := find[desk.Ask](t, b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: q.ID, State: verdict.ClaimSilent, Owner: 9, Epoch: 2}})).Claim
	if third.Owner != 9 {
		t.Fatalf("asks %d", third.Owner)
	}
	effects := b.reply(q.ID, verdict.ClaimGranted, nil)
	if opened(effects) != 1 {
		t.Fatalf("not opened: %+v", effects)
	}
	if e := b.events()[0]; e.Case.Record.Owner != 9 || e.Claim != q.ID || e.Case.Decider() != 9 || e.Counts {
		t.Fatalf("event %+v", e)
	}
}

func TestMove_WhatAnotherGateSaidIsRememberedAndTheServersLaterWordCounts(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	q := b.question("a", b.c.static(t, p))
	b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: q.ID, State: verdict.ClaimSilent, Owner: 7, Epoch: 1}})
	b.reply(q.ID, verdict.ClaimSilent, nil)
	b.reopen()
	b.restart()
	if next := b.question("a", b.c.static(t, p)); next.Owner != 7 {
		t.Fatalf("asks %+v", next)
	}
	b.reply(q.ID, verdict.ClaimSilent, nil)
	b.owned(p, wire.Ownership{Gate: 11, Epoch: 2, AgentEpoch: 1})
	if next := b.question("a", b.c.static(t, p)); next.Owner != 11 {
		t.Fatalf("asks %+v", next)
	}
}

func TestMove_ASuccessorOutOfTurnIsNotFollowed(t *testing.T) {
	for name, a := range map[string]wire.Answer{
		"this gate":      {Owner: home, Epoch: 1},
		"an epoch ahead": {Owner: 7, Epoch: 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			q := b.question("a", b.c.static(t, elsewhere(1)))
			a.ID, a.State = q.ID, verdict.ClaimSilent
			effects := b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: a})
			if r := shown(t, effects); r.Reason != verdict.OfflineNotAllowed || r.Owner.Gate != other {
				t.Fatalf("%+v", r)
			}
		})
	}
}

// Two lanes wait for one question; both follow, and one question leaves.
func TestMove_AllWhoWaitFollowTogether(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, elsewhere(1))
	q := b.question("a", text)
	if effects := b.scan("b", text); len(effects) != 0 {
		t.Fatalf("%+v", effects)
	}
	find[desk.Ask](t, b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: q.ID, State: verdict.ClaimSilent, Owner: 7, Epoch: 1}}))
	effects := b.reply(q.ID, verdict.ClaimGranted, nil)
	if opened(effects) != 1 {
		t.Fatalf("opened %d: %+v", opened(effects), effects)
	}
}

func TestMove_AWishThatCouldNotBeWrittenIsSilent(t *testing.T) {
	b := newBench(t, nil)
	m := moveOf(single(1), "move-0001")
	effects := b.core.Failed(lane.MoveAsked{Stamp: b.stamp(), Move: m}, errDisk)
	if a := find[desk.Reply](t, effects).Moved; a.ID != m.ID || a.State != wire.MoveSilent {
		t.Fatalf("%+v", a)
	}
}
