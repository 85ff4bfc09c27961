//go:build linux

package agent_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/devices/pty"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	patience = 20 * time.Second // bounds every wait
	home     = 3                // the gate
	where    = "主通道"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// station is a gate PC that was enrolled and connected some time ago, with a
// scanner and a relay.
type station struct {
	t              testing.TB
	issuer         signing.Issuer
	payer          signing.Issuer // of payment credentials
	data           string
	gate           uint16
	root, own      ed25519.PrivateKey
	scanner, relay *pty.Cable
	relayEnd       *os.File
	passes         uint16
}

func newStation(t testing.TB) *station {
	t.Helper()
	dir := t.TempDir()
	s := &station{t: t, data: filepath.Join(dir, "agent"), gate: home}
	for name, cable := range map[string]**pty.Cable{"scanner": &s.scanner, "relay": &s.relay} {
		c := must[*pty.Cable](t)(pty.NewCable(dir, name))
		t.Cleanup(func() { check(t, c.Close()) })
		*cable = c
	}
	s.relayEnd = must[*os.File](t)(os.OpenFile(s.relay.Device, os.O_RDWR, 0))
	t.Cleanup(func() { _ = s.relayEnd.Close() })
	s.enrol()
	return s
}

// enrol makes the store that enrolment and a first connection leave behind.
func (s *station) enrol() {
	s.t.Helper()
	t := s.t
	var err error
	_, s.own, err = ed25519.GenerateKey(rand.Reader)
	check(t, err)
	if s.root == nil {
		s.found()
	}
	ring := must[*signing.Keyring](t)(signing.NewKeyring("云岭大学", 1, []signing.Key{s.issuer.Key, s.payer.Key}))
	signed := must[[]byte](t)(signing.SignKeyring(s.root, ring))
	id := journal.Identity{
		Agent: 10 + uint32(s.gate), Epoch: 1, Gate: s.gate, Site: "云岭大学", TimeZone: "Asia/Shanghai",
		Server: "https://gate.example.edu", Root: s.root.Public().(ed25519.PublicKey), Private: s.own,
	}
	check(t, os.MkdirAll(s.data, 0o700))
	path := filepath.Join(s.data, agent.StoreName)
	check(t, disk.Create(path, func(tx *disk.Tx) error {
		return errors.Join(journal.Enrol(tx, id), snapshot.Enrol(tx, id.Root, id.Site, signed))
	}))
	s.open(func(j *journal.Journal, snap *snapshot.Snapshot) {
		now := time.Now()
		check(t, j.Update(func(book lane.Book) error {
			return book.SetClock(desk.Clock{Synced: now.UnixMilli(), HighWater: now.UnixMilli()})
		}))
		gate := must[[]byte](t)(json.Marshal(wire.Gate{ID: s.gate, Name: "东门", Zone: 1, Mode: verdict.Owner}))
		check(t, snap.Apply([]wire.Delta{{
			Reset: true, Cursor: wire.Cursor{Lineage: "l", Revision: 7},
			Items: []wire.Item{{Kind: wire.ItemGate, Key: strconv.Itoa(int(s.gate)), Body: gate}},
		}}))
		check(t, snap.Current(now))
	})
}

// open lets do work on the store of an agent that is not running.
func (s *station) open(do func(*journal.Journal, *snapshot.Snapshot)) {
	s.t.Helper()
	t := s.t
	db := must[*disk.DB](t)(disk.Open(filepath.Join(s.data, agent.StoreName)))
	defer func() { check(t, db.Close()) }()
	j := must[*journal.Journal](t)(journal.Open(db))
	id := j.Identity()
	do(j, must[*snapshot.Snapshot](t)(snapshot.Open(db, id.Gate, id.Site, id.Root)))
}

// found makes the keys of a campus.
func (s *station) found() {
	s.t.Helper()
	t := s.t
	var err error
	_, s.root, err = ed25519.GenerateKey(rand.Reader)
	check(t, err)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	s.issuer = signing.Issuer{Key: must[signing.Key](t)(signing.NewKey("云岭大学", signing.PurposeGate, public)), Private: private}
	public, private, err = ed25519.GenerateKey(rand.Reader)
	check(t, err)
	s.payer = signing.Issuer{Key: must[signing.Key](t)(signing.NewKey("云岭大学", signing.PurposePay, public)), Private: private}
}

// code is a new pass for one use that this gate decides.
func (s *station) code() string {
	s.t.Helper()
	s.passes++
	now := time.Now().Unix()
	p := pass.Pass{
		ID: signing.PassID{byte(s.passes >> 8), byte(s.passes)}, Kind: signing.ResidentSingle, Name: "林晓岚", Doc4: "3021", Uses: 1, Owner: home,
		NotBefore: now - 3600, Expires: now + 86400, IssuedAt: now - 7200,
	}
	return pass.URL("gate.example.edu", must[[]byte](s.t)(p.Sign(s.issuer)))
}

// settings are those of this station, with more at the head of the file; lanes
// is in place of its lane, where it is not empty.
func (s *station) settings(lanes string, more ...string) agent.Settings {
	s.t.Helper()
	if lanes == "" {
		lanes = fmt.Sprintf("  - name: %s\n    scanner: {driver: serial, path: %s, baud: 115200}\n"+
			"    barrier: {driver: lcus, path: %s, pulse_ms: 50}\n", where, s.scanner.Host, s.relay.Host)
	}
	text := fmt.Sprintf("server: https://gate.example.edu\nlisten: 127.0.0.1:0\ndata: %s\n%s\nlanes:\n%s", s.data, strings.Join(more, "\n"), lanes)
	return must[agent.Settings](s.t)(agent.ParseConfig("gate.yaml", []byte(text)))
}

var errNoNetwork = errors.New("no network here")

// deps are a world without a network, whose clock is ahead.
func deps(ahead time.Duration) agent.Deps {
	return agent.Deps{
		Now:  func() time.Time { return time.Now().Add(ahead) },
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errNoNetwork },
	}
}

// running is an agent at work, and its guard page.
type running struct {
	t    testing.TB
	url  string
	feed *websocket.Conn
	http http.Client
	end  func()
	at   string // where other gates come
}

// start runs an agent. It ends with the test, or before.
func (s *station) start(settings agent.Settings, d agent.Deps) *running {
	s.t.Helper()
	t := s.t
	a := must[*agent.Agent](t)(agent.New(settings, d))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	transport := &http.Transport{}
	r := &running{t: t, at: a.PeerAddr(), url: "http://" + a.Addr(), http: http.Client{Transport: transport, Timeout: patience}}
	over := false
	r.end = func() {
		t.Helper()
		if over {
			return
		}
		over = true
		transport.CloseIdleConnections()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the agent ended with: %v", err)
			}
		case <-time.After(patience):
			t.Error("the agent does not end")
		}
		if r.feed != nil {
			_ = r.feed.Close()
		}
	}
	t.Cleanup(r.end)
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	conn, resp, err := dialer.DialContext(t.Context(), "ws://"+a.Addr()+"/api/v1/feed", nil)
	check(t, err)
	check(t, resp.Body.Close())
	r.feed = conn
	check(t, conn.SetReadDeadline(time.Now().Add(3*patience)))
	return r
}

// message is what the feed tells.
type message struct {
	Status *console.Status
	Scan   *desk.Result
}

func (r *running) next() (m message) {
	r.t.Helper()
	_, raw, err := r.feed.ReadMessage()
	check(r.t, err)
	check(r.t, json.Unmarshal(raw, &m))
	return m
}

// until reads the feed until a status is as wanted.
func (r *running) until(what string, wanted func(console.Status) bool) console.Status {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		m := r.next()
		if m.Status != nil && wanted(*m.Status) {
			return *m.Status
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the status never was: %s", what)
		}
	}
}

// scanned gives the next attempt that the feed tells of.
func (r *running) scanned() desk.Result {
	r.t.Helper()
	for {
		if m := r.next(); m.Scan != nil {
			return *m.Scan
		}
	}
}

func scannerIs(state string) func(console.Status) bool {
	return func(s console.Status) bool { return s.Lanes[0].Scanner.State == state }
}

// post calls the agent's API and wants 200.
func (r *running) post(path string, in any) (result desk.Result) {
	r.t.Helper()
	body := must[[]byte](r.t)(json.Marshal(in))
	res, err := r.http.Post(r.url+path, "application/json", bytes.NewReader(body))
	check(r.t, err)
	defer func() { _ = res.Body.Close() }()
	raw := must[[]byte](r.t)(io.ReadAll(res.Body))
	if res.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %s: %s", path, res.Status, raw)
	}
	check(r.t, json.Unmarshal(raw, &result))
	return result
}

func (r *running) present(code string) desk.Result {
	r.t.Helper()
	return r.post("/api/v1/scans", map[string]string{"text": code})
}

// send writes a code as the scanner does.
func (s *station) send(code string) {
	s.t.Helper()
	tty := must[*os.File](s.t)(os.OpenFile(s.scanner.Device, os.O_WRONLY, 0))
	_, err := tty.WriteString(code + "\r")
	check(s.t, errors.Join(err, tty.Close()))
}

// The LCUS-1 frames of channel 1.
var (
	on  = []byte{0xA0, 1, 1, 0xA2}
	off = []byte{0xA0, 1, 0, 0xA1}
)

// pulses waits until the relay was switched on n times since the last call, and
// off again. A pulse during another one prolongs it.
func (s *station) pulses(n int) {
	s.t.Helper()
	guard := time.AfterFunc(patience, func() { _ = s.relayEnd.Close() })
	defer guard.Stop()
	for frame := on; n > 0 || !bytes.Equal(frame, off); {
		frame = make([]byte, 4)
		if _, err := io.ReadFull(s.relayEnd, frame); err != nil {
			s.t.Fatalf("%d pulses are missing: %v", n, err)
		}
		if bytes.Equal(frame, on) {
			n--
		}
	}
	if n < 0 {
		s.t.Errorf("%d pulses too many", -n)
	}
}

// settled waits until there are no more goroutines than before.
func settled(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}
