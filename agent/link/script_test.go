package link_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/link"
	"campusgate/agent/link/memnet"
	"campusgate/signing/wire"
)

const site = "xq-campus"

var agentKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// script is a server that says only what a test makes it say, and the link of
// an agent that dials it.
type script struct {
	t     *testing.T
	net   *memnet.Listener
	cable *memnet.Cable
	conns chan *websocket.Conn
	link  *link.Link
	stop  context.CancelFunc
	ended chan struct{}
	parts sync.WaitGroup
	agent *agent
}

// agent is the smallest set of stores.
type agent struct {
	mu      sync.Mutex
	skew    time.Duration
	records []wire.Record
	cursor  wire.Cursor
	applied [][]wire.Delta
	offsets []int64
	stall   chan struct{} // Apply waits for it; nil = it does not
	claimed func(context.Context, wire.Claim) wire.Answer
}

func (a *agent) Last() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return uint64(len(a.records))
}

func (a *agent) After(seq uint64, _ int) ([]wire.Record, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.records[seq:], nil
}

func (a *agent) Begins() (uint64, wire.Hash, error) { return 0, wire.Hash{}, nil }

func (a *agent) Resume(uint64) error       { return nil }
func (a *agent) Ack(uint64) error          { return nil }
func (a *agent) Appended() <-chan struct{} { return nil }
func (a *agent) Queue() uint64             { return 3 }
func (a *agent) Fresh(time.Time) error     { return nil }

func (a *agent) Cursor() wire.Cursor {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cursor
}

func (a *agent) Apply(group []wire.Delta) error {
	if a.stall != nil {
		<-a.stall
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cursor = group[len(group)-1].Cursor
	a.applied = append(a.applied, group)
	return nil
}

func (a *agent) SetOffset(ms int64, _ time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offsets = append(a.offsets, ms)
}

func (a *agent) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Add(a.skew)
}

func (a *agent) set(change func(*agent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// newScript starts the server, in a synctest bubble; start starts the link.
func newScript(t *testing.T) *script {
	s := &script{t: t, net: memnet.Listen("127.0.0.1:8080"), conns: make(chan *websocket.Conn, 1000), agent: &agent{}}
	s.cable = s.net.Cable("127.0.0.1:5000")
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return // the test cut it
		}
		s.conns <- ws
	})}
	s.parts.Go(func() {
		if err := srv.Serve(s.net); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		if s.stop != nil {
			s.stop()
		}
		_ = srv.Close()
		s.cable.Set(memnet.Cut)
		s.parts.Wait()
	})
	return s
}

func (s *script) config() (link.Config, link.Deps) {
	cfg := link.Config{
		Server: "http://127.0.0.1:8080", Software: "test 1", Now: s.agent.now, Dial: s.cable.Dial,
		Identity: link.Identity{Agent: 7, Epoch: 2, Site: site, Key: agentKey},
	}
	deps := link.Deps{
		Journal: s.agent, Snapshot: s.agent, Clock: s.agent,
		Claimed: func(ctx context.Context, c wire.Claim) wire.Answer { return s.agent.claimed(ctx, c) },
		Health:  func() wire.Health { return wire.Health{Lanes: map[string]string{"north": "ok"}} },
	}
	return cfg, deps
}

func (s *script) start() {
	s.t.Helper()
	var err error
	if s.link, err = link.New(s.config()); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan struct{})
	s.parts.Go(func() {
		defer close(s.ended)
		if err := s.link.Run(ctx); !errors.Is(err, context.Canceled) {
			s.t.Errorf("run: %v", err)
		}
	})
}

// peer is the server's end of one connection.
type peer struct {
	t  *testing.T
	ws *websocket.Conn
}

// accept waits for the next connection.
func (s *script) accept() *peer {
	s.t.Helper()
	select {
	case ws := <-s.conns:
		return &peer{s.t, ws}
	case <-time.After(time.Minute):
		s.t.Fatalf("nobody dials: %+v", s.link.State())
		return nil
	}
}

// welcome goes through the handshake, and checks the agent's part of it.
func (s *script) welcome(acked uint64) *peer {
	s.t.Helper()
	p := s.accept()
	nonce := make([]byte, wire.NonceBytes)
	p.send(wire.Link, wire.TypeHello, wire.Hello{Version: wire.Version, Site: site, Nonce: nonce, Now: 1})
	var auth wire.Auth
	p.expect(wire.TypeAuth, &auth)
	if auth.Agent != 7 || auth.Epoch != 2 || auth.Software != "test 1" ||
		!ed25519.Verify(agentKey.Public().(ed25519.PublicKey), wire.AuthBytes(site, 7, 2, nonce, nil), auth.Signature) {
		s.t.Fatalf("auth is %+v", auth)
	}
	p.send(wire.Link, wire.TypeWelcome, wire.Welcome{Acked: acked})
	return p
}

func (p *peer) send(stream wire.Stream, typ string, body any) {
	p.t.Helper()
	frame, err := wire.EncodeFrame(stream, typ, body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.text(string(frame))
}

func (p *peer) text(frame string) {
	p.t.Helper()
	if err := p.ws.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		p.t.Fatalf("send %.80s: %v", frame, err)
	}
}

// expect reads up to the next frame of a type.
func (p *peer) expect(typ string, message any) {
	p.t.Helper()
	for {
		_, raw, err := p.ws.ReadMessage()
		if err != nil {
			p.t.Fatalf("wait for %s: %v", typ, err)
		}
		f, err := wire.DecodeFrame(raw)
		if err != nil {
			p.t.Fatal(err)
		}
		if f.Type != typ {
			continue
		}
		if err := f.Into(message); err != nil {
			p.t.Fatal(err)
		}
		return
	}
}

// drain reads and forgets everything from now on.
func (s *script) drain(p *peer) {
	s.parts.Go(func() {
		for {
			if _, _, err := p.ws.ReadMessage(); err != nil {
				return
			}
		}
	})
}

// offline waits until the link is offline and gives its state.
func (s *script) offline() link.State {
	s.t.Helper()
	for {
		changed := s.link.Changed()
		if st := s.link.State(); !st.Online && st.Err != nil {
			return st
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			s.t.Fatalf("stays online: %+v", s.link.State())
		}
	}
}

func bubble(t *testing.T, test func(t *testing.T, s *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newScript(t)) })
}
