package charges

import (
	"context"
	"fmt"
	"time"

	"campusgate/server/store"
	"campusgate/signing/wire"
)

const (
	// batchEvents are posted in one transaction. Few enough that a question, which
	// somebody waits for at a till, is not behind them for long.
	batchEvents = 200
	// lookEvery bounds how long new events wait that nobody told of with Wake.
	lookEvery = time.Second

	retryBase  = 250 * time.Millisecond
	retryLimit = 30 * time.Second

	// An event at which the follower failed so often by itself is put aside: the
	// money of all others must not wait for it.
	maxFailures = 5
)

// Wake tells that there are new events. It never waits.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run posts what there is and what comes, until ctx ends, and returns the cause
// of that. It goes on where it, or an earlier process, stopped.
func (s *Service) Run(ctx context.Context) error {
	for failures := 0; ; {
		wait, wake := lookEvery, s.wake
		err := s.CatchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			failures++
			wait = wire.Backoff(failures, retryBase, retryLimit, 1<<32-1)
			wake = nil // after a fault nobody hurries us
			s.Log.Error("charges are not posted for now", "err", err, "again_in", wait)
		default:
			failures = 0
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// CatchUp posts what there is. It returns nil when nothing was left, and
// otherwise the fault that stopped it; what was posted until then is kept.
func (s *Service) CatchUp(ctx context.Context) error {
	for {
		more, err := s.next(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// next posts the next events, and reports whether there may be more.
func (s *Service) next(ctx context.Context) (more bool, err error) {
	// Before the events: what comes later has a later position.
	last, err := position(ctx, s.Store.Reader(), "position")
	if err != nil {
		return false, err
	}
	from, err := position(ctx, s.Store.Reader(), "charges_followed")
	if err != nil {
		return false, err
	}
	records, err := follow(ctx, s.Store.Reader(), from, batchEvents)
	if err != nil {
		return false, err
	}
	if more = len(records) == batchEvents; more {
		last = records[len(records)-1].position
	} else if n := len(records); n > 0 {
		last = max(last, records[n-1].position)
	}
	if last <= from {
		return false, nil
	}
	if err := s.post(ctx, from, last, records); err == nil || ctx.Err() != nil || len(records) == 0 {
		return more && err == nil, err
	}
	return true, s.singly(ctx, from, records)
}

// singly posts events one by one, after they failed together, and puts aside the
// one at which that fails again and again.
func (s *Service) singly(ctx context.Context, from int64, records []*record) error {
	for _, r := range records {
		err := s.post(ctx, from, r.position, []*record{r})
		if err == nil {
			from = r.position
			continue
		}
		if s.failing.position != r.position {
			s.failing.position, s.failing.times = r.position, 0
		}
		if s.failing.times++; s.failing.times < maxFailures || ctx.Err() != nil {
			return fmt.Errorf("event %s: %w", r.id(), err)
		}
		r.fault = err
		if err := s.post(ctx, from, r.position, []*record{r}); err != nil {
			return err
		}
		from = r.position
	}
	return nil
}

// post applies records and moves the place from one position to another, in one
// transaction. Where the place has moved meanwhile it does nothing.
func (s *Service) post(ctx context.Context, from, to int64, records []*record) error {
	var done tally
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		b := s.newBatch()
		done = tally{}
		moved, err := t.Affect("UPDATE counters SET value = $1 WHERE name = 'charges_followed' AND value = $2", to, from)
		if err != nil || moved == 0 {
			return err
		}
		for _, r := range records {
			if err := b.apply(t, r); err != nil {
				return err
			}
		}
		done = b.tally
		return b.keep(t)
	})
	if err == nil {
		s.counts.add(&done)
	}
	return err
}

func position(ctx context.Context, src store.Source, counter string) (value int64, err error) {
	err = src.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = $1", counter).Scan(&value)
	return value, err
}
