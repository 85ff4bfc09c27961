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
