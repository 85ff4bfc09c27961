package drivers

import (
	"errors"

	"campusgate/devices"
	"campusgate/devices/modem"
)

// modemInput: a contact at a modem line of a serial port.
func modemInput(c InputConfig) (devices.Input, error) {
	if c.Baud != 0 || c.Unit != 0 {
		return nil, errors.New("baud, unit: a modem line has none")
	}
	in := modem.Contact{Path: c.Path, Channel: max(c.Channel, 1), Inverted: c.Inverted}
	return in, in.Check()
}
