// Package drivers names the device drivers that a configuration may choose.
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
	"campusgate/devices/serial"
)

// ErrUnknown is wrapped when no driver has the name asked for.
var ErrUnknown = errors.New("unknown driver")

// ScannerConfig is what a scanner driver may need. Zero values are defaults.
type ScannerConfig struct {
	// Path is the device file, or the COM port.
	Path string
	// Baud is the rate of a serial scanner; 0 means 9600.
	Baud int
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
	// Path is the device file, or the COM port.
	Path string
	// Baud is the rate of a serial relay; 0 means 9600.
	Baud int
	// Channel is the relay on the board, from 1; 0 means 1.
	Channel int
	// PulseMS is how long the relay stays on, in milliseconds; 0 means 500.
	PulseMS int
}

// maxPulseMS keeps a slip of the keyboard from holding a gate open all day.
const maxPulseMS = 60_000

// Scanners are the scanner drivers by name. They check their configuration but
// open nothing: the device is opened when the scanner runs.
var Scanners = map[string]func(ScannerConfig) (devices.Scanner, error){
	"serial": serialScanner,
}

// Barriers are the barrier drivers by name. A device that is not there yet is no
// error.
var Barriers = map[string]func(BarrierConfig) (devices.Barrier, error){
	"lcus": lcus,
	"none": func(BarrierConfig) (devices.Barrier, error) { return relay.None{}, nil },
}

// NewScanner makes a scanner with the driver of that name.
func NewScanner(driver string, c ScannerConfig) (devices.Scanner, error) {
	open, ok := Scanners[driver]
	if !ok {
		return nil, unknown("scanner", driver, Scanners)
	}
	return open(c)
}

// NewBarrier makes a barrier with the driver of that name.
func NewBarrier(driver string, c BarrierConfig) (devices.Barrier, error) {
	open, ok := Barriers[driver]
	if !ok {
		return nil, unknown("barrier", driver, Barriers)
	}
	return open(c)
}

func unknown[V any](what, driver string, known map[string]V) error {
	names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	return fmt.Errorf("%s: %w %q; known: %s", what, ErrUnknown, driver, names)
}

func serialScanner(c ScannerConfig) (devices.Scanner, error) {
	s, err := serial.NewScanner(serial.ScannerConfig{
		Config:   serial.Config{Path: c.Path, Baud: c.Baud},
		IdleGap:  c.IdleGap,
		Debounce: c.Debounce,
		Prefixes: c.Prefixes,
		Now:      c.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("scanner: %w", err)
	}
	return s, nil
}

func lcus(c BarrierConfig) (devices.Barrier, error) {
	if c.PulseMS < 0 || c.PulseMS > maxPulseMS {
		return nil, fmt.Errorf("barrier: pulse_ms %d is not in 0 to %d", c.PulseMS, maxPulseMS)
	}
	port := serial.Config{Path: c.Path, Baud: c.Baud}
	if err := port.Check(); err != nil {
		return nil, fmt.Errorf("barrier: %w", err)
	}
	b, err := relay.New(relay.Config{
		Dial: func() (relay.Port, error) {
			p, err := serial.Open(port)
			if err != nil {
				return nil, err // not p: a nil *serial.Port would be a Port
			}
			return p, nil
		},
		Name:    c.Path,
		Channel: c.Channel,
		Pulse:   time.Duration(c.PulseMS) * time.Millisecond,
	})
	if err != nil {
		return nil, fmt.Errorf("barrier: %w", err)
	}
	return b, nil
}
