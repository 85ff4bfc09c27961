package drivers_test

import (
	"errors"
	"strings"
	"testing"

	"campusgate/devices"
	"campusgate/devices/drivers"
	"campusgate/devices/escpos/paper"
)

func TestAPrinterIsNamedByItsPath(t *testing.T) {
	for _, c := range []struct {
		config drivers.PrinterConfig
		want   string // "" = it is made
	}{
		{drivers.PrinterConfig{Path: "/dev/usb/lp0"}, ""},
		{drivers.PrinterConfig{Path: `\\localhost\receipts`, Columns: 48}, ""},
		{drivers.PrinterConfig{Path: "/dev/ttyUSB0"}, ""},
		{drivers.PrinterConfig{Path: "COM3", Baud: 115200, Columns: 32}, ""},
		{drivers.PrinterConfig{Path: "192.0.2.7:9100"}, ""},
		{drivers.PrinterConfig{}, "printer: path is missing"},
		{drivers.PrinterConfig{Path: "COM3", Baud: 7}, "unsupported baud rate: 7 "},
		{drivers.PrinterConfig{Path: "/dev/usb/lp0", Columns: 40}, "columns 40: want 32 for 58 mm or 48 for 80 mm"},
	} {
		p, err := drivers.NewPrinter("escpos", c.config)
		if c.want == "" && (err != nil || p == nil) || c.want != "" && (err == nil || p != nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, %v; want %q", c.config, p, err, c.want)
		}
	}
	if _, err := drivers.NewPrinter("laser", drivers.PrinterConfig{}); !errors.Is(err, drivers.ErrUnknown) || !strings.Contains(err.Error(), "known: escpos") {
		t.Errorf("an unknown driver: %v", err)
	}
}

func TestAPrinterOnTheNetworkPrints(t *testing.T) {
	var d paper.Device
	address, stop, err := d.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	p, err := drivers.NewPrinter("escpos", drivers.PrinterConfig{Path: address, Columns: 48})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Print(t.Context(), devices.Slip{{Text: "小票"}, {Cut: true}}); err != nil {
		t.Fatal(err)
	}
	if slips, err := d.Slips(t.Context(), 1, 48); err != nil || slips[0].Text() != "小票\n" {
		t.Errorf("%v, %v", slips, err)
	}
}
