//go:build linux

package relay_test

import (
	"bufio"
	"errors"
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/drivers"
	"campusgate/devices/modbus/peer"
	"campusgate/devices/pty"
)

var flaps = flag.Int("flaps", 25, "how often each device is taken away and put back")

const patience = 20 * time.Second

// flapper is a relay that can be taken away, and what it did.
type flapper struct {
	config drivers.BarrierConfig
	driver string
	flap   func() error
	moved  func() bool // waits for the next move: on or off
}

func lcus(t *testing.T) flapper {
	c, err := pty.NewCable(t.TempDir(), "relay")
	if err != nil {
		t.Fatal(err)
	}
	dev, err := os.OpenFile(c.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(dev.Close(), c.Close()) })
	in := bufio.NewReader(dev)
	return flapper{
		drivers.BarrierConfig{Path: c.Host},
		"lcus",
		func() error { return errors.Join(c.Unplug(), c.Replug()) },
		func() bool {
			frame := make([]byte, 4)
			for i := range frame {
				frame[i], err = in.ReadByte()
				if err != nil {
					t.Error(err)
				}
			}
			if frame[0] != 0xA0 || frame[3] != frame[0]+frame[1]+frame[2] {
				t.Errorf("frame % X", frame)
			}
			return frame[2] == 1
		},
	}
}

func coil(t *testing.T, b *peer.Board) func() bool {
	return func() bool { return strings.HasSuffix(b.Coil(), " 1") }
}

func rtu(t *testing.T) flapper { f, _ := rtuBoard(t); return f }

func tcp(t *testing.T) flapper { f, _ := tcpBoard(t); return f }

func rtuBoard(t *testing.T) (flapper, *peer.Board) {
	c, err := pty.NewCable(t.TempDir(), "rs485")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	b := peer.RTU(t, c.Device)
	return flapper{
		drivers.BarrierConfig{Path: c.Host},
		"modbus-rtu",
		func() error { return errors.Join(c.Unplug(), c.Replug()) }, coil(t, b),
	}, b
}

func tcpBoard(t *testing.T) (flapper, *peer.Board) {
	b := peer.TCP(t, 0)
	return flapper{
		drivers.BarrierConfig{Path: b.Address},
		"modbus-tcp",
		func() error { b.Tell("drop"); return nil }, coil(t, b),
	}, b
}

// usage counts what a leak would raise.
func usage(t *testing.T) (goroutines, files int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return runtime.NumGoroutine(), len(fds)
}

// TestFlap_TheRelayIsNeverLeftOn takes each kind of relay away in the middle of
// pulses and puts it back: it is off within two seconds each time, and at the end
// no goroutine and no file is left over.
func TestFlap_TheRelayIsNeverLeftOn(t *testing.T) {
	for name, open := range map[string]func(*testing.T) flapper{"lcus": lcus, "modbus-rtu": rtu, "modbus-tcp": tcp} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.config.PulseMS = 20
			b, err := drivers.NewBarrier(f.driver, f.config)
			if err != nil {
				t.Fatal(err)
			}
			if f.moved() {
				t.Fatal("on at start-up")
			}
			goroutines, files := usage(t)
			var slowest time.Duration
			for i := range *flaps {
				if err := b.Open(t.Context()); err != nil {
					t.Fatalf("flap %d: %v", i, err)
				}
				for again := 0; !f.moved(); again++ { // it may be brought to rest once more for an answer that was late
					if again == 3 {
						t.Fatalf("flap %d: off, not on", i)
					}
				}
				if err := f.flap(); err != nil {
					t.Fatal(err)
				}
				back := time.Now()
				for f.moved() {
				}
				slowest = max(slowest, time.Since(back))
			}
			if slowest > 2*time.Second {
				t.Errorf("off after %v", slowest)
			}
			t.Logf("%d flaps, off after at most %v", *flaps, slowest)
			if _, err := b.(devices.Prober).Probe(t.Context()); err != nil {
				t.Errorf("at the end: %v", err)
			}
			settle := time.Now().Add(patience)
			for {
				g, n := usage(t)
				if g <= goroutines+1 && n <= files {
					break
				}
				if time.Now().After(settle) {
					t.Fatalf("%d goroutines and %d files, at the beginning %d and %d", g, n, goroutines, files)
				}
				runtime.Gosched()
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
