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

// errStopped is what work is taken to mean that returns nil.
var errStopped = errors.New("the device stopped without a reason")

// Supervisor keeps a device running. The zero value is ready to use.
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

// Work is what a Supervisor keeps going. It blocks until ctx ends or its device
// fails, and calls alive when the device is open and at every sign of life after.
type Work func(ctx context.Context, alive func()) error

// Run keeps s running until ctx ends, and returns ctx.Err(); see Keep. emit is
// never called at the same time as itself, but a report may come during an emit.
func (v *Supervisor) Run(ctx context.Context, s Scanner, emit func(Scan), report func(Health)) error {
	return v.Keep(ctx, func(ctx context.Context, alive func()) error {
		take := func(scan Scan) {
			alive()
			emit(scan)
		}
		if n, ok := s.(Notifier); ok {
			return n.RunNotify(ctx, take, alive)
		}
		defer time.AfterFunc(settled, func() { alive(); alive() }).Stop() // it cannot tell by itself
		return s.Run(ctx, take)
	}, report)
}

// Keep keeps work going until ctx ends, and returns ctx.Err(). After a fault it
// starts again, with pauses from 0.1 s doubling to at most 1.5 s, each shortened
// at random by up to half so that the lanes of one hub do not retry in step.
// report is called on every change of state or detail, first with Starting, and
// never at the same time as itself.
func (v *Supervisor) Keep(ctx context.Context, work Work, report func(Health)) error {
	h := &healthReport{now: v.Now, report: report}
	if h.now == nil {
		h.now = time.Now
	}
	h.set(Starting, "")
	pause := retryMin
	for ctx.Err() == nil {
		worked, err := once(ctx, work, h)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			err = errStopped
		}
		h.set(Lost, err.Error())
		if worked {
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

// once works until work returns. It tells whether the device was of use, so that
// earlier faults are forgotten: it gave two signs of life, or was open for long
// enough.
func once(ctx context.Context, work Work, h *healthReport) (worked bool, err error) {
	signs := make(chan time.Time, 2) // the first two; more say nothing new
	returned := make(chan error, 1)
	go func() {
		returned <- work(ctx, func() {
			select {
			case signs <- time.Now():
			default:
			}
		})
	}()
	var open []time.Time
	for {
		select {
		case at := <-signs:
			open = append(open, at)
			h.set(OK, "")
		case err := <-returned:
			select {
			case at := <-signs:
				open = append(open, at)
			default:
			}
			return len(open) > 1 || len(open) == 1 && time.Since(open[0]) >= settled, err
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
