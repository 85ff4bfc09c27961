package campus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/cmd/internal/campus"
	"campusgate/signing/wire"
)

// bin holds the daemons under test, built without the race detector: the
// tests here kill real processes and look at real system calls.
var bin string

func TestMain(m *testing.M) {
	// Whoever kills daemons and opens pages waits for them most of the time.
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "campusgate-bin-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		bin = dir
		build := exec.Command("go", "build", "-o", dir, "campusgate/cmd/gateserver", "campusgate/cmd/gateagent")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the daemons: %v\n%s", err, out)
			return 1
		}
		defer closeBrowser()
		return m.Run()
	}())
}

// start runs a campus that ends with the test. What its daemons said is shown
// when the test fails.
func start(t testing.TB, o campus.Options) *campus.Campus {
	t.Helper()
	said := &transcript{}
	o.Bin, o.Log, o.Dir = bin, said, t.TempDir()
	c, err := campus.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v\n%s", err, said.tail())
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemons said:\n%s", said.tail())
		}
	})
	return c
}

// transcript keeps what several daemons write.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *transcript) tail() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.buf.Bytes()
	return bytes.Clone(all[max(0, len(all)-8000):])
}

// relay reads what comes out of a gate's relay cable.
type relay struct {
	mu     sync.Mutex
	frames [][4]byte
	moved  chan struct{} // one token when frames grew
}

// The LCUS-1 frames of channel 1.
var (
	on  = [4]byte{0xA0, 1, 1, 0xA2}
	off = [4]byte{0xA0, 1, 0, 0xA1}
)

func watch(t testing.TB, g *campus.Gate) *relay {
	t.Helper()
	tty, err := os.OpenFile(g.Relay.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{moved: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var frame [4]byte
		for {
			if _, err := io.ReadFull(tty, frame[:]); err != nil {
				return
			}
			r.mu.Lock()
			r.frames = append(r.frames, frame)
			r.mu.Unlock()
			select {
			case r.moved <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		<-done
	})
	return r
}

// pulses counts the "on" frames; a frame that is neither on nor off fails.
func (r *relay) pulses(t testing.TB) (n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.frames {
		switch f {
		case on:
			n++
		case off:
		default:
			t.Fatalf("a frame that is no LCUS-1 frame of channel 1: % x", f)
		}
	}
	return n
}

// await waits until n pulses were seen.
func (r *relay) await(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for r.pulses(t) < n {
		select {
		case <-r.moved:
		case <-ctx.Done():
			t.Fatalf("%d pulses, want %d", r.pulses(t), n)
		}
	}
}

// scanner writes codes as a scanner does.
type scanner struct{ tty *os.File }

func plug(t testing.TB, g *campus.Gate) scanner {
	t.Helper()
	tty, err := os.OpenFile(g.Scanner.Device, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return scanner{tty}
}

func (s scanner) scan(t testing.TB, code string) {
	t.Helper()
	if _, err := s.tty.WriteString(code + "\r"); err != nil {
		t.Fatal(err)
	}
}

// issue makes n single-use passes that the gate owns.
func issue(t *testing.T, c *campus.Campus, g *campus.Gate, n int) []campus.Pass {
	t.Helper()
	passes := make([]campus.Pass, n)
	errs := make(chan error, 8)
	var next sync.Mutex
	i := 0
	today := time.Now().In(time.FixedZone("Asia/Shanghai", 8*3600)).Format(time.DateOnly)
	tomorrow := time.Now().Add(24 * time.Hour).In(time.FixedZone("Asia/Shanghai", 8*3600)).Format(time.DateOnly)
	for range cap(errs) {
		go func() {
			for {
				next.Lock()
				k := i
				i++
				next.Unlock()
				if k >= n {
					errs <- nil
					return
				}
				p, err := c.Client.Issue(t.Context(), campus.PassRequest{
					Kind: "resident_single", Name: fmt.Sprintf("访客%d", k), Doc4: "0420",
					From: today, Until: tomorrow, Uses: 1, Zones: []int{1}, OwnerGate: g.ID,
				})
				if err != nil {
					errs <- err
					return
				}
				passes[k] = p
			}
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	return passes
}

// journalOf reads every event of a gate whose agent has stopped, and checks the
// chain.
func journalOf(t *testing.T, g *campus.Gate) (events []wire.Event) {
	t.Helper()
	db, err := disk.Open(filepath.Join(g.Data, agent.StoreName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	j, err := journal.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Verify(t.Context()); err != nil {
		t.Errorf("the chain of the journal: %v", err)
	}
	for after := uint64(0); ; {
		records, err := j.After(after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			return events
		}
		for _, r := range records {
			var e wire.Event
			if err := json.Unmarshal(r.Body, &e); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		after = records[len(records)-1].Seq
	}
}
