package wire

import (
	"errors"
	"fmt"
)

// maxDevices bounds the devices of one agent.
const maxDevices = 256

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

// Well reports that nobody has to look at it.
func (d Device) Well() bool { return d.State == "ok" || d.State == "starting" }

func checkDevices(all []Device) error {
	if len(all) > maxDevices {
		return fmt.Errorf("health of %d devices, at most %d", len(all), maxDevices)
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
