//go:build unix

package server_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/server"
	"campusgate/server/store/storetest"
	"campusgate/signing/wire"
)

// TestIdleConnections_TenThousandAreBoundedAndCut_WhileAgentsAndPagesAreServed
// opens connections that say nothing, that never come to the end of their
// headers, and that ask for the agents' websocket and do not say who they are.
func TestIdleConnections_TenThousandAreBoundedAndCut_WhileAgentsAndPagesAreServed(t *testing.T) {
	n := 10_000
	if storetest.Raced {
		n = 4_000
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || int(files.Cur) < n+3000 {
		t.Skipf("%d connections need %d open files, the limit is %d (%v)", n, n+3000, files.Cur, err)
	}
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	token := found(t, s).Token
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	defer run(t, srv)()
	agent := enrolled(t, srv.URL(), token)
	if err := serves(t.Context(), srv.URL(), agent); err != nil {
		t.Fatal(err)
	}
	before := footprint()

	var idle []net.Conn
	defer func() {
		for _, c := range idle {
			_ = c.Close()
		}
	}()
	done := make(chan error, 1)
	go func() {
		addr := strings.TrimPrefix(srv.URL(), "http://")
		for i := range n {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				done <- err
				return
			}
			idle = append(idle, c)
			if _, err := io.WriteString(c, opening(addr, i)); err != nil && !gone(err) {
				done <- err
				return
			}
		}
		done <- nil
	}()
	// While they pour in faster than anybody could send them over a network, an
	// attempt may be cut with them, and is made again, as agents and browsers do.
	served, again := 0, 0
	for coming := true; coming; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			coming = false
		default:
		}
		err := serves(t.Context(), srv.URL(), agent)
		switch {
		case err == nil:
			served++
		case coming:
			again++
		default:
			t.Fatalf("with all of them there: %v", err)
		}
	}
	after := footprint()
	t.Logf("%d connections: %d goroutines and %d MiB more; an agent and the pages were served %d times, %d times not",
		n, after.goroutines-before.goroutines, (after.memory-before.memory)>>20, served, again)
	if more := after.goroutines - before.goroutines; more > 6000 {
		t.Errorf("%d goroutines more", more)
	}
	if more := after.memory - before.memory; more > 128<<20 {
		t.Errorf("%d MiB more", more>>20)
	}
	for i, c := range idle {
		if err := c.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); err != nil && !gone(err) {
			t.Fatalf("connection %d is not cut: %v", i, err)
		}
	}
	if err := serves(t.Context(), srv.URL(), agent); err != nil {
		t.Fatal(err)
	}
}

// serves has the agent connect, and reads what anybody may.
func serves(ctx context.Context, url string, agent *known) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := agent.connects(ctx); err != nil {
		return fmt.Errorf("the agent: %w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/readyz", "/api/openapi.json"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s, %w", path, res.Status, err)
		}
	}
	return nil
}

// opening is what an idle connection says.
func opening(host string, i int) string {
	switch i % 3 {
	case 1:
		return "GET /m/ HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: "
	case 2:
		return "GET " + wire.Path + " HTTP/1.1\r\nHost: " + host +
			"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	}
	return ""
}

func gone(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// usage is what this process takes.
type usage struct {
	goroutines int
	memory     int64 // of the heap and of stacks
}

func footprint() usage {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), int64(m.HeapInuse + m.StackInuse)}
}

// known is an agent that only connects.
type known struct {
	url string
	id  wire.Enrolled
	key ed25519.PrivateKey
}

func enrolled(t *testing.T, url, token string) *known {
	t.Helper()
	post := func(path string, in, out any) {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if err := json.NewDecoder(res.Body).Decode(out); err != nil || res.StatusCode >= 300 {
			t.Fatalf("%s: %s, %v", path, res.Status, err)
		}
	}
	var gate struct {
		ID uint16 `json:"id"`
	}
	var ticket struct {
		Code string `json:"code"`
	}
	post("/api/v1/zones", map[string]any{"id": 1, "name": "A"}, &struct{}{})
	post("/api/v1/gates", map[string]any{"name": "东门", "zone": 1, "policy": "owner"}, &gate)
	post(fmt.Sprintf("/api/v1/gates/%d/enrolments", gate.ID), map[string]any{}, &ticket)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &known{url: url, key: private}
	post(wire.EnrolPath, wire.Enrol{Code: ticket.Code, PublicKey: public, Hostname: "gate-pc"}, &k.id)
	return k
}

// connects goes through the handshake and wants to be welcome.
func (k *known) connects(ctx context.Context) error {
	ws, err := k.connected(ctx)
	if err == nil {
		_ = ws.Close()
	}
	return err
}

// connected goes through the handshake. The connection ends with ctx.
func (k *known) connected(ctx context.Context) (*websocket.Conn, error) {
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(k.url, "http")+wire.Path, nil)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = ws.NetConn().Close() })
	var hello wire.Hello
	err = hear(ws, wire.TypeHello, &hello)
	if err == nil {
		err = say(ws, wire.TypeAuth, wire.Auth{
			Version: wire.Version, Software: "test", Agent: k.id.Agent, Epoch: k.id.Epoch,
			Signature: ed25519.Sign(k.key, wire.AuthBytes(hello.Site, k.id.Agent, k.id.Epoch, hello.Nonce, nil)),
		})
	}
	if err == nil {
		err = hear(ws, wire.TypeWelcome, &wire.Welcome{})
	}
	if err != nil {
		_ = ws.Close()
	}
	return ws, err
}

func say(ws *websocket.Conn, typ string, message any) error {
	frame, err := wire.EncodeFrame(wire.Link, typ, message)
	if err != nil {
		return err
	}
	return ws.WriteMessage(websocket.TextMessage, frame)
}

func hear(ws *websocket.Conn, typ string, message any) error {
	_, raw, err := ws.ReadMessage()
	if err != nil {
		return fmt.Errorf("wait for %s: %w", typ, err)
	}
	f, err := wire.DecodeFrame(raw)
	if err != nil {
		return err
	}
	if f.Type != typ {
		return fmt.Errorf("%s instead of %s: %s", f.Type, typ, f.Body)
	}
	return f.Into(message)
}
