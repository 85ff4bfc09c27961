//go:build linux

package modem_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"campusgate/devices/modem"
	"campusgate/devices/pty"
)

func TestAPortWithoutModemLinesSaysSo(t *testing.T) {
	c, err := pty.NewCable(t.TempDir(), "tty")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	in := modem.Contact{Path: c.Host, Channel: 1}
	if err := in.Run(t.Context(), func(bool) { t.Error("a state") }); !errors.Is(err, modem.ErrNoLines) {
		t.Errorf("Run: %v", err)
	}
	if _, err := in.Probe(t.Context()); !errors.Is(err, modem.ErrNoLines) {
		t.Errorf("Probe: %v", err)
	}
}

func TestAPortThatIsNotThereIsAnError(t *testing.T) {
	in := modem.Contact{Path: filepath.Join(t.TempDir(), "tty"), Channel: 2}
	if err := in.Run(t.Context(), func(bool) { t.Error("a state") }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run: %v", err)
	}
}

func TestALineThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []modem.Contact{{Channel: 1}, {Path: "/dev/ttyS0"}, {Path: "/dev/ttyS0", Channel: 5}} {
		if err := c.Check(); !errors.Is(err, modem.ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
