package store_test

import (
	"slices"
	"testing"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// asks is a claim of a gate that can ask others.
func asks(c *clock, id string, pass int, gate uint16) wire.Claim {
	m := claim(c, id, passID(pass), gate)
	m.Reserve = wire.ReserveTake
	return m
}

func TestFirstSeen_AGateThatLeavesIsAskedUntilSomebodyConfirms(t *testing.T) {
	for name, c := range map[string]struct {
		leave  func(*store.Gate) error
		shares bool // then too: these passes are good for all zones
	}{
		"ForOwner":  {leave: func(g *store.Gate) error { g.Mode = verdict.Owner; return nil }},
		"ForOnline": {leave: func(g *store.Gate) error { g.Mode = verdict.Online; return nil }},
		"ItsZone":   {leave: func(g *store.Gate) error { g.Zone = 2; return nil }, shares: true},
	} {
		leave, shares := c.leave, c.shares
		t.Run(name, func(t *testing.T) {
			s, c := newStore(t)
			east, west := addGate(t, s, "east", verdict.FirstSeen), addGate(t, s, "west", verdict.FirstSeen)
			enrol(t, s, c, east.ID, 2)
			enrol(t, s, c, west.ID, 3)
			for pass := range 3 {
				addPass(t, s, c, passID(pass), 0)
			}
			if a := decide(t, s, asks(c, "2-1-1", 0, west.ID)); a.State != verdict.ClaimGranted || !slices.Equal(a.Dark, []uint16{east.ID}) {
				t.Fatalf("while both share: %+v", a)
			}
			if got := s.Leased(); !slices.Equal(got, []uint16{east.ID, west.ID}) {
				t.Fatalf("pinged: %v", got)
			}
			g := must(s.ChangeGate(t.Context(), "test", east.ID, leave))(t)
			if g.DrainingSince != c.at() {
				t.Fatalf("not draining: %+v", g)
			}
			if got := s.Leased(); !slices.Equal(got, []uint16{west.ID}) {
				t.Errorf("pinged, and one of them may hold something back: %v", got)
			}
			if a := decide(t, s, asks(c, "2-1-2", 1, west.ID)); a.State != verdict.ClaimGranted || !slices.Equal(a.Dark, []uint16{east.ID}) {
				t.Errorf("while it drains: %+v", a)
			}
			if g = must(s.Drained(t.Context(), "test", east.ID))(t); g.DrainingSince != 0 || g.OwnsFrom != 0 {
				t.Fatalf("drained: %+v", g)
			}
			if a := decide(t, s, asks(c, "2-1-3", 2, west.ID)); a.State != verdict.ClaimGranted || slices.Contains(a.Dark, east.ID) != shares {
				t.Errorf("after it was drained: %+v", a)
			}
		})
	}
}

func TestFirstSeen_ConfirmingAGateThatStaysDoesNotTakeItOut(t *testing.T) {
	s, c := newStore(t)
	east, west := addGate(t, s, "east", verdict.FirstSeen), addGate(t, s, "west", verdict.FirstSeen)
	enrol(t, s, c, east.ID, 2)
	addPass(t, s, c, passID(1), 0)
	must(s.Drained(t.Context(), "test", east.ID))(t)
	if a := decide(t, s, asks(c, "2-1-1", 1, west.ID)); !slices.Equal(a.Dark, []uint16{east.ID}) {
		t.Fatalf("dark: %+v", a)
	}
}

func TestFirstSeen_LimitsGoToTheGateAndEndWithThePolicy(t *testing.T) {
	s, _ := newStore(t)
	g := must(s.AddGate(t.Context(), "test", store.Gate{
		Name: "east", Zone: 1, Mode: verdict.FirstSeen, Offline: wire.Offline{Max: 7, MaxAgeMS: 60_000, Confirm: true},
	}))(t)
	var f feedMap
	f.pull(t, s, 10)
	want := `{"id":1,"name":"east","zone":1,"mode":"first_seen","offline":{"max":7,"max_age_ms":60000,"confirm":true}}`
	if body := string(f.items["gate 1"]); body != want {
		t.Fatalf("feed: %s, want %s", body, want)
	}
	g = must(s.ChangeGate(t.Context(), "test", g.ID, func(g *store.Gate) error { g.Mode = verdict.Online; return nil }))(t)
	if g.Offline != (wire.Offline{}) || g.DrainingSince != 0 { // nobody was ever enrolled
		t.Fatalf("after it: %+v", g)
	}
}
