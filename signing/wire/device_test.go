package wire_test

import (
	"strings"
	"testing"

	"campusgate/signing/wire"
)

func TestClock_DevicesAreBounded(t *testing.T) {
	good := wire.Device{Lane: "主通道", Kind: "scanner", Driver: "serial", Name: "2", State: "lost", Since: 1, Detail: strings.Repeat("x", 500)}
	of := func(n int, change func(*wire.Device)) *wire.Clock {
		h := &wire.Health{}
		for range n {
			d := good
			change(&d)
			h.Devices = append(h.Devices, d)
		}
		return &wire.Clock{Health: h}
	}
	for _, n := range []int{0, 1, wire.MaxDevices} {
		if err := of(n, func(*wire.Device) {}).Check(); err != nil {
			t.Errorf("%d devices: %v", n, err)
		}
	}
	if err := of(wire.MaxDevices+1, func(*wire.Device) {}).Check(); err == nil {
		t.Error("too many were taken")
	}
	for what, change := range map[string]func(*wire.Device){
		"lane":   func(d *wire.Device) { d.Lane = strings.Repeat("x", 65) },
		"kind":   func(d *wire.Device) { d.Kind = "" },
		"driver": func(d *wire.Device) { d.Driver = "" },
		"name":   func(d *wire.Device) { d.Name = strings.Repeat("x", 65) },
		"state":  func(d *wire.Device) { d.State = "" },
		"detail": func(d *wire.Device) { d.Detail += "x" },
	} {
		if err := of(1, change).Check(); err == nil || !strings.Contains(err.Error(), "device 0: "+what) {
			t.Errorf("a bad %s: %v", what, err)
		}
	}
}
