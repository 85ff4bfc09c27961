package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrHung is what Alive finds when a part no longer does its work.
var ErrHung = errors.New("the agent hangs")

// stalled is how long the desk may go without finishing a turn. It takes one
// every second, and a turn is one small transaction.
const stalled = 15 * time.Second

// Alive tells whether the running agent still does its work: what decides takes
// its turns, and the console answers. A watchdog that is told so only then
// restarts an agent that hangs. Devices, disk faults and the network are no
// reason: a restart would not mend them.
func (a *Agent) Alive(ctx context.Context) error {
	if since := a.desk.Idle(); since > stalled {
		return fmt.Errorf("%w: nothing was decided for %v", ErrHung, since.Round(time.Second))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.Addr()+"/healthz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHung, err)
	}
	return res.Body.Close()
}
