package hub_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// fill puts n items into the feed in one go.
func (p *police) fill(n int) {
	p.set(func(p *police) {
		for i := range n {
			body := fmt.Sprintf(`{"first":{"at":%d,"gate":3},"count":1,"exp":1793600000}`, 1793500000000+i)
			p.log = append(p.log, change{wire.Item{Kind: wire.ItemUse, Key: fmt.Sprintf("%016x", i), Body: []byte(body)}, time.Now()})
		}
		p.ring()
	})
}

// endedAt waits for the end of an agent's connection and says when it was.
func (w *world) endedAt(id uint32) time.Duration {
	w.t.Helper()
	start := time.Now()
	for range 600 {
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
		if st := w.hub.States()[id]; !st.Connected {
			return st.Since.Sub(start)
		}
	}
	w.t.Fatal("the connection does not end")
	return 0
}

func TestConnection_SlowAgentIsCutAfter5s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.fill(5000) // far more than the network holds
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		beat, err := wire.EncodeFrame(wire.Link, wire.TypeClock, wire.Clock{T0: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.parts.Go(func() { // it is alive, but does not read
			for r.ws.WriteMessage(websocket.TextMessage, beat) == nil {
				time.Sleep(time.Second)
			}
		})
		if took := w.endedAt(7); took != wire.WriteTimeoutMS*time.Millisecond {
			t.Fatalf("cut after %v", took)
		}
	})
}

func TestConnection_SilentAgentIsCutAfter15s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		go func() {
			for {
				if _, err := r.next(); err != nil {
					return
				}
			}
		}()
		if took := w.endedAt(7); took != wire.PeerSilenceMS*time.Millisecond {
			t.Fatalf("cut after %v", took)
		}
	})
}

func TestConnection_EndsOnFramesThatMustNotBe(t *testing.T) {
	for name, c := range map[string]struct{ frame, word string }{
		"no frame":                {`x`, "object"},
		"an unknown type":         {`{"stream":"up","type":"resend","body":{}}`, "no message"},
		"a server's frame":        {`{"stream":"up","type":"acked","body":{"seq":1}}`, "from an agent"},
		"a second auth":           {`{"stream":"link","type":"auth","body":{"version":2}}`, "from an agent"},
		"a gap in a batch":        {bad2, "want 2"},
		"an answer to no group":   {`{"stream":"down","type":"applied","body":{"cursor":{"lineage":"one","revision":0}}}` + "\n", "no group"},
		"an applied from nowhere": {`{"stream":"down","type":"applied","body":{"cursor":{"lineage":"one","revision":9}}}`, "applied revision 9"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
				if strings.HasSuffix(c.frame, "\n") { // once more than is right
					for range 2 {
						r.expect(wire.TypeDelta, &wire.Delta{})
						r.send(wire.Down, wire.TypeApplied, wire.Applied{Cursor: wire.Cursor{Lineage: "one"}})
					}
				}
				if err := r.ws.WriteMessage(websocket.TextMessage, []byte(c.frame)); err != nil {
					t.Fatal(err)
				}
				r.wantBye(wire.ByeProtocol, c.word)
			})
		})
	}
}

var bad2 = func() string {
	hash := strings.Repeat("0", 64)
	return `{"stream":"up","type":"events","body":{"records":[{"seq":1,"hash":"` + hash + `","body":{}},{"seq":3,"hash":"` + hash + `","body":{}}]}}`
}()

func TestConnection_EndsOnBinaryAndOnTooMuch(t *testing.T) {
	for name, send := range map[string]func(ws *websocket.Conn) error{
		"binary": func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, []byte("{}")) },
		"too much": func(ws *websocket.Conn) error {
			return ws.WriteMessage(websocket.TextMessage, make([]byte, wire.MaxFrameBytes+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
				_ = send(r.ws) // it may be cut before all is sent
				if took := w.endedAt(7); took > time.Second {
					t.Fatalf("still connected for %v", took)
				}
			})
		})
	}
}

func TestUp_MoreThanTheWindowIsAnOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.set(func(p *police) { p.stall = map[string]chan struct{}{"ingest": make(chan struct{})} })
		g := w.gate(7)
		g.happen(10)
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		for i := range 10 {
			frame, _, err := wire.EventsFrame(g.records[i : i+1])
			if err == nil {
				err = r.ws.WriteMessage(websocket.TextMessage, frame)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r.wantBye(wire.ByeOverrun, "more than 4 events frames")
	})
}

func TestClaim_FloodIsAnsweredSilentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.set(func(p *police) { p.block = func(ctx context.Context) { <-ctx.Done() } })
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		start := time.Now()
		for i := range 100 {
			r.send(wire.Ask, wire.TypeClaim, wire.Claim{ID: fmt.Sprintf("7-1-%d", i+1), Gate: 7, Pass: signing.PassID{byte(i)}})
		}
		answered := make(map[time.Duration]int)
		for n := 0; n < 100; {
			f, err := r.next()
			if err != nil {
				t.Fatal(err)
			}
			if f.Type == wire.TypeAnswer {
				answered[time.Since(start)]++
				n++
			}
		}
		if answered[0] != 100-wire.AskWindow || answered[wire.AskTimeoutMS*time.Millisecond] != wire.AskWindow {
			t.Fatalf("answered: %v", answered)
		}
	})
}

// An agent must not learn, or use up, what another agent's claim got.
func TestClaim_InAnothersNameIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		for name, c := range map[string]wire.Claim{
			"another agent's id": {ID: "8-1-1", Gate: 7},
			"an epoch to come":   {ID: "7-2-1", Gate: 7},
			"another gate":       {ID: "7-1-1", Gate: 8},
		} {
			r.send(wire.Ask, wire.TypeClaim, c)
			for {
				f, err := r.next()
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if f.Type != wire.TypeAnswer {
					continue
				}
				var a wire.Answer
				if err := f.Into(&a); err != nil || a.ID != c.ID || a.State != verdict.ClaimSilent {
					t.Fatalf("%s: %+v, %v", name, a, err)
				}
				break
			}
		}
		if n := len(w.store.answers); n != 0 {
			t.Fatalf("%d claims were decided", n)
		}
	})
}

// A snapshot of 200,000 items takes many seconds on a link of 10 Mbit/s. Claims
// to the server, and to an owner that is loading it as well, do not wait for
// it.
func TestClaim_IsQuickWhileASnapshotLoads(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("moves 40 MB")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.fill(200_000)
		asker, owner := w.gate(1), w.gate(2)
		for _, g := range []*gate{asker, owner} {
			g.cable.Shape(1_250_000, 2*time.Millisecond)
			g.start()
		}
		time.Sleep(time.Second)
		start, n := time.Now(), 0
		var worst [2]time.Duration
		for ; asker.groupsApplied() == 0 || owner.groupsApplied() == 0; n++ {
			for i, to := range []uint16{0, 2} {
				asked := time.Now()
				c := asker.claim(2*n+i+1, 0, to)
				c.Pass = signing.PassID{byte(n), byte(n >> 8), byte(i)}
				if a := asker.link.Ask(t.Context(), c); a.State != verdict.ClaimGranted {
					t.Fatalf("after %v: %+v", time.Since(start), a)
				}
				worst[i] = max(worst[i], time.Since(asked))
			}
			time.Sleep(50 * time.Millisecond)
		}
		took := time.Since(start)
		t.Logf("snapshot loaded in %v; %d claims each; slowest: server %v, owner %v", took, n, worst[0], worst[1])
		if took < 10*time.Second || n < 50 {
			t.Fatalf("%v, %d claims: this was no big snapshot", took, n)
		}
		asker.drained()
		owner.drained()
	})
}

func (g *gate) groupsApplied() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.groups
}
