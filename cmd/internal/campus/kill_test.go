package campus_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var (
	agentKills  = flag.Int("agent-kills", 200, "how often TestKill_Agent kills the agent")
	serverKills = flag.Int("server-kills", 50, "how often TestKill_Server kills the server")
	shots       = flag.String("shots", "", "folder to write screenshots of the demo page to")
	killSeed    = flag.Uint64("kill-seed", 0, "seed of the moments; 0 = a new one, printed")
)

func moments(t *testing.T) *rand.Rand {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-kill-seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// burst is how many fresh passes are presented around each kill.
const burst = 24

// TestKill_Agent kills the agent at random moments under a stream of scans.
// Whatever the moment: no pulse without a journal row, no pass admitted twice,
// and everything in the journal reaches the server exactly once.
func TestKill_Agent(t *testing.T) {
	t.Parallel()
	random := moments(t)
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	passes := campustest.Issue(t, c, gate, *agentKills*burst)
	s := plug(t, gate)

	between := 0
	for i := range *agentKills {
		codes := make([]string, 0, 2*burst)
		for k, p := range passes[i*burst : (i+1)*burst] {
			codes = append(codes, p.Code)
			if i > 0 && k%4 == 3 { // what an earlier crash may have cut short comes back
				codes = append(codes, passes[random.IntN(i*burst)].Code)
			}
		}
		delay := time.Duration(random.Int64N(int64(12 * time.Millisecond)))
		before := relay.Pulses()
		written := make(chan int, 1)
		killed := make(chan struct{})
		go func() { written <- s.stream(t, codes, killed) }()
		pause(t, delay)
		gate.Agent.Kill()
		close(killed)
		if opened := relay.Pulses() - before; opened < <-written {
			between++
		}
		if err := gate.Start(t.Context()); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
	}
	t.Logf("%d of %d kills between a scan and its pulse", between, *agentKills)
	if 2*between < *agentKills {
		t.Errorf("only %d of %d kills fell between a scan and its pulse", between, *agentKills)
	}

	drained(t, gate)
	gate.Agent.Stop()
	rows := campustest.Journal(t, gate.Data)
	same(t, c, rows)
	admitted := once(t, rows)
	if n := relay.Pulses(); n > admitted {
		t.Errorf("%d pulses, but %d admissions in the journal", n, admitted)
	}
	t.Logf("%d rows, %d admissions, %d pulses", len(rows), admitted, relay.Pulses())
}

// TestKill_Server kills the server at random moments under uploads.
func TestKill_Server(t *testing.T) {
	t.Parallel()
	random := moments(t)
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	gate := c.Gates[0]
	relay := campustest.Watch(t, gate)
	passes := campustest.Issue(t, c, gate, *serverKills*burst)
	s := plug(t, gate)

	for i := range *serverKills {
		go func() {
			for _, p := range passes[i*burst : (i+1)*burst] {
				s.scan(t, p.Code)
			}
		}()
		pause(t, time.Duration(random.Int64N(int64(30*time.Millisecond))))
		c.Server.Kill()
		relay.Await(t, (i+1)*burst)
		if err := c.StartServer(t.Context()); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
	}

	drained(t, gate)
	gate.Agent.Stop()
	rows := campustest.Journal(t, gate.Data)
	same(t, c, rows)
	if n := once(t, rows); n != len(passes) {
		t.Errorf("%d admissions, want %d", n, len(passes))
	}
}

// stream writes codes until it is told to stop, and counts them.
func (s scanner) stream(t *testing.T, codes []string, stop <-chan struct{}) (n int) {
	for _, code := range codes {
		select {
		case <-stop:
			return n
		default:
			s.scan(t, code)
			n++
		}
	}
	return n
}

// pause waits for a moment that the seed chose.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// drained waits until the agent has decided what its scanner read and the
// server has acknowledged everything.
func drained(t *testing.T, g *campus.Gate) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	steady, last := 0, uint64(0)
	err := campus.Until(ctx, func() (bool, error) {
		status, err := g.Status(ctx)
		if err != nil {
			return false, err
		}
		if status.Queue != 0 || !status.Online || status.Queue != last {
			steady, last = 0, status.Queue
			return false, nil
		}
		steady++
		return steady > 20, nil
	})
	if err != nil {
		t.Fatalf("the agent's queue did not drain: %v", err)
	}
}

// once checks that no pass was admitted twice and counts the admissions.
func once(t *testing.T, rows []campustest.Event) (admitted int) {
	t.Helper()
	counted := map[string]int{}
	for _, e := range rows {
		if e.Type == wire.EventScan && e.Verdict.Reason == verdict.Granted && !e.Verdict.Repeat {
			admitted++
			counted[e.Pass.String()]++
			if n := counted[e.Pass.String()]; n > 1 {
				t.Errorf("pass %v admitted %d times", e.Pass, n)
			}
		}
	}
	return admitted
}

// same checks that the server holds exactly the journal's rows.
func same(t *testing.T, c *campus.Campus, rows []campustest.Event) {
	t.Helper()
	events, _, err := c.Client.Events(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]int{}
	for _, e := range events {
		held[e.ID]++
	}
	for _, row := range rows {
		if n := held[row.ID.String()]; n != 1 {
			t.Errorf("event %v: %d times at the server, want 1", row.ID, n)
		}
	}
	if len(events) != len(rows) {
		t.Errorf("%d events at the server, %d rows in the journal", len(events), len(rows))
	}
}
