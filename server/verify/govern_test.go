package verify_test

import (
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
