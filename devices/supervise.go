package devices

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
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
	// openTime is how long opening may take. The slowest driver known lists ports
	// for half a minute; whoever stands there should know before that.
	openTime = 10 * time.Second
	// endTime is how long work may take to end.
	endTime = 2 * time.Second
)

// errStopped is what work is taken to mean that returns nil.
var errStopped = errors.New("the device stopped without a reason")

// errHung is what ends a try whose work was told to end and did not.
var errHung = errors.New("the driver does not return")

// Supervisor keeps a device running. The zero value is ready to use.
type Supervisor struct {
	// Now is the wall clock of Health.Since; nil means time.Now.
	Now func() time.Time
	// Rand feeds the jitter; nil means crypto/rand.
	Rand io.Reader
	// Log is told of panics, with the stack; nil discards.
	Log *slog.Logger
	// OpenTime is how long work may go without a first sign of life before it is
	// reported Stuck; 0 means 10 s. It is waited for all the same: the same device
	// must not be worked twice at once.
	OpenTime time.Duration
	// EndTime is how long Keep waits for work after ctx ended; 0 means 2 s.
	EndTime time.Duration
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
// What a scanner that was given up says later is dropped.
func (v *Supervisor) Run(ctx context.Context, s Scanner, emit func(Scan), report func(Health)) error {
	var over atomic.Bool
	defer over.Store(true)
	return v.Keep(ctx, func(ctx context.Context, alive func()) error {
		take := func(scan Scan) {
			if over.Load() {
				return
			}
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
// at random by up to half so that the lanes of one hub do not retry in step. A
// panic of work is a fault like any other. Work that does not come to an end when
// ctx does is reported Stuck and left behind.
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
		worked, err := v.once(ctx, work, h)
		if panicked := new(PanicError); errors.As(err, &panicked) && v.Log != nil {
			v.Log.Error("device driver panicked", "panic", panicked.Value, "stack", string(panicked.Stack))
		}
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

// once works until work returns, or until it does not though ctx ended. It tells
// whether the device was of use, so that earlier faults are forgotten: it gave two
// signs of life, or was open for long enough.
func (v *Supervisor) once(ctx context.Context, work Work, h *healthReport) (worked bool, err error) {
	signs := make(chan time.Time, 2) // the first two; more say nothing new
	returned := make(chan error, 1)
	go func() {
		returned <- Catch(func() error {
			return work(ctx, func() {
				select {
				case signs <- time.Now():
				default:
				}
			})
		})
	}()
	opening := time.NewTimer(or(v.OpenTime, openTime))
	defer opening.Stop()
	ended, ending := ctx.Done(), (<-chan time.Time)(nil)
	var open []time.Time
	for {
		select {
		case at := <-signs:
			open = append(open, at)
			opening.Stop()
			h.set(OK, "")
		case err := <-returned:
			select {
			case at := <-signs:
				open = append(open, at)
			default:
			}
			return len(open) > 1 || len(open) == 1 && time.Since(open[0]) >= settled, err
		case <-opening.C:
			h.set(Stuck, fmt.Sprintf("not open after %v", or(v.OpenTime, openTime)))
		case <-ended:
			ended = nil
			timer := time.NewTimer(or(v.EndTime, endTime))
			defer timer.Stop() // once: ended is nil now
			ending = timer.C
		case <-ending:
			h.set(Stuck, errHung.Error())
			return false, errHung
		}
	}
}

// or is d, or the usual value where it is zero.
func or(d, usual time.Duration) time.Duration {
	if d == 0 {
		return usual
	}
	return d
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
