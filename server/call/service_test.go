package call_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/call"
	"campusgate/server/hub"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// exchange is the hub around a Service: it notes what every agent is told. Gate n
// has agent n. Its clock is moved by hand.
type exchange struct {
	*call.Service
	t  *testing.T
	db *store.Store

	mu   sync.Mutex
	now  time.Time
	live map[uint16]uint32
	told map[uint32][]string
}

func newExchange(t *testing.T, zones ...int) *exchange {
	t.Helper()
	x := &exchange{
		t: t, now: time.UnixMilli(1795190400000), live: map[uint16]uint32{}, told: map[uint32][]string{},
	}
	clock := func() time.Time {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.now
	}
	x.db, _ = storetest.Found(t, t.TempDir(), store.Options{Now: clock})
	t.Cleanup(func() {
		if err := x.db.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, zone := range zones {
		if _, err := x.db.AddGate(t.Context(), "test", store.Gate{Name: fmt.Sprintf("gate %d", i+1), Zone: zone, Mode: verdict.Owner}); err != nil {
			t.Fatal(err)
		}
		x.live[uint16(i+1)] = uint32(i + 1)
	}
	x.Service = call.New(call.Config{
		Store: x.db, Now: clock, Log: slog.New(slog.DiscardHandler),
		Tell: func(agent uint32, _ string, body any) bool {
			x.mu.Lock()
			defer x.mu.Unlock()
			for _, a := range x.live {
				if a == agent {
					x.told[agent] = append(x.told[agent], words(body))
					return true
				}
			}
			return false
		},
		Connected: func() map[uint16]uint32 {
			x.mu.Lock()
			defer x.mu.Unlock()
			live := map[uint16]uint32{}
			for g, a := range x.live {
				live[g] = a
			}
			return live
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return x
}

func words(body any) string {
	switch m := body.(type) {
	case wire.Ring:
		return "ring " + m.ID
	case wire.Reply:
		return "reply " + string(m.Answer)
	case wire.Stand:
		return strings.TrimSpace("stand " + string(m.State) + " " + m.Guard)
	}
	return "?"
}

func agent(gate uint16) hub.Agent { return hub.Agent{ID: uint32(gate), Epoch: 1, Gate: gate} }

func (x *exchange) ring(gate uint16, n int) wire.Ring {
	r := wire.Ring{ID: fmt.Sprintf("%d-1-%d", gate, n), Gate: gate, Lane: "in", At: x.now.UnixMilli(), Reason: wire.CallHelp}
	x.Rung(agent(gate), r)
	return r
}

// skip moves the clock.
func (x *exchange) skip(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now = x.now.Add(d)
}

// heard waits until an agent has been told exactly this.
func (x *exchange) heard(agent uint32, want ...string) {
	x.t.Helper()
	var got []string
	if !x.eventually(func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		got = append([]string(nil), x.told[agent]...)
		return fmt.Sprint(got) == fmt.Sprint(want)
	}) {
		x.t.Fatalf("agent %d was told %q, want %q", agent, got, want)
	}
}

func (x *exchange) recorded(what string, wanted func([]call.Call) bool) {
	x.t.Helper()
	var list []call.Call
	if !x.eventually(func() bool {
		var err error
		list, err = x.List(x.t.Context(), 10)
		return err == nil && wanted(list)
	}) {
		x.t.Fatalf("the record is not %s: %+v", what, list)
	}
}

func (x *exchange) eventually(is func() bool) bool {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-look.C {
		if is() {
			return true
		}
	}
	return is()
}

func TestCalls_RingInTheZoneAndTheKioskDecides(t *testing.T) {
	x := newExchange(t, 1, 1, 1, 2)
	r := x.ring(1, 7)
	x.heard(2, "ring 1-1-7")
	x.heard(3, "ring 1-1-7")
	x.heard(4) // another zone
	x.Stands(agent(2), wire.Stand{ID: r.ID, State: wire.CallRinging, Gate: 2})
	x.heard(1, "stand ringing")
	x.Replied(agent(2), wire.Reply{ID: r.ID, Answer: wire.CallComing, Gate: 2, Guard: "G2"})
	x.Replied(agent(3), wire.Reply{ID: r.ID, Answer: wire.CallComing, Gate: 3, Guard: "G3"})
	x.heard(1, "stand ringing", "reply coming", "reply coming")
	x.Stands(agent(1), wire.Stand{ID: r.ID, State: wire.CallAnswered, Gate: 2, Guard: "G2"})
	x.heard(2, "ring 1-1-7", "stand coming G2")
	x.heard(3, "ring 1-1-7", "stand coming G2")
	x.recorded("answered by G2", func(l []call.Call) bool { return len(l) == 1 && l[0].Guard == "G2" && l[0].EndedAt == 0 })
	x.skip(4 * time.Minute) // the kiosk says nothing any more
	x.heard(3, "ring 1-1-7", "stand coming G2", "stand over G2")
	x.recorded("over", func(l []call.Call) bool {
		return l[0].State == wire.CallOver && l[0].EndedAt != 0 && l[0].AnsweredAt != 0
	})
	x.Replied(agent(3), wire.Reply{ID: r.ID, Answer: wire.CallRefuse, Gate: 3}) // too late, and told so
	x.heard(3, "ring 1-1-7", "stand coming G2", "stand over G2", "stand over G2")
}

func TestCalls_NobodyAnswers(t *testing.T) {
	x := newExchange(t, 1, 1)
	x.ring(1, 1)
	x.heard(2, "ring 1-1-1")
	x.skip(63 * time.Second)
	x.heard(1, "stand missed")
	x.heard(2, "ring 1-1-1", "stand missed")
	x.recorded("missed", func(l []call.Call) bool { return len(l) == 1 && l[0].State == wire.CallMissed })
}

func TestCalls_AReplyWaitsForAKioskThatIsAway(t *testing.T) {
	x := newExchange(t, 1, 1, 1)
	r := x.ring(1, 1)
	x.heard(2, "ring 1-1-1")
	x.mu.Lock()
	delete(x.live, 1)
	x.mu.Unlock()
	x.Replied(agent(2), wire.Reply{ID: r.ID, Answer: wire.CallRefuse, Gate: 2, Guard: "G2"})
	x.Replied(agent(3), wire.Reply{ID: r.ID, Answer: wire.CallComing, Gate: 3, Guard: "G3"}) // does not push the first out
	x.Replied(agent(3), wire.Reply{ID: "1-1-99", Answer: wire.CallComing, Gate: 3})          // of no call: answered after both
	x.heard(3, "ring 1-1-1", "stand over")
	x.heard(1)
	x.mu.Lock()
	x.live[1] = 1
	x.mu.Unlock()
	x.Rung(agent(1), r)
	x.heard(1, "reply refuse")
	// A guard's agent that connects is told what rings.
	x.Connected(agent(3))
	x.heard(3, "ring 1-1-1", "stand over", "ring 1-1-1")
}

func TestCalls_NamedGatesAnswerAndNobodyElse(t *testing.T) {
	x := newExchange(t, 1, 1, 2)
	if err := x.SetAnswers(t.Context(), "test", 1, []uint16{3, 3}); err != nil {
		t.Fatal(err)
	}
	if by, err := x.Answers(t.Context(), 1); err != nil || fmt.Sprint(by) != "[3]" {
		t.Errorf("answered by %v, %v", by, err)
	}
	for name, c := range map[string]struct {
		gate uint16
		by   []uint16
		want error
	}{
		"itself":     {1, []uint16{1}, call.ErrAnswers},
		"nowhere":    {1, []uint16{9}, call.ErrAnswers},
		"not a gate": {9, nil, store.ErrNotFound},
	} {
		if err := x.SetAnswers(t.Context(), "test", c.gate, c.by); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := x.ring(1, 1)
	x.heard(3, "ring 1-1-1")
	x.heard(2)
	// Who was not rung has nothing to say, nor has anybody in another's name.
	x.Replied(agent(2), wire.Reply{ID: r.ID, Answer: wire.CallComing, Gate: 2, Guard: "G2"})
	x.Replied(agent(3), wire.Reply{ID: r.ID, Answer: wire.CallComing, Gate: 2, Guard: "G2"})
	x.Stands(agent(2), wire.Stand{ID: r.ID, State: wire.CallMissed})
	x.Rung(agent(2), wire.Ring{ID: "1-1-9", Gate: 1, Lane: "in", At: x.now.UnixMilli(), Reason: wire.CallHelp})
	x.Stands(agent(1), wire.Stand{ID: r.ID, State: wire.CallAdmitted, Gate: 2, Guard: "G2", Reason: "granted"})
	x.heard(3, "ring 1-1-1", "stand admitted")
	x.heard(1)
	x.recorded("by nobody who was asked", func(l []call.Call) bool {
		return len(l) == 1 && l[0].State == wire.CallAdmitted && l[0].Guard == "" && l[0].AnsweredGate == 0
	})
}

// A call of a time without a connection is recorded and rings nowhere, and a
// record that a stop of the server left open is closed.
func TestCalls_LateAndForgottenOnes(t *testing.T) {
	x := newExchange(t, 1, 1)
	late := wire.Ring{ID: "1-1-1", Gate: 1, Lane: "in", At: x.now.UnixMilli() - 2*wire.RingMS, Reason: wire.CallHelp}
	x.Rung(agent(1), late)
	x.Stands(agent(1), wire.Stand{ID: late.ID, State: wire.CallMissed})
	x.recorded("missed", func(l []call.Call) bool { return len(l) == 1 && l[0].State == wire.CallMissed })
	x.heard(2)
	err := x.db.Change(t.Context(), func(t *store.Tx) error {
		return t.Exec("INSERT INTO calls (id, gate, lane, reason, at, state) VALUES ('1-1-0', 1, 'in', 'help', $1, 'ringing')", t.Now()-3600_000)
	})
	if err == nil {
		err = x.Tick(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	x.recorded("closed", func(l []call.Call) bool { return len(l) == 2 && l[1].State == wire.CallMissed && l[1].EndedAt != 0 })
}
