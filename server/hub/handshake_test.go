package hub_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/link/memnet"
	"campusgate/server/hub"
	"campusgate/signing/wire"
)

// scene is an agent 7 of epoch 3 about to send its Auth.
type scene struct {
	w    *world
	r    *raw
	key  ed25519.PrivateKey
	auth wire.Auth
}

func TestHandshake_RefusesWithAStableCode(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*scene)
		code, word string
	}{
		"another version":      {func(s *scene) { s.auth.Version = 2 }, wire.ByeVersion, "version 2"},
		"an unknown agent":     {func(s *scene) { s.auth = s.r.auth(8, 3, s.key) }, wire.ByeUnknownAgent, "agent 8"},
		"a revoked agent":      {func(s *scene) { s.w.store.set(revoke) }, wire.ByeUnknownAgent, "agent 7"},
		"an old epoch":         {func(s *scene) { s.auth = s.r.auth(7, 2, s.key) }, wire.ByeEpoch, "epoch 3, not 2"},
		"an epoch to come":     {func(s *scene) { s.auth = s.r.auth(7, 4, s.key) }, wire.ByeEpoch, "epoch 3, not 4"},
		"another key":          {func(s *scene) { s.auth = s.r.auth(7, 3, s.w.store.enrol(99, 1, 0)) }, wire.ByeAuth, "signature"},
		"another agent's name": {func(s *scene) { s.w.store.enrol(6, 3, 6); s.auth.Agent = 6 }, wire.ByeAuth, "signature"},
		"a signed exporter": {func(s *scene) {
			s.auth.Signature = ed25519.Sign(s.key, wire.AuthBytes(site, 7, 3, s.r.hello.Nonce, make([]byte, wire.ExporterBytes)))
		}, wire.ByeAuth, "signature"},
		"another site's nonce": {func(s *scene) {
			s.auth.Signature = ed25519.Sign(s.key, wire.AuthBytes("elsewhere", 7, 3, s.r.hello.Nonce, nil))
		}, wire.ByeAuth, "signature"},
		"a journal that went back": {func(s *scene) {
			s.w.store.set(func(p *police) { p.held[7] = make([]wire.Record, 5) })
			s.auth.Last = 4
		}, wire.ByeRewound, "ends at 4, but 5"},
		"a broken store": {func(s *scene) {
			s.w.store.set(func(p *police) { p.faults = func(string) fault { return fails } })
		}, wire.ByeInternal, "come back"},
		"a store that cannot count": {func(s *scene) {
			s.w.store.set(func(p *police) { p.faults = only("acked", fails) })
		}, wire.ByeInternal, "come back"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scene{w: newWorld(t)}
				s.key = s.w.store.enrol(7, 3, 7)
				var err error
				if s.r, _, err = dialRaw(t, s.w.net.Cable("127.0.0.1:5000"), nil); err != nil {
					t.Fatal(err)
				}
				s.auth = s.r.auth(7, 3, s.key)
				c.change(s)
				s.r.send(wire.Link, wire.TypeAuth, s.auth)
				s.r.wantBye(c.code, c.word)
				synctest.Wait()
				for _, st := range s.w.hub.States() { // of one that proved who it is
					if st.Connected || st.Alarm == "" || c.code != wire.ByeRewound {
						t.Fatalf("it was let in: %v", st)
					}
				}
			})
		})
	}
}

func TestHandshake_RefusesOtherFramesThanAuth(t *testing.T) {
	for name, send := range map[string]func(r *raw) error{
		"no JSON": func(r *raw) error { return r.ws.WriteMessage(websocket.TextMessage, []byte("hello")) },
		"binary": func(r *raw) error {
			return r.ws.WriteMessage(websocket.BinaryMessage, []byte(`{"stream":"link","type":"auth","body":{}}`))
		},
		"another type": func(r *raw) error {
			return r.ws.WriteMessage(websocket.TextMessage, []byte(`{"stream":"up","type":"acked","body":{"seq":1}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := send(r); err != nil {
					t.Fatal(err)
				}
				r.wantBye(wire.ByeProtocol, "")
			})
		})
	}
}

func TestHandshake_ReadsLittleOfStrangersAndNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
		if err != nil {
			t.Fatal(err)
		}
		big := bytes.Repeat([]byte(" "), 9<<10)
		_ = r.ws.WriteMessage(websocket.TextMessage, big) // may be cut while it is sent
		if f, err := r.next(); err == nil {
			t.Fatalf("9 KiB of a stranger were read, and answered with %s", f.Type)
		}

		r, _, err = dialRaw(t, w.net.Cable("127.0.0.1:5001"), nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if f, err := r.next(); err == nil {
			t.Fatalf("a silent stranger was told %s", f.Type)
		}
		if took := time.Since(start); took != wire.HandshakeMS*time.Millisecond {
			t.Fatalf("a silent stranger was cut after %v", took)
		}
	})
}

func TestHandshake_ReplayedAuthIsWorthNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		key := w.store.enrol(7, 1, 7)
		first, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5000"), nil)
		if err != nil {
			t.Fatal(err)
		}
		auth := first.auth(7, 1, key)
		first.send(wire.Link, wire.TypeAuth, auth)
		first.expect(wire.TypeWelcome, &wire.Welcome{})
		second, _, err := dialRaw(t, w.net.Cable("127.0.0.1:5001"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(second.hello.Nonce, first.hello.Nonce) {
			t.Fatal("the same nonce twice")
		}
		second.send(wire.Link, wire.TypeAuth, auth)
		second.wantBye(wire.ByeAuth, "signature")
		if st := w.hub.States()[7]; !st.Connected {
			t.Fatal("the agent's own connection was ended by it")
		}
	})
}

func TestServeHTTP_TurnsAwayBeforeAnyFrame(t *testing.T) {
	for name, c := range map[string]struct {
		from   string
		header http.Header
		status int
		code   string
	}{
		"a browser":         {"127.0.0.1:5000", http.Header{"Origin": {"http://127.0.0.1:8080"}}, 403, "browser"},
		"an empty origin":   {"127.0.0.1:5000", http.Header{"Origin": {""}}, 403, "browser"},
		"plain from afar":   {"10.1.2.3:5000", nil, 403, "tls_required"},
		"plain from afar 6": {"[fd00::7]:5000", nil, 403, "tls_required"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				_, resp, err := dialRaw(t, w.net.Cable(c.from), c.header)
				wantHTTP(t, resp, err, c.status, c.code)
			})
		})
	}
}

func wantHTTP(t *testing.T, resp *http.Response, err error, status int, code string) {
	t.Helper()
	if err == nil || resp == nil {
		t.Fatalf("let in: %v", err)
	}
	var told struct{ Code, Message string }
	if err := json.NewDecoder(resp.Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status || told.Code != code || told.Message == "" {
		t.Fatalf("%d %+v, want %d %s", resp.StatusCode, told, status, code)
	}
}

func TestServeHTTP_IsUnavailableWhileNotRunning(t *testing.T) {
	h := hub.New(hub.Config{Site: site}, newPolice(t))
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, wire.Path, nil)
	req.RemoteAddr = "127.0.0.1:5000"
	h.ServeHTTP(rec, req)
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), `"unavailable"`) {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
}

func TestServeHTTP_OtherRequestsAreNoWebsockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, wire.Path, strings.NewReader("x"))
		req.RemoteAddr = "127.0.0.1:5000"
		w.hub.ServeHTTP(rec, req)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "not_a_websocket") {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	})
}

func TestHub_ShowsOutWhoHasBeenAtTheDoorForLongestWhenItIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.raw(7, w.net.Cable("127.0.0.1:5001")) // not at the door any more
		cable := w.net.Cable("127.0.0.1:5000")
		silent := make([]*raw, 256)
		for i := range silent {
			var err error
			if silent[i], _, err = dialRaw(t, cable, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.raw(8, w.net.Cable("127.0.0.1:5002"))
		if f, err := silent[0].next(); err == nil {
			t.Fatalf("who came first hears %s", f.Type)
		}
		synctest.Wait()
		if st := w.hub.States(); !st[7].Connected || !st[8].Connected {
			t.Fatalf("%+v", st)
		}
		// The place of one who has left is free.
		if _, _, err := dialRaw(t, cable, nil); err != nil {
			t.Fatal(err)
		}
		agent.send(wire.Link, wire.TypeClock, wire.Clock{T0: 1})
		silent[1].send(wire.Link, wire.TypeBye, wire.Bye{Code: wire.ByeShutdown})
	})
}

func TestConnection_SecondReplacesTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		w.raw(7, w.net.Cable("127.0.0.1:5001"))
		first.wantBye(wire.ByeReplaced, "once more")
		synctest.Wait()
		st := w.hub.States()[7]
		if !st.Connected || st.Remote != "127.0.0.1:5001" {
			t.Fatalf("%+v", st)
		}
	})
}

func TestConnection_SecondWaitsUntilTheFirstHasLetGoOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.gate(7)
		g.happen(3)
		release := make(chan struct{})
		w.store.set(func(p *police) { p.stall = map[string]chan struct{}{"ingest": release} })
		g.start()
		synctest.Wait() // its first events are in the store now, whose commit hangs
		g.cable.Set(memnet.Dark)
		w.store.set(func(p *police) { p.stall = nil })
		r, _, err := dialRaw(t, w.net.Cable("127.0.0.1:6000"), nil)
		if err != nil {
			t.Fatal(err)
		}
		auth := r.auth(7, 1, g.key)
		auth.Last = 3
		r.send(wire.Link, wire.TypeAuth, auth)
		var welcome wire.Welcome
		r.expect(wire.TypeWelcome, &welcome)
		// The commit that hung came to its end, with success, before Welcome.
		if welcome.Acked != 3 {
			t.Fatalf("welcome says %d", welcome.Acked)
		}
		g.stop()
	})
}

func TestHub_DropEndsAConnectionAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		if !w.hub.Drop(7, wire.ByeUnknownAgent, "revoked by the card office") || w.hub.Drop(8, wire.ByeEpoch, "") {
			t.Fatal("dropped nobody, or somebody who is not there")
		}
		synctest.Wait()
		// It is told even if it was just sending.
		r.send(wire.Link, wire.TypeClock, wire.Clock{T0: 1})
		r.wantBye(wire.ByeUnknownAgent, "card office")
	})
}

func TestHub_NoticesAtOnceWhatHappenedDuringTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.set(func(p *police) {
			p.faults = func(op string) fault {
				if op == "acked" { // it has proved who it is, and is not yet there to be dropped
					revoke(p)
				}
				return works
			}
		})
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		start := time.Now()
		r.wantBye(wire.ByeUnknownAgent, "not enrolled")
		if took := time.Since(start); took > time.Second {
			t.Fatalf("noticed after %v", took)
		}
	})
}

func TestHub_NoticesWithinAMinuteWhatHappenedToAnAgent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*hub.Agent)
		code   string
	}{
		"revoked":        {func(a *hub.Agent) { a.Revoked = true }, wire.ByeUnknownAgent},
		"enrolled again": {func(a *hub.Agent) { a.Epoch++ }, wire.ByeEpoch},
		"another gate":   {func(a *hub.Agent) { a.Gate = 12 }, wire.ByeShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				g := w.gate(7).start()
				time.Sleep(30 * time.Second)
				w.store.set(func(p *police) {
					a := p.agents[7]
					c.change(&a)
					p.agents[7] = a
				})
				time.Sleep(30*time.Second - 1)
				if !g.link.State().Online {
					t.Fatal("offline before the minute was over")
				}
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				if st := g.link.State(); st.Online || st.Code != c.code {
					t.Fatalf("%+v", st)
				}
				g.stop()
			})
		})
	}
}

func TestHub_SaysGoodbyeWhenItGoesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := w.raw(7, w.net.Cable("127.0.0.1:5000"))
		w.stop()
		r.wantBye(wire.ByeShutdown, "going down")
		synctest.Wait()
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		if told := w.store.seen[7]; len(told) != 2 || told[1].Connected {
			t.Fatalf("the store was told %+v", told)
		}
	})
}

func TestHub_TellsTheStoreOfConnectionsThroughFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.set(func(p *police) { p.faults = only("seen", fails) })
		g := w.gate(7).start()
		time.Sleep(2 * time.Minute)
		w.store.set(func(p *police) { p.faults = only("seen", failsButDone) })
		time.Sleep(2 * time.Minute)
		w.store.set(func(p *police) { p.faults = nil })
		g.happen(1)
		time.Sleep(2 * time.Minute)
		g.stop()
		time.Sleep(time.Second)
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		told := w.store.seen[7]
		if len(told) != 2 || !told[0].Connected || told[1].Connected {
			t.Fatalf("told %+v", told)
		}
		last := told[1]
		if last.Acked != 1 || last.Software != "test 1" || last.Epoch != 1 || last.Queue != 0 || last.OffsetMS == nil || *last.OffsetMS != 0 {
			t.Fatalf("%+v", last)
		}
	})
}

func revoke(p *police) {
	a := p.agents[7]
	a.Revoked = true
	p.agents[7] = a
}

// only makes one kind of call fail.
func only(op string, f fault) faults {
	return func(called string) fault {
		if called == op {
			return f
		}
		return works
	}
}
