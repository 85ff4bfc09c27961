// Package soak runs a whole site for days of fake time: the server's real database and
// hub, agents with their real stores, desks and links, and between them websockets over
// a network in memory whose cables fail from a seed. All of it is in one
// testing/synctest bubble, so that days take as long as the work in them.
package soak

import (
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/server/store/storetest"
)

var (
	hours = flag.Int("hours", 3, "fake time that passes")
	seed  = flag.Uint64("seed", 1, "what happens")
)

const gates = 4

// Whatever fails meanwhile, in the end the server has every event of every gate once,
// every gate knows what the server knows, no pass was admitted twice, and the process is
// no larger than after the first third.
func TestSoak_LosesNothingAndDoesNotGrow(t *testing.T) {
	length := time.Duration(*hours) * time.Hour
	if storetest.Raced {
		length = 20 * time.Minute
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, *seed)
		defer w.end()
		w.live(length / 3)
		w.calm()
		w.check()
		first := measure(t)
		w.live(length - length/3)
		w.calm()
		w.check()
		last := measure(t)
		t.Logf("%v of fake time: %+v", length, w.counts.tally)
		t.Logf("after a third: %v; at the end: %v", first, last)
		first.flat(t, last)
		if length >= time.Hour {
			w.counts.worth(t)
		}
	})
}

// dice is a seeded source that many goroutines throw. It draws what happens; which
// goroutine draws first is not part of the seed.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{rng: rand.New(rand.NewPCG(seed, 72))} }

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

func (d *dice) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.below(int((high-low)/time.Millisecond)))*time.Millisecond
}

// live lets people come and things fail.
func (w *world) live(length time.Duration) {
	end := time.Now().Add(length)
	var busy sync.WaitGroup
	every := func(low, high time.Duration, do func()) {
		busy.Go(func() {
			for {
				pause := w.dice.between(low, high)
				if time.Now().Add(pause).After(end) {
					return
				}
				<-time.After(pause)
				do()
			}
		})
	}
	w.faults.Store(true)
	every(10*time.Second, 2*time.Minute, w.issue)
	every(5*time.Minute, 30*time.Minute, w.revoke)
	every(time.Minute, 10*time.Minute, w.audit)
	every(40*time.Minute, 3*time.Hour, w.restart)
	every(3*time.Hour, 8*time.Hour, w.forget)
	for _, g := range w.gates {
		every(time.Second, 90*time.Second, g.present)
		every(10*time.Minute, time.Hour, func() {
			g.plug([]memnet.Mode{memnet.Cut, memnet.Dark, memnet.Deaf}[w.dice.below(3)])
			<-time.After(w.dice.between(time.Second, 15*time.Minute))
			g.plug(memnet.Up)
		})
		every(30*time.Minute, 5*time.Hour, func() {
			g.stop()
			w.counts.add(&w.counts.AgentRestarts)
			g.start()
		})
		every(50*time.Minute, 70*time.Minute, g.prune)
	}
	busy.Wait()
	w.faults.Store(false)
}

// calm waits until everything has come through.
func (w *world) calm() {
	for _, g := range w.gates {
		g.plug(memnet.Up)
	}
	for range 60 {
		<-time.After(10 * time.Second)
		if w.drained() {
			break
		}
	}
	<-time.After(2 * time.Minute) // questions that stay open are given back
	for range 60 {
		<-time.After(10 * time.Second)
		if w.drained() {
			w.audit()
			return
		}
	}
	for _, g := range w.gates {
		w.t.Errorf("gate %d: %d events wait, %+v", g.id, g.journal.Queue(), g.link.State())
	}
}

func (w *world) drained() bool {
	for _, g := range w.gates {
		if g.journal.Queue() > 0 || !g.link.State().Online {
			return false
		}
	}
	return true
}

// counts is what happened.
type counts struct {
	mu sync.Mutex
	tally
}

type tally struct {
	Passes, Scans, Opened, Annulled, Events    int
	AgentRestarts, ServerRestarts, CommitFault int
	Snapshots, Dials                           int
}

func (c *counts) add(to *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*to++
}

// worth fails the test when too little happened to prove anything.
func (c *counts) worth(t *testing.T) {
	for what, n := range map[string]int{
		"passes": c.Passes, "openings": c.Opened, "annulments": c.Annulled,
		"restarts and faults": c.AgentRestarts + c.ServerRestarts + c.CommitFault,
	} {
		if n == 0 {
			t.Errorf("there were no %s", what)
		}
	}
}
