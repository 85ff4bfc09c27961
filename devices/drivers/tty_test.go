//go:build linux

package drivers_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/drivers"
	"campusgate/devices/pty"
)

const patience = 20 * time.Second

func cable(t *testing.T, name string) (*pty.Cable, *os.File) {
	t.Helper()
	c, err := pty.NewCable(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := os.OpenFile(c.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(dev.Close(), c.Close()) })
	return c, dev
}

// frames reads n relay frames. The device's end is closed when it takes too
// long, which ends the read.
func frames(t *testing.T, dev *os.File, n int) []byte {
	t.Helper()
	guard := time.AfterFunc(patience, func() { _ = dev.Close() })
	defer guard.Stop()
	got := make([]byte, 4*n)
	if _, err := io.ReadFull(dev, got); err != nil {
		t.Fatalf("after % X: %v", got, err)
	}
	return got
}

func TestTheRelayGetsOneFrameOnAndOneOff(t *testing.T) {
	c, dev := cable(t, "relay")
	b, err := drivers.NewBarrier("lcus", drivers.BarrierConfig{Path: c.Host, PulseMS: 100})
	if err != nil {
		t.Fatal(err)
	}
	if got := frames(t, dev, 1); !bytes.Equal(got, []byte{0xA0, 1, 0, 0xA1}) {
		t.Fatalf("at start-up % X", got)
	}
	for range 3 {
		start := time.Now()
		if err := b.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := frames(t, dev, 1); !bytes.Equal(got, []byte{0xA0, 1, 1, 0xA2}) {
			t.Fatalf("first % X", got)
		}
		if got := frames(t, dev, 1); !bytes.Equal(got, []byte{0xA0, 1, 0, 0xA1}) {
			t.Fatalf("then % X", got)
		}
		if took := time.Since(start); took < 100*time.Millisecond {
			t.Errorf("off after %v", took)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestTwoLanesShareARelayBoard(t *testing.T) {
	c, dev := cable(t, "board")
	before, alone := holders(t, c.Host), 0
	var lanes []devices.Barrier
	for channel := range 2 {
		b, err := drivers.NewBarrier("lcus", drivers.BarrierConfig{Path: c.Host, Channel: channel + 1, PulseMS: 100})
		if err != nil {
			t.Fatal(err)
		}
		lanes = append(lanes, b)
		rest := []byte{0xA0, byte(channel + 1), 0, byte(0xA1 + channel)}
		if got := frames(t, dev, 1); !bytes.Equal(got, rest) {
			t.Fatalf("channel %d rests with % X", channel+1, got)
		}
		if n := holders(t, c.Host) - before; channel == 0 {
			alone = n
		} else if n != alone {
			t.Errorf("%d files open for two lanes, %d for one", n, alone)
		}
	}
	pulse := func(lane int) {
		t.Helper()
		if err := lanes[lane].Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		ch := byte(lane + 1)
		if got := frames(t, dev, 2); !bytes.Equal(got, []byte{0xA0, ch, 1, 0xA1 + ch, 0xA0, ch, 0, 0xA0 + ch}) {
			t.Errorf("lane %d moved % X", lane+1, got)
		}
	}
	pulse(0)
	pulse(1)
	if err := lanes[0].Close(); err != nil {
		t.Error(err)
	}
	pulse(1) // the other one's end is not the board's
	if err := lanes[1].Close(); err != nil {
		t.Error(err)
	}
	for late := time.After(patience); holders(t, c.Host) != before; {
		select {
		case <-late:
			t.Fatalf("%d files still open", holders(t, c.Host)-before)
		case <-time.After(time.Millisecond): // the last writer closes it
		}
	}
}

// holders is how often this process has a device open.
func holders(t *testing.T, path string) (n int) {
	t.Helper()
	device, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range list {
		if open, err := os.Stat("/proc/self/fd/" + fd.Name()); err == nil && os.SameFile(open, device) {
			n++
		}
	}
	return n
}

func TestARelayPulledOutDuringAPulseIsSwitchedOffWhenItIsBack(t *testing.T) {
	c, dev := cable(t, "relay")
	b, err := drivers.NewBarrier("lcus", drivers.BarrierConfig{Path: c.Host, PulseMS: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	frames(t, dev, 1)
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	frames(t, dev, 1)
	if err := c.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(t.Context()); err == nil {
		t.Error("Open found a relay that is gone")
	}
	if name, err := b.(devices.Prober).Probe(t.Context()); err == nil {
		t.Errorf("Probe found %s", name)
	}
	if err := c.Replug(); err != nil {
		t.Fatal(err)
	}
	if got := frames(t, dev, 1); !bytes.Equal(got, []byte{0xA0, 1, 0, 0xA1}) {
		t.Errorf("after the re-plug % X", got)
	}
	if err := b.Open(t.Context()); err != nil {
		t.Errorf("Open: %v", err)
	}
	if got := frames(t, dev, 2); !bytes.Equal(got, []byte{0xA0, 1, 1, 0xA2, 0xA0, 1, 0, 0xA1}) {
		t.Errorf("then % X", got)
	}
}

func TestASerialScannerReadsACode(t *testing.T) {
	c, dev := cable(t, "scanner")
	wall := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	s, err := drivers.NewScanner("serial", drivers.ScannerConfig{
		Path: c.Host, Baud: 115200, Prefixes: []string{"CP1:"}, Now: func() time.Time { return wall },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []devices.Scan
	err = s.(devices.Notifier).RunNotify(ctx, func(scan devices.Scan) {
		if got = append(got, scan); len(got) == 2 {
			cancel()
		}
	}, func() {
		if _, err := dev.WriteString("]Q1CP1:ACP1:B"); err != nil {
			t.Error(err)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	want := []devices.Scan{{Text: "CP1:A", At: wall, Raw: 8}, {Text: "CP1:B", At: wall, Raw: 5}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("scans %+v, want %+v", got, want)
	}
}
