// Package gpio switches relays and reads contacts at the pins of a Linux board,
// through the kernel's GPIO character device (version 2 of its interface).
package gpio

import (
	"context"
	"errors"
	"fmt"

	"campusgate/devices"
)

// ErrUnsupported is wrapped where the system has no GPIO character devices.
var ErrUnsupported = errors.New("GPIO needs Linux")

// MaxOffset bounds the lines of a chip.
const MaxOffset = 1023

// Pin is one line of a chip.
type Pin struct {
	// Chip is the device file, such as /dev/gpiochip0.
	Chip string
	// Offset is the line on it, from 0.
	Offset int
	// Inverted: the contact rests closed. Of a relay its barrier knows.
	Inverted bool
}

// Check returns what is wrong with p, and nil when nothing is.
func (p Pin) Check() error {
	if p.Chip == "" {
		return errors.New("gpio: path is missing: the chip, such as /dev/gpiochip0")
	}
	if p.Offset < 0 || p.Offset > MaxOffset {
		return fmt.Errorf("gpio: channel %d: a line's offset is in 0 to %d", p.Offset, MaxOffset)
	}
	return nil
}

// use is what a pin is taken for.
type use int

const (
	input use = iota
	low       // an output that begins low
	high
)

// String is for messages.
func (p Pin) String() string { return fmt.Sprintf("%s line %d", p.Chip, p.Offset) }

// Contact is a pin as a devices.Input, closed = high. It is asked all the time:
// not every chip can tell of edges, and all are fast to ask.
type Contact struct{ Pin }

var (
	_ devices.Input  = Contact{}
	_ devices.Prober = Contact{}
)

// Run implements devices.Input.
func (c Contact) Run(ctx context.Context, emit func(active bool)) error {
	l, err := open(c.Pin, input)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // what is read only has nothing to lose
	return devices.Poll(ctx, func() (bool, error) {
		closed, err := l.get()
		return closed != c.Inverted, err
	}, emit)
}

// Probe implements devices.Prober.
func (c Contact) Probe(context.Context) (string, error) {
	l, err := open(c.Pin, input)
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }() // see Run
	closed, err := l.get()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: high %v", c.Pin, closed), nil
}

// Relay is a pin that drives a relay. One goroutine uses it.
type Relay struct{ line *line }

// OpenRelay takes a pin and brings it to the level at which the relay rests: a
// pin has no way to become an output without one.
func OpenRelay(p Pin, rest bool) (*Relay, error) {
	use := low
	if rest {
		use = high
	}
	l, err := open(p, use)
	if err != nil {
		return nil, err
	}
	return &Relay{l}, nil
}

// Switch makes the pin high or low.
func (r *Relay) Switch(on bool) error { return r.line.set(on) }

// Alive returns an error when the pin cannot be read any more.
func (r *Relay) Alive() error {
	_, err := r.line.get()
	return err
}

// Close gives the pin back. Whether it keeps its level is up to the chip.
func (r *Relay) Close() error { return r.line.Close() }
