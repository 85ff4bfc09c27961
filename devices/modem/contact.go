// Package modem reads contacts at the modem lines of a serial port: a button or
// a sensor between RTS or DTR, which the open port drives, and CTS, DSR, DCD or RI.
package modem

import (
	"context"
	"errors"
	"fmt"

	"campusgate/devices"
)

var (
	// ErrUnsupported is wrapped where modem lines cannot be read.
	ErrUnsupported = errors.New("modem lines need Linux")
	// ErrNoLines is wrapped when a port has none.
	ErrNoLines = errors.New("the port has no modem lines")
	// ErrConfig is wrapped for a contact that cannot be.
	ErrConfig = errors.New("modem line")
)

// Lines are the lines by channel, from 1.
var Lines = []string{"CTS", "DSR", "DCD", "RI"}

// Contact is one line as a devices.Input. It is asked all the time.
type Contact struct {
	// Path is the serial port; nobody else needs to have it open, and may.
	Path string
	// Channel is the line, 1 to 4: CTS, DSR, DCD, RI.
	Channel int
	// Inverted: the contact rests closed.
	Inverted bool
}

var (
	_ devices.Input  = Contact{}
	_ devices.Prober = Contact{}
)

// Check returns what is wrong with c, and nil when nothing is.
func (c Contact) Check() error {
	if c.Path == "" {
		return fmt.Errorf("%w: path is missing: the serial port", ErrConfig)
	}
	if c.Channel < 1 || c.Channel > len(Lines) {
		return fmt.Errorf("%w: channel %d: want 1 to %d, which are %v", ErrConfig, c.Channel, len(Lines), Lines)
	}
	return nil
}

// Run implements devices.Input.
func (c Contact) Run(ctx context.Context, emit func(active bool)) error {
	p, err := open(c.Path)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // what is read only has nothing to lose
	return devices.Poll(ctx, func() (bool, error) {
		closed, err := p.line(c.Channel)
		return closed != c.Inverted, err
	}, emit)
}

// Probe implements devices.Prober.
func (c Contact) Probe(context.Context) (string, error) {
	p, err := open(c.Path)
	if err != nil {
		return "", err
	}
	defer func() { _ = p.Close() }() // see Run
	closed, err := p.line(c.Channel)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s: closed %v", c.Path, Lines[c.Channel-1], closed), nil
}
