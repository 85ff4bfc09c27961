//go:build linux

package agent_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
	"campusgate/devices/pty"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

var flaps = flag.Int("flaps", 20, "how often every device is pulled out and put back under scans")

// pairs is a scanner on a cable.
type pairs struct {
	cable *pty.Cable
	far   *os.File
}

func newPair(t *testing.T) (*pairs, error) {
	c, err := pty.NewCable(t.TempDir(), "scanner")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { check(t, c.Close()) })
	far, err := os.OpenFile(c.Device, os.O_RDWR, 0)
	t.Cleanup(func() { _ = far.Close() })
	return &pairs{c, far}, err
}

func (p *pairs) send(t *testing.T, code string) {
	t.Helper()
	_, err := io.WriteString(p.far, code+"\r")
	check(t, err)
}

// netScanner is a scanner that listens, whose cable can be pulled out.
type netScanner struct {
	t    *testing.T
	addr string

	mu   sync.Mutex
	came *sync.Cond   // conn is there
	ln   net.Listener // nil while it is pulled out
	conn net.Conn
}

func newNetScanner(t *testing.T) *netScanner {
	n := &netScanner{t: t, addr: "127.0.0.1:0"}
	n.came = sync.NewCond(&n.mu)
	n.plug()
	t.Cleanup(n.unplug)
	return n
}

func (n *netScanner) plug() {
	n.t.Helper()
	ln, err := net.Listen("tcp", n.addr)
	check(n.t, err)
	n.mu.Lock()
	n.ln, n.addr = ln, ln.Addr().String()
	n.mu.Unlock()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			n.mu.Lock()
			if n.ln == ln {
				n.conn = c
				n.came.Broadcast()
			} else {
				_ = c.Close() // it was pulled out meanwhile
			}
			n.mu.Unlock()
		}
	}()
}

func (n *netScanner) unplug() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ln != nil {
		_ = n.ln.Close()
		n.ln = nil
	}
	if n.conn != nil {
		_ = n.conn.Close()
		n.conn = nil
	}
}

// connected waits until somebody is: a caller hears that it is before the one who
// is called does.
func (n *netScanner) connected() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.conn == nil {
		n.came.Wait()
	}
}

// send fails while nobody is connected, as a cable that is pulled out does.
func (n *netScanner) send(code string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		return false
	}
	_, err := io.WriteString(n.conn, code+"\r")
	return err == nil
}

// tally counts the attempts with every pass, from the feed.
type tally struct {
	mu     sync.Mutex
	count  map[signing.PassID]map[string]verdict.Reason // by attempt
	status console.Status
	moved  chan struct{}
}

func (r *running) tally() *tally {
	c := &tally{count: map[signing.PassID]map[string]verdict.Reason{}, moved: make(chan struct{}, 1)}
	go func() {
		for {
			_, raw, err := r.feed.ReadMessage()
			if err != nil {
				return
			}
			var m message
			if json.Unmarshal(raw, &m) != nil {
				continue
			}
			c.mu.Lock()
			if m.Status != nil {
				c.status = *m.Status
			}
			if m.Scan != nil {
				if c.count[m.Scan.Pass] == nil {
					c.count[m.Scan.Pass] = map[string]verdict.Reason{}
				}
				c.count[m.Scan.Pass][m.Scan.ID] = m.Scan.Reason
			}
			c.mu.Unlock()
			select {
			case c.moved <- struct{}{}:
			default:
			}
		}
	}()
	return c
}

// until waits for something to be so.
func (c *tally) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		c.mu.Lock()
		so := is()
		c.mu.Unlock()
		if so {
			return
		}
		select {
		case <-c.moved:
		case <-timeout:
			t.Fatalf("never: %s; devices %+v", what, c.status.Devices)
		}
	}
}

// TestAgent_FlappingDevicesLoseNoScanAndDoubleNone pulls out and puts back a
// serial scanner, a relay and a scanner on the network again and again, with
// people coming all the while. Whoever comes while a scanner is connected is let
// in, once; whoever comes at the moment it is pulled out may have to show the
// code again, and is never let in twice.
func TestAgent_FlappingDevicesLoseNoScanAndDoubleNone(t *testing.T) {
	s := newStation(t)
	n := newNetScanner(t)
	lanes := fmt.Sprintf("  - name: %s\n    scanners:\n      - {driver: serial, path: %s, baud: 115200}\n      - {driver: tcp, path: %q}\n"+
		"    barrier: {driver: lcus, path: %s, pulse_ms: 50}\n", where, s.scanner.Host, n.addr, s.relay.Host)
	r := s.start(s.settings(lanes), deps(0))
	tty := must[*os.File](t)(os.OpenFile(s.scanner.Device, os.O_WRONLY, 0))
	defer func() { _ = tty.Close() }()
	seen := r.tally()
	pulses := s.countPulses()
	scanners := func(state string) func() bool {
		return func() bool {
			d := seen.status.Devices
			return len(d) == 3 && d[0].State == state && d[1].State == state
		}
	}
	var sent []signing.PassID
	next := func() string { code := s.code(); sent = append(sent, s.last()); return code }
	write := func(code string) { _, err := tty.WriteString(code + "\r"); check(t, err) }
	var slowest time.Duration
	var goroutines, files int
	for i := range *flaps + 1 {
		seen.until(t, "the scanners are ok", scanners(devices.OK))
		n.connected()
		for len(pulses) > 0 { // of those who came in the last moment
			<-pulses
		}
		for range 2 {
			write(next())
			if !n.send(next()) {
				t.Fatal("the scanner on the network is not connected")
			}
		}
		seen.until(t, "everybody who came while all was well is let in", func() bool {
			for _, id := range sent[len(sent)-4:] {
				if len(seen.count[id]) != 1 {
					return false
				}
			}
			return true
		})
		for range 4 {
			select {
			case <-pulses:
			case <-time.After(patience):
				t.Fatalf("flap %d: pulses are missing", i)
			}
		}
		if i == 0 { // all that stays is open now
			goroutines, files = usage(t)
		}
		if i == *flaps {
			break
		}
		// Somebody comes in the very moment, to both.
		write(next())
		n.send(next())
		check(t, s.scanner.Unplug())
		n.unplug()
		check(t, s.relay.Unplug())
		if len(pulses) > 2 {
			t.Fatalf("flap %d: %d pulses more than people", i, len(pulses)-2)
		}
		seen.until(t, "the scanners are lost", scanners(devices.Lost))
		check(t, s.relay.Replug())
		check(t, s.scanner.Replug())
		n.plug()
		back := time.Now()
		seen.until(t, "the scanners are ok again", scanners(devices.OK))
		slowest = max(slowest, time.Since(back))
	}
	t.Logf("%d flaps, slowest recovery %v", *flaps, slowest)
	if slowest > 2*time.Second {
		t.Errorf("slowest recovery %v", slowest)
	}
	for i, id := range sent {
		admitted := 0
		for _, reason := range seen.count[id] {
			if reason == verdict.Granted {
				admitted++
			}
		}
		if len(seen.count[id]) > 1 || admitted > 1 {
			t.Errorf("person %d: %v", i+1, seen.count[id])
		}
	}
	deadline := time.Now().Add(patience)
	for {
		g, f := usage(t)
		if g <= goroutines && f <= files {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files, at the start %d and %d", g, f, goroutines, files)
		}
		runtime.Gosched()
	}
}

// countPulses gives the frames that switch the relay on, from now on. A frame may
// be cut off where the cable is pulled out.
func (s *station) countPulses() <-chan struct{} {
	pulses := make(chan struct{}, 100)
	go func() {
		var seen []byte
		for one := make([]byte, 1); ; {
			if _, err := s.relayEnd.Read(one); err != nil {
				return
			}
			if seen = append(seen, one...); bytes.HasSuffix(seen, on) {
				pulses <- struct{}{}
				seen = seen[:0]
			}
		}
	}()
	return pulses
}

// last is the id of the pass that was made last.
func (s *station) last() signing.PassID {
	return signing.PassID{byte(s.passes >> 8), byte(s.passes)}
}

// usage counts what a leak would raise.
func usage(t *testing.T) (goroutines, files int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return runtime.NumGoroutine(), len(fds)
}
