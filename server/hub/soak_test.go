package hub_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// dice is a seeded source that many goroutines throw. It draws what happens;
// which goroutine draws first is not part of the seed.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

func (d *dice) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.below(int((high-low)/time.Millisecond)))*time.Millisecond
}

// faults makes a call fail now and then, in either form.
func (d *dice) faults(string) fault {
	switch d.below(50) {
	case 0:
		return fails
	case 1:
		return failsButDone
	}
	return works
}

// restarts and a server that loses its history of the feed. The stores fail
// the test at the first gap, reordering or changed record; in the end both
// sides hold the same, and no pass was granted twice.
func TestSoak_48HoursOfOutagesLoseNothing(t *testing.T) {
	t.Parallel()
	hours, seeds := 48, []uint64{1}
	if testing.Short() {
		hours = 6
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soak(t, seed, time.Duration(hours)*time.Hour) })
		})
	}
}

func soak(t *testing.T, seed uint64, length time.Duration) {
	d := &dice{rng: rand.New(rand.NewPCG(seed, 48))}
	w := newWorld(t)
	w.store.set(func(p *police) { p.faults = d.faults })
	var gates []*gate
	for id := range uint32(3) {
		g := w.gate(id + 1)
		g.set(func(g *gate) { g.faults = d.faults })
		g.cable.Shape(1<<20, 5*time.Millisecond)
		gates = append(gates, g.start())
	}
	end := time.Now().Add(length)
	var busy sync.WaitGroup
	every := func(low, high time.Duration, do func()) {
		busy.Go(func() {
			for time.Now().Before(end) {
				<-time.After(d.between(low, high))
				do()
			}
		})
	}
	asked := make([]asking, len(gates))
	for i, g := range gates {
		every(time.Second, 10*time.Minute, func() { g.happen(1 + d.below(60)) })
		every(10*time.Minute, 3*time.Hour, func() {
			g.cable.Set([]memnet.Mode{memnet.Cut, memnet.Dark, memnet.Deaf}[d.below(3)])
			<-time.After(d.between(time.Second, 40*time.Minute))
			g.cable.Set(memnet.Up)
		})
		every(2*time.Hour, 20*time.Hour, func() { // the agent's process restarts
			g.stop()
			<-g.ended
			g.start()
		})
		every(time.Minute, 20*time.Minute, func() { asked[i].next(d, g) })
	}
	every(time.Second, 5*time.Minute, func() {
		for range 1 + d.below(20) {
			key := fmt.Sprintf("%02d", d.below(40))
			if d.below(4) == 0 {
				w.store.put(wire.ItemUse, key, nil)
			} else {
				w.store.put(wire.ItemUse, key, wire.Use{Count: uint32(d.below(1000))})
			}
		}
	})
	every(5*time.Hour, 10*time.Hour, func() {
		w.store.set(func(p *police) { p.horizon = uint64(len(p.log)) })
	})
	busy.Wait()

	// All is well again; everything has to come through soon.
	w.store.set(func(p *police) { p.faults = nil })
	for _, g := range gates {
		g.set(func(g *gate) { g.faults = nil })
		g.cable.Set(memnet.Up)
	}
	<-time.After(2 * time.Minute)
	events, resets, dials := 0, 0, 0
	granted := make(map[string]string) // pass → claim
	for i, g := range gates {
		if st := g.link.State(); !st.Online || st.UpFault+st.DownFault != "" {
			t.Errorf("gate %d: %+v", g.id, st)
		}
		g.drained()
		asked[i].settle(t, g, granted)
		events, resets, dials = events+len(g.records), resets+g.resets, dials+g.cable.Dials()
	}
	t.Logf("%d events, %d revisions, %d snapshots, %d dials, %d passes granted", events, len(w.store.log), resets, dials, len(granted))
	if events < 1000 || resets < len(gates) || dials < 20 || len(granted) < 20 {
		t.Error("too little has happened to prove anything")
	}
}

// asking is the claims of one gate: those without an answer are asked again.
type asking struct {
	number int
	open   []wire.Claim
	got    map[string]wire.Answer
	claims map[string]wire.Claim
}

// next asks for a pass that others want, too, and then again what was silent.
func (a *asking) next(d *dice, g *gate) {
	if a.got == nil {
		a.got, a.claims = make(map[string]wire.Answer), make(map[string]wire.Claim)
	}
	a.number++
	owner := uint16(d.below(4))
	if owner == uint16(g.id) {
		owner = 0
	}
	c := g.claim(a.number, byte(d.below(50)), owner)
	c.Pass[0] = byte(owner) // a pass has one owner
	a.claims[c.ID] = c
	a.open = append(a.open, c)
	open := a.open
	a.open = nil
	for _, c := range open {
		a.ask(g, c)
	}
}

func (a *asking) ask(g *gate, c wire.Claim) {
	start := time.Now()
	answer := g.link.Ask(g.w.ctx, c)
	if took := time.Since(start); took > wire.AskTimeoutMS*time.Millisecond {
		g.w.t.Errorf("claim %s took %v", c.ID, took)
	}
	if answer.State == verdict.ClaimSilent {
		a.open = append(a.open, c)
		return
	}
	a.got[c.ID] = answer
}

// settle asks everything once more: no answer may have changed, none may be
// missing, and no pass may have two claims that were granted.
func (a *asking) settle(t *testing.T, g *gate, granted map[string]string) {
	before := a.got
	a.got, a.open = make(map[string]wire.Answer), nil
	for id, c := range a.claims {
		a.ask(g, c)
		now := a.got[id]
		if was, ok := before[id]; ok && was.State != now.State {
			t.Errorf("claim %s was %s and is %s", id, was.State, now.State)
		}
		if now.State != verdict.ClaimGranted {
			continue
		}
		if other, twice := granted[c.Pass.String()]; twice {
			t.Errorf("pass %s went to %s and to %s", c.Pass, other, id)
		}
		granted[c.Pass.String()] = id
	}
	if len(a.open) > 0 {
		t.Errorf("gate %d: %d claims get no answer", g.id, len(a.open))
	}
}
