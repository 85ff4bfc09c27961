//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/cmd/internal/campus"
	"campusgate/devices/pty"
	"campusgate/server"
)

// patience bounds every wait.
const patience = 20 * time.Second

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a server in this process.
type site struct {
	t        *testing.T
	name     string
	settings server.Settings
	client   campus.Client
	stop     func()
}

// newSite founds a site and starts its server, with more in its file.
func newSite(t *testing.T, name string, more ...string) *site {
	t.Helper()
	s := &site{t: t, name: name}
	text := fmt.Sprintf("listen: 127.0.0.1:0\ncode_host: gate.example.edu\nsite: %s\ndata: %s\n%s\n",
		name, filepath.Join(t.TempDir(), "server"), strings.Join(more, "\n"))
	var err error
	s.settings, err = server.ParseConfig("server.yaml", []byte(text))
	check(t, err)
	check(t, server.Init(t.Context(), s.settings, time.Now, rand.Reader, func(f server.Founded) error {
		s.client.Token = f.Token
		return nil
	}))
	s.start()
	check(t, s.client.Do(t.Context(), http.MethodPost, "/api/v1/zones", map[string]any{"id": 1, "name": "A"}, nil))
	return s
}

// start starts the server, again on the same port. It ends with the test, or
// before.
func (s *site) start() {
	s.t.Helper()
	srv, err := server.New(s.t.Context(), s.settings, server.Deps{
		Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	check(s.t, err)
	s.client.Base = srv.URL()
	_, s.settings.Listen, _ = strings.Cut(srv.URL(), "://")
	transport := &http.Transport{TLSClientConfig: s.trust()}
	s.client.HTTP = &http.Client{Transport: transport, Timeout: patience}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		s.t.Helper()
		transport.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the server ended with: %v", err)
		}
	})
	s.t.Cleanup(s.stop)
}

// trust believes the certificate that the site root made; nil where there is
// none.
func (s *site) trust() *tls.Config {
	data, err := os.ReadFile(filepath.Join(s.settings.Data, server.CertFile))
	if err != nil {
		return nil
	}
	pool := x509.NewCertPool()
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && c.IsCA {
			pool.AddCert(c)
		}
	}
	return &tls.Config{RootCAs: pool}
}

// gate is a gate PC of a site, with a scanner and a relay.
type gate struct {
	t              *testing.T
	site           *site
	id             uint16
	data, config   string
	scanner, relay *pty.Cable

	client campus.Client // of the guard page, while it runs
	stop   func()
	said   *transcript // everything that its commands ever printed
}

// newGate makes a gate at the server and a PC for it, which is not enrolled.
func (s *site) newGate(name string) *gate {
	s.t.Helper()
	dir := s.t.TempDir()
	g := &gate{t: s.t, site: s, data: filepath.Join(dir, "agent"), config: filepath.Join(dir, "gate.yaml"), said: &transcript{}}
	for name, cable := range map[string]**pty.Cable{"scanner": &g.scanner, "relay": &g.relay} {
		c, err := pty.NewCable(dir, name)
		check(s.t, err)
		s.t.Cleanup(func() { check(s.t, c.Close()) })
		*cable = c
	}
	var made struct {
		ID uint16 `json:"id"`
	}
	check(s.t, s.client.Do(s.t.Context(), http.MethodPost, "/api/v1/gates", map[string]any{"name": name, "zone": 1, "policy": "owner"}, &made))
	g.id = made.ID
	g.configure(s.client.Base)
	return g
}

// configure writes the gate's file, with this address of the server.
func (g *gate) configure(server string) {
	g.t.Helper()
	text := fmt.Sprintf("server: %s\nlisten: 127.0.0.1:0\ndata: %s\nlanes:\n  - name: 主通道\n"+
		"    scanner: {driver: serial, path: %s, baud: 115200}\n    barrier: {driver: lcus, path: %s, pulse_ms: 50}\n",
		server, g.data, g.scanner.Host, g.relay.Host)
	check(g.t, os.WriteFile(g.config, []byte(text), 0o600))
}

// ticket gives a one-time code for the gate.
func (g *gate) ticket() string {
	g.t.Helper()
	var made struct {
		Code string `json:"code"`
	}
	path := fmt.Sprintf("/api/v1/gates/%d/enrolments", g.id)
	check(g.t, g.site.client.Do(g.t.Context(), http.MethodPost, path, map[string]any{}, &made))
	return made.Code
}

// transcript is what commands print.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// command runs gateagent in this process.
func (g *gate) command(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	env := Env{
		Stdout: io.MultiWriter(&stdout, g.said), Stderr: io.MultiWriter(&stderr, g.said), Now: time.Now, Rand: rand.Reader,
	}
	code = run(g.t.Context(), env, args)
	return code, stdout.String(), stderr.String()
}

// enrol wants it to go well.
func (g *gate) enrol() {
	g.t.Helper()
	if code, _, errs := g.command("enroll", "-config", g.config, "-code", g.ticket()); code != exitOK {
		g.t.Fatalf("enroll ended with %d: %s", code, errs)
	}
}

// start runs the agent, as the command does, until stop or the end of the test.
func (g *gate) start(flags ...string) {
	g.t.Helper()
	read, write := io.Pipe()
	env := Env{Stdout: io.MultiWriter(write, g.said), Stderr: g.said, Now: time.Now, Rand: rand.Reader}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, env, append([]string{"-config", g.config}, flags...))
		_ = write.Close() // whoever waits for the first line shall hear of it
		ended <- code
	}()
	lines := bufio.NewReader(read)
	first, err := lines.ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(first), "guard page: ")
	if err != nil || !ok {
		cancel()
		g.t.Fatalf("the agent did not start: %v\n%s", err, g.said)
	}
	transport := &http.Transport{}
	g.client = campus.Client{Base: strings.TrimSuffix(address, "/"), HTTP: &http.Client{Transport: transport, Timeout: patience}}
	g.stop = sync.OnceFunc(func() {
		g.t.Helper()
		transport.CloseIdleConnections()
		cancel()
		if code := <-ended; code != exitOK {
			g.t.Errorf("the agent ended with %d\n%s", code, g.said)
		}
	})
	g.t.Cleanup(g.stop)
}

// until waits for a status.
func (g *gate) until(what string, wanted func(console.Status) bool) (st console.Status) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	err := campus.Until(ctx, func() (bool, error) {
		var now console.Status
		err := g.client.Do(ctx, http.MethodGet, "/api/v1/status", nil, &now)
		if err == nil {
			st = now
		}
		return err == nil && wanted(st), err
	})
	if err != nil {
		g.t.Fatalf("the status never was: %s: %v\n%+v\n%s", what, err, st, g.said)
	}
	return st
}

// untilOnline waits until the gate may decide: it knows the time, and was told that
// nothing follows.
func (g *gate) untilOnline() console.Status {
	g.t.Helper()
	return g.until("online, up to date, with a clock", func(st console.Status) bool {
		return st.Online && st.Gate.Name != "" && st.Clock.Trusted && st.Clock.SyncedAt > 0 && st.Snapshot.At > 0
	})
}

// present shows a code through the agent's API.
func (g *gate) present(code string) (result desk.Result) {
	g.t.Helper()
	check(g.t, g.client.Do(g.t.Context(), http.MethodPost, "/api/v1/scans", map[string]any{"text": code}, &result))
	return result
}

// issue makes a pass for today that the gate decides.
func (g *gate) issue() campus.Pass {
	g.t.Helper()
	today := time.Now().In(g.site.settings.Location)
	p, err := g.site.client.Issue(g.t.Context(), campus.PassRequest{
		Kind: "resident_single", Name: "林晓岚", Doc4: "3021", Uses: 1, Zones: []int{1}, OwnerGate: g.id,
		From: today.Format(time.DateOnly), Until: today.AddDate(0, 0, 1).Format(time.DateOnly),
	})
	check(g.t, err)
	return p
}

// arrived waits until the server holds n events.
func (s *site) arrived(n int) (all []campus.Event) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	err := campus.Until(ctx, func() (_ bool, err error) {
		all, _, err = s.client.Events(ctx, 0)
		return len(all) >= n, err
	})
	if err != nil {
		s.t.Fatalf("%d events at the server, want %d: %v", len(all), n, err)
	}
	return all
}
