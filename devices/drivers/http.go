package drivers

import (
	"errors"
	"strings"

	"campusgate/devices"
	"campusgate/devices/httprelay"
	"campusgate/devices/relay"
)

// httpBarrier: a relay that is told by HTTP calls.
var httpBarrier = BarrierDriver{
	Check: func(c BarrierConfig) error {
		if c.Baud != 0 || c.Unit != 0 || c.Channel != 0 {
			return errors.New("baud, unit and channel: an address says all that")
		}
		if c.Inverted && c.OffPath == "" {
			return errors.New("fail: safe needs off_path: a relay that pulses by itself cannot rest on")
		}
		return httpConfig(c).Check()
	},
	New: func(c BarrierConfig) (devices.Barrier, error) {
		r, err := httprelay.New(httpConfig(c))
		if err != nil {
			return nil, err
		}
		return pulsed(c, r.Name(), func() (relay.Port, error) { return r, nil })
	},
}

func httpConfig(c BarrierConfig) httprelay.Config {
	return httprelay.Config{On: c.Path, Off: c.OffPath, Method: strings.ToUpper(c.Method)}
}
