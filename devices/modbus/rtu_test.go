//go:build linux

package modbus_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"campusgate/devices/modbus"
	"campusgate/devices/modbus/peer"
	"campusgate/devices/pty"
	"campusgate/devices/serial"
)

func cable(t *testing.T) *pty.Cable {
	t.Helper()
	c, err := pty.NewCable(t.TempDir(), "rs485")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func open(t *testing.T, path string) *modbus.Bus {
	t.Helper()
	bus, err := modbus.OpenRTU(path, func() (modbus.Serial, error) { return serial.Open(serial.Config{Path: path}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	return bus
}

func TestRTU_CoilsAndInputsOfAnotherLibrary(t *testing.T) {
	c := cable(t)
	b := peer.RTU(t, c.Device)
	bus := open(t, c.Host)
	exercise(t, b, bus)
	b.Tell("noise 1")
	if err := bus.WriteCoil(1, 5, true); err != nil {
		t.Errorf("with noise before the answer: %v", err)
	}
	b.Tell("noise 0")
	b.Tell("mute")
	if _, err := bus.ReadCoil(1, 5); !errors.Is(err, modbus.ErrSilent) {
		t.Errorf("a mute board: %v", err)
	}
	b.Tell("fine")
	if on, err := bus.ReadCoil(1, 5); err != nil || !on {
		t.Errorf("when it speaks again: %v, %v", on, err)
	}
	if _, err := bus.ReadCoil(9, 5); !errors.Is(err, modbus.ErrSilent) {
		t.Errorf("a unit that is not there: %v", err)
	}
}

// TestRTU_TheBytes compares with frames that were computed by others.
func TestRTU_TheBytes(t *testing.T) {
	c := cable(t)
	dev, err := os.OpenFile(c.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dev.Close() }()
	bus := open(t, c.Host)
	for _, f := range []struct {
		question, answer string
		ask              func() (bool, error)
		want             bool
	}{
		{"01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A", func() (bool, error) { return true, bus.WriteCoil(1, 0, true) }, true},
		{"01 05 00 00 00 00 CD CA", "01 05 00 00 00 00 CD CA", func() (bool, error) { return true, bus.WriteCoil(1, 0, false) }, true},
		// The adapter repeats the question, then the answer comes in two parts.
		{"01 01 00 00 00 01 FD CA", "01 01 00 00 00 01 FD CA 01 01 01 01 90 48", func() (bool, error) { return bus.ReadCoil(1, 0) }, true},
	} {
		question, answer := unhex(t, f.question), unhex(t, f.answer)
		go func() {
			got := make([]byte, len(question))
			if _, err := io.ReadFull(dev, got); err != nil || !bytes.Equal(got, question) {
				t.Errorf("asked % X, %v; want % X", got, err, question)
			}
			for _, part := range [][]byte{answer[:len(answer)-3], answer[len(answer)-3:]} {
				if _, err := dev.Write(part); err != nil {
					t.Error(err)
				}
			}
		}()
		if got, err := f.ask(); err != nil || got != f.want {
			t.Errorf("%s: %v, %v", f.question, got, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRTU_AnUnpluggedAdapterIsFoundAndGivenUp(t *testing.T) {
	c := cable(t)
	b := peer.RTU(t, c.Device)
	bus := open(t, c.Host)
	if _, err := bus.ReadCoil(1, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Unplug(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := bus.WriteCoil(1, 0, true); err == nil || time.Since(start) > time.Second {
		t.Errorf("unplugged: %v after %v", err, time.Since(start))
	}
	if err := bus.Alive(); err == nil {
		t.Error("still alive")
	}
	if err := c.Replug(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, c.Host).WriteCoil(1, 0, true); err != nil {
		t.Errorf("plugged again: %v", err)
	}
	if got := b.Coil(); got != "0 1" {
		t.Errorf("coil %s", got)
	}
}
