package drivers

import (
	"errors"

	"campusgate/devices"
	"campusgate/devices/gpio"
	"campusgate/devices/relay"
)

// gpioPin is a line of a chip; channels count from 0 there.
func gpioPin(path string, baud, unit, channel int) (gpio.Pin, error) {
	if baud != 0 || unit != 0 {
		return gpio.Pin{}, errors.New("baud, unit: a pin has none")
	}
	p := gpio.Pin{Chip: path, Offset: channel}
	return p, p.Check()
}

// gpioBarrier: a relay that a pin of the computer drives.
var gpioBarrier = BarrierDriver{
	Check: func(c BarrierConfig) error {
		_, err := gpioPin(c.Path, c.Baud, c.Unit, c.Channel)
		return err
	},
	New: func(c BarrierConfig) (devices.Barrier, error) {
		p, err := gpioPin(c.Path, c.Baud, c.Unit, c.Channel)
		if err != nil {
			return nil, err
		}
		return pulsed(c, p.String(), func() (relay.Port, error) {
			r, err := gpio.OpenRelay(p, c.Inverted)
			if err != nil {
				return nil, err // not r: a nil *gpio.Relay would be a Port
			}
			return r, nil
		})
	},
}

// gpioInput: a contact at a pin of the computer.
func gpioInput(c InputConfig) (devices.Input, error) {
	p, err := gpioPin(c.Path, c.Baud, c.Unit, c.Channel)
	if err != nil {
		return nil, err
	}
	p.Inverted = c.Inverted
	return gpio.Contact{Pin: p}, nil
}
