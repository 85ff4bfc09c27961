package console

import (
	"context"
	"errors"
	"net/http"

	"campusgate/agent/desk"
)

// postTrigger has a lane's scanner read as if its trigger had been pulled, or
// stop with {"stop": true}. What it reads comes as any scan does.
func (c *Console) postTrigger(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Stop bool `json:"stop"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	err := errors.ErrUnsupported
	if c.trigger != nil {
		ctx, cancel := context.WithTimeout(r.Context(), presentTimeout)
		defer cancel()
		err = c.trigger(ctx, r.PathValue("name"), in.Stop)
	}
	switch {
	case err == nil:
		c.answer(w, http.StatusOK, map[string]string{"status": "ok"})
		return nil
	case errors.Is(err, desk.ErrNoLane):
		return noLane.with("lane", r.PathValue("name"))
	case errors.Is(err, errors.ErrUnsupported):
		return &noTrigger
	}
	return deviceLost.because(err)
}
