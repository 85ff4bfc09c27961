// Package drivers names the device drivers that a configuration may choose. Each
// has a file of its own and one line in a map; blueprint.go shows how to add one.
package drivers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"campusgate/devices"
	"campusgate/devices/relay"
)

// ErrUnknown is wrapped when no driver has the name asked for.
var ErrUnknown = errors.New("unknown driver")

// ScannerConfig is what a scanner driver may need. Zero values are defaults.
type ScannerConfig struct {
	// Path is the device file, the COM port, or the address of a camera.
	Path string
	// Baud is the rate of a serial scanner; 0 means 9600.
	Baud int
	// Preset names a model whose framing and commands are known; "" means none.
	Preset string
	// IdleGap ends a code that has no terminator; 0 means 50 ms.
	IdleGap time.Duration
	// Debounce is the window in which the same code again is one scan, counted
	// from its last sighting; 0 means 1 s, negative means none.
	Debounce time.Duration
	// Prefixes are the beginnings of codes, where two codes that came without a
	// pause and without a terminator are cut apart.
	Prefixes []string
	// Now is the wall clock of the scans; nil means time.Now.
	Now func() time.Time
}

// BarrierConfig is what a barrier driver may need. Zero values are defaults.
type BarrierConfig struct {
	// Path is the device file, the COM port, host:port, or an http address.
	Path string
	// OffPath and Method are of relays that are told by HTTP: the address that
	// switches off, empty where a pulse ends by itself, and GET, POST or PUT.
	OffPath, Method string
	// Baud is the rate of a serial relay; 0 means 9600.
	Baud int
	// Unit is the address of a Modbus board; 0 means 1.
	Unit int
	// Channel is the relay on the board, or the coil, from 1; 0 means 1. For GPIO it
	// is the line's offset and zero is a line.
	Channel int
	// PulseMS is how long the relay stays on, in milliseconds; 0 means 500.
	PulseMS int
	// Inverted: the relay rests on and opens by going off, so that the barrier opens
	// when the power fails.
	Inverted bool
	// Door is the barrier's part of an interlock; nil means none.
	Door *devices.Door
}

// InputConfig is what the driver of a contact may need. Zero values are defaults.
type InputConfig struct {
	// Path, Baud, Unit and Channel are as with BarrierConfig.
	Path    string
	Baud    int
	Unit    int
	Channel int
	// Inverted: the contact rests closed.
	Inverted bool
}

// maxPulseMS keeps a slip of the keyboard from holding a gate open all day.
const maxPulseMS = 60_000

// BarrierDriver makes barriers of one kind.
type BarrierDriver struct {
	// Check refuses what New would refuse, and touches no device: to read a
	// configuration must not reach into a gate that is at work.
	Check func(BarrierConfig) error
	// New makes a barrier, which begins to look for its device and brings it to
	// rest. A device that is not there yet is no error.
	New func(BarrierConfig) (devices.Barrier, error)
}

// Scanners are the scanner drivers by name. They check their configuration but
// open nothing: the device is opened when the scanner runs.
var Scanners = map[string]func(ScannerConfig) (devices.Scanner, error){
	"serial": serialScanner,
}

// Barriers are the barrier drivers by name.
var Barriers = map[string]BarrierDriver{
	"gpio":        gpioBarrier,
	"http":        httpBarrier,
	"kmtronic":    board("kmtronic"),
	"lcus":        board("lcus"),
	"lcus-aa":     board("lcus-aa"),
	"lcus-d0":     board("lcus-d0"),
	"lcus-letter": board("lcus-letter"),
	"modbus-rtu":  modbusBarrier(rtuPlace),
	"modbus-tcp":  modbusBarrier(tcpPlace),
	"none": {
		Check: func(BarrierConfig) error { return nil },
		New:   func(BarrierConfig) (devices.Barrier, error) { return relay.None{}, nil },
	},
}

// Inputs are the drivers of contacts by name. Like scanners they open nothing
// before they run.
var Inputs = map[string]func(InputConfig) (devices.Input, error){
	"gpio":       gpioInput,
	"modbus-rtu": modbusInput(rtuPlace),
	"modbus-tcp": modbusInput(tcpPlace),
	"modem-line": modemInput,
}

// NewScanner makes a scanner with the driver of that name.
func NewScanner(driver string, c ScannerConfig) (devices.Scanner, error) {
	open, ok := Scanners[driver]
	if !ok {
		return nil, unknown("scanner", driver, Scanners)
	}
	s, err := open(c)
	if err != nil {
		return nil, fmt.Errorf("scanner: %w", err)
	}
	return s, nil
}

// NewInput makes an input with the driver of that name.
func NewInput(driver string, c InputConfig) (devices.Input, error) {
	open, ok := Inputs[driver]
	if !ok {
		return nil, unknown("input", driver, Inputs)
	}
	in, err := open(c)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return in, nil
}

// CheckBarrier refuses what NewBarrier would refuse, and touches no device.
func CheckBarrier(driver string, c BarrierConfig) error {
	d, ok := Barriers[driver]
	if !ok {
		return unknown("barrier", driver, Barriers)
	}
	if c.PulseMS < 0 || c.PulseMS > maxPulseMS {
		return fmt.Errorf("barrier: pulse_ms %d is not in 0 to %d", c.PulseMS, maxPulseMS)
	}
	if err := d.Check(c); err != nil {
		return fmt.Errorf("barrier: %w", err)
	}
	return nil
}

// NewBarrier makes a barrier with the driver of that name.
func NewBarrier(driver string, c BarrierConfig) (devices.Barrier, error) {
	if err := CheckBarrier(driver, c); err != nil {
		return nil, err
	}
	b, err := Barriers[driver].New(c)
	if err != nil {
		return nil, fmt.Errorf("barrier: %w", err)
	}
	return b, nil
}

func unknown[V any](what, driver string, known map[string]V) error {
	names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	return fmt.Errorf("%s: %w %q; known: %s", what, ErrUnknown, driver, names)
}
