package verify_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// A guard with a phone is bound by what holds at the gate.
func TestAdmit_GoesByThePolicyOfTheGate(t *testing.T) {
	w := newWorld(t)
	work := w.work(t)
	order := func(scope string, state wire.AlarmState) {
		t.Helper()
		ok(t, w.Store.SetAlarm(t.Context(), "test", scope, wire.Alarm{State: state, Reason: "演练"}))
	}
	set := func(p wire.Policy) {
		t.Helper()
		_, err := w.Store.SetPolicy(t.Context(), "test", w.east.ID, p)
		ok(t, err)
	}
	early := w.look(t, work.Code, verdict.Granted)
	order("campus", wire.AlarmLockdown)
	w.admit(t, early.Ticket, verdict.Lockdown) // it came between look and admission
	w.look(t, work.Code, verdict.Lockdown)
	set(wire.Policy{Exempt: signing.KindsOf(signing.Work)})
	w.look(t, work.Code, verdict.Granted)
	order("gate:1", wire.AlarmOpen)
	if r := w.look(t, work.Code, verdict.Attention); r.Verdict.Mark != verdict.MarkEmergency || r.Ticket == "" {
		t.Errorf("in an emergency %+v", r)
	}
	order("gate:1", wire.AlarmNone)
	order("campus", wire.AlarmNone)

	set(wire.Policy{Hours: []verdict.Hours{{Kinds: signing.KindsOf(signing.Work)}}})
	w.look(t, work.Code, verdict.OutsideHours)

	set(wire.Policy{Area: verdict.Area{Passback: verdict.PassbackAlert, Limit: 1}})
	w.admit(t, w.look(t, work.Code, verdict.Granted).Ticket, verdict.Granted)
	single := w.single(t, 0)
	w.look(t, single.Code, verdict.OccupancyFull)
	r := w.look(t, work.Code, verdict.Attention)
	if r.Verdict.Mark != verdict.MarkPassback || r.Verdict.First == nil || r.Verdict.First.Gate != w.east.ID {
		t.Errorf("inside already: %+v", r.Verdict)
	}
	w.admit(t, r.Ticket, verdict.Attention)
	set(wire.Policy{Area: verdict.Area{Passback: verdict.PassbackEnforce}})
	w.look(t, work.Code, verdict.Antipassback)
}

func TestAdmit_PhonesThatAdmitAtOnceLetAPassInOnce(t *testing.T) {
	w := newWorld(t)
	_, err := w.Store.SetPolicy(t.Context(), "test", w.east.ID, wire.Policy{Area: verdict.Area{Passback: verdict.PassbackEnforce}})
	ok(t, err)
	work := w.work(t)
	var tickets []string
	for range 20 {
		tickets = append(tickets, w.look(t, work.Code, verdict.Granted).Ticket)
	}
	var group sync.WaitGroup
	var granted, refused atomic.Int32
	for _, name := range tickets {
		group.Go(func() {
			switch r, err := w.Admit(t.Context(), w.guard, name, nil); {
			case err != nil:
				t.Error(err)
			case r.Verdict.Reason == verdict.Granted:
				granted.Add(1)
			case r.Verdict.Reason == verdict.Antipassback:
				refused.Add(1)
			}
		})
	}
	group.Wait()
	if granted.Load() != 1 || refused.Load() != 19 {
		t.Errorf("%d granted, %d refused", granted.Load(), refused.Load())
	}
}

// Somebody takes the last place while the gate that owns the pass is asked: it
// said yes, so its yes is given back.
func TestAdmit_GivesBackAClaimThatThePolicyOvertook(t *testing.T) {
	w := newWorld(t)
	_, err := w.Store.SetPolicy(t.Context(), "test", w.east.ID, wire.Policy{Area: verdict.Area{Passback: verdict.PassbackEnforce, Limit: 1}})
	ok(t, err)
	single := w.single(t, w.west.ID)
	mine, other := w.look(t, single.Code, verdict.NeedsInput), w.look(t, w.work(t).Code, verdict.Granted)
	w.owner = func(c wire.Claim) wire.Answer {
		w.admit(t, other.Ticket, verdict.Granted)
		return wire.Answer{ID: c.ID, State: verdict.ClaimGranted}
	}
	refused := w.admit(t, mine.Ticket, verdict.OccupancyFull)
	if again := w.admit(t, mine.Ticket, verdict.OccupancyFull); again.Event != refused.Event || len(w.asked) != 1 {
		t.Errorf("the same ticket again: event %s, asked %d times", again.Event, len(w.asked))
	}
	events := w.events(t)
	if last := events[len(events)-1]; len(events) != 3 || last.Type != wire.EventAnnul || last.Claim != w.asked[0].ID {
		t.Errorf("%+v", events)
	}
}
