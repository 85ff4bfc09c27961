package snapshot_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func body(tb testing.TB, v any) json.RawMessage {
	tb.Helper()
	return must[json.RawMessage](tb)(json.Marshal(v))
}

func insideItem(tb testing.TB, n uint64, at int64) wire.Item {
	tb.Helper()
	in := wire.Inside{In: true, Since: at, Gate: 5, At: at, Expires: far}
	return wire.Item{Kind: wire.ItemInside, Key: wire.InsideKey("zone:1", passID(n)), Body: body(tb, in)}
}

func (s *store) inside(n uint64) (p lane.Presence) {
	s.tb.Helper()
	check(s.tb, s.j.Update(func(book lane.Book) (err error) {
		p, err = book.Presence("zone:1", passID(n))
		return err
	}))
	return p
}

// group applies items as the next revision.
func (s *store) group(reset bool, items ...wire.Item) error {
	return s.Apply([]wire.Delta{{Reset: reset, Cursor: wire.Cursor{Lineage: "l", Revision: s.Cursor().Revision + 1}, Items: items}})
}

func TestPolicy_OnlyOfThisGate(t *testing.T) {
	s := newStore(t)
	p := wire.Policy{Area: verdict.Area{Limit: 7}}
	check(t, s.group(true,
		wire.Item{Kind: wire.ItemPolicy, Key: "5", Body: body(t, wire.Policy{Area: verdict.Area{Limit: 1}})},
		wire.Item{Kind: wire.ItemPolicy, Key: "3", Body: body(t, p)},
	))
	if got := s.standing(1).Rules; got == nil || got.Area.Limit != 7 {
		t.Fatalf("rules %+v", got)
	}
	s.reopen()
	if got := s.standing(1).Rules; got == nil || got.Area.Limit != 7 {
		t.Fatalf("rules after a restart %+v", got)
	}
	check(t, s.group(false, wire.Item{Kind: wire.ItemPolicy, Key: "5", Gone: true}))
	if s.standing(1).Rules == nil {
		t.Error("another gate's end was taken for ours")
	}
	check(t, s.group(false, wire.Item{Kind: wire.ItemPolicy, Key: "3", Gone: true}))
	if got := s.standing(1).Rules; got != nil {
		t.Errorf("rules %+v", got)
	}
}

func TestPolicy_RefusesWhatMakesNoSense(t *testing.T) {
	s := newStore(t)
	check(t, s.group(true))
	for name, it := range map[string]wire.Item{
		"gate 0":       {Kind: wire.ItemPolicy, Key: "0", Body: body(t, wire.Policy{})},
		"hours":        {Kind: wire.ItemPolicy, Key: "3", Body: json.RawMessage(`{"hours":[{"kinds":"","week":[]}]}`)},
		"no policy":    {Kind: wire.ItemPolicy, Key: "3", Body: json.RawMessage(`[]`)},
		"alarm state":  {Kind: wire.ItemAlarm, Key: "campus", Body: json.RawMessage(`{"state":"maybe","since":1}`)},
		"alarm scope":  {Kind: wire.ItemAlarm, Key: "moon", Body: body(t, wire.Alarm{State: wire.AlarmOpen})},
		"inside where": {Kind: wire.ItemInside, Key: passID(1).String(), Body: body(t, wire.Inside{})},
		"inside who":   {Kind: wire.ItemInside, Key: "zone:1/x", Body: body(t, wire.Inside{})},
	} {
		if err := s.group(false, it); !errors.Is(err, snapshot.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Cursor().Revision != 1 {
		t.Errorf("cursor %v", s.Cursor())
	}
}

// A large group, a reset that says less, and what this gate says itself.
func TestPresence_ASnapshotReplacesTheServersWordOnly(t *testing.T) {
	s := newStore(t)
	var many []wire.Item
	for n := range uint64(600) {
		many = append(many, insideItem(t, n, nowMS))
	}
	check(t, s.group(true, many...))
	if !s.inside(599).In {
		t.Fatal("not known")
	}
	check(t, s.j.Update(func(book lane.Book) error {
		return book.SetPresence(lane.Presence{Area: "zone:1", Pass: passID(1), At: nowMS + 1, Expires: far, Seq: 1})
	}))
	check(t, s.group(true, insideItem(t, 1, nowMS), insideItem(t, 2, nowMS)))
	if s.inside(1).In || !s.inside(2).In || s.inside(3).In {
		t.Errorf("inside: %v %v %v", s.inside(1).In, s.inside(2).In, s.inside(3).In)
	}
	if n := s.rows("presence"); n != 2 {
		t.Errorf("%d rows", n)
	}
	check(t, s.group(false,
		wire.Item{Kind: wire.ItemInside, Key: wire.InsideKey("zone:1", passID(1)), Gone: true},
		wire.Item{Kind: wire.ItemInside, Key: wire.InsideKey("zone:1", passID(2)), Gone: true},
	))
	if n := s.rows("presence"); n != 1 {
		t.Errorf("%d rows after the server forgot", n)
	}
	check(t, s.j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: nowMS + 9*86400_000}) }))
	check(t, s.Prune(time.UnixMilli(nowMS+9*86400_000)))
	if n := s.rows("presence"); n != 0 {
		t.Errorf("%d rows after a week", n)
	}
}

func TestAlarms_AreThoseAboutThisGate(t *testing.T) {
	s := newStore(t)
	alarm := func(scope string) wire.Item {
		return wire.Item{Kind: wire.ItemAlarm, Key: scope, Body: body(t, wire.Alarm{State: wire.AlarmLockdown, Since: nowMS})}
	}
	check(t, s.group(true,
		wire.Item{Kind: wire.ItemGate, Key: "3", Body: body(t, wire.Gate{ID: 3, Zone: 2, Mode: verdict.Owner})},
		alarm("campus"), alarm("zone:1"), alarm("zone:2"), alarm("gate:3"), alarm("gate:33"),
	))
	list := func() (got []string) {
		check(t, s.j.Update(func(book lane.Book) error {
			moves, err := book.Alarms()
			for _, m := range moves {
				got = append(got, string(m.Source)+" "+m.Scope)
			}
			return err
		}))
		return got
	}
	if got := list(); len(got) != 3 || got[0] != "server campus" || got[1] != "server gate:3" || got[2] != "server zone:2" {
		t.Errorf("about this gate: %q", got)
	}
	check(t, s.j.Update(func(book lane.Book) error {
		return book.SetOwnAlarm(wire.AlarmFromGuard, wire.Alarm{State: wire.AlarmOpen})
	}))
	check(t, s.group(true, alarm("zone:1")))
	if got := list(); len(got) != 1 || got[0] != "guard " {
		t.Errorf("after a snapshot: %q", got)
	}
}
