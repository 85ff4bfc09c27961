package drivers

import (
	"fmt"
	"time"

	"campusgate/devices"
	"campusgate/devices/relay"
	"campusgate/devices/serial"
)

// checkLCUS: a serial relay board of the LCUS family.
func checkLCUS(c BarrierConfig) error {
	if c.Channel < 0 || c.Channel > relay.Channels {
		return fmt.Errorf("channel %d is not in 1 to %d", c.Channel, relay.Channels)
	}
	return serial.Config{Path: c.Path, Baud: c.Baud}.Check()
}

func newLCUS(c BarrierConfig) (devices.Barrier, error) {
	port := serial.Config{Path: c.Path, Baud: c.Baud}
	return relay.New(relay.Config{
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
}
