package lane_test

import (
	"strings"
	"testing"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What a guard does: documents and annuls.

func withDocuments(g *wire.Gate) { g.Documents = true }

// wait scans and wants the question for a document.
func (b *bench) wait(at, text string) desk.Result {
	b.tb.Helper()
	effects := b.scan(at, text)
	r := shown(b.tb, effects)
	if r.Reason != verdict.NeedsInput || r.Need != verdict.NeedDocument || opened(effects) != 0 || r.Event != nil {
		b.tb.Fatalf("got %+v, want the question for a document", r)
	}
	return r
}

// answer gives the documents that the guard ticked; none = a refusal.
func (b *bench) answer(id string, documents ...string) []desk.Effect {
	return b.step(lane.Answer{
		Stamp: b.stamp(), ID: id, Documents: documents, Refuse: len(documents) == 0, Guideline: b.snap.Guideline(),
	})
}

func (b *bench) annul(id string) []desk.Effect {
	return b.step(lane.Annul{Stamp: b.stamp(), ID: id})
}

func TestDocument_ShownThenAdmitted(t *testing.T) {
	b := newBench(t, withDocuments)
	r := b.wait("a", b.c.static(t, single(1)))
	if len(b.events()) != 0 {
		t.Fatal("an attempt that waits is no event yet")
	}
	b.pass(20_000)
	effects := b.answer(r.ID, "id_card")
	if done := shown(t, effects); opened(effects) != 1 || done.ID != r.ID || done.Reason != verdict.Granted || done.At != noonMS+20_000 {
		t.Fatalf("result %+v", done)
	}
	e := b.events()[0]
	if e.Scan != r.ID || len(e.Documents) != 1 || e.Documents[0] != "id_card" || e.Case.At != noonMS || e.At != noonMS+20_000 {
		t.Fatalf("event %+v", e)
	}
	if rej := find[desk.Reject](t, b.answer(r.ID, "id_card")); rej.Err != desk.ErrNotWaiting {
		t.Fatal(rej.Err)
	}
}

func TestDocument_LiveCodeStaysFreshWhileTheGuardLooks(t *testing.T) {
	b := newBench(t, withDocuments)
	r := b.wait("a", b.c.live(t, open(1), 1, noon-20))
	b.pass(50_000)
	if opened(b.answer(r.ID, "id_card")) != 1 {
		t.Fatal("a code that was fresh when shown went stale")
	}
}

func TestDocument_RefusedOrForgotten(t *testing.T) {
	b := newBench(t, withDocuments)
	r := b.wait("a", b.c.static(t, single(1)))
	if done := shown(t, b.answer(r.ID)); done.Reason != verdict.DocumentRequired {
		t.Fatalf("refused: %v", done.Reason)
	}
	r = b.wait("a", b.c.static(t, single(1)))
	b.pass(59_999)
	if effects := b.tick(); len(effects) != 0 {
		t.Fatalf("after 59.999 s: %+v", effects)
	}
	b.pass(1)
	if done := shown(t, b.tick()); done.ID != r.ID || done.Reason != verdict.DocumentRequired {
		t.Fatalf("after 60 s: %+v", done)
	}
	if n := len(b.events()); n != 2 {
		t.Fatalf("%d events, want 2", n)
	}
}

func TestDocument_SamePassAgainReplacesTheOneThatWaits(t *testing.T) {
	b := newBench(t, withDocuments)
	text := b.c.static(t, single(1))
	first := b.wait("a", text)
	effects := b.scan("a", text)
	if len(effects) != 2 {
		t.Fatalf("effects %+v", effects)
	}
	old, fresh := effects[0].(desk.Show).Result, effects[1].(desk.Show).Result
	if old.ID != first.ID || old.Reason != verdict.DocumentRequired || fresh.Need != verdict.NeedDocument {
		t.Fatalf("old %+v, new %+v", old, fresh)
	}
	if opened(b.answer(fresh.ID, "id_card")) != 1 {
		t.Fatal("the new attempt is not admitted")
	}
}

func TestDocument_OldestGivesWay(t *testing.T) {
	b := newBench(t, withDocuments)
	first := b.wait("a", b.c.static(t, single(1)))
	for n := uint64(2); n <= 8; n++ {
		b.wait("a", b.c.static(t, single(n)))
	}
	effects := b.scan("a", b.c.static(t, single(9)))
	if old := effects[0].(desk.Show).Result; old.ID != first.ID || old.Reason != verdict.DocumentRequired {
		t.Fatalf("gave way: %+v", old)
	}
}

func TestDocument_TwoLanesAdmitOnce(t *testing.T) {
	for name, p := range map[string]pass.Pass{"single": single(1), "unlimited": open(1)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, withDocuments)
			text := b.c.static(t, p)
			one := b.wait("a", text)
			two := b.wait("b", text)
			b.pass(verdict.ClockSlackMS + 1) // more than what passes for a corrected clock
			if opened(b.answer(two.ID, "id_card")) != 1 {
				t.Fatal("not admitted")
			}
			b.pass(2_000)
			effects := b.answer(one.ID, "id_card")
			if r := shown(t, effects); opened(effects) != 0 || !r.Repeat {
				t.Fatalf("second lane: %+v", r)
			}
		})
	}
}

func TestDocument_RevokedMeanwhile(t *testing.T) {
	b := newBench(t, withDocuments)
	p := single(1)
	r := b.wait("a", b.c.static(t, p))
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemRevocation, p.ID.String(), wire.Revocation{Expires: p.Expires})}})
	if done := shown(t, b.answer(r.ID, "id_card")); done.Reason != verdict.Revoked {
		t.Fatal(done.Reason)
	}
}

func TestDocument_BadAnswersChangeNothing(t *testing.T) {
	b := newBench(t, withDocuments)
	r := b.wait("a", b.c.static(t, single(1)))
	for _, in := range []lane.Answer{
		{ID: r.ID},
		{ID: r.ID, Documents: []string{"id_card"}, Refuse: true},
		{ID: r.ID, Documents: []string{strings.Repeat("x", 65)}},
		{ID: r.ID, Documents: []string{"\xff"}},
		{ID: r.ID, Documents: []string{""}},
		{ID: r.ID, Documents: []string{"id_card", "id_card"}},
		{ID: r.ID, Documents: strings.Fields("a b c d e f g h i j k l m")},
	} {
		in.Stamp = b.stamp()
		if rej := find[desk.Reject](t, b.step(in)); rej.Err != lane.ErrBadAnswer {
			t.Errorf("%+v: %v", in, rej.Err)
		}
	}
	if rej := find[desk.Reject](t, b.answer("no such", "id_card")); rej.Err != desk.ErrNotWaiting {
		t.Error(rej.Err)
	}
	if opened(b.answer(r.ID, "id_card")) != 1 {
		t.Error("the attempt does not wait any more")
	}
}

func TestAnnul_LetsThePassInAgain_Once(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, single(1))
	r := b.admit("a", text)
	b.pass(3_000)
	if back := shown(t, b.annul(r.ID)); !back.Annulled || back.ID != r.ID || back.Reason != verdict.Granted {
		t.Fatalf("annulled: %+v", back)
	}
	if rej := find[desk.Reject](t, b.annul(r.ID)); rej.Err != lane.ErrNotAnnullable {
		t.Fatalf("twice: %v", rej.Err)
	}
	again := b.admit("a", text)
	b.pass(20_000)
	b.refuse("a", text, verdict.AlreadyUsed)
	events := b.events()
	if e := events[1]; e.Type != wire.EventAnnul || e.Annuls == nil || *e.Annuls != events[0].ID || !e.Counts || e.Pass != events[0].Pass || e.Scan != r.ID {
		t.Fatalf("annul %+v", e)
	}
	if again.Repeat {
		t.Fatal("after an annul there is nothing to repeat")
	}
}

func TestAnnul_TheSensorNeedsNoGuardAndTheNextScanOpens(t *testing.T) {
	b := newBench(t, nil)
	b.cfg.Shift = true
	b.restart()
	text := b.c.static(t, single(1))
	r := b.admit("a", text)
	b.pass(8_000)
	if rej := find[desk.Reject](t, b.annul(r.ID)); rej.Err != desk.ErrNoShift {
		t.Fatalf("a guard who is not on duty: %v", rej.Err)
	}
	back := shown(t, b.step(lane.Annul{Stamp: b.stamp(), ID: r.ID, Sensor: true}))
	if !back.Annulled || back.Passage != desk.WentNowhere {
		t.Fatalf("annulled: %+v", back)
	}
	b.pass(1_000) // within the ten seconds of a repeat
	if again := b.admit("a", text); again.Repeat {
		t.Fatalf("again: %+v", again)
	}
	b.pass(20_000)
	b.refuse("a", text, verdict.AlreadyUsed)
	events := b.events()
	if e := events[1]; e.Type != wire.EventAnnul || e.Source != lane.SourceSensor || e.Guard != "" || *e.Annuls != events[0].ID || !e.Counts {
		t.Fatalf("annul %+v", e)
	}
	// The way to let people in twice: a restart in between changes nothing.
	b.restart()
	b.refuse("a", text, verdict.AlreadyUsed)
}

func TestAnnul_SameLiveCodeOpensAgain(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.live(t, open(1), 9, noon)
	r := b.admit("a", text)
	b.annul(r.ID)
	b.admit("a", text)
	b.pass(11_000)
	b.refuse("a", text, verdict.Replayed)
}

func TestAnnul_OnlyAdmissionsOfTheLastQuarterHour(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, single(1))
	r := b.admit("a", text)
	repeat := b.refuse("a", text, verdict.Granted)
	refused := b.refuse("a", "nothing", verdict.Malformed)
	for _, id := range []string{repeat.ID, refused.ID, "", "no such"} {
		if rej := find[desk.Reject](t, b.annul(id)); rej.Err != desk.ErrNoScan {
			t.Errorf("annul %q: %v", id, rej.Err)
		}
	}
	b.pass(lane.AnnulMS + 1)
	if rej := find[desk.Reject](t, b.annul(r.ID)); rej.Err != lane.ErrNotAnnullable {
		t.Error(rej.Err)
	}
	b.pass(-1)
	if !shown(t, b.annul(r.ID)).Annulled {
		t.Error("at exactly fifteen minutes it can be annulled")
	}
}

func TestAnnul_OfTheFirstUseNamesTheNext(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	p.Uses = 2
	text := b.c.static(t, p)
	first := b.admit("a", text)
	b.pass(11_000)
	b.admit("b", text)
	b.annul(first.ID)
	b.pass(11_000)
	b.admit("a", text)
	b.pass(11_000)
	r := b.refuse("a", text, verdict.AlreadyUsed)
	if r.FirstUse == nil || r.FirstUse.At != noonMS+11_000 {
		t.Fatalf("first use %+v, want the second admission", r.FirstUse)
	}
}

func TestAnnul_WorksAfterRestart(t *testing.T) {
	b := newBench(t, nil)
	text := b.c.static(t, single(1))
	r := b.admit("a", text)
	b.reopen()
	b.restart()
	if !shown(t, b.annul(r.ID)).Annulled {
		t.Fatal("not annulled")
	}
	b.admit("a", text)
}

func TestAnnul_WorksWhenTheServerHasCountedTheUse(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	text := b.c.static(t, p)
	counted := counted(t, p, 1, map[string]uint32{mine: 1})
	r := b.admit("a", text)
	check(t, b.j.Ack(b.j.Last()))
	b.apply(wire.Delta{Items: []wire.Item{counted}})
	b.annul(r.ID)
	b.pass(60_000)
	b.admit("a", text)

	// A use that the server counted, but not from here, is not ours to take back.
	q := single(2)
	q.Uses = 2
	text = b.c.static(t, q)
	r = b.admit("a", text) // not yet acknowledged
	b.apply(wire.Delta{Items: []wire.Item{item(t, wire.ItemUse, q.ID.String(), wire.Use{First: verdict.Use{At: noonMS, Gate: other}, Count: 2, Expires: q.Expires})}})
	b.annul(r.ID)
	b.refuse("a", text, verdict.AlreadyUsed)
}
