//go:build linux

package nets_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// patience is how long anything may take that has to come to pass. Nothing here
// is said about how fast it is.
const patience = 90 * time.Second

// start runs a campus that ends with the test.
func start(t *testing.T, o campus.Options) *campus.Campus {
	t.Helper()
	o.Bin = bin
	return campustest.Start(t, o)
}

// eventually waits until check holds.
func eventually(t *testing.T, what string, check func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := campus.Until(ctx, func() (bool, error) { return check(ctx) }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// says waits until the guard page of the gate says online, or offline.
func says(t *testing.T, g *campus.Gate, online bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s says online=%v", g.Name, online), func(ctx context.Context) (bool, error) {
		s, err := g.Status(ctx)
		return err == nil && s.Online == online, err
	})
}

// drained waits until the agent has decided what its scanner read and the
// server has acknowledged everything.
func drained(t *testing.T, g *campus.Gate) {
	t.Helper()
	steady := 0
	eventually(t, g.Name+" drains", func(ctx context.Context) (bool, error) {
		s, err := g.Status(ctx)
		if err != nil || s.Queue != 0 || !s.Online {
			steady = 0
			return false, err
		}
		steady++
		return steady > 10, nil
	})
}

// result is what the guard sees of an attempt.
type result struct {
	Reason  string `json:"reason"`
	Opens   bool   `json:"opens"`
	Repeat  bool   `json:"repeat"`
	Offline bool   `json:"offline"`
	Owner   *struct {
		Gate uint16 `json:"gate"`
		Name string `json:"name"`
	} `json:"owner"`
	FirstUse *struct {
		Gate uint16 `json:"gate"`
	} `json:"first_use"`
}

// scan presents a code and gives the verdict.
func scan(ctx context.Context, g *campus.Gate, code string) (r result, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = g.Client().Do(ctx, http.MethodPost, "/api/v1/scans", map[string]any{"text": code}, &r)
	return r, err
}

// kept is what is left when all is over.
type kept struct {
	events   []campustest.Event // of all gates
	admitted map[string]int     // by pass
	asked    map[string]int64   // when a pass was first presented, unix ms
	in       map[string]int64   // when it was let in
}

// settle waits until every gate has drained, stops the agents and looks at what
// the disks hold: no pass was admitted twice, no barrier opened without an
// admission, and the server has every event of every journal once, as it was
// written, and no others.
func settle(t *testing.T, c *campus.Campus, relays []*campustest.Relay) (k kept) {
	t.Helper()
	var rows [][]campustest.Event
	var hashes map[string]string
	var all []campus.Event
	for range 5 {
		for _, g := range c.Gates {
			drained(t, g)
		}
		rows, hashes = journals(t, c)
		var err error
		if all, _, err = c.Client.Events(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if len(all) >= len(hashes) {
			break
		}
		// An agent had one more thing to say before it was stopped.
		for _, g := range c.Gates {
			if err := g.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	held := map[string][]campus.Event{}
	for _, e := range all {
		held[e.ID] = append(held[e.ID], e)
	}
	for id, hash := range hashes {
		if at := held[id]; len(at) != 1 || at[0].Hash != hash {
			t.Errorf("event %s: the server holds %+v, the journal %s", id, at, hash)
		}
	}
	if len(all) != len(hashes) {
		t.Errorf("%d events at the server, %d in the journals", len(all), len(hashes))
	}
	k.count(t, c, rows, relays)
	return k
}

// journals stops all agents and reads what they have written, by gate.
func journals(t *testing.T, c *campus.Campus) (rows [][]campustest.Event, hashes map[string]string) {
	t.Helper()
	var stops sync.WaitGroup
	for _, g := range c.Gates {
		stops.Go(g.Agent.Stop)
	}
	stops.Wait()
	hashes = map[string]string{}
	for _, g := range c.Gates {
		events := campustest.Journal(t, g.Data)
		rows = append(rows, events)
		for _, e := range events {
			hashes[e.ID.String()] = e.Hash.String()
		}
	}
	return rows, hashes
}

func (k *kept) count(t *testing.T, c *campus.Campus, rows [][]campustest.Event, relays []*campustest.Relay) {
	t.Helper()
	k.admitted, k.asked, k.in = map[string]int{}, map[string]int64{}, map[string]int64{}
	for i, events := range rows {
		k.events = append(k.events, events...)
		opened := 0
		for _, e := range events {
			pass := e.Pass.String()
			if at, ok := k.asked[pass]; !ok || e.At < at {
				k.asked[pass] = e.At
			}
			if e.Type == wire.EventScan && e.Verdict.Reason == verdict.Granted && !e.Verdict.Repeat {
				opened++
				k.admitted[pass]++
				k.in[pass] = e.At
			}
		}
		if n := int(relays[i].Pulses()); n > opened {
			t.Errorf("%s: %d pulses, %d admissions", c.Gates[i].Name, n, opened)
		}
	}
	for pass, n := range k.admitted {
		if n > 1 {
			t.Errorf("pass %s was admitted %d times", pass, n)
		}
	}
}

// visit is a pass, and where its holder shows it: at the gate that owns it and
// at another.
type visit struct {
	code, id string
	gates    [2]int
}

// everybody has those who were not let in come once more, to the other gate first,
// since it may have asked before, and says how many they were.
func everybody(t *testing.T, c *campus.Campus, visits []visit) (late int) {
	t.Helper()
	missing := func() (list []visit) {
		for _, g := range c.Gates {
			drained(t, g)
		}
		all, _, err := c.Client.Events(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]bool{}
		for _, e := range all {
			in[e.PassID] = in[e.PassID] || e.Type == "scan" && e.Reason == "granted"
		}
		for _, v := range visits {
			if !in[v.id] {
				list = append(list, v)
			}
		}
		return list
	}
	list := missing()
	late = len(list)
	for moved := time.Now(); len(list) > 0; {
		for _, v := range list {
			for _, at := range []int{v.gates[1], v.gates[0]} {
				if r, err := scan(t.Context(), c.Gates[at], v.code); err != nil {
					t.Fatalf("%s: %+v, %v", v.id, r, err)
				}
			}
		}
		left := missing()
		if len(left) < len(list) {
			moved = time.Now()
		} else if time.Since(moved) > patience {
			t.Fatalf("%d people are not let in, such as %s", len(left), left[0].id)
		}
		list = left
	}
	return late
}
