package modbus

import (
	"context"
	"fmt"

	"campusgate/devices"
)

// Place is where on a bus something is.
type Place struct {
	// Open opens or joins the line; called again after a fault.
	Open func() (*Bus, error)
	// Name is what messages call the line.
	Name string
	// Unit is the board, 1 to 247 on a serial line.
	Unit byte
	// Address is the coil or input on the board, from 0.
	Address uint16
}

// Contact is a discrete input as a devices.Input. It is asked all the time.
type Contact struct {
	Place
	// Inverted: the contact rests closed.
	Inverted bool
}

var (
	_ devices.Input  = (*Contact)(nil)
	_ devices.Prober = (*Contact)(nil)
)

// Run implements devices.Input.
func (c *Contact) Run(ctx context.Context, emit func(active bool)) error {
	bus, err := c.Open()
	if err != nil {
		return err
	}
	err = devices.Poll(ctx, func() (bool, error) {
		on, err := bus.ReadInput(c.Unit, c.Address)
		return on != c.Inverted, err
	}, emit)
	_ = bus.Close() // what is read only has nothing to lose
	return err
}

// Probe implements devices.Prober.
func (c *Contact) Probe(context.Context) (string, error) {
	bus, err := c.Open()
	if err != nil {
		return "", err
	}
	defer func() { _ = bus.Close() }() // see Run
	on, err := bus.ReadInput(c.Unit, c.Address)
	if err != nil {
		return "", err
	}
	state := "open"
	if on {
		state = "closed"
	}
	return fmt.Sprintf("%s unit %d input %d: %s", c.Name, c.Unit, c.Address+1, state), nil
}
