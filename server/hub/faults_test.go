package hub_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// A store that fails, in either form, stops its own stream and no other, and
// not the connection; when it works again the stream goes on by itself.
func TestStream_FailingOneLeavesTheOthersAlone(t *testing.T) {
	for _, c := range []struct {
		op     string
		server bool   // whose store fails
		stream string // that stops; the others must not
	}{
		{"ingest", true, "up"},
		{"after", false, "up"},
		{"ack", false, "up"},
		{"feed", true, "down"},
		{"apply", false, "down"},
		{"fresh", false, "down"},
		{"decide", true, "ask"},
		{"claimed", false, "relay"},
		{"seen", true, ""},
	} {
		for _, f := range []fault{fails, failsButDone} {
			t.Run(c.op+map[fault]string{fails: " fails", failsButDone: " fails but is done"}[f], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					g, other := w.gate(1).start(), w.gate(2).start()
					time.Sleep(time.Second)
					if c.server {
						w.store.set(func(p *police) { p.faults = only(c.op, f) })
					} else {
						g.set(func(g *gate) { g.faults = only(c.op, f) })
					}
					serves := func(number int, want func(stream string) bool) {
						t.Helper()
						w.store.put(wire.ItemUse, "a", wire.Use{Count: uint32(number)})
						g.happen(1)
						a := g.link.Ask(t.Context(), g.claim(number, byte(number), 0))
						relayed := other.link.Ask(t.Context(), other.claim(number, byte(100+number), 1))
						time.Sleep(time.Minute)
						g.mu.Lock()
						w.store.mu.Lock()
						got := map[string]bool{
							"up":    len(w.store.held[1]) == len(g.records) && g.acked == uint64(len(g.records)),
							"down":  len(g.fresh) > 0 && g.cursor.Revision == uint64(len(w.store.log)) && time.Since(g.fresh[len(g.fresh)-1]) <= 30*time.Second,
							"ask":   a.State == verdict.ClaimGranted,
							"relay": relayed.State == verdict.ClaimGranted,
						}
						w.store.mu.Unlock()
						g.mu.Unlock()
						for stream, ok := range got {
							if ok != want(stream) {
								t.Errorf("%s: works is %v (%+v)", stream, ok, got)
							}
						}
					}
					since := g.link.State().Since
					// Done before it failed, the first try is as good as any.
					serves(1, func(stream string) bool { return stream != c.stream || halfWorks(c.op, f) })
					st, seen := g.link.State(), w.hub.States()[1]
					if !st.Online || !st.Since.Equal(since) {
						t.Fatalf("the connection ended: %+v", st)
					}
					switch {
					case c.op == "apply" && f == failsButDone: // it is not called again
					case c.op == "ingest":
						wantFault(t, seen.UpFault)
					case c.op == "feed":
						wantFault(t, seen.DownFault)
					case c.op == "after" || c.op == "ack":
						wantFault(t, st.UpFault)
					case c.op == "apply" || c.op == "fresh":
						wantFault(t, st.DownFault)
						wantFault(t, seen.DownFault)
					}
					w.store.set(func(p *police) { p.faults = nil })
					g.set(func(g *gate) { g.faults = nil })
					time.Sleep(time.Minute)
					serves(2, func(string) bool { return true })
					st, seen = g.link.State(), w.hub.States()[1]
					if st.UpFault+st.DownFault+seen.UpFault+seen.DownFault != "" || !st.Since.Equal(since) {
						t.Fatalf("faults stay: %+v, %+v", st, seen)
					}
				})
			})
		}
	}
}

// halfWorks tells the calls whose effect shows although they fail.
func halfWorks(op string, f fault) bool {
	return f == failsButDone && (op == "ack" || op == "fresh" || op == "apply")
}

func wantFault(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(text, errFault.Error()) {
		t.Errorf("the fault is told as %q", text)
	}
}

func TestStream_TriesAgainAtAGrowingPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var at []time.Duration
		start := time.Now()
		w.store.set(func(p *police) {
			p.faults = func(op string) fault {
				if op != "ingest" {
					return works
				}
				at = append(at, time.Since(start))
				return fails
			}
		})
		g := w.gate(1).start()
		g.happen(1)
		time.Sleep(2 * time.Minute)
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		want := []time.Duration{0, 250, 750, 1750, 3750, 7750, 15750, 31750, 61750, 91750}
		for i, ms := range want {
			if at[i] != ms*time.Millisecond {
				t.Fatalf("tried at %v, want %v ms", at, want)
			}
		}
	})
}

// An agent whose journal lacks an event keeps what it has, and says so.
func TestUp_GapInTheJournalStopsItLoudly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1)
		g.happen(5)
		g.set(func(g *gate) { g.records = append(g.records[:2:2], g.records[3:]...) })
		g.start()
		time.Sleep(time.Minute)
		st := g.link.State()
		if !st.Online || !strings.Contains(st.UpFault, "gives event 4 where 3 belongs") {
			t.Fatalf("%+v", st)
		}
		if n := len(w.store.held[1]); n != 0 {
			t.Fatalf("%d events were sent", n)
		}
	})
}

// A server whose store was set back while agents are connected asks for the
// events again.
func TestUp_ServerThatLostEventsGetsThemAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1).start()
		g.happen(10)
		time.Sleep(time.Minute)
		w.store.set(func(p *police) { p.held[1], p.torn = p.held[1][:4:4], true })
		g.set(func(g *gate) { g.acked = 4 }) // so that the journal does not mind
		since := g.link.State().Since
		g.happen(1)
		time.Sleep(time.Minute)
		g.drained()
		if g.link.State().Since.Equal(since) {
			t.Fatal("it takes a new connection to start from what there is")
		}
	})
}

// An item that no frame can hold stops the down stream alone, until it is
// replaced.
func TestDown_ItemTooLargeIsToldAndWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(1).start()
		time.Sleep(time.Second)
		w.store.put(wire.ItemGate, "1", wire.Gate{Name: strings.Repeat("门", wire.MaxFrameBytes/3)})
		g.happen(1)
		time.Sleep(time.Minute)
		if seen := w.hub.States()[1]; !strings.Contains(seen.DownFault, "too large") || seen.Acked != 1 || !g.link.State().Online {
			t.Fatalf("%+v", seen)
		}
		w.store.set(func(p *police) { p.log[0].item.Body, p.known = []byte(`{"id":1}`), nil })
		time.Sleep(time.Minute)
		g.drained()
	})
}
