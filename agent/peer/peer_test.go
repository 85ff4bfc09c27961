package peer_test

import (
	"context"
	"crypto/ed25519"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/agent/peer"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestAsk_TheOtherGateAnswersOnOneKeptConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, cable := pair(t)
		first := &verdict.Use{At: 1793499000000, Gate: 1}
		for n := range 50 {
			if n == 40 {
				one.set(func(_ context.Context, c wire.Claim) wire.Answer {
					return wire.Answer{ID: c.ID, State: verdict.ClaimUsed, First: first}
				})
			}
			a := two.peers.Ask(t.Context(), 1, claim(n+1))
			if want := map[bool]verdict.ClaimState{true: verdict.ClaimUsed, false: verdict.ClaimGranted}[n >= 40]; a.State != want || (a.First != nil) != (n >= 40) || n >= 40 && *a.First != *first {
				t.Fatalf("question %d: %+v", n, a)
			}
		}
		if cable.Dials() != 1 || one.asked() != 50 {
			t.Errorf("%d connections, %d questions", cable.Dials(), one.asked())
		}
		if one.claimed[7] != claim(8) {
			t.Errorf("came as %+v", one.claimed[7])
		}
		if got := two.peers.Known(); !slices.Equal(got, []uint16{1}) || !two.peers.Reaches(1) || two.peers.Reaches(2) || two.peers.Reaches(9) {
			t.Errorf("known %v", got)
		}
	})
}

func TestAsk_ManyAtOnceAreBoundedAndNoneIsMixedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, _ := pair(t)
		if two.ask(claim(1000)) != verdict.ClaimGranted {
			t.Fatal("the way is not there")
		}
		release := make(chan struct{})
		one.set(func(_ context.Context, c wire.Claim) wire.Answer {
			<-release
			if c.Pass[1]%2 == 0 {
				return wire.Answer{ID: c.ID, State: verdict.ClaimUsed}
			}
			return wire.Answer{ID: c.ID, State: verdict.ClaimGranted}
		})
		var all sync.WaitGroup
		states := make([]verdict.ClaimState, wire.AskWindow+10)
		for i := range states {
			all.Go(func() { states[i] = two.ask(claim(i + 1)) })
		}
		synctest.Wait()
		close(release)
		all.Wait()
		silent := 0
		for i, st := range states {
			switch want := map[bool]verdict.ClaimState{true: verdict.ClaimUsed, false: verdict.ClaimGranted}[(i+1)%2 == 0]; st {
			case want:
			case verdict.ClaimSilent:
				silent++
			default:
				t.Errorf("question %d: %s, want %s", i, st, want)
			}
		}
		if silent != 10 {
			t.Errorf("%d were silent, want those beyond %d", silent, wire.AskWindow)
		}
	})
}

func TestAsk_SilenceWithin300MSAndTheNextQuestionFindsTheWayAgain(t *testing.T) {
	for name, mode := range map[string]memnet.Mode{"refused": memnet.Cut, "lost": memnet.Dark, "one-way": memnet.Deaf} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, two, cable := pair(t)
				if two.ask(claim(1)) != verdict.ClaimGranted {
					t.Fatal("the way is not there")
				}
				cable.Set(mode)
				for n := range 3 {
					begun := time.Now()
					if st := two.ask(claim(2 + n)); st != verdict.ClaimSilent {
						t.Errorf("over a cut cable: %s", st)
					}
					if took := time.Since(begun); took > wire.AskTimeoutMS*time.Millisecond {
						t.Errorf("silence took %v", took)
					}
				}
				time.Sleep(time.Minute) // of the bubble: attempts have ended
				cable.Set(memnet.Up)
				if st := two.ask(claim(9)); st != verdict.ClaimGranted {
					t.Errorf("the first question after the network is back: %s", st)
				}
			})
		})
	}
}

// A timed-out question is asked again with its id; the gate that is asked
// answers the same. Here: what it got is the same claim, twice.
func TestAsk_ASlowDeciderIsSilentAndNotMistakenForTheNextAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, _ := pair(t)
		one.set(func(_ context.Context, c wire.Claim) wire.Answer {
			time.Sleep(time.Second) // of the bubble
			return wire.Answer{ID: c.ID, State: verdict.ClaimGranted}
		})
		if st := two.ask(claim(1)); st != verdict.ClaimSilent {
			t.Errorf("slow: %s", st)
		}
		time.Sleep(2 * time.Second) // of the bubble: the late answer is out
		one.set(func(_ context.Context, c wire.Claim) wire.Answer {
			return wire.Answer{ID: c.ID, State: verdict.ClaimUsed}
		})
		if st := two.ask(claim(1)); st != verdict.ClaimUsed {
			t.Errorf("asked again: %s", st)
		}
		if one.claimed[0] != one.claimed[1] {
			t.Errorf("asked %+v, then %+v", one.claimed[0], one.claimed[1])
		}
	})
}

func TestAsk_OnlyForItselfAndNeverForMoney(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, _ := pair(t)
		for name, change := range map[string]func(*wire.Claim){
			"another gate's":         func(c *wire.Claim) { c.Gate = 3 },
			"another agent's id":     func(c *wire.Claim) { c.ID = "13-1-5" },
			"the server's":           func(c *wire.Claim) { c.ID = "0-1-5" },
			"a later enrolment's id": func(c *wire.Claim) { c.ID = "12-2-5" },
			"money": func(c *wire.Claim) {
				c.Charge, c.Owner, c.Uses = &wire.ChargeAsk{Account: 1, Epoch: 1, AmountFen: 1, Day: "2026-11-01", Period: "lunch"}, 1, 0
			},
		} {
			c := claim(5)
			change(&c)
			if st := two.ask(c); st != verdict.ClaimSilent {
				t.Errorf("%s: %s", name, st)
			}
		}
		if n := one.asked(); n != 0 {
			t.Errorf("%d of them reached the decider", n)
		}
		if st := two.ask(claim(6)); st != verdict.ClaimGranted {
			t.Errorf("its own: %s", st)
		}
		earlier := claim(7)
		item := two.item()
		item.Epoch = 2
		one.feed.put(item) // enrolled again with the same key: what it asked before it may ask again
		two.peers.Ask(t.Context(), 1, claim(8))
		if st := two.ask(earlier); st != verdict.ClaimGranted {
			t.Errorf("of its earlier enrolment: %s", st)
		}
	})
}

func TestAsk_WhoIsNotInTheSnapshotIsSpokenToByNobody(t *testing.T) {
	for name, change := range map[string]func(one, two *gate){
		"the asker is unknown":       func(one, _ *gate) { one.feed.remove(2) },
		"the asker has another key":  func(one, two *gate) { p := two.item(); p.Key = keyOf(99).Public().(ed25519.PublicKey); one.feed.put(p) },
		"the asked is unknown":       func(_, two *gate) { two.feed.remove(1) },
		"the asked has another key":  func(one, two *gate) { p := one.item(); p.Key = keyOf(99).Public().(ed25519.PublicKey); two.feed.put(p) },
		"the asked has no address":   func(one, two *gate) { p := one.item(); p.Addresses = nil; two.feed.put(p) },
		"the item is about no agent": func(_, two *gate) { two.feed.put(wire.Peer{Gate: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two, _ := pair(t)
				change(one, two)
				if st := two.ask(claim(1)); st != verdict.ClaimSilent || one.asked() != 0 {
					t.Errorf("before a connection: %s, %d asked", st, one.asked())
				}
			})
		})
		t.Run(name+", later", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two, _ := pair(t)
				if two.ask(claim(1)) != verdict.ClaimGranted {
					t.Fatal("the way is not there")
				}
				change(one, two)
				for n := range 3 {
					if st := two.ask(claim(2 + n)); st != verdict.ClaimSilent {
						t.Errorf("on a kept connection: %s", st)
					}
				}
				if one.asked() != 1 {
					t.Errorf("%d questions were decided", one.asked())
				}
				one.feed.put(two.item())
				two.feed.put(one.item())
				if st := two.ask(claim(9)); st != verdict.ClaimGranted {
					t.Errorf("when it is right again: %s", st)
				}
			})
		})
	}
}

// A gate that shows another gate's name, with a key that is enrolled.
func TestAsk_AGateIsNotAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, _ := pair(t)
		three := newGate(t, 3)
		one.feed.put(three.item())
		two.feed.put(three.item())
		// Gate 3 poses as gate 2 towards gate 1.
		three.id = 2
		three.feed.put(one.item())
		three.start(one.net.Cable("10.0.0.3:5000"))
		defer three.stop()
		if st := three.ask(claim(1)); st != verdict.ClaimSilent || one.asked() != 0 {
			t.Errorf("posing as gate 2: %s, %d asked", st, one.asked())
		}
		// And what is dialled as gate 1 answers as gate 3.
		p := three.item()
		p.Gate, p.Agent = 3, 13
		four := newGate(t, 4)
		item := one.item()
		four.feed.put(item)
		four.feed.put(p)
		wrong := newGate(t, 3)
		wrong.feed.put(four.item())
		wrong.start(nil)
		defer wrong.stop()
		four.start(wrong.net.Cable("10.0.0.4:5000"))
		defer four.stop()
		c := claim(2)
		c.ID, c.Gate = "14-1-2", 4
		if st := four.ask(c); st != verdict.ClaimSilent || wrong.asked() != 0 {
			t.Errorf("gate 3 at gate 1's address: %s, %d asked", st, wrong.asked())
		}
	})
}

func TestPeers_StayFlatOverAThousandFlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, two, cable := pair(t)
		if two.ask(claim(1)) != verdict.ClaimGranted {
			t.Fatal("the way is not there")
		}
		synctest.Wait()
		before := runtime.NumGoroutine()
		answered := 0
		flaps := 1000
		if testing.Short() {
			flaps = 100
		}
		for n := range flaps {
			cable.Set([]memnet.Mode{memnet.Cut, memnet.Up, memnet.Dark, memnet.Up, memnet.Deaf, memnet.Up}[n%6])
			if two.ask(claim(n+2)) == verdict.ClaimGranted {
				answered++
			}
		}
		cable.Set(memnet.Up)
		time.Sleep(5 * time.Second) // of the bubble
		if st := two.ask(claim(flaps + 2)); st != verdict.ClaimGranted {
			t.Errorf("after all: %s", st)
		}
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before+2 {
			t.Errorf("%d goroutines, %d before", after, before)
		}
		if answered < flaps/4 {
			t.Errorf("answered %d of %d", answered, flaps)
		}
	})
}

func TestPeers_AnIdleConnectionEndsAndTheNextQuestionMakesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, two, cable := pair(t)
		two.ask(claim(1))
		time.Sleep(wire.PeerIdleMS*time.Millisecond + time.Second) // of the bubble
		if st := two.ask(claim(2)); st != verdict.ClaimGranted || cable.Dials() != 2 {
			t.Errorf("%s after %d connections", st, cable.Dials())
		}
	})
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	good := peer.Config{
		Gate: 1, Key: keyOf(1), Peer: func(uint16) (wire.Peer, bool) { return wire.Peer{}, false }, Peers: func() []uint16 { return nil },
		Claimed: func(_ context.Context, c wire.Claim) wire.Answer { return wire.Answer{ID: c.ID} },
	}
	if _, err := peer.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*peer.Config){
		"no gate": func(c *peer.Config) { c.Gate = 0 }, "half a key": func(c *peer.Config) { c.Key = c.Key[:32] },
		"no snapshot": func(c *peer.Config) { c.Peer = nil }, "no decider": func(c *peer.Config) { c.Claimed = nil },
	} {
		c := good
		change(&c)
		if _, err := peer.New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	p, err := peer.New(good)
	if err != nil {
		t.Fatal(err)
	}
	if st := p.Ask(t.Context(), 3, claim(1)).State; st != verdict.ClaimSilent {
		t.Errorf("before Run: %s", st)
	}
}
