package campustest

import (
	"context"
	"encoding/json"
	"io"
	"os"
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

// Relay reads what comes out of a gate's relay cable. Any number of goroutines may
// use it.
type Relay struct {
	mu     sync.Mutex
	pulses int
	moved  chan struct{} // one token when pulses grew
}

// The LCUS-1 frames of channel 1.
var (
	on  = [4]byte{0xA0, 1, 1, 0xA2}
	off = [4]byte{0xA0, 1, 0, 0xA1}
)

// Watch reads until the test ends. A frame that is neither on nor off fails it.
func Watch(t testing.TB, g *campus.Gate) *Relay {
	t.Helper()
	tty, err := os.OpenFile(g.Relay.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{moved: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var frame [4]byte
		for {
			if _, err := io.ReadFull(tty, frame[:]); err != nil {
				return
			}
			if frame != on {
				if frame != off {
					t.Errorf("%s: a frame that is no LCUS-1 frame of channel 1: % x", g.Name, frame)
				}
				continue
			}
			r.mu.Lock()
			r.pulses++
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

// Pulses is how often the relay was switched on.
func (r *Relay) Pulses() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pulses
}

// Await waits until it was n times.
func (r *Relay) Await(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for r.Pulses() < n {
		select {
		case <-r.moved:
		case <-ctx.Done():
			t.Fatalf("%d pulses, want %d", r.Pulses(), n)
		}
	}
}

// Event is one of a journal, with its link of the chain.
type Event struct {
	wire.Event
	Hash wire.Hash
}

// Journal reads every event in the folder of an agent that has stopped, or in a copy
// of it, and checks the file and the chain.
func Journal(t testing.TB, folder string) (events []Event) {
	t.Helper()
	db, err := disk.Open(filepath.Join(folder, agent.StoreName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var sound string
	if err := db.Read().QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Fatalf("%s: integrity_check: %s, %v", folder, sound, err)
	}
	j, err := journal.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Verify(t.Context()); err != nil {
		t.Errorf("%s: the chain of the journal: %v", folder, err)
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
			e := Event{Hash: r.Hash}
			if err := json.Unmarshal(r.Body, &e.Event); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		after = records[len(records)-1].Seq
	}
}
