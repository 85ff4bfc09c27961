//go:build linux

package power_test

import (
	"context"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/cmd/internal/power"
	"campusgate/signing/verdict"
)

var wholeCuts = flag.Int("whole-cuts", 2, "how often the power of a whole gate PC, of a till and of a server is cut")

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

// computer is a whole one: its disk, how many steps that does at most until its power
// is cut, how its program is ended with that and started when it is back.
type computer struct {
	disk  *drive
	steps int
	kill  func()
	start func(context.Context) error
}

// left is the journal on the disk of a gate or till when all is over. What its agent
// synced is there, whether or not it was asked to end.
func (d *drive) left(t *testing.T) []campustest.Event {
	t.Helper()
	d.Cut()
	check(t, d.mounted.Close())
	check(t, d.Restore(power.Everything, nil))
	dir := t.TempDir()
	check(t, d.Export(dir))
	d.mount(t)
	return campustest.Journal(t, dir)
}

// The real programs on disks that lose what was not synced: gate PC, till and server
// lose their power in turn while people come and pay, at times without a network.
func TestCut_OfWholeComputers(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 1))
	dir := t.TempDir()
	disks := map[string]*drive{}
	for _, name := range []string{"gate1", "till1", "server"} {
		check(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		disks[name] = mountAt(t, filepath.Join(dir, name))
	}
	c := start(t, dir, campus.Options{})
	g, k := c.Gates[0], openCounter(t, c, random)
	computers := []computer{
		{disks["gate1"], 120, g.Agent.Kill, g.Start},
		{disks["till1"], 2000, k.Agent.Kill, k.Start},
		{disks["server"], 400, c.Server.Kill, c.StartServer},
	}
	const perCut = 60
	all := len(computers) * *wholeCuts
	list := campustest.Issue(t, c, c.Gates[0], all*perCut)
	admitted := map[string]bool{}
	for i := range all {
		one, round := computers[i%len(computers)], i/len(computers)
		until(t, g, "connected", func(s console.Status) bool { return s.Online })
		k.until(t, "connected", func(s console.Status) bool { return s.Online })
		c.Network.Cut(one.disk == disks["till1"] && round%2 == 1)
		failed := one.disk.Failed()
		one.disk.FailAfter(1 + random.IntN(one.steps))
		let, served := crowds(t, g, k, list[i*perCut:(i+1)*perCut])
		select {
		case <-failed:
		case <-time.After(patience):
			t.Fatal("the disk was not used")
		}
		if one.disk != disks["gate1"] {
			maps.Copy(admitted, let()) // a gate goes on without a server
		}
		one.kill()
		maps.Copy(admitted, let())
		check(t, served())
		one.disk.cut(t, power.Some, random)
		c.Network.Cut(false)
		check(t, one.start(t.Context()))
	}
	drained(t, g)
	k.drained(t)
	g.Agent.Stop()
	k.Agent.Stop()
	atGate, atTill := disks["gate1"].left(t), disks["till1"].left(t)
	account(t, c, slices.Concat(atGate, atTill), admitted)
	k.account(t, c, atTill)
	c.Server.Stop()
	if len(admitted) < all*perCut/4 {
		t.Errorf("only %d people were let in", len(admitted))
	}
	if len(k.shown) < 2*all || k.offline == 0 || k.offline == len(k.shown) {
		t.Errorf("%d charges, %d of them without the server; refused: %v", len(k.shown), k.offline, k.refused)
	}
	t.Logf("%d cuts, %d let in, %d charges shown (%d without the server, %d when the code was read again; of %d more nobody saw the end)",
		all, len(admitted), len(k.shown), k.offline, k.later, k.unseen)
}

// crowds have people come to the gate, three at a time, and others pay at the till
// until the end is waited for. Both results may be asked for again.
func crowds(t *testing.T, g *campus.Gate, k *counter, list []campus.Pass) (let func() map[string]bool, served func() error) {
	t.Helper()
	var people sync.WaitGroup
	var mu sync.Mutex
	admitted := map[string]bool{}
	for mine := range slices.Chunk(list, len(list)/3) {
		people.Go(func() {
			in := map[string]bool{}
			crowd(t.Context(), g, mine, in)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(admitted, in)
		})
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- k.serve(t.Context(), stop) }()
	let = func() map[string]bool {
		people.Wait()
		return admitted
	}
	return let, func() error {
		close(stop)
		return <-done
	}
}

// A server that is not given any time (a machine that swaps) comes back as if nothing
// had been, and so does an agent (a laptop that sleeps).
func TestFrozen_AServerGoesOn(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir(), campus.Options{})
	g := c.Gates[0]
	list := campustest.Issue(t, c, c.Gates[0], 30)
	admitted := map[string]bool{}
	admits(t, g, list[:10], admitted)
	signal(t, c.Server, syscall.SIGSTOP)
	admits(t, g, list[10:20], admitted) // nobody has noticed yet
	until(t, g, "the gate has noticed", func(s console.Status) bool { return !s.Online })
	admits(t, g, list[20:], admitted)
	signal(t, c.Server, syscall.SIGCONT)
	drained(t, g)
	g.Agent.Stop()
	account(t, c, campustest.Journal(t, g.Data), admitted)
}

func TestFrozen_AnAgentGoesOn(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir(), campus.Options{})
	g := c.Gates[0]
	list := campustest.Issue(t, c, c.Gates[0], 20)
	admitted := map[string]bool{}
	admits(t, g, list[:10], admitted)
	signal(t, g.Agent, syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	waiting := make(chan map[string]bool)
	go func() {
		let := map[string]bool{}
		for _, p := range list[10:] {
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
	account(t, c, campustest.Journal(t, g.Data), admitted)
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
