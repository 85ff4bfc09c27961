package devices

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// retryMin is the first pause after a fault.
	retryMin = 100 * time.Millisecond
	// retryMax is the longest pause. With the time that opening takes it keeps
	// the way back after a re-plug under two seconds.
	retryMax = 1500 * time.Millisecond
	// settled is how long a device must be open, if it gives no scan, before its
	// next fault counts as a first one; also how long a Scanner that is no
	// Notifier must run to be OK.
	settled = 500 * time.Millisecond
)

// errStopped is what a Scanner is taken to mean that returns nil.
var errStopped = errors.New("the scanner stopped without a reason")

// Supervisor keeps a Scanner running. The zero value is ready to use.
type Supervisor struct {
	// Now is the wall clock of Health.Since; nil means time.Now.
	Now func() time.Time
	// Rand feeds the jitter; nil means crypto/rand.
	Rand io.Reader
}

// Supervise runs s with the zero Supervisor; see Supervisor.Run.
func Supervise(ctx context.Context, s Scanner, emit func(Scan), report func(Health)) error {
	return (&Supervisor{}).Run(ctx, s, emit, report)
}

// Run keeps s running until ctx ends, and returns ctx.Err(). After a fault it
// runs s again, with pauses from 0.1 s doubling to at most 1.5 s, each shortened
// at random by up to half so that the lanes of one hub do not retry in step.
// report is called on every change of state or detail, first with Starting;
// it and emit are never called at the same time as themselves, but a report may
// come during an emit.
func (v *Supervisor) Run(ctx context.Context, s Scanner, emit func(Scan), report func(Health)) error {
	h := &healthReport{now: v.Now, report: report}
	if h.now == nil {
		h.now = time.Now
	}
	h.set(Starting, "")
	pause := retryMin
	for ctx.Err() == nil {
		ranOK, err := runOnce(ctx, s, emit, h)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			err = errStopped
		}
		h.set(Lost, err.Error())
		if ranOK {
			pause = retryMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(v.jitter(pause)):
		}
		pause = min(2*pause, retryMax)
	}
	return ctx.Err()
}

// runOnce runs s until it returns. It tells whether the device worked, so that
// earlier faults are forgotten: it gave a scan, or was open for long enough.
func runOnce(ctx context.Context, s Scanner, emit func(Scan), h *healthReport) (ranOK bool, err error) {
	openedAt := make(chan time.Time, 1)
	returned := make(chan error, 1)
	scanned := false // read after returned only
	take := func(scan Scan) {
		scanned = true
		emit(scan)
	}
	go func() {
		if n, ok := s.(Notifier); ok {
			returned <- n.RunNotify(ctx, take, func() {
				select {
				case openedAt <- time.Now():
				default: // said before
				}
			})
			return
		}
		returned <- s.Run(ctx, take)
	}()
	var settle <-chan time.Time
	if _, ok := s.(Notifier); !ok {
		t := time.NewTimer(settled)
		defer t.Stop()
		settle = t.C
	}
	var since time.Time
	for {
		select {
		case since = <-openedAt:
			h.set(OK, "")
		case <-settle:
			h.set(OK, "")
			return true, <-returned
		case err := <-returned:
			return scanned || !since.IsZero() && time.Since(since) >= settled, err
		}
	}
}

// jitter is between half of d and d.
func (v *Supervisor) jitter(d time.Duration) time.Duration {
	r := v.Rand
	if r == nil {
		r = rand.Reader
	}
	var b [1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return d // no randomness: the full pause is always right, only in step
	}
	return d - d/2*time.Duration(b[0])/255
}

// healthReport passes on changes only. One goroutine uses it.
type healthReport struct {
	now    func() time.Time
	report func(Health)
	last   Health
}

func (r *healthReport) set(state, detail string) {
	if state == r.last.State && detail == r.last.Detail {
		return
	}
	h := Health{State: state, Since: r.last.Since, Detail: detail}
	if state != r.last.State {
		h.Since = r.now()
	}
	r.last = h
	r.report(h)
}

// String is for logs: "lost: no such file".
func (h Health) String() string {
	if h.Detail == "" {
		return h.State
	}
	return fmt.Sprintf("%s: %s", h.State, h.Detail)
}
