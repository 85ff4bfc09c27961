//go:build linux

package power_test

import (
	"context"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/power"
	"campusgate/signing/verdict"
)

var wholeCuts = flag.Int("whole-cuts", 2, "how often the power of a whole gate PC, and of a whole server, is cut")

// mountAt shows a new disk at a folder until the test ends.
func mountAt(t testing.TB, dir string) *drive {
	t.Helper()
	if err := power.Available(); err != nil {
		t.Skip(err)
	}
	d := &drive{Disk: power.New(), dir: dir}
	d.mount(t)
	t.Cleanup(func() {
		if err := d.mounted.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// The real programs on a disk that loses what was not synced: gate PC and server lose
// their power in turn while people come.
func TestCut_OfWholeComputers(t *testing.T) {
	random := rand.New(rand.NewPCG(*seed, 1))
	dir, gateDir := folder(t, "gate1")
	serverDir := dir + "/server"
	check(t, os.Mkdir(serverDir, 0o700))
	gateDisk, serverDisk := mountAt(t, gateDir), mountAt(t, serverDir)
	c := start(t, dir, campus.Options{})
	g := c.Gates[0]
	const perCut = 60
	list := passes(t, c, 2**wholeCuts*perCut)
	admitted := map[string]bool{}
	var mu sync.Mutex
	for i := range 2 * *wholeCuts {
		d := gateDisk
		if i%2 == 1 {
			d = serverDisk
		}
		until(t, g, "connected", func(s console.Status) bool { return s.Online })
		failed := d.Failed()
		d.FailAfter(1 + random.IntN(120))
		ctx, cancel := context.WithCancel(t.Context())
		var people sync.WaitGroup
		for k := range 3 {
			mine := list[i*perCut+k*perCut/3 : i*perCut+(k+1)*perCut/3]
			people.Go(func() {
				let := map[string]bool{}
				crowd(ctx, g, mine, let)
				mu.Lock()
				defer mu.Unlock()
				maps.Copy(admitted, let)
			})
		}
		select {
		case <-failed:
		case <-time.After(patience):
			t.Fatal("the disk was not used")
		}
		if d == gateDisk {
			g.Agent.Kill()
		} else {
			people.Wait() // a gate goes on without a server
			c.Server.Kill()
		}
		cancel()
		people.Wait()
		d.cut(t, power.Some, random)
		if d == gateDisk {
			check(t, g.Start(t.Context()))
		} else {
			check(t, c.StartServer(t.Context()))
		}
	}
	drained(t, g)
	g.Agent.Stop()
	gateDisk.Cut()
	// What the agent synced is there, without its having been asked to end.
	check(t, gateDisk.mounted.Close())
	check(t, gateDisk.Restore(power.Everything, nil))
	left := t.TempDir()
	check(t, gateDisk.Export(left))
	gateDisk.mount(t)
	account(t, c, journalOf(t, left), admitted)
	c.Server.Stop()
	if len(admitted) < 2**wholeCuts*perCut/4 {
		t.Errorf("only %d people were let in", len(admitted))
	}
	t.Logf("%d cuts, %d let in", 2**wholeCuts, len(admitted))
}

// A program that is not given any time (a laptop that sleeps, a machine that swaps)
// comes back as if nothing had been.
func TestFrozen_ProgramsGoOn(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir(), campus.Options{})
	g := c.Gates[0]
	list := passes(t, c, 40)
	admitted := map[string]bool{}
	crowd(t.Context(), g, list[:10], admitted)

	signal(t, c.Server, syscall.SIGSTOP)
	crowd(t.Context(), g, list[10:20], admitted) // nobody has noticed yet
	until(t, g, "the gate has noticed", func(s console.Status) bool { return !s.Online })
	crowd(t.Context(), g, list[20:30], admitted)
	if len(admitted) != 30 {
		t.Errorf("%d of 30 were let in", len(admitted))
	}
	signal(t, c.Server, syscall.SIGCONT)
	drained(t, g)

	signal(t, g.Agent, syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	waiting := make(chan map[string]bool)
	go func() {
		let := map[string]bool{}
		for _, p := range list[30:] {
			for again := range 3 { // who was under way in that moment is told to try again, and may have been let in
				if reason, _, err := scan(ctx, g, p); err == nil {
					let[p.ID] = reason == verdict.Granted.String() || again > 0 && reason == verdict.AlreadyUsed.String()
					break
				}
			}
		}
		waiting <- let
	}()
	seenGone(t, c)
	signal(t, g.Agent, syscall.SIGCONT)
	let := <-waiting
	maps.DeleteFunc(let, func(_ string, in bool) bool { return !in })
	if len(let) != 10 {
		t.Errorf("%d of 10 who waited were let in", len(let))
	}
	maps.Copy(admitted, let)
	drained(t, g)
	g.Agent.Stop()
	account(t, c, journalOf(t, g.Data), admitted)
}

func signal(t *testing.T, p *campus.Process, s syscall.Signal) {
	t.Helper()
	check(t, syscall.Kill(p.PID(), s))
}

// seenGone waits until the server has noticed that the agent says nothing.
func seenGone(t *testing.T, c *campus.Campus) {
	t.Helper()
	seen(t, c, "the console says that the gate is gone", func(live agentLive) bool { return !live.Connected })
}
