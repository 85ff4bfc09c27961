package drivers_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"campusgate/devices/drivers"
)

func TestAnUnknownDriverIsRefusedWithTheKnownOnes(t *testing.T) {
	_, scannerErr := drivers.NewScanner("usb", drivers.ScannerConfig{Path: "/dev/ttyS0"})
	_, barrierErr := drivers.NewBarrier("", drivers.BarrierConfig{Path: "/dev/ttyS0"})
	_, inputErr := drivers.NewInput("lcus", drivers.InputConfig{Path: "/dev/ttyS0"})
	for err, want := range map[error][]string{
		scannerErr: append(slices.Sorted(maps.Keys(drivers.Scanners)), `scanner: unknown driver "usb"; known: `),
		barrierErr: append(slices.Sorted(maps.Keys(drivers.Barriers)), `barrier: unknown driver ""; known: `),
		inputErr:   append(slices.Sorted(maps.Keys(drivers.Inputs)), `input: unknown driver "lcus"; known: `),
	} {
		for _, part := range want {
			if !errors.Is(err, drivers.ErrUnknown) || !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, want %s in it", err, part)
			}
		}
	}
}

func TestBadConfigurationIsRefusedBeforeAnythingOpens(t *testing.T) {
	for _, c := range []struct {
		config drivers.BarrierConfig
		want   string
	}{
		{drivers.BarrierConfig{}, "barrier: serial port: path is missing"},
		{drivers.BarrierConfig{Path: "/dev/ttyS0", Baud: 1}, "unsupported baud rate: 1 "},
		{drivers.BarrierConfig{Path: "/dev/ttyS0", Channel: 9}, "channel 9 is not in 1 to 8"},
		{drivers.BarrierConfig{Path: "/dev/ttyS0", PulseMS: -1}, "pulse_ms -1 is not in 0 to 60000"},
		{drivers.BarrierConfig{Path: "/dev/ttyS0", PulseMS: 60_001}, "pulse_ms 60001"},
	} {
		b, err := drivers.NewBarrier("lcus", c.config)
		if err == nil || b != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, %v; want %q", c.config, b, err, c.want)
		}
	}
	if s, err := drivers.NewScanner("serial", drivers.ScannerConfig{}); err == nil || s != nil {
		t.Errorf("a scanner without a path: %v, %v", s, err)
	}
}

func TestNoBarrierNeedsNoDevice(t *testing.T) {
	b, err := drivers.NewBarrier("none", drivers.BarrierConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Open(t.Context()), b.Close()); err != nil {
		t.Error(err)
	}
}
