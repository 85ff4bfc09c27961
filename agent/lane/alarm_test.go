package lane_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// order is an alarm from the server; none ends it.
func (b *bench) order(scope string, state wire.AlarmState, until int64) {
	b.tb.Helper()
	it := wire.Item{Kind: wire.ItemAlarm, Key: scope, Gone: true}
	if state != wire.AlarmNone {
		it = item(b.tb, wire.ItemAlarm, scope, wire.Alarm{State: state, Reason: "演练", By: "person 1", Since: b.wall, Until: until})
	}
	b.apply(wire.Delta{Items: []wire.Item{it}})
}

// moves are the alarms in the journal, as source, scope and state.
func (b *bench) moves() (list []string) {
	b.tb.Helper()
	for _, e := range b.events() {
		if e.Type == wire.EventAlarm {
			list = append(list, string(e.Alarm.Source)+" "+e.Alarm.Scope+" "+string(e.Alarm.State))
		}
	}
	return list
}

func (b *bench) wantMoves(want ...string) {
	b.tb.Helper()
	got := b.moves()
	if len(got) != len(want) {
		b.tb.Fatalf("alarms in the journal %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			b.tb.Errorf("alarm %d: %q, want %q", i, got[i], want[i])
		}
	}
}

func TestAlarm_LockdownKeepsOutAndLetsOut(t *testing.T) {
	b := governed(t, wire.Policy{Exempt: signing.KindsOf(signing.ResidentMulti)})
	one, many := b.c.static(t, single(1)), b.c.static(t, open(2))
	b.order("zone:2", wire.AlarmLockdown, 0) // of others
	b.order("gate:5", wire.AlarmLockdown, 0)
	if effects := b.tick(); len(effects) != 0 {
		t.Fatalf("effects %+v", effects)
	}
	b.order(wire.ScopeCampus, wire.AlarmLockdown, 0)
	if a := find[lane.Alarmed](t, b.tick()); len(a.Held) != 1 || a.Held[0].Reason != "演练" {
		t.Fatalf("in force %+v", a.Held)
	}
	b.refuse("a", one, verdict.Lockdown)
	if r := b.admit("out", one); r.Reason != verdict.Attention || r.Mark != verdict.MarkLockdown {
		t.Errorf("out: %+v", r)
	}
	b.admit("a", many) // exempt
	b.reopen()
	b.restart()
	if effects := b.tick(); len(effects) != 0 {
		t.Fatalf("a restart began something: %+v", effects)
	}
	b.refuse("a", one, verdict.Lockdown)
	b.order(wire.ScopeCampus, wire.AlarmNone, 0)
	find[lane.Alarmed](t, b.tick())
	b.admit("a", one)
	b.wantMoves("server campus lockdown", "server campus ")
}

func TestAlarm_EndsByItselfAndOpeningGoesFirst(t *testing.T) {
	b := governed(t, wire.Policy{})
	b.order("zone:1", wire.AlarmLockdown, b.wall+60_000)
	b.order("gate:3", wire.AlarmOpen, 0)
	if a := find[lane.Alarmed](t, b.tick()); len(a.Held) != 2 || a.Held[0].State != wire.AlarmOpen {
		t.Fatalf("in force %+v", a.Held)
	}
	text := b.c.static(t, single(1))
	r := b.admit("a", text)
	if r.Reason != verdict.Attention || r.Mark != verdict.MarkEmergency {
		t.Fatalf("in an emergency %+v", r)
	}
	b.order("gate:3", wire.AlarmNone, 0)
	b.tick()
	b.refuse("a", text, verdict.Lockdown)
	b.pass(60_000)
	b.tick()
	b.admit("a", text) // the emergency used nothing up
	b.pass(verdict.RepeatMS)
	b.refuse("a", text, verdict.AlreadyUsed)
	b.wantMoves("server gate:3 open", "server zone:1 lockdown", "server gate:3 ", "server zone:1 ")
}

// Nothing of an emergency is taken back, and nobody is inside by it.
func TestAlarm_EmergencyLeavesNoTraceOfUses(t *testing.T) {
	b := governed(t, enforced())
	text := b.c.static(t, elsewhere(1)) // another gate decides it
	b.order(wire.ScopeCampus, wire.AlarmOpen, 0)
	b.tick()
	r := b.admit("a", text)
	b.step(lane.Annul{Stamp: b.stamp(), ID: r.ID})
	b.pass(verdict.RepeatMS)
	b.admit("a", text)
	b.order(wire.ScopeCampus, wire.AlarmNone, 0)
	b.tick()
	b.pass(verdict.RepeatMS)
	find[desk.Ask](t, b.scan("a", text)) // neither inside nor used, so it is asked for
	for _, e := range b.events() {
		if e.Counts {
			t.Errorf("%s %s counts a use", e.ID, e.Type)
		}
	}
}

func TestAlarm_ButtonAndContact(t *testing.T) {
	b := governed(t, wire.Policy{})
	raise := func(state wire.AlarmState, source wire.AlarmSource) []desk.Effect {
		return b.step(lane.Alarm{Stamp: b.stamp(), State: state, Source: source, Reason: "火警"})
	}
	find[lane.Alarmed](t, raise(wire.AlarmOpen, wire.AlarmFromInput))
	find[lane.Alarmed](t, raise(wire.AlarmLockdown, wire.AlarmFromGuard))
	if again := raise(wire.AlarmOpen, wire.AlarmFromInput); len(again) != 1 {
		t.Errorf("the same again: %+v", again)
	}
	b.reopen()
	b.restart()
	text := b.c.static(t, open(1))
	if r := b.admit("a", text); r.Mark != verdict.MarkEmergency {
		t.Fatalf("after a restart %+v", r)
	}
	raise(wire.AlarmNone, wire.AlarmFromInput)
	b.refuse("a", text, verdict.Lockdown)
	raise(wire.AlarmNone, wire.AlarmFromGuard)
	b.admit("a", text)
	b.wantMoves("input  open", "guard  lockdown", "input  ", "guard  ")
	for _, bad := range []lane.Alarm{
		{State: "?", Source: wire.AlarmFromGuard},
		{State: wire.AlarmOpen, Source: wire.AlarmFromServer},
		{State: wire.AlarmOpen, Source: wire.AlarmFromGuard, Reason: "a\nb"},
	} {
		bad.Stamp = b.stamp()
		if r := find[desk.Reject](t, b.step(bad)); !errors.Is(r.Err, lane.ErrBadAlarm) {
			t.Errorf("%+v: %v", bad, r.Err)
		}
	}
}

func TestAlarm_TheButtonIsTheGuardsWhoIsOnDuty(t *testing.T) {
	b := newBench(t, nil)
	b.cfg.Shift = true
	b.restart()
	press := func() []desk.Effect {
		return b.step(lane.Alarm{Stamp: b.stamp(), State: wire.AlarmOpen, Source: wire.AlarmFromGuard})
	}
	if r := find[desk.Reject](t, press()); !errors.Is(r.Err, desk.ErrNoShift) {
		t.Fatal(r.Err)
	}
	find[lane.Alarmed](t, b.step(lane.Alarm{Stamp: b.stamp(), State: wire.AlarmOpen, Source: wire.AlarmFromInput}))
	b.step(desk.BeginShift{Stamp: b.stamp(), Number: "G21", Name: "秦砚书"})
	if a := find[lane.Alarmed](t, press()); a.Held[0].By != "G21" {
		t.Errorf("by %+v", a.Held)
	}
}

// listener is who holds the barriers open.
type listener struct {
	mu   sync.Mutex
	told [][]wire.AlarmMove
}

func (l *listener) hear(held []wire.AlarmMove) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, held)
}

func (l *listener) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.told[len(l.told)-1]
	return len(last) > 0 && last[0].State == wire.AlarmOpen
}

// heard starts the gate anew with a disk that may fail, and gives who hears of its
// alarms.
func (c *counter) heard(t *testing.T, f *faulty) *listener {
	t.Helper()
	c.stop()
	l := &listener{}
	c.reopen()
	c.run(t, func(d *lane.Deps) { f.Store, d.Store, d.Alarmed = d.Store, f, l.hear })
	return l
}

// A disk that fails does not keep people in a fire. It is asked for again, and
// then it is in the journal.
func TestAlarm_OpensThoughTheDiskFails(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		l := c.heard(t, f)
		f.fail.Store(true)
		if err := c.desk.Raise(t.Context(), wire.AlarmLockdown, wire.AlarmFromInput, ""); !errors.Is(err, desk.ErrStore) || l.open() {
			t.Fatalf("lockdown: %v, open %v", err, l.open())
		}
		if err := c.desk.Raise(t.Context(), wire.AlarmOpen, wire.AlarmFromInput, ""); !errors.Is(err, desk.ErrStore) || !l.open() {
			t.Fatalf("%v, open %v", err, l.open())
		}
		f.fail.Store(false)
		check(t, c.desk.Raise(t.Context(), wire.AlarmOpen, wire.AlarmFromInput, ""))
		if !l.open() {
			t.Error("closed again")
		}
		// No pulses: the barriers stand open.
		if r := c.present(t, "a", single(1)); r.Mark != verdict.MarkEmergency || !r.Opens {
			t.Errorf("result %+v", r)
		}
		c.wantPulses(t, 0)
		check(t, c.desk.Raise(t.Context(), wire.AlarmNone, wire.AlarmFromInput, ""))
		if l.open() {
			t.Error("still open")
		}
		c.present(t, "a", single(1))
		c.wantPulses(t, 1)
		c.events() // the chain holds
	})
}

// What opened without being written is ended like any other, also when the journal
// never knew of it.
func TestAlarm_OpenedThoughTheDiskFailedIsEnded(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, f *faulty) {
		l := c.heard(t, f)
		f.fail.Store(true)
		if err := c.desk.Raise(t.Context(), wire.AlarmOpen, wire.AlarmFromGuard, "fire"); !errors.Is(err, desk.ErrStore) || !l.open() {
			t.Fatalf("%v, open %v", err, l.open())
		}
		f.fail.Store(false)
		check(t, c.desk.Raise(t.Context(), wire.AlarmNone, wire.AlarmFromGuard, ""))
		if held := c.desk.Alarms(); l.open() || len(held) != 0 {
			t.Errorf("open %v, held %+v", l.open(), held)
		}
		c.present(t, "a", single(1))
		c.wantPulses(t, 1)
	})
}

// Whoever holds the barriers hears of it at the start.
func TestAlarm_StandsOpenAfterARestart(t *testing.T) {
	onFault(t, nil, func(t *testing.T, c *counter, _ *faulty) {
		check(t, c.desk.Raise(t.Context(), wire.AlarmOpen, wire.AlarmFromInput, ""))
		c.stop()
		l := &listener{}
		c.reopen()
		c.run(t, func(d *lane.Deps) { d.Alarmed = l.hear })
		time.Sleep(time.Millisecond)
		if !l.open() || len(c.desk.Alarms()) != 1 {
			t.Errorf("told %+v", l.told)
		}
	})
}
