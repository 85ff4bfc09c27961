package store_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func enforced() wire.Policy {
	return wire.Policy{Area: verdict.Area{Passback: verdict.PassbackEnforce, Limit: 2, ForgetHours: 8}}
}

// moves is an event of somebody who went through in a direction.
func moves(pass signing.PassID, d verdict.Direction, exp int64) wire.Event {
	e := admit(pass, 0, exp)
	e.Counts = false
	e.Case.Lane.Direction = d
	return e
}

// inside gives what the feed says of a pass in zone 1.
func (f *feedMap) inside(t testing.TB, pass signing.PassID) (in wire.Inside, there bool) {
	t.Helper()
	body, there := f.items["inside "+wire.InsideKey("zone:1", pass)]
	if there {
		ok(t, json.Unmarshal(body, &in))
	}
	return in, there
}

func (f *feedMap) policy(t testing.TB, gate string) (p wire.Policy, there bool) {
	t.Helper()
	body, there := f.items["policy "+gate]
	if there {
		ok(t, json.Unmarshal(body, &p))
	}
	return p, there
}

func TestPolicy_GatesOfAnAreaShareWhatTheyHaveInCommon(t *testing.T) {
	s, _ := newStore(t)
	east, west := addGate(t, s, "east", verdict.Owner), addGate(t, s, "west", verdict.Owner)
	p := enforced()
	p.Exempt = signing.KindsOf(signing.Work)
	out := must(s.SetPolicy(t.Context(), "token 1", east.ID, p))(t)
	if out.Area != "zone:1" || len(out.Gates) != 2 || out.Policy.Area != p.Area || out.ChangedBy != "token 1" {
		t.Fatalf("policy %+v", out)
	}
	if other := must(s.Policy(t.Context(), west.ID))(t); other.Policy.Area != p.Area || other.Exempt != 0 || other.ChangedAt != 0 {
		t.Errorf("the other gate: %+v", other)
	}
	var f feedMap
	f.pull(t, s, 100)
	if told, _ := f.policy(t, "2"); told.Area != p.Area || told.Exempt != 0 {
		t.Errorf("told the other gate %+v", told)
	}
	// A group of its own, then nothing at all.
	p.Group = "北区"
	must(s.SetPolicy(t.Context(), "token 1", west.ID, p))(t)
	must(s.SetPolicy(t.Context(), "token 1", east.ID, wire.Policy{}))(t)
	f.pull(t, s, 100)
	if _, there := f.policy(t, "1"); there {
		t.Error("a policy that says nothing is still told")
	}
	if told, _ := f.policy(t, "2"); told.Area != p.Area || told.Group != "北区" {
		t.Errorf("told the gate of the group %+v", told)
	}
	if _, err := s.Policy(t.Context(), 9); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a gate that is not there: %v", err)
	}
}

// A gate that comes to another zone follows what holds there.
func TestPolicy_FollowsTheZoneOfTheGate(t *testing.T) {
	s, _ := newStore(t)
	east, west := addGate(t, s, "east", verdict.Owner), addGate(t, s, "west", verdict.Owner)
	must(s.SetPolicy(t.Context(), "t", east.ID, enforced()))(t)
	must(s.ChangeGate(t.Context(), "t", west.ID, func(g *store.Gate) error { g.Zone = 2; return nil }))(t)
	var f feedMap
	f.pull(t, s, 100)
	if p, there := f.policy(t, "2"); there {
		t.Errorf("still of the old zone: %+v", p)
	}
	must(s.ChangeGate(t.Context(), "t", west.ID, func(g *store.Gate) error { g.Zone = 1; return nil }))(t)
	f.pull(t, s, 100)
	if p, _ := f.policy(t, "2"); p.Area.Limit != 2 {
		t.Errorf("back in the zone: %+v", p)
	}
}

func TestPresence_ComesGoesAndIsCorrected(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	exp := c.seconds() + 86400
	l.send(t, s, l.add(t, moves(passID(9), verdict.Entry, exp))) // nobody keeps it yet
	must(s.SetPolicy(t.Context(), "t", l.gate, enforced()))(t)
	c.add(time.Second)
	in := l.add(t, moves(passID(1), verdict.Entry, exp))
	l.send(t, s, in, l.add(t, moves(passID(2), verdict.Entry, exp)))
	var f feedMap
	want := func(pass signing.PassID, inside bool) {
		t.Helper()
		f.pull(t, s, 100)
		if got, _ := f.inside(t, pass); got.In != inside {
			t.Errorf("pass %s: %+v, want inside %v", pass, got, inside)
		}
	}
	want(passID(1), true)
	want(passID(9), false)
	list := must(s.Insiders(t.Context(), "zone:1", 0, "", 10, 0))(t)
	if len(list) != 2 || list[0].Kind != signing.ResidentSingle || list[0].Gate != l.gate || list[0].Since != c.at() {
		t.Fatalf("inside %+v", list)
	}
	if two := must(s.Insiders(t.Context(), "zone:1", 0, passID(2).String(), 10, 0))(t); len(two) != 1 || two[0].Pass != passID(2) {
		t.Errorf("looked up: %+v", two)
	}

	c.add(time.Second)
	annul := wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: l.id(in.Seq), Verdict: verdict.Verdict{Reason: verdict.Annulled}}
	l.send(t, s, l.add(t, annul), l.add(t, moves(passID(2), verdict.Exit, exp)))
	want(passID(1), false)
	want(passID(2), false)

	// Refusals, repeats and emergencies move nobody; an older event says nothing new.
	c.add(time.Second)
	refused, repeat, open := moves(passID(3), verdict.Entry, exp), moves(passID(3), verdict.Entry, exp), moves(passID(3), verdict.Entry, exp)
	refused.Verdict.Reason, repeat.Verdict.Repeat = verdict.Lockdown, true
	open.Verdict = verdict.Verdict{Reason: verdict.Attention, Mark: verdict.MarkEmergency}
	l.send(t, s, l.add(t, refused), l.add(t, repeat), l.add(t, open), l.add(t, moves(passID(3), verdict.Exit, exp)))
	want(passID(3), false)

	// The clerk's word.
	l.send(t, s, l.add(t, moves(passID(4), verdict.Entry, exp)))
	want(passID(4), true)
	if areas := must(s.ClearPresence(t.Context(), "person 1", passID(4), "", "漏扫"))(t); !slices.Equal(areas, []string{"zone:1"}) {
		t.Errorf("cleared %q", areas)
	}
	want(passID(4), false)
	_, err := s.ClearPresence(t.Context(), "person 1", passID(4), "", "漏扫")
	wants(t, err, store.ErrNotFound)
	trail := must(s.Trail(t.Context(), 0, 1000))(t)
	if last := trail[len(trail)-1]; last.Action != "occupancy.cleared" || last.Actor != "person 1" {
		t.Errorf("trail ends with %+v", last)
	}

	// Nobody keeps it any more: it is forgotten everywhere.
	must(s.SetPolicy(t.Context(), "t", l.gate, wire.Policy{}))(t)
	f.pull(t, s, 100)
	for key := range f.items {
		if key[:6] == "inside" {
			t.Errorf("the feed still says %s", key)
		}
	}
}

func TestOccupancies_CountsWhoIsNotForgotten(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	must(s.SetPolicy(t.Context(), "t", l.gate, enforced()))(t)
	l.send(t, s, l.add(t, moves(passID(1), verdict.Entry, c.seconds()+1e6)))
	c.add(5 * time.Hour)
	l.send(t, s, l.add(t, moves(passID(2), verdict.Entry, c.seconds()+1e6)))
	for hours, inside := range map[time.Duration]int{0: 2, 4: 1, 9: 0} {
		c.add(hours * time.Hour)
		all := must(s.Occupancies(t.Context(), time.UTC))(t)
		if len(all) != 1 || all[0].Area != "zone:1" || all[0].Inside != inside || len(all[0].Gates) != 1 {
			t.Errorf("after %d hours: %+v", hours, all)
		}
		c.add(-hours * time.Hour)
	}
}

func TestAlarms_RaisedEndedAndOver(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	raise := func(scope string, state wire.AlarmState, until int64) error {
		return s.SetAlarm(t.Context(), "person 1", scope, wire.Alarm{State: state, Reason: "演练", Until: until})
	}
	for _, scope := range []string{"zone:9", "gate:9", "gate:x", "gate:", "gate:01", "", "campus:1", "zone:1 OR 1"} {
		wants(t, raise(scope, wire.AlarmLockdown, 0), store.ErrNotFound)
	}
	wants(t, raise("campus", wire.AlarmNone, 0), store.ErrNotFound)
	ok(t, raise("campus", wire.AlarmLockdown, c.at()+60_000))
	ok(t, raise("zone:1", wire.AlarmOpen, 0))
	gate := must(s.Gate(t.Context(), l.gate))(t)
	if state := must(s.ScopeState(t.Context(), gate))(t); state != wire.AlarmOpen {
		t.Errorf("state %q", state)
	}
	ok(t, raise("zone:1", wire.AlarmNone, 0))
	if state := must(s.ScopeState(t.Context(), gate))(t); state != wire.AlarmLockdown {
		t.Errorf("state %q", state)
	}
	var f feedMap
	f.pull(t, s, 100)
	if _, there := f.items["alarm zone:1"]; there || f.items["alarm campus"] == nil {
		t.Errorf("the feed says %v", f.items)
	}
	ok(t, s.EndAlarms(t.Context()))
	c.add(time.Minute)
	if list := must(s.Alarms(t.Context()))(t); len(list) != 0 {
		t.Errorf("in force after its end: %+v", list)
	}
	ok(t, s.EndAlarms(t.Context()))
	f.pull(t, s, 100)
	if f.items["alarm campus"] != nil {
		t.Error("the feed still has it")
	}
	trail := must(s.Trail(t.Context(), 0, 1000))(t)
	if last := trail[len(trail)-1]; last.Action != "alarm.ended" || last.Actor != "schedule" {
		t.Errorf("trail ends with %+v", last)
	}

	// A gate's own, as it says.
	move := wire.Event{Type: wire.EventAlarm, Alarm: &wire.AlarmMove{State: wire.AlarmOpen, Source: wire.AlarmFromInput, Since: c.at()}}
	echo := wire.Event{Type: wire.EventAlarm, Alarm: &wire.AlarmMove{State: wire.AlarmLockdown, Source: wire.AlarmFromServer, Scope: "campus"}}
	l.send(t, s, l.add(t, move), l.add(t, echo))
	if list := must(s.Alarms(t.Context()))(t); len(list) != 1 || list[0].Gate != l.gate || list[0].Source != wire.AlarmFromInput {
		t.Fatalf("alarms %+v", list)
	}
	move.Alarm = &wire.AlarmMove{Source: wire.AlarmFromInput}
	l.send(t, s, l.add(t, move))
	if list := must(s.Alarms(t.Context()))(t); len(list) != 0 {
		t.Errorf("alarms %+v", list)
	}
}
