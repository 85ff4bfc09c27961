package agent

import (
	"campusgate/configs"
	"campusgate/devices"
	"campusgate/devices/drivers"
)

// ScannerConfig names a scanner's driver and port.
type ScannerConfig struct {
	Driver string `yaml:"driver"`
	Path   string `yaml:"path"`
	Baud   int    `yaml:"baud"`
}

// BarrierConfig names a barrier's driver and port.
type BarrierConfig struct {
	Driver  string `yaml:"driver"`
	Path    string `yaml:"path"`
	Baud    int    `yaml:"baud"`
	Channel int    `yaml:"channel"`
	PulseMS int    `yaml:"pulse_ms"`
}

// PrinterConfig names the receipt printer's driver and port. Receipts says when a
// till prints them: ask, or always.
type PrinterConfig struct {
	Driver   string `yaml:"driver"`
	Path     string `yaml:"path"`
	Baud     int    `yaml:"baud"`
	Columns  int    `yaml:"columns"`
	Receipts string `yaml:"receipts"`
}

// printer makes the receipt printer without opening it; nil = none.
func (c *PrinterConfig) printer() (devices.Printer, error) {
	if c.Driver == "none" {
		return nil, nil
	}
	return drivers.NewPrinter(c.Driver, drivers.PrinterConfig{Path: c.Path, Baud: c.Baud, Columns: c.Columns})
}

// validate checks the printer and completes it.
func (c PrinterConfig) validate(doc *configs.Doc, till bool) (PrinterConfig, error) {
	if c.Driver == "" {
		c.Driver = "none"
	}
	if _, err := c.printer(); err != nil {
		return c, doc.Fault("printer", "%v", err)
	}
	switch {
	case c.Receipts == "":
		c.Receipts = "ask"
	case c.Receipts != "ask" && c.Receipts != "always":
		return c, doc.Fault("printer.receipts", "%q: want ask or always", c.Receipts)
	case c.Receipts == "always" && !till:
		return c, doc.Fault("printer.receipts", "only a till prints receipts")
	}
	return c, nil
}

// driver is the configuration as the drivers take it.
func (b BarrierConfig) driver() drivers.BarrierConfig {
	return drivers.BarrierConfig{Path: b.Path, Baud: b.Baud, Channel: b.Channel, PulseMS: b.PulseMS}
}

// prefixes tell a scanner driver where a code begins, for codes that arrive
// without a pause between them.
var prefixes = []string{"HTTPS://", "CP1:"}

// scanner makes the lane's scanner without opening it; nil = none.
func (l *LaneSettings) scanner() (devices.Scanner, error) {
	if l.Scanner.Driver == "none" {
		return nil, nil
	}
	return drivers.NewScanner(l.Scanner.Driver, drivers.ScannerConfig{
		Path: l.Scanner.Path, Baud: l.Scanner.Baud, Prefixes: prefixes,
	})
}

// barrier makes the lane's barrier, which begins to look for its device and
// brings it to rest. It is to be closed.
func (l *LaneSettings) barrier() (devices.Barrier, error) {
	return drivers.NewBarrier(l.Barrier.Driver, l.Barrier.driver())
}
