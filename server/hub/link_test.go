package hub_test

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// drained checks that server and gate hold the same.
func (g *gate) drained() {
	t, p := g.w.t, g.w.store
	t.Helper()
	g.mu.Lock() // in this order, as in Apply
	defer g.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if held := len(p.held[g.id]); held != len(g.records) || g.acked != uint64(held) {
		t.Errorf("gate %d wrote %d events and knows of %d that they are held; the server holds %d", g.id, len(g.records), g.acked, held)
	}
	for i, r := range p.held[g.id] {
		if r.Hash != g.records[i].Hash {
			t.Errorf("gate %d: event %d is another one at the server", g.id, i+1)
			break
		}
	}
	if head := uint64(len(p.log)); g.cursor.Lineage != p.lineage || !maps.Equal(g.items, p.at(head)) {
		t.Errorf("gate %d is at %v with %d items; the server is at %d with %d", g.id, g.cursor, len(g.items), head, len(p.at(head)))
	}
}

func TestLink_CarriesEventsFeedAndClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1)
		g.happen(1000)
		w.store.put(wire.ItemGate, "1", wire.Gate{ID: 1, Name: "北门"})
		g.start()
		synctest.Wait()
		g.drained()
		if !g.link.State().Online {
			t.Fatalf("offline: %v", g.link.State().Err)
		}
		g.happen(1)
		w.store.put(wire.ItemGate, "1", nil)
		synctest.Wait()
		g.drained()
		c := g.claim(1, 1, 0)
		if a := g.link.Ask(t.Context(), c); a.State != verdict.ClaimGranted || a.ID != c.ID {
			t.Fatalf("%+v", a)
		}
		if a := g.link.Ask(t.Context(), c); a.State != verdict.ClaimGranted {
			t.Fatalf("the same claim again: %+v", a)
		}
		if a := g.link.Ask(t.Context(), g.claim(2, 1, 0)); a.State != verdict.ClaimUsed || a.First == nil || a.First.Gate != 1 {
			t.Fatalf("another claim: %+v", a)
		}
	})
}

func TestLink_ResumesWhereItStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1).start()
		for i := range 5 {
			w.store.put(wire.ItemUse, string(rune('a'+i)), wire.Use{Count: 1})
		}
		g.happen(3)
		synctest.Wait()
		g.cable.Set(memnet.Cut)
		g.happen(700)
		w.store.put(wire.ItemUse, "a", nil)
		time.Sleep(time.Hour)
		before := len(g.records)
		if st := g.link.State(); st.Online || st.Err == nil {
			t.Fatalf("%+v", st)
		}
		g.cable.Set(memnet.Up)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		g.drained()
		if before != 703 || g.resets != 1 {
			t.Fatalf("%d snapshots: only the first connection needs one", g.resets)
		}
	})
}

func TestLink_TooOldOrForeignCursorGetsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1).start()
		w.store.put(wire.ItemUse, "a", wire.Use{Count: 1})
		w.store.put(wire.ItemUse, "b", wire.Use{Count: 1})
		synctest.Wait()
		first := g.resets

		g.cable.Set(memnet.Cut)
		for range 450 {
			w.store.put(wire.ItemUse, "a", nil)
			w.store.put(wire.ItemUse, "c", wire.Use{Count: 2})
		}
		w.store.set(func(p *police) { p.horizon = uint64(len(p.log)) - 10 })
		g.cable.Set(memnet.Up)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		g.drained()
		if g.resets != first+1 {
			t.Fatalf("%d snapshots for a cursor that is too old", g.resets-first)
		}

		// The server's store is replaced while the agent is connected.
		w.store.set(func(p *police) {
			p.lineage, p.horizon, p.log, p.pages = "two", 0, p.log[:1], make(map[uint64][]wire.Item)
			p.knownAt, p.known = 0, nil
			p.ring()
		})
		synctest.Wait()
		g.drained()
		if g.resets != first+2 {
			t.Fatalf("%d snapshots for a foreign cursor", g.resets-first-1)
		}
	})
}

func TestLink_ConfirmsEvery30sThatNothingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.put(wire.ItemUse, "a", wire.Use{Count: 1})
		start := time.Now()
		g := w.gate(1).start()
		time.Sleep(95 * time.Second)
		synctest.Wait()
		var at []time.Duration
		for _, f := range g.fresh {
			at = append(at, f.Sub(start))
		}
		// At once after the snapshot, and then whenever 30 s were silent.
		want := []time.Duration{0, 30 * time.Second, 60 * time.Second, 90 * time.Second}
		if len(at) != len(want) {
			t.Fatalf("fresh at %v", at)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Fatalf("fresh at %v, want %v", at, want)
			}
		}
		if g.groups != 1 {
			t.Fatalf("%d groups applied", g.groups)
		}
	})
}

// What could not be noted once is not left for half a minute.
func TestLink_ConfirmsAgainSoonAfterAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		start, failed := time.Now(), false
		g := w.gate(1)
		g.faults = func(op string) fault {
			if op != "fresh" || failed {
				return works
			}
			failed = true
			return fails
		}
		g.start()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(g.fresh) != 1 || g.fresh[0].Sub(start) > time.Second || w.hub.States()[1].DownFault != "" {
			t.Fatalf("fresh at %v, started at %v", g.fresh, start)
		}
	})
}

func TestClaim_IsRelayedToItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		asker, owner := w.gate(1).start(), w.gate(2)
		owner.cable.Shape(0, 20*time.Millisecond)
		owner.start()
		time.Sleep(time.Second)
		start := time.Now()
		c := asker.claim(1, 7, 2)
		if a := asker.link.Ask(t.Context(), c); a.State != verdict.ClaimGranted {
			t.Fatalf("%+v", a)
		}
		if took := time.Since(start); took != 40*time.Millisecond {
			t.Fatalf("took %v over a link of 20 ms each way", took)
		}
		if got := owner.taken[c.Pass.String()]; got != c {
			t.Fatalf("the owner was asked %+v", got)
		}
		if a := asker.link.Ask(t.Context(), asker.claim(2, 7, 2)); a.State != verdict.ClaimUsed || a.First.Gate != 1 {
			t.Fatalf("%+v", a)
		}
	})
}

func TestClaim_ForMoneyIsAnsweredByTheServerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		till := w.gate(1).start()
		w.gate(2).start()
		time.Sleep(time.Second)
		ask := func(n int, owner uint16, fen int64) wire.Answer {
			c := till.claim(n, 7, owner)
			c.Uses, c.Charge = 0, &wire.ChargeAsk{Account: 4711, Epoch: 1, Counter: 1, Context: 2, AmountFen: fen, Day: "2026-11-21"}
			return till.link.Ask(t.Context(), c)
		}
		if a := ask(1, 0, 12_50); a.State != verdict.ClaimGranted || a.Charge.Reason != verdict.Granted {
			t.Errorf("%+v", a)
		}
		if a := ask(2, 0, 100_01); a.State != verdict.ClaimRefused || a.Charge.Reason != verdict.LimitSingle {
			t.Errorf("%+v", a)
		}
		if a := ask(3, 2, 12_50); a.State != verdict.ClaimSilent || a.Charge != nil {
			t.Errorf("a gate was asked for money: %+v", a)
		}
	})
}

func TestClaim_IsSilentAtOnceWithoutOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g, gone := w.gate(1).start(), w.gate(2).start()
		synctest.Wait()
		gone.stop()
		synctest.Wait()
		start := time.Now()
		for name, owner := range map[string]uint16{"never seen": 9, "gone": 2, "itself": 1} {
			if a := g.link.Ask(t.Context(), g.claim(int(owner), 7, owner)); a.State != verdict.ClaimSilent {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if a := gone.link.Ask(t.Context(), gone.claim(1, 7, 0)); a.State != verdict.ClaimSilent {
			t.Errorf("offline: %+v", a)
		}
		if took := time.Since(start); took != 0 {
			t.Fatalf("took %v", took)
		}
	})
}

func TestClaim_IsSilentAfter300ms(t *testing.T) {
	for name, darken := range map[string]func(asker, owner *gate){
		"the owner is dark":       func(_, owner *gate) { owner.cable.Set(memnet.Dark) },
		"the asker is dark":       func(asker, _ *gate) { asker.cable.Set(memnet.Dark) },
		"only the answer is lost": func(asker, _ *gate) { asker.cable.Set(memnet.Deaf) },
		"the owner is too slow":   func(_, owner *gate) { owner.claimed = slow },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				asker, owner := w.gate(1).start(), w.gate(2).start()
				synctest.Wait()
				asker.set(func(*gate) { darken(asker, owner) })
				start := time.Now()
				c := asker.claim(1, 7, 2)
				if a := asker.link.Ask(t.Context(), c); a.State != verdict.ClaimSilent || a.ID != c.ID {
					t.Fatalf("%+v", a)
				}
				if took := time.Since(start); took != 300*time.Millisecond {
					t.Fatalf("took %v", took)
				}
				// The same claim gets its answer when it can be asked again.
				owner.set(func(g *gate) { g.claimed = nil })
				asker.cable.Set(memnet.Up)
				owner.cable.Set(memnet.Up)
				time.Sleep(time.Minute)
				if a := asker.link.Ask(t.Context(), c); a.State != verdict.ClaimGranted {
					t.Fatalf("again: %+v", a)
				}
			})
		})
	}
}
