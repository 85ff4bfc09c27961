package audit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/wire"
)

const (
	// batchEvents are judged in one go. Few enough that a claim, which somebody
	// waits for at a gate, is not behind them for long in the database.
	batchEvents = 400
	// lookEvery bounds how long new events wait that nobody told of with Wake.
	lookEvery = time.Second

	retryBase  = 250 * time.Millisecond
	retryLimit = 30 * time.Second
)

// Store is what the auditor needs of the server's database; *store.Store is
// one. Every error is taken for a fault that passes: the batch is done again.
type Store interface {
	Judged(ctx context.Context) (int64, error)
	LastPosition(ctx context.Context) (int64, error)
	Events(ctx context.Context, after int64, limit int) ([]store.Event, error)
	Keys(ctx context.Context) ([]store.Key, error)
	KnownPasses(ctx context.Context, passes []signing.PassID) (map[signing.PassID]store.KnownPass, error)
	EventsOfUse(ctx context.Context, u store.CountedUse) ([]store.Event, error)
	DisputedOf(ctx context.Context, passes []signing.PassID, after int64, limit int) ([]store.Event, error)
	Disagreements(ctx context.Context) ([]store.Disagreement, error)

	// SaveOpinions keeps opinions and the position up to which events were
	// judged, in one transaction. The position never falls.
	SaveOpinions(ctx context.Context, opinions []store.Opinion, upTo int64) error
}

// Auditor judges uploaded events again. One of them works on a database at a
// time. Wake, Figures and the metrics may be used from anywhere.
type Auditor struct {
	store  Store
	log    *slog.Logger
	wake   chan struct{}
	judged atomic.Uint64 // scans, since the start of the process
}

// New makes an auditor. A nil log discards; it never sees a name or a code.
func New(s Store, log *slog.Logger) *Auditor {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Auditor{store: s, log: log, wake: make(chan struct{}, 1)}
}

// Wake tells that there are new events. It never waits.
func (a *Auditor) Wake() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run judges what there is and what comes, until ctx ends, and returns the
// cause of that. It goes on where it, or an earlier process, stopped.
func (a *Auditor) Run(ctx context.Context) error {
	for failures := 0; ; {
		wait := lookEvery
		err := a.CatchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			failures++
			// All of it is on this machine, so nothing has to be jittered.
			wait = wire.Backoff(failures, retryBase, retryLimit, 1<<32-1)
			a.log.Error("events are not judged again for now", "err", err, "again_in", wait)
		default:
			failures = 0
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-a.woken(err):
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// woken is where Wake is heard; after a fault nobody hurries us.
func (a *Auditor) woken(fault error) <-chan struct{} {
	if fault != nil {
		return nil
	}
	return a.wake
}

// CatchUp judges what there is. It returns nil when nothing was left, and
// otherwise the fault that stopped it; what was judged until then is kept.
func (a *Auditor) CatchUp(ctx context.Context) error {
	for {
		more, err := a.batch(ctx)
		if err != nil || !more {
			return err
		}
	}
}
