package campus_test

import (
	"context"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

func TestLine_ScanOpensAndReachesServer(t *testing.T) {
	t.Parallel()
	c := start(t, campus.Options{})
	east, west := c.Gates[0], c.Gates[1]
	eastRelay, westRelay := campustest.Watch(t, east), campustest.Watch(t, west)
	pass := campustest.Issue(t, c, east, 1)[0]

	plug(t, east).scan(t, pass.Code)
	eastRelay.Await(t, 1)
	events := arrived(t, c, 1)
	if e := events[0]; e.Reason != "granted" || e.PassID != pass.ID || e.Offline || e.Gate != east.ID {
		t.Fatalf("the server holds %+v", e)
	}

	plug(t, west).scan(t, pass.Code)
	events = arrived(t, c, 2)
	if e := events[1]; e.Reason != "already_used" || e.Gate != west.ID {
		t.Fatalf("the other gate decided %+v", e)
	}
	if n := westRelay.Pulses(); n != 0 {
		t.Fatalf("the other gate opened %d times", n)
	}
}

func TestLine_ServerStoppedBeforeScanAndStartedAfter(t *testing.T) {
	t.Parallel()
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	passes := campustest.Issue(t, c, gate, 20)

	c.Server.Kill()
	knowsOffline(t, gate)
	s := plug(t, gate)
	for _, p := range passes {
		s.scan(t, p.Code)
	}
	relay.Await(t, len(passes))
	if err := c.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}

	events := arrived(t, c, len(passes))
	seen := map[string]int{}
	for _, e := range events {
		if e.Reason != "granted" || !e.Offline {
			t.Errorf("event %+v: want granted, marked offline", e)
		}
		seen[e.PassID]++
	}
	for _, p := range passes {
		if seen[p.ID] != 1 {
			t.Errorf("pass %s: %d events at the server, want 1", p.ID, seen[p.ID])
		}
	}
}

func TestLine_NetworkCut(t *testing.T) {
	t.Parallel()
	c := start(t, campus.Options{})
	east, west := c.Gates[0], c.Gates[1]
	eastRelay, westRelay := campustest.Watch(t, east), campustest.Watch(t, west)
	passes := campustest.Issue(t, c, east, 3)

	// Connected, the other gate admits under the owner's answer.
	plug(t, west).scan(t, passes[0].Code)
	westRelay.Await(t, 1)

	c.Network.Cut(true)
	plug(t, west).scan(t, passes[1].Code)
	plug(t, east).scan(t, passes[0].Code)
	plug(t, east).scan(t, passes[2].Code)
	eastRelay.Await(t, 1)
	c.Network.Cut(false)

	got := map[string]map[uint16]string{}
	for _, e := range scans(arrived(t, c, 5)) {
		if got[e.PassID] == nil {
			got[e.PassID] = map[uint16]string{}
		}
		got[e.PassID][e.Gate] = e.Reason
	}
	for _, want := range []struct {
		pass   string
		gate   uint16
		reason string
	}{
		{passes[0].ID, west.ID, "granted"},
		{passes[1].ID, west.ID, "offline_not_allowed"},
		{passes[0].ID, east.ID, "already_used"},
		{passes[2].ID, east.ID, "granted"},
	} {
		if r := got[want.pass][want.gate]; r != want.reason {
			t.Errorf("pass %s at gate %d: %q, want %q", want.pass, want.gate, r, want.reason)
		}
	}
	if n := westRelay.Pulses(); n != 1 {
		t.Errorf("the gate that was cut off opened %d times, want 1", n)
	}
}

// knowsOffline waits until the agent has noticed that its line is dead: only
// from then on does it mark events as decided offline.
func knowsOffline(t *testing.T, g *campus.Gate) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := campus.Until(ctx, func() (bool, error) {
		s, err := g.Status(ctx)
		return err == nil && !s.Online, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// scans leaves out what is not an attempt at a lane.
func scans(all []campus.Event) (list []campus.Event) {
	for _, e := range all {
		if e.Type == "scan" {
			list = append(list, e)
		}
	}
	return list
}

// arrived waits until the server holds n events and gives all of them.
func arrived(t *testing.T, c *campus.Campus, n int) (all []campus.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := campus.Until(ctx, func() (bool, error) {
		var err error
		all, _, err = c.Client.Events(ctx, 0)
		return len(all) >= n, err
	})
	if err != nil {
		t.Fatalf("%d events at the server, want %d: %v", len(all), n, err)
	}
	return all
}
