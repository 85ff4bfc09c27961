package agent

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

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
	OffPath string `yaml:"off_path"`
	Method  string `yaml:"method"`
	Unit    int    `yaml:"unit"`
	Channel int    `yaml:"channel"`
	PulseMS int    `yaml:"pulse_ms"`
	// Fail is secure or safe: whether the barrier stays shut or opens when the
	// power fails.
	Fail string `yaml:"fail"`
	// Interlock names the barriers of which one at a time opens.
	Interlock string `yaml:"interlock"`
}

// check refuses what cannot be, and touches no device.
func (b BarrierConfig) check() error {
	switch {
	case b.Fail != "" && b.Fail != "secure" && b.Fail != "safe":
		return fmt.Errorf("fail %q: want secure or safe", b.Fail)
	case b.Interlock != "" && b.Driver == "none":
		return errors.New("interlock: a lane without a barrier has none")
	}
	return drivers.CheckBarrier(b.Driver, b.driver())
}

// shown is the path without what nobody but the driver may read: the address of
// a relay on the network may hold a password.
func (b BarrierConfig) shown() string {
	if u, err := url.Parse(b.Path); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	return b.Path
}

// pulse is how long one lasts.
func (b BarrierConfig) pulse() time.Duration {
	return time.Duration(cmp.Or(b.PulseMS, 500)) * time.Millisecond
}

// InputsConfig names the contacts of a gate PC.
type InputsConfig struct {
	Emergency InputConfig `yaml:"emergency"`
}

// InputConfig names a contact's driver and port. No driver = there is none.
type InputConfig struct {
	Driver   string `yaml:"driver"`
	Path     string `yaml:"path"`
	Baud     int    `yaml:"baud"`
	Unit     int    `yaml:"unit"`
	Channel  int    `yaml:"channel"`
	Inverted bool   `yaml:"inverted"`
}

// input makes the contact without opening it; nil = none.
func (c InputConfig) input() (devices.Input, error) {
	if c.Driver == "" || c.Driver == "none" {
		return nil, nil
	}
	return drivers.NewInput(c.Driver, drivers.InputConfig{
		Path: c.Path, Baud: c.Baud, Unit: c.Unit, Channel: c.Channel, Inverted: c.Inverted,
	})
}

// driver is the configuration as the drivers take it.
func (b BarrierConfig) driver() drivers.BarrierConfig {
	return drivers.BarrierConfig{
		Path: b.Path, OffPath: b.OffPath, Method: b.Method, Baud: b.Baud, Unit: b.Unit, Channel: b.Channel, PulseMS: b.PulseMS,
		Inverted: b.Fail == "safe",
	}
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
	c := l.Barrier.driver()
	c.Door = l.door
	return drivers.NewBarrier(l.Barrier.Driver, c)
}
