package drivers

import (
	"fmt"
	"time"

	"campusgate/devices"
	"campusgate/devices/relay"
	"campusgate/devices/serial"
)

// board makes the driver of a family of serial relay boards.
func board(family string) BarrierDriver {
	b := relay.Boards[family]
	return BarrierDriver{
		Check: func(c BarrierConfig) error {
			if err := b.Check(c.Channel); err != nil {
				return err
			}
			return serial.Config{Path: c.Path, Baud: c.Baud}.Check()
		},
		New: func(c BarrierConfig) (devices.Barrier, error) {
			return pulsed(c, fmt.Sprintf("%s channel %d", c.Path, max(c.Channel, 1)), func() (relay.Port, error) {
				p, err := serial.Join(serial.Config{Path: c.Path, Baud: c.Baud})
				if err != nil {
					return nil, err
				}
				return b.On(p, c.Channel), nil
			})
		},
	}
}

// pulsed makes a barrier of whatever dial reaches.
func pulsed(c BarrierConfig, name string, dial func() (relay.Port, error)) (devices.Barrier, error) {
	return relay.New(relay.Config{
		Dial: dial, Name: name, Pulse: time.Duration(c.PulseMS) * time.Millisecond,
		Inverted: c.Inverted, Door: c.Door,
	})
}
