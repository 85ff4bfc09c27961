package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"campusgate/agent/doctor"
)

// ErrNoBarrier is what Service.Pulse returns for a lane without one.
var ErrNoBarrier = errors.New("the lane has no barrier")

// Service checks the agent and its devices while it works; *agent.Agent is one.
type Service interface {
	// Examine looks at everything and moves nothing. It may take seconds.
	Examine(ctx context.Context) doctor.Report
	// Pulse opens the barrier of a lane once.
	Pulse(ctx context.Context, lane string) error
	// Support writes a bundle for whoever helps: a zip file without secrets and
	// without anything about a person.
	Support(ctx context.Context, w io.Writer) error
}

const (
	// examineTimeout holds a server that does not answer, and a slow disk.
	examineTimeout = 10 * time.Second
	// pulseRest is how long a barrier is left alone after a test, so that nobody
	// holds it open by testing.
	pulseRest = 5 * time.Second
)

// serviceRoutes are there where somebody serves them.
func (c *Console) serviceRoutes(add func(string, map[string]handle)) {
	if c.service == nil {
		return
	}
	add("/api/v1/doctor", map[string]handle{http.MethodGet: c.getDoctor})
	add("/api/v1/doctor/pulse", map[string]handle{http.MethodPost: c.pulses()})
	add("/api/v1/support", map[string]handle{http.MethodGet: c.getSupport})
}

// serve lets one at a time work: a check writes to the disk and asks the server.
func (c *Console) serve(r *http.Request, work func(ctx context.Context) error) error {
	if !c.serving.TryLock() {
		return &busy
	}
	defer c.serving.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), examineTimeout)
	defer cancel()
	return work(ctx)
}

// getDoctor tells how everything is. It needs no guard: nothing in it is about a
// person, and whoever mends the PC is none.
func (c *Console) getDoctor(w http.ResponseWriter, r *http.Request) error {
	return c.serve(r, func(ctx context.Context) error {
		report := c.service.Examine(ctx)
		c.answer(w, http.StatusOK, struct {
			OK bool `json:"ok"`
			doctor.Report
		}{report.OK(), report})
		return nil
	})
}

func (c *Console) getSupport(w http.ResponseWriter, r *http.Request) error {
	return c.serve(r, func(ctx context.Context) error {
		var bundle bytes.Buffer
		if err := c.service.Support(ctx, &bundle); err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", `attachment; filename="campusgate-support.zip"`)
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(bundle.Bytes()) // nobody is left to be told
		return nil
	})
}

// pulses opens a barrier to test it: whoever does that lets somebody through, so
// a guard must be on duty where one is required.
func (c *Console) pulses() handle {
	ready := make(chan struct{}, 1) // holds a token while a test may be made
	ready <- struct{}{}
	return func(w http.ResponseWriter, r *http.Request) error {
		var in struct {
			Lane string `json:"lane"`
		}
		if err := c.decode(w, r, &in); err != nil {
			return err
		}
		if err := c.attended(); err != nil {
			return err
		}
		lanes := c.status().Lanes
		if in.Lane == "" && len(lanes) == 1 {
			in.Lane = lanes[0].Name
		}
		if !slices.ContainsFunc(lanes, func(l Lane) bool { return l.Name == in.Lane }) {
			return noLane.with("lane", in.Lane)
		}
		select {
		case <-ready:
		default:
			return tooSoon.with("retry_after", int(pulseRest.Seconds()))
		}
		time.AfterFunc(pulseRest, func() { ready <- struct{}{} })
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), presentTimeout)
		defer cancel()
		switch err := c.service.Pulse(ctx, in.Lane); {
		case errors.Is(err, ErrNoBarrier):
			return noBarrier.with("lane", in.Lane)
		case err != nil:
			return noPulse.because(err)
		}
		c.answer(w, http.StatusOK, map[string]string{"lane": in.Lane})
		return nil
	}
}
