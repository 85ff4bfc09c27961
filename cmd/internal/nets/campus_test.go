//go:build linux

package nets_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/cmd/internal/campus"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// patience is how long anything may take that has to come to pass. Nothing here
// is said about how fast it is.
const patience = 90 * time.Second

// start runs a campus that ends with the test. What its daemons said is shown
// when the test fails.
func start(t *testing.T, o campus.Options) *campus.Campus {
	t.Helper()
	said := &transcript{}
	o.Bin, o.Log, o.Dir = bin, said, t.TempDir()
	c, err := campus.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v\n%s", err, said.tail())
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemons said:\n%s", said.tail())
		}
	})
	return c
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

// issue makes n single-use passes that the gate owns.
func issue(t *testing.T, c *campus.Campus, g *campus.Gate, n int) []campus.Pass {
	t.Helper()
	passes := make([]campus.Pass, n)
	shanghai := time.FixedZone("Asia/Shanghai", 8*3600)
	today, tomorrow := time.Now().In(shanghai).Format(time.DateOnly), time.Now().Add(24*time.Hour).In(shanghai).Format(time.DateOnly)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, 8) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				p, err := c.Client.Issue(t.Context(), campus.PassRequest{
					Kind: "resident_single", Name: fmt.Sprintf("访客%d", k), Doc4: "0420",
					From: today, Until: tomorrow, Uses: 1, Zones: []int{1}, OwnerGate: g.ID,
				})
				if err != nil {
					t.Error(err)
				}
				passes[k] = p
			}
		})
	}
	workers.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return passes
}

// relay counts how often a barrier is opened.
type relay struct{ pulses atomic.Int64 }

// watch reads the LCUS frames of a gate's relay: A0 channel state sum.
func watch(t *testing.T, g *campus.Gate) *relay {
	t.Helper()
	tty, err := os.OpenFile(g.Relay.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, done := &relay{}, make(chan struct{})
	go func() {
		defer close(done)
		var frame [4]byte
		for {
			if _, err := io.ReadFull(tty, frame[:]); err != nil {
				return
			}
			if frame == [4]byte{0xA0, 1, 1, 0xA2} {
				r.pulses.Add(1)
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		<-done
	})
	return r
}

// journalOf reads every event of a gate whose agent has stopped, and checks the
// chain.
func journalOf(t *testing.T, g *campus.Gate) (events []wire.Event, hashes map[string]string) {
	t.Helper()
	db, err := disk.Open(filepath.Join(g.Data, agent.StoreName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	j, err := journal.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Verify(t.Context()); err != nil {
		t.Errorf("%s: the chain of the journal: %v", g.Name, err)
	}
	hashes = map[string]string{}
	for after := uint64(0); ; {
		records, err := j.After(after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			return events, hashes
		}
		for _, r := range records {
			var e wire.Event
			if err := json.Unmarshal(r.Body, &e); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
			hashes[e.ID.String()] = r.Hash.String()
		}
		after = records[len(records)-1].Seq
	}
}

// kept is what is left when all is over.
type kept struct {
	events   []wire.Event     // of all gates
	admitted map[string]int   // by pass
	asked    map[string]int64 // when a pass was first presented, unix ms
	in       map[string]int64 // when it was let in
}

// settle waits until every gate has drained, stops the agents and looks at what
// the disks hold: no pass was admitted twice, no barrier opened without an
// admission, and the server has every event of every journal once, as it was
// written, and no others.
func settle(t *testing.T, c *campus.Campus, relays []*relay) (k kept) {
	t.Helper()
	var rows [][]wire.Event
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
func journals(t *testing.T, c *campus.Campus) (rows [][]wire.Event, hashes map[string]string) {
	t.Helper()
	var stops sync.WaitGroup
	for _, g := range c.Gates {
		stops.Go(g.Agent.Stop)
	}
	stops.Wait()
	hashes = map[string]string{}
	for _, g := range c.Gates {
		events, links := journalOf(t, g)
		rows = append(rows, events)
		maps.Copy(hashes, links)
	}
	return rows, hashes
}

func (k *kept) count(t *testing.T, c *campus.Campus, rows [][]wire.Event, relays []*relay) {
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
		if n := int(relays[i].pulses.Load()); n > opened {
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
