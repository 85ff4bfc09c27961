package modbus

import "errors"

// ErrMoved is wrapped when a coil is not as it was switched: the board was
// without power, or somebody else switches it.
var ErrMoved = errors.New("the coil is not as it was switched")

// Coil is one relay of a board. One goroutine uses it.
type Coil struct {
	Place
	bus      *Bus
	switched bool // at least once
	on       bool // how
}

// OpenCoil opens the line to a relay, and does not move it.
func OpenCoil(p Place) (*Coil, error) {
	bus, err := p.Open()
	if err != nil {
		return nil, err
	}
	return &Coil{Place: p, bus: bus}, nil
}

// Switch makes the relay go on or off. The board answered when it returns nil.
func (c *Coil) Switch(on bool) error {
	if err := c.bus.WriteCoil(c.Unit, c.Address, on); err != nil {
		return err
	}
	c.switched, c.on = true, on
	return nil
}

// Alive reads the relay back. The coil belongs to whoever has it open: when
// another moves it, that is an error.
func (c *Coil) Alive() error {
	on, err := c.bus.ReadCoil(c.Unit, c.Address)
	if err == nil && c.switched && on != c.on {
		err = ErrMoved
	}
	return err
}

// Close gives the line back.
func (c *Coil) Close() error { return c.bus.Close() }
