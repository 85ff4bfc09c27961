package wire

import (
	"errors"
	"fmt"
)

// MaxDevices is how many devices one Health tells of.
const MaxDevices = 128

// Device is how one device of an agent is, as part of its Health.
type Device struct {
	Lane   string `json:"lane"` // "" = of none
	Kind   string `json:"kind"` // scanner, barrier, sensor, printer …
	Driver string `json:"driver"`
	Name   string `json:"name"` // where a lane has several of a kind
	// State is starting, ok, lost, stuck, silent or garbled.
	State  string `json:"state"`
	Since  int64  `json:"since"` // of State, unix ms of the server's clock
	Detail string `json:"detail"`
}

func checkDevices(all []Device) error {
	if len(all) > MaxDevices {
		return fmt.Errorf("health of %d devices, at most %d", len(all), MaxDevices)
	}
	for i, d := range all {
		err := errors.Join(
			within("lane", d.Lane, 0, maxName), within("kind", d.Kind, 1, maxName), within("driver", d.Driver, 1, maxName),
			within("name", d.Name, 0, maxName), within("state", d.State, 1, maxName), within("detail", d.Detail, 0, maxText),
		)
		if err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
	}
	return nil
}
