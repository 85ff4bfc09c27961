package audit_test

import (
	"fmt"
	"testing"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const minute = 60_000

func TestOpinion_AgreesWithAnHonestGate(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	p, unlimited, foreign := w.pass(t, 1), w.pass(t, 0), w.unissued(1)
	foreign.ID[0] ^= 1
	in := a.admit(t, p, noon)
	repeat := a.kase(p, noon+5_000)
	repeat.Record = verdict.Record{Uses: 1, First: &verdict.Use{At: noon, Gate: a.id()}, Recent: &verdict.Recent{At: noon, Reason: verdict.Granted}}
	again := a.kase(p, noon+minute)
	again.Record = repeat.Record
	out := a.kase(p, noon+2*minute)
	out.Lane.Direction = verdict.Exit
	bad := a.write(t, wire.Event{
		Type: wire.EventScan, At: noon, Verdict: verdict.Verdict{Reason: verdict.Malformed}, Case: &verdict.Case{Read: verdict.Malformed},
	})
	want := opinions{
		in: verdict.Granted, bad: verdict.Malformed,
		a.scan(t, repeat, ""):            verdict.Granted,
		a.scan(t, again, ""):             verdict.AlreadyUsed,
		a.scan(t, out, ""):               verdict.Granted,
		a.admit(t, unlimited, noon):      verdict.Granted,
		a.admit(t, unlimited, noon+1000): verdict.Granted,
		a.admit(t, foreign, noon):        verdict.Granted,
	}
	a.send(t)
	w.wants(t, want)
	if f, err := w.auditor.Figures(t.Context()); err != nil || f.Disagreements != 0 || f.Judged != 8 {
		t.Fatalf("figures %+v, %v", f, err)
	}
}

func TestOpinion_RevokedByTheServersRecord(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	p, never := w.pass(t, 0), w.pass(t, 0)
	before, after := a.admit(t, p, noon+minute-1), a.admit(t, p, noon+minute+1)
	// It heard of the revocation; its clock is a little behind the server's.
	told := a.kase(p, noon+minute-40)
	told.Record.Revoked = true
	invented := a.kase(never, noon+minute)
	invented.Record.Revoked = true
	want := opinions{
		before: verdict.Granted, after: verdict.Revoked,
		a.scan(t, told, ""):     verdict.Revoked,
		a.scan(t, invented, ""): verdict.Granted,
	}
	w.clock.Store(noon + minute)
	ok(t, w.store.RevokePass(t.Context(), "test", p.ID, "lost"))
	w.clock.Store(noon + 2*minute)
	a.send(t)
	w.wants(t, want)
}

func TestOpinion_NothingHappensAfterItWasHeardOf(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	p := w.pass(t, 0)
	fast := a.admit(t, p, noon+10*minute) // an hour-hand too far
	a.send(t)
	w.clock.Store(noon + minute)
	ok(t, w.store.RevokePass(t.Context(), "test", p.ID, "lost"))
	w.wants(t, opinions{fast: verdict.Granted})
}

func TestOpinion_KeyCompromised(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	p := w.pass(t, 0)
	w.clock.Store(noon + minute)
	w.compromise(t)
	w.clock.Store(noon + 2*minute)
	elsewhere := a.kase(p, noon+minute+1)
	elsewhere.Code.Key = signing.KeyID{9, 9, 9, 9}
	want := opinions{
		a.admit(t, p, noon):          verdict.Granted,
		a.admit(t, p, noon+minute):   verdict.Granted,
		a.admit(t, p, noon+minute+1): verdict.Revoked,
		a.scan(t, elsewhere, ""):     verdict.Granted,
	}
	a.send(t)
	w.wants(t, want)
}

func TestOpinion_WithoutACaseIsInternal(t *testing.T) {
	w := newWorld(t)
	a := w.gate(t)
	p := w.pass(t, 1)
	id := a.write(t, wire.Event{Type: wire.EventScan, At: noon, Pass: p.ID, Verdict: verdict.Verdict{Reason: verdict.Granted}, Counts: true})
	odd := a.kase(p, noon)
	odd.Read = verdict.Expired
	want := opinions{id: verdict.Internal, a.scan(t, odd, ""): verdict.Internal}
	a.send(t)
	w.wants(t, want)
}

func TestOpinion_LaterAdmissionIsTheConflict(t *testing.T) {
	for _, earlierLast := range []bool{false, true} {
		t.Run(fmt.Sprintf("earlier one comes last: %t", earlierLast), func(t *testing.T) {
			w := newWorld(t)
			a, b := w.gate(t), w.gate(t)
			p := w.pass(t, 1)
			first, second := a.admit(t, p, noon), b.admit(t, p, noon+minute)
			if earlierLast {
				b.send(t)
				w.wants(t, opinions{second: verdict.Granted})
				a.send(t)
			} else {
				a.send(t)
				w.wants(t, opinions{first: verdict.Granted})
				b.send(t)
			}
			w.wants(t, opinions{first: verdict.Granted, second: verdict.Conflict})

			conflicts, err := w.store.Conflicts(t.Context(), 10)
			ok(t, err)
			if len(conflicts) != 1 || conflicts[0].Pass != p.ID || len(conflicts[0].Admissions) != 2 {
				t.Fatalf("conflicts %+v", conflicts)
			}
			one, two := conflicts[0].Admissions[0], conflicts[0].Admissions[1]
			if one.Gate != a.id() || one.At != noon || two.Gate != b.id() || two.At != noon+minute {
				t.Errorf("admissions %+v, %+v", one, two)
			}
		})
	}
}

func TestOpinion_ConflictWeighsMoreThanWhatTheJudgeSays(t *testing.T) {
	w := newWorld(t)
	a, b := w.gate(t), w.gate(t)
	p := w.pass(t, 1)
	ok(t, w.store.RevokePass(t.Context(), "test", p.ID, "lost"))
	w.clock.Store(noon + 9*minute)
	want := opinions{a.admit(t, p, noon+minute): verdict.Revoked, b.admit(t, p, noon+2*minute): verdict.Conflict}
	a.send(t)
	b.send(t)
	w.wants(t, want)
}

func TestOpinion_OneUseMoreThanAllowed(t *testing.T) {
	w := newWorld(t)
	a, b := w.gate(t), w.gate(t)
	p := w.pass(t, 3)
	want := opinions{}
	for i := range int64(4) {
		want[a.admit(t, p, noon+i*minute)] = verdict.Granted
	}
	// Between the others by time, so that the last of them is one too many.
	want[b.admit(t, p, noon+minute/2)] = verdict.Granted
	last, before := wire.EventID{Agent: a.agent.ID, Epoch: 1, Seq: 4}, wire.EventID{Agent: a.agent.ID, Epoch: 1, Seq: 3}
	want[last] = verdict.Conflict
	a.send(t)
	ok(t, w.auditor.CatchUp(t.Context()))
	want[before] = verdict.Conflict
	b.send(t)
	w.wants(t, want)
}

func TestOpinion_AnnulledUseDoesNotCount(t *testing.T) {
	w := newWorld(t)
	a, b := w.gate(t), w.gate(t)
	p, q := w.pass(t, 1), w.pass(t, 1)
	// Of p the earlier admission is taken back, of q the later one.
	p1, p2 := a.admit(t, p, noon), b.admit(t, p, noon+minute)
	q1, q2 := a.admit(t, q, noon), b.admit(t, q, noon+minute)
	a.send(t)
	b.send(t)
	w.wants(t, opinions{p1: verdict.Granted, p2: verdict.Conflict, q1: verdict.Granted, q2: verdict.Conflict})

	a.annul(t, p, noon+2*minute, &p1, "")
	b.annul(t, q, noon+2*minute, &q2, "")
	a.send(t)
	b.send(t)
	// q2 should not have been admitted, but it is no second admission any more.
	w.wants(t, opinions{p1: verdict.Granted, p2: verdict.Granted, q1: verdict.Granted, q2: verdict.AlreadyUsed})
	conflicts, err := w.store.Conflicts(t.Context(), 10)
	if err != nil || len(conflicts) != 0 {
		t.Fatalf("conflicts %+v, %v", conflicts, err)
	}
}

func TestOpinion_AdmissionsUnderAClaim(t *testing.T) {
	w := newWorld(t)
	owner, b, c := w.gate(t), w.gate(t), w.gate(t)
	p, q, r := w.pass(t, 1), w.pass(t, 1), w.pass(t, 1)
	claim := func(g *gate, n int) string { return fmt.Sprintf("%d-1-%d", g.agent.ID, n) }

	// p: the owner granted b's claim; its journal comes last.
	pIn := b.admitUnder(t, p, noon+100, owner.id(), claim(b, 1))
	owner.grant(t, p, noon+50, b.id(), claim(b, 1))
	// q: the owner granted as well, but c had let the person in before.
	qFirst := c.admit(t, q, noon-minute)
	qIn := b.admitUnder(t, q, noon+100, owner.id(), claim(b, 2))
	owner.grant(t, q, noon+50, b.id(), claim(b, 2))
	// r: the server granted, and c had let the person in before.
	answer, err := w.store.Decide(t.Context(), wire.Claim{ID: claim(b, 3), Pass: r.ID, Gate: b.id(), Uses: 1, Expires: r.Expires, At: noon})
	if err != nil || answer.State != verdict.ClaimGranted {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	rIn := b.admitUnder(t, r, noon+100, 0, claim(b, 3))
	rFirst := c.admit(t, r, noon-minute)

	b.send(t)
	w.wants(t, opinions{pIn: verdict.Granted, qIn: verdict.Granted, rIn: verdict.Granted})
	c.send(t)
	want := opinions{
		pIn: verdict.Granted, qIn: verdict.Granted, rIn: verdict.Conflict,
		qFirst: verdict.Granted, rFirst: verdict.Granted,
	}
	w.wants(t, want) // of q's grant nothing is known yet
	owner.send(t)
	want[qIn] = verdict.Conflict
	w.wants(t, want)

	// What b gives back is a use no more.
	b.annul(t, r, noon+minute, &rIn, claim(b, 3))
	b.send(t)
	want[rIn] = verdict.AlreadyUsed
	w.wants(t, want)
}

func TestOpinion_ClaimOfAnotherGateIsNotItsOwn(t *testing.T) {
	w := newWorld(t)
	owner, b, thief := w.gate(t), w.gate(t), w.gate(t)
	p := w.pass(t, 1)
	claim := fmt.Sprintf("%d-1-1", b.agent.ID)
	owner.grant(t, p, noon, b.id(), claim)
	in := b.admitUnder(t, p, noon+100, owner.id(), claim)
	stolen := thief.admitUnder(t, p, noon+200, owner.id(), claim)
	thief.send(t)
	w.wants(t, opinions{stolen: verdict.NeedsInput})
	owner.send(t)
	b.send(t)
	w.wants(t, opinions{in: verdict.Granted, stolen: verdict.NeedsInput})
}

func TestOpinion_RefusalNeedsAUseOnRecord(t *testing.T) {
	w := newWorld(t)
	a, b := w.gate(t), w.gate(t)
	p, q, r := w.pass(t, 1), w.pass(t, 1), w.pass(t, 1)
	in := a.admit(t, p, noon)
	early := b.refuse(t, p, noon-3_000, verdict.Use{At: noon, Gate: a.id()}) // b's clock is behind
	late := b.refuse(t, p, noon+minute, verdict.Use{At: noon, Gate: a.id()})
	invented := b.refuse(t, q, noon, verdict.Use{At: noon - minute, Gate: a.id()})
	qIn := a.admit(t, q, noon+10*minute)
	// Far off by the clocks, but it is the very use that b was told of.
	named := b.refuse(t, r, noon, verdict.Use{At: noon + 10*minute, Gate: a.id()})
	rIn := a.admit(t, r, noon+10*minute)
	b.send(t)
	w.wants(t, opinions{early: verdict.Granted, late: verdict.Granted, invented: verdict.Granted, named: verdict.Granted})
	a.send(t)
	want := opinions{
		in: verdict.Granted, early: verdict.AlreadyUsed, late: verdict.AlreadyUsed, invented: verdict.Granted,
		qIn: verdict.Granted, named: verdict.AlreadyUsed, rIn: verdict.Granted,
	}
	w.wants(t, want)
	// What was refused with reason stays so when the use is taken back.
	a.annul(t, p, noon+2*minute, &in, "")
	a.send(t)
	w.wants(t, want)
}

func TestOpinion_DecidersWordNeedsAUseToo(t *testing.T) {
	w := newWorld(t)
	owner, b := w.gate(t), w.gate(t)
	p := w.pass(t, 1)
	c := b.kase(p, noon)
	c.Code.Owner, c.Claim = owner.id(), verdict.Claim{State: verdict.ClaimUsed, First: &verdict.Use{At: noon - minute, Gate: owner.id()}}
	id := b.scan(t, c, fmt.Sprintf("%d-1-1", b.agent.ID))
	b.send(t)
	w.wants(t, opinions{id: verdict.NeedsInput})
	in := owner.admit(t, p, noon-minute)
	owner.send(t)
	w.wants(t, opinions{id: verdict.AlreadyUsed, in: verdict.Granted})
}

func TestOpinion_ServersDecisionComesToLightWithItsScan(t *testing.T) {
	w := newWorld(t)
	a, b := w.gate(t), w.gate(t)
	p := w.pass(t, 1)
	refused := b.refuse(t, p, noon+minute, verdict.Use{At: noon, Gate: a.id()}) // b's clock is fast
	b.send(t)
	w.wants(t, opinions{refused: verdict.Granted})
	claim := fmt.Sprintf("%d-1-1", a.agent.ID)
	_, err := w.store.Decide(t.Context(), wire.Claim{ID: claim, Pass: p.ID, Gate: a.id(), Uses: 1, Expires: p.Expires, At: noon})
	ok(t, err)
	in := a.admitUnder(t, p, noon, 0, claim)
	a.send(t)
	w.wants(t, opinions{refused: verdict.AlreadyUsed, in: verdict.Granted})
}
