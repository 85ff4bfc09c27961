package drivers_test

import (
	"errors"
	"strings"
	"testing"

	"campusgate/devices/drivers"
)

func TestAnUnknownDriverIsRefusedWithTheKnownOnes(t *testing.T) {
	_, scannerErr := drivers.NewScanner("usb", drivers.ScannerConfig{Path: "/dev/ttyS0"})
	_, barrierErr := drivers.NewBarrier("", drivers.BarrierConfig{Path: "/dev/ttyS0"})
	for err, want := range map[error]string{
		scannerErr: `scanner: unknown driver "usb"; known: camera, serial`,
		barrierErr: `barrier: unknown driver ""; known: lcus, none`,
	} {
		if !errors.Is(err, drivers.ErrUnknown) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
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
