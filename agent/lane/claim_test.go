package lane_test

import (
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Passes that somebody else decides.

// question scans and wants a claim to leave.
func (b *bench) question(at, text string) wire.Claim {
	b.tb.Helper()
	effects := b.scan(at, text)
	if len(effects) != 1 {
		b.tb.Fatalf("effects %+v, want a question alone", effects)
	}
	return find[desk.Ask](b.tb, effects).Claim
}

func (b *bench) reply(id string, state verdict.ClaimState, first *verdict.Use) []desk.Effect {
	return b.step(desk.ClaimReply{Stamp: b.stamp(), Answer: wire.Answer{ID: id, State: state, First: first}})
}

func TestClaim_GrantedOpens(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	text := b.c.static(t, p)
	q := b.question("a", text)
	want := wire.Claim{ID: "13-1-1", Pass: p.ID, Gate: home, Owner: other, Uses: 1, Issued: p.IssuedAt, Expires: p.Expires, At: noonMS}
	if q != want {
		t.Fatalf("claim %+v, want %+v", q, want)
	}
	b.pass(40)
	effects := b.reply(q.ID, verdict.ClaimGranted, nil)
	if opened(effects) != 1 {
		t.Fatalf("effects %+v", effects)
	}
	e := b.events()[0]
	if e.Counts || e.Claim != q.ID || e.Verdict.Reason != verdict.Granted || e.Case.Claim.State != verdict.ClaimGranted {
		t.Fatalf("event %+v: the decider counts, not this gate", e)
	}
	// The one who decides has counted; this gate knows it as well, even offline.
	b.pass(20_000)
	b.refuse("a", text, verdict.AlreadyUsed)
	b.pass(60_000)
	b.tick()
	if n := len(b.events()); n != 2 {
		t.Fatalf("%d events: an opened claim was given back", n)
	}
}

func TestClaim_ServerDecidesOwnerless_AndEverythingOnline(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	p.Owner = 0
	if q := b.question("a", b.c.static(t, p)); q.Owner != 0 {
		t.Fatalf("owner %d", q.Owner)
	}
	b = newBench(t, func(g *wire.Gate) { g.Mode = verdict.Online })
	if q := b.question("a", b.c.static(t, single(2))); q.Owner != 0 {
		t.Fatalf("owner %d", q.Owner)
	}
}

func TestClaim_UsedIsRefusedWithFirstUse(t *testing.T) {
	b := newBench(t, nil)
	q := b.question("a", b.c.static(t, elsewhere(1)))
	effects := b.reply(q.ID, verdict.ClaimUsed, &verdict.Use{At: noonMS - 9, Gate: other})
	r := shown(t, effects)
	if r.Reason != verdict.AlreadyUsed || r.FirstUse == nil || r.FirstUse.Gate != other || opened(effects) != 0 {
		t.Fatalf("result %+v", r)
	}
	b.pass(120_000)
	b.tick()
	if n := len(b.events()); n != 1 {
		t.Fatalf("%d events: a refused claim was given back", n)
	}
}

func TestClaim_SilenceRefuses_AndTheSameIdIsAskedAgain(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, elsewhere(1))
	q := b.question("a", text)
	r := shown(t, b.reply(q.ID, verdict.ClaimSilent, nil))
	if r.Reason != verdict.OfflineNotAllowed || r.Owner == nil || r.Owner.Gate != other {
		t.Fatalf("result %+v", r)
	}
	if e := b.events()[0]; e.Claim != q.ID {
		t.Fatalf("event has claim %q", e.Claim)
	}
	b.reopen()
	b.restart()
	b.pass(59_000)
	b.tick()
	if again := b.question("a", text); again.ID != q.ID {
		t.Fatalf("asked as %s, want %s", again.ID, q.ID)
	}
	if opened(b.reply(q.ID, verdict.ClaimGranted, nil)) != 1 {
		t.Fatal("not admitted")
	}
}

func TestClaim_GrantWhoseAnswerWasLostIsAskedForAgain_ThoughTheServerReportsTheUse(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	text := b.c.static(t, p)
	q := b.question("a", text)
	b.reply(q.ID, verdict.ClaimSilent, nil)
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemUse, p.ID.String(), wire.Use{First: verdict.Use{At: noonMS, Gate: home}, Count: 1, Expires: p.Expires})}})
	b.restart()
	if again := b.question("a", text); again.ID != q.ID {
		t.Fatalf("asked as %s, want %s", again.ID, q.ID)
	}
	if opened(b.reply(q.ID, verdict.ClaimGranted, nil)) != 1 {
		t.Fatal("not admitted")
	}
	b.pass(20_000)
	b.refuse("a", text, verdict.AlreadyUsed)
}

func TestClaim_OpenQuestionAdmitsNobodyByItself(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	text := b.c.static(t, p)
	q := b.question("a", text)
	b.reply(q.ID, verdict.ClaimSilent, nil)
	// Somebody else went through, and the pass then became this gate's own.
	b.apply(wire.Delta{Items: []wire.Item{
		item(t, wire.ItemUse, p.ID.String(), wire.Use{First: verdict.Use{At: noonMS, Gate: other}, Count: 1, Expires: p.Expires}),
		item(t, wire.ItemOwner, p.ID.String(), wire.Ownership{Gate: home, Expires: p.Expires}),
	}})
	b.refuse("a", text, verdict.AlreadyUsed)
}

func TestClaim_OpenForAMinuteIsGivenBack(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	text := b.c.static(t, p)
	q := b.question("a", text)
	b.reply(q.ID, verdict.ClaimSilent, nil)
	b.pass(59_999)
	b.tick()
	if n := len(b.events()); n != 1 {
		t.Fatalf("%d events after 59.999 s", n)
	}
	b.pass(1)
	b.tick()
	events := b.events()
	if len(events) != 2 {
		t.Fatalf("%d events after 60 s", len(events))
	}
	if e := events[1]; e.Type != wire.EventAnnul || e.Claim != q.ID || e.Pass != p.ID || e.Counts || e.Annuls != nil {
		t.Fatalf("event %+v", e)
	}
	if next := b.question("a", text); next.ID == q.ID {
		t.Fatal("a claim that was given back is asked again")
	}
	if effects := b.reply(q.ID, verdict.ClaimGranted, nil); len(effects) != 0 {
		t.Fatalf("a late answer does %+v", effects)
	}
}

// A claim that was asked while the computer's clock was hours ahead is not kept
// for hours: what was granted to it would be nobody's.
func TestClaim_AskedByAWrongClockIsGivenBack(t *testing.T) {
	b := newBench(t, nil)
	const ahead = 3 * 3_600_000
	b.pass(wire.PeerSilenceMS + 1) // until then the server's word on the time stands
	b.wall += ahead
	q := b.question("a", b.c.static(t, elsewhere(1)))
	b.reply(q.ID, verdict.ClaimSilent, nil)
	b.step(desk.Synced{Stamp: b.stamp(), OffsetMS: -ahead})
	b.pass(1_000)
	b.tick()
	events := b.events()
	if e := events[len(events)-1]; e.Type != wire.EventAnnul || e.Claim != q.ID {
		t.Fatalf("events %+v", events)
	}
}

func TestClaim_AnswerAfterGivingBackOpensNothing(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, elsewhere(1))
	b.pass(wire.PeerSilenceMS + 1) // until then the server's word on the time stands
	q := b.question("a", text)
	// The computer's clock leaps: the claim looks old while its answer is on the
	// way, and another lane asks anew.
	b.wall += 61_000
	q2 := b.question("b", text)
	if q2.ID == q.ID {
		t.Fatal("asked again with an old id")
	}
	effects := b.reply(q.ID, verdict.ClaimGranted, nil)
	if r := shown(t, effects); opened(effects) != 0 || r.Reason != verdict.OfflineNotAllowed {
		t.Fatalf("result %+v", r)
	}
	if opened(b.reply(q2.ID, verdict.ClaimGranted, nil)) != 1 {
		t.Fatal("the new claim does not open")
	}
}

func TestClaim_TwoLanesShareOneQuestionAndOneAdmission(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, elsewhere(1))
	q := b.question("a", text)
	b.pass(50)
	if effects := b.scan("b", text); len(effects) != 0 {
		t.Fatalf("second lane: %+v", effects)
	}
	b.pass(50)
	effects := b.reply(q.ID, verdict.ClaimGranted, nil)
	if opened(effects) != 1 || len(effects) != 3 {
		t.Fatalf("effects %+v", effects)
	}
	if r := effects[2].(desk.Show).Result; r.Lane != "b" || !r.Repeat {
		t.Fatalf("second lane %+v", r)
	}
}

func TestClaim_GrantedButRevokedMeanwhileIsGivenBack(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	q := b.question("a", b.c.static(t, p))
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRevocation, p.ID.String(), wire.Revocation{Expires: p.Expires})}})
	if r := shown(t, b.reply(q.ID, verdict.ClaimGranted, nil)); r.Reason != verdict.Revoked {
		t.Fatal(r.Reason)
	}
	b.pass(60_000)
	b.tick()
	if e := b.events(); len(e) != 2 || e[1].Type != wire.EventAnnul || e[1].Claim != q.ID {
		t.Fatalf("events %+v", e)
	}
}

func TestClaim_AnnulNamesTheClaim(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, elsewhere(1))
	q := b.question("a", text)
	r := shown(t, b.reply(q.ID, verdict.ClaimGranted, nil))
	b.annul(r.ID)
	e := b.events()[1]
	if e.Type != wire.EventAnnul || e.Claim != q.ID || e.Counts || e.Annuls == nil {
		t.Fatalf("event %+v", e)
	}
	if next := b.question("a", text); next.ID == q.ID {
		t.Fatal("the claim of an annulled admission is asked again")
	}
}

func TestClaim_DocumentComesBeforeTheQuestion(t *testing.T) {
	b := newBench(t, withDocuments)
	r := b.wait("a", b.c.static(t, elsewhere(1)))
	q := find[desk.Ask](t, b.answer(r.ID, "id_card")).Claim
	if opened(b.reply(q.ID, verdict.ClaimGranted, nil)) != 1 {
		t.Fatal("not admitted")
	}
}

func TestClaim_NoAnswerAtAllEndsWithinAMinute(t *testing.T) {
	b := newBench(t, nil)
	b.question("a", b.c.static(t, elsewhere(1)))
	b.pass(lane.DocumentMS)
	if r := shown(t, b.tick()); r.Reason != verdict.OfflineNotAllowed {
		t.Fatal(r.Reason)
	}
}

// The clock was an hour ahead when the question was asked: nobody waits an hour for
// it when the clock is right again.
func TestClaim_AskedByAClockThatWasAheadIsGivenBack(t *testing.T) {
	b := newBench(t, nil)
	b.step(desk.Synced{Stamp: b.stamp(), OffsetMS: 3_600_000})
	p := elsewhere(1)
	q := b.question("a", b.c.static(t, p))
	b.reply(q.ID, verdict.ClaimSilent, nil)
	b.step(desk.Synced{Stamp: b.stamp()})
	b.tick()
	events := b.events()
	if e := events[len(events)-1]; len(events) != 2 || e.Type != wire.EventAnnul || e.Claim != q.ID {
		t.Fatalf("%d events, the last %+v", len(events), e)
	}
}
