package hub_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/gorilla/websocket"

	"campusgate/server/hub"
	"campusgate/signing/wire"
)

// A gate PC whose file was put back from a copy may have forgotten admissions:
// it is not let in, and the console shows why.
func TestAttack_RolledBackAgent_IsTurnedAwayAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		key := w.store.enrol(7, 1, 7)
		w.store.set(func(p *police) { p.held[7] = make([]wire.Record, 5) })
		for range 2 {
			r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
			if err != nil {
				t.Fatal(err)
			}
			auth := r.auth(7, 1, key)
			auth.Last = 4
			r.send(wire.Link, wire.TypeAuth, auth)
			r.wantBye(wire.ByeRewound, "enrol it again")
		}
		synctest.Wait()
		st := w.hub.States()[7]
		if st.Connected || !strings.Contains(st.Alarm, "ends at 4, but 5") || st.Epoch != 1 || st.Remote == "" {
			t.Errorf("state %+v", st)
		}
		// A stranger's word about it changes nothing.
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5001"), nil)
		if err != nil {
			t.Fatal(err)
		}
		forged := r.auth(7, 1, w.store.enrol(8, 1, 8))
		forged.Software = "forged"
		r.send(wire.Link, wire.TypeAuth, forged)
		r.wantBye(wire.ByeAuth, "does not hold")
		synctest.Wait()
		if now := w.hub.States()[7]; now.Software == "forged" || now.Alarm != st.Alarm {
			t.Errorf("state %+v", now)
		}
	})
}

// A copy of a gate PC's disk beside the gate itself: the copy is behind, is not
// let in, and the gate's line on the console says that there are two.
func TestAttack_ClonedGatePC_IsShownBesideTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(7)
		g.happen(3)
		g.start()
		time.Sleep(time.Second)
		if _, _, err := dialRaw(t, w.net.Cable("10.0.0.9:5000"), nil); err == nil { // plain connections are for this machine only
			t.Fatal("a copy elsewhere connects without TLS")
		}
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5999"), nil)
		if err != nil {
			t.Fatal(err)
		}
		auth := r.auth(7, 1, g.key)
		auth.Last = 1
		r.send(wire.Link, wire.TypeAuth, auth)
		r.wantBye(wire.ByeRewound, "enrol it again")
		synctest.Wait()
		if st := w.hub.States()[7]; !st.Connected || !strings.Contains(st.Alarm, "a copy of this agent at 127.0.0.1:5999") {
			t.Errorf("state %+v", st)
		}
	})
}

// A server whose database was put back: every agent that has seen more says so
// by its cursor, and the console shows it until the agent connects anew.
func TestAttack_RolledBackServer_IsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.put(wire.ItemGate, "1", wire.Gate{ID: 1, Name: "东门"})
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
		if err != nil {
			t.Fatal(err)
		}
		auth := r.auth(7, 1, w.store.enrol(7, 1, 7))
		auth.Cursor = wire.Cursor{Lineage: w.store.lineage, Revision: 4711}
		r.send(wire.Link, wire.TypeAuth, auth)
		r.expect(wire.TypeWelcome, &wire.Welcome{})
		var d wire.Delta
		if r.expect(wire.TypeDelta, &d); !d.Reset {
			t.Errorf("delta %+v, want a snapshot", d)
		}
		synctest.Wait()
		if st := w.hub.States()[7]; !strings.Contains(st.Alarm, "seen revision 4711") || !strings.Contains(st.Alarm, "gateserver restored") {
			t.Errorf("state %+v", st)
		}
	})
	// Another lineage, which gateserver restored makes, is no alarm.
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
		if err != nil {
			t.Fatal(err)
		}
		auth := r.auth(7, 1, w.store.enrol(7, 1, 7))
		auth.Cursor = wire.Cursor{Lineage: "from before", Revision: 4711}
		r.send(wire.Link, wire.TypeAuth, auth)
		r.expect(wire.TypeWelcome, &wire.Welcome{})
		var d wire.Delta
		r.expect(wire.TypeDelta, &d)
		synctest.Wait()
		if st := w.hub.States()[7]; st.Alarm != "" {
			t.Errorf("state %+v", st)
		}
	})
}

// An enrolled agent that turned bad sends what it likes. It ends its own
// connection at most, and the hub asks nobody in its name.
func TestAttack_RogueAgent_FramesOfEverySort(t *testing.T) {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for name, frame := range map[string]string{
		"deep body":            `{"stream":"up","type":"events","body":{"records":` + deep + `}}`,
		"deep event":           `{"stream":"up","type":"events","body":{"records":[{"seq":1,"hash":"` + strings.Repeat("0", 64) + `","body":{"x":` + deep + `}}]}}`,
		"another stream":       `{"stream":"down","type":"delta","body":{"cursor":{"lineage":"x","revision":9},"items":[]}}`,
		"a welcome":            `{"stream":"link","type":"welcome","body":{"acked":99}}`,
		"auth once more":       `{"stream":"link","type":"auth","body":{"version":1}}`,
		"an order to print":    `{"stream":"ask","type":"print","body":{"id":"x","rows":[]}}`,
		"a number for a seq":   `{"stream":"up","type":"events","body":{"records":[{"seq":-1,"hash":"","body":{}}]}}`,
		"a seq beyond all":     `{"stream":"up","type":"events","body":{"records":[{"seq":18446744073709551616,"hash":"","body":{}}]}}`,
		"ack of a future feed": `{"stream":"down","type":"applied","body":{"cursor":{"lineage":"x","revision":18446744073709551615}}}`,
		"two objects":          `{"stream":"link","type":"clock","body":{"t0":1}}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				honest := w.gate(1)
				honest.start()
				r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
				if err := r.ws.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if st := w.hub.States()[1]; !st.Connected {
					t.Errorf("the honest gate was cut off: %+v", st)
				}
				w.store.set(func(p *police) {
					if len(p.held[7]) > 0 && name != "deep event" {
						t.Errorf("%d events are held of it", len(p.held[7]))
					}
				})
			})
		})
	}
}

// Goodbyes, names of software and reasons for faults are written by the other
// side. They start no line in the log.
func TestAttack_LogInjection_ByTheOtherSide(t *testing.T) {
	var log lockedBuffer
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *hub.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		evil := "x\ntime=forged level=INFO\r\x1b[2K\u202e\u2028"
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.send(wire.Link, wire.TypeBye, wire.Bye{Code: evil, Message: evil})
		key := w.store.enrol(7, 1, 7)
		if r, _, err = dialRaw(t, w.net.Cable("127.0.0.1:5001"), nil); err != nil {
			t.Fatal(err)
		}
		auth := r.auth(7, 1, key)
		auth.Software, auth.Cursor.Lineage = evil, evil
		r.send(wire.Link, wire.TypeAuth, auth)
		r.expect(wire.TypeWelcome, &wire.Welcome{})
		var d wire.Delta
		r.expect(wire.TypeDelta, &d)
		r.send(wire.Down, wire.TypeApplied, wire.Applied{Cursor: auth.Cursor, Fault: evil})
		r.send(wire.Link, wire.TypeBye, wire.Bye{Code: evil, Message: evil})
		time.Sleep(time.Minute)
	})
	text := log.String()
	if n := strings.Count(text, "\n"); n < 3 {
		t.Errorf("%d lines: %s", n, text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "time=20") || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", line)
		}
	}
}

// lockedBuffer is a log that several write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
