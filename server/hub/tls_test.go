package hub_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/link"
	"campusgate/server/cert"
	"campusgate/server/hub"
	"campusgate/signing/wire"
)

// These tests run on real sockets in real time.

func rootKey(fill byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = fill
	}
	return ed25519.NewKeyFromSeed(seed)
}

// certificate makes one for 127.0.0.1, signed by a root.
func certificate(t *testing.T, root ed25519.PrivateKey) tls.Certificate {
	t.Helper()
	pair, err := cert.New(root, []string{"127.0.0.1", "gate.example.edu"}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	c, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// overTLS serves a handler on a real port.
func overTLS(t *testing.T, c tls.Certificate, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// realHub serves a hub over TLS, with agent 7 enrolled.
func realHub(t *testing.T, root ed25519.PrivateKey) (*httptest.Server, *police, ed25519.PrivateKey) {
	t.Helper()
	store := newPolice(t)
	key := store.enrol(7, 1, 7)
	h := hub.New(hub.Config{Site: site}, store)
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		if err := h.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("hub: %v", err)
		}
	})
	<-store.running
	srv := overTLS(t, certificate(t, root), h)
	t.Cleanup(func() {
		cancel()
		run.Wait()
	})
	return srv, store, key
}

// realLink runs agent 7's link to a server and gives its first state that tells
// anything.
func realLink(t *testing.T, server string, root ed25519.PrivateKey, key ed25519.PrivateKey, store *police) (*gate, link.State) {
	t.Helper()
	g := &gate{
		w: &world{t: t, store: store}, id: 7, epoch: 1, key: key, appended: make(chan struct{}),
		items: make(map[string]string), answers: make(map[string]wire.Answer), taken: make(map[string]wire.Claim), acks: make(chan uint64, 1000),
	}
	trust, err := link.TLS(server, root.Public().(ed25519.PublicKey), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	g.link, err = link.New(link.Config{
		Server: server, TLS: trust, Identity: link.Identity{Agent: 7, Epoch: 1, Site: site, Key: key},
	}, link.Deps{Journal: (*gateJournal)(g), Snapshot: (*gateSnapshot)(g), Clock: (*gateClock)(g), Claimed: g.decide})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		if err := g.link.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("link: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		run.Wait()
	})
	for {
		changed := g.link.Changed()
		if st := g.link.State(); st.Online || st.Err != nil {
			return g, st
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Second):
			t.Fatal("the link says nothing")
		}
	}
}

func TestTLS_RootSignedServerAndAgentMeet(t *testing.T) {
	root := rootKey(1)
	srv, store, key := realHub(t, root)
	g, st := realLink(t, srv.URL, root, key, store)
	if !st.Online {
		t.Fatalf("%+v", st)
	}
	g.happen(300)
	for acked := uint64(0); acked < 300; {
		select {
		case acked = <-g.acks:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of 300 events are held", acked)
		}
	}
}

func TestTLS_ServerOfAnotherRootIsRefused(t *testing.T) {
	srv, store, key := realHub(t, rootKey(2))
	if _, st := realLink(t, srv.URL, rootKey(1), key, store); !errors.Is(st.Err, link.ErrUntrusted) {
		t.Fatalf("%+v", st)
	}
}

// The man in the middle ends the agent's TLS and passes all frames on over TLS
// of his own. With a certificate that the agent does not trust he gets no
// frame. With the server's very own key the agent cannot tell him from the
// server: then its signature, which is tied to its TLS connection, does not
// hold on his.
func TestTLS_ManInTheMiddleIsRefused(t *testing.T) {
	root := rootKey(1)
	for name, c := range map[string]struct {
		his  ed25519.PrivateKey
		want func(link.State) bool
	}{
		"with a certificate of his own": {rootKey(3), func(st link.State) bool { return errors.Is(st.Err, link.ErrUntrusted) }},
		"with one that is trusted":      {root, func(st link.State) bool { return st.Code == wire.ByeAuth }},
	} {
		t.Run(name, func(t *testing.T) {
			srv, store, key := realHub(t, root)
			frames := make(chan string, 100)
			middle := overTLS(t, certificate(t, c.his), relay(t, srv.Listener.Addr().String(), frames))
			_, st := realLink(t, middle.URL, root, key, store)
			if st.Online || !c.want(st) {
				t.Fatalf("%+v", st)
			}
			if c.his.Equal(rootKey(3)) && len(frames) > 0 {
				t.Fatalf("he got %s", <-frames)
			}
		})
	}
}

// relay passes websocket messages between whoever connects and a server.
func relay(t *testing.T, server string, frames chan<- string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // he does not care
		to, _, err := d.DialContext(r.Context(), "wss://"+server+wire.Path, nil)
		if err != nil {
			t.Errorf("relay: %v", err)
			return
		}
		up := websocket.Upgrader{}
		from, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Errorf("relay: %v", err)
			return
		}
		var pumps sync.WaitGroup
		pump := func(dst, src *websocket.Conn) {
			for {
				kind, raw, err := src.ReadMessage()
				if err == nil {
					frames <- string(raw)
					err = dst.WriteMessage(kind, raw)
				}
				if err != nil {
					_, _ = dst.Close(), src.Close() // either has gone
					return
				}
			}
		}
		pumps.Go(func() { pump(from, to) })
		pumps.Go(func() { pump(to, from) })
		pumps.Wait()
	})
}

// An Auth that was overheard on one connection does not hold on another, even
// if the server's nonce came again.
func TestTLS_AuthIsTiedToItsConnection(t *testing.T) {
	root := rootKey(1)
	store := newPolice(t)
	key := store.enrol(7, 1, 7)
	h := hub.New(hub.Config{Site: site, Rand: sameNonce{}}, store)
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = h.Run(ctx) }) // ends with the test
	<-store.running
	srv := overTLS(t, certificate(t, root), h)
	t.Cleanup(func() {
		cancel()
		run.Wait()
	})
	dial := func() (*raw, []byte) {
		t.Helper()
		d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		ws, _, err := d.DialContext(t.Context(), "wss://"+srv.Listener.Addr().String()+wire.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := &raw{t: t, ws: ws}
		t.Cleanup(func() { _ = r.ws.Close() })
		r.expect(wire.TypeHello, &r.hello)
		cs := r.ws.NetConn().(*tls.Conn).ConnectionState()
		exporter, err := cs.ExportKeyingMaterial(wire.ExporterLabel, nil, wire.ExporterBytes)
		if err != nil {
			t.Fatal(err)
		}
		return r, exporter
	}
	first, exporter := dial()
	auth := first.auth(7, 1, key)
	auth.Signature = ed25519.Sign(key, wire.AuthBytes(site, 7, 1, first.hello.Nonce, exporter))
	first.send(wire.Link, wire.TypeAuth, auth)
	first.expect(wire.TypeWelcome, &wire.Welcome{})

	second, _ := dial()
	if string(second.hello.Nonce) != string(first.hello.Nonce) {
		t.Fatal("the test wants the same nonce")
	}
	second.send(wire.Link, wire.TypeAuth, auth)
	second.wantBye(wire.ByeAuth, "signature")
}

// sameNonce is a source of randomness that is broken in the worst way.
type sameNonce struct{}

func (sameNonce) Read(b []byte) (int, error) { return len(b), nil }

// The hub serves plain connections from loopback only, and a real port shows
// the address that it sees.
func TestPlain_LoopbackIsServedOnARealPort(t *testing.T) {
	h := hub.New(hub.Config{Site: site}, newPolice(t))
	srv := httptest.NewServer(h)
	defer srv.Close()
	resp, err := srv.Client().Get("http://" + srv.Listener.Addr().String() + wire.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // only the status matters
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("%s: it runs not, but loopback is no reason to refuse", resp.Status)
	}
	if host, _, err := net.SplitHostPort(srv.Listener.Addr().String()); err != nil || host != "127.0.0.1" {
		t.Fatalf("the test listens on %s", host)
	}
}
