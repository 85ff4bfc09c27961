package lane_test

import (
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This gate as the owner that others ask.

func claimOf(p pass.Pass, id string) wire.Claim {
	return wire.Claim{
		ID: id, Pass: p.ID, Gate: other, Owner: home, Uses: p.Uses,
		Issued: p.IssuedAt, Expires: p.Expires, At: noonMS,
	}
}

func (b *bench) asked(c wire.Claim) wire.Answer {
	b.tb.Helper()
	return find[desk.Reply](b.tb, b.step(lane.ClaimAsked{Stamp: b.stamp(), Claim: c})).Answer
}

func (b *bench) wantAnswer(c wire.Claim, want verdict.ClaimState) wire.Answer {
	b.tb.Helper()
	a := b.asked(c)
	if a.State != want || a.ID != c.ID {
		b.tb.Fatalf("answer %+v, want %s", a, want)
	}
	return a
}

func (b *bench) release(claim string, p pass.Pass) {
	b.tb.Helper()
	b.apply(wire.Delta{Items: []wire.Item{item(b.tb, wire.ItemRelease, claim, wire.Release{Owner: home, Pass: p.ID})}})
	b.tick()
}

func TestOwner_GrantsOnceAndRemembers(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	b.pass(5_000)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	a := b.wantAnswer(claimOf(p, "16-1-1"), verdict.ClaimUsed)
	if a.First == nil || a.First.Gate != other || a.First.At != noonMS {
		t.Fatalf("first use %+v", a.First)
	}
	if r := b.refuse("a", b.c.static(t, p), verdict.AlreadyUsed); r.FirstUse.Gate != other {
		t.Fatalf("at home: %+v", r.FirstUse)
	}
	b.reopen()
	b.restart()
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	b.wantAnswer(claimOf(p, "16-1-1"), verdict.ClaimUsed)
	events := b.events()
	if e := events[0]; len(events) != 2 || e.Type != wire.EventGrant || !e.Counts || e.Claim != "15-1-1" || e.For != other || e.Pass != p.ID {
		t.Fatalf("events %+v", events)
	}
}

// A guard with a phone stands at the gate whose passes these are: the server
// asks for them, and the pass is used up as by any other gate.
func TestOwner_CQ080_AnswersTheServerForAGuardAtItsOwnGate(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	ask := claimOf(p, "0-1-99")
	ask.Gate = home
	b.wantAnswer(ask, verdict.ClaimGranted)
	b.wantAnswer(ask, verdict.ClaimGranted)
	r := b.refuse("a", b.c.static(t, p), verdict.AlreadyUsed)
	if r.Repeat || r.FirstUse == nil || r.FirstUse.Gate != home {
		t.Fatalf("at the gate: %+v", r)
	}
	again := claimOf(p, "0-1-100")
	again.Gate = home
	b.wantAnswer(again, verdict.ClaimUsed)
	if e := b.events()[0]; e.Type != wire.EventGrant || !e.Counts || e.For != home {
		t.Fatalf("the grant: %+v", e)
	}
}

func TestOwner_OwnAdmissionUsesItUp(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.admit("a", b.c.static(t, p))
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimUsed)
}

func TestOwner_UsedIsTheAnswerForEver(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	r := b.admit("a", b.c.static(t, p))
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimUsed)
	b.annul(r.ID)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimUsed)
	b.wantAnswer(claimOf(p, "15-1-2"), verdict.ClaimGranted)
}

func TestOwner_SilentWhereItMayNotDecide(t *testing.T) {
	p := single(1)
	cases := map[string]struct {
		policy func(*wire.Gate)
		items  func(*bench) []wire.Item
		claim  func(*wire.Claim)
	}{
		"another gate's pass":     {claim: func(c *wire.Claim) { c.Owner = other }},
		"the server's pass":       {claim: func(c *wire.Claim) { c.Owner = 0 }},
		"issued before the epoch": {policy: func(g *wire.Gate) { g.OwnsFrom = p.IssuedAt + 1 }},
		"gate decides online":     {policy: func(g *wire.Gate) { g.Mode = verdict.Online }},
		"unlimited":               {claim: func(c *wire.Claim) { c.Uses = 0 }},
		"no id":                   {claim: func(c *wire.Claim) { c.ID = "" }},
		"from itself":             {claim: func(c *wire.Claim) { c.Gate = home }},
		"from nobody":             {claim: func(c *wire.Claim) { c.Gate = 0 }},
		"no pass":                 {claim: func(c *wire.Claim) { c.Pass = [8]byte{} }},
		"revoked": {items: func(b *bench) []wire.Item {
			return []wire.Item{item(t, wire.ItemRevocation, p.ID.String(), wire.Revocation{Expires: p.Expires})}
		}},
		"moved away": {items: func(b *bench) []wire.Item {
			return []wire.Item{item(t, wire.ItemOwner, p.ID.String(), wire.Ownership{Gate: other, Expires: p.Expires})}
		}},
		"no policy": {items: func(b *bench) []wire.Item {
			return []wire.Item{{Kind: wire.ItemGate, Key: "3", Gone: true}}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.policy)
			if c.items != nil {
				b.apply(wire.Delta{Items: c.items(b)})
			}
			q := claimOf(p, "15-1-1")
			if c.claim != nil {
				c.claim(&q)
			}
			b.wantAnswer(q, verdict.ClaimSilent)
			if n := len(b.events()); n != 0 {
				t.Fatalf("%d events", n)
			}
		})
	}
}

func TestOwner_MovedHereDecides(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemOwner, p.ID.String(), wire.Ownership{Gate: home, Expires: p.Expires})}})
	b.admit("a", b.c.static(t, p))
	q := claimOf(p, "15-1-1")
	q.Owner = other // as the code says
	b.wantAnswer(q, verdict.ClaimUsed)
}

func TestOwner_PassOfAnEarlierEpochIsAskedElsewhere(t *testing.T) {
	p := single(1)
	b := newBench(t, func(g *wire.Gate) { g.OwnsFrom = p.IssuedAt + 1 })
	q := b.question("a", b.c.static(t, p))
	if r := shown(t, b.reply(q.ID, verdict.ClaimSilent, nil)); r.Reason != verdict.OfflineNotAllowed {
		t.Fatal(r.Reason)
	}
	fresh := single(2)
	fresh.IssuedAt = p.IssuedAt + 1
	b.admit("a", b.c.static(t, fresh))
}

func TestRelease_TakesTheGrantBack_AndTheIdIsDead(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	b.pass(60_000)
	b.release("15-1-1", p)
	events := b.events()
	if e := events[1]; e.Type != wire.EventAnnul || e.Annuls == nil || *e.Annuls != events[0].ID || !e.Counts || e.Claim != "15-1-1" || e.Pass != p.ID {
		t.Fatalf("event %+v", e)
	}
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimSilent)
	b.release("15-1-1", p) // as a new snapshot repeats it
	if n := len(b.events()); n != 2 {
		t.Fatalf("%d events after the second release", n)
	}
	b.admit("a", b.c.static(t, p))
}

func TestRelease_BeforeTheQuestionMakesItDead(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.release("15-1-1", p)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimSilent)
	b.wantAnswer(claimOf(p, "15-1-2"), verdict.ClaimGranted)
}

func TestRelease_OfAnotherPassTakesNothingBack(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	b.release("15-1-1", single(2))
	b.wantAnswer(claimOf(p, "15-1-2"), verdict.ClaimUsed)
}

func TestRelease_SurvivesARestartBeforeTheTick(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRelease, "15-1-1", wire.Release{Owner: home, Pass: p.ID})}})
	b.reopen()
	b.restart()
	b.tick()
	b.wantAnswer(claimOf(p, "15-1-2"), verdict.ClaimGranted)
}

func TestOwner_RevokedMeanwhileStillGivesTheSameAnswer(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRevocation, p.ID.String(), wire.Revocation{Expires: p.Expires})}})
	b.wantAnswer(claimOf(p, "15-1-1"), verdict.ClaimGranted)
	if a := b.asked(wire.Claim{ID: "15-1-1", Pass: single(9).ID, Gate: other, Owner: home, Uses: 1}); a.State != verdict.ClaimSilent {
		t.Fatalf("same id, other pass: %v", a.State)
	}
}
