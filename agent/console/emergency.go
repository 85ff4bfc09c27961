package console

import (
	"context"
	"net/http"

	"campusgate/signing/wire"
)

// postEmergency is the guard's button: it opens the gate, closes it to whoever
// comes in, or ends that. What the server or a contact ordered it does not end.
func (c *Console) postEmergency(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		State  string `json:"state"`
		Reason string `json:"reason"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	state, ok := map[string]wire.AlarmState{
		"open": wire.AlarmOpen, "lockdown": wire.AlarmLockdown, "normal": wire.AlarmNone,
	}[in.State]
	if !ok {
		return &badAlarm
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
	defer cancel()
	if err := c.lanes.Raise(ctx, state, wire.AlarmFromGuard, in.Reason); err != nil {
		return deskFailure(err)
	}
	c.answer(w, http.StatusOK, map[string]any{"alarms": c.status().Alarms})
	return nil
}
