package charges

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/server/store"
)

// ErrAgain is wrapped when an event that was put aside cannot be posted still.
var ErrAgain = errors.New("it cannot be posted still")

// Aside is an event that was put aside, since no money could be read in it, or
// none posted.
type Aside struct {
	Event   string
	Detail  string
	FoundAt int64
}

// PutAside lists the events that were put aside and not settled since, oldest
// first.
func (s *Service) PutAside(ctx context.Context) ([]Aside, error) {
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (a Aside, err error) {
		err = rows.Scan(&a.Event, &a.Detail, &a.FoundAt)
		return a, err
	}, "SELECT event, detail, found_at FROM charge_problems WHERE kind = $1 AND settled_at IS NULL ORDER BY id", problemQuarantined)
}

// Replay posts an event that was put aside, after what was in its way was mended,
// as it would have been posted then, and says so in the trail. One that was
// settled, or is none of these, changes nothing: done is false. ErrAgain when it
// fails again: everything is as it was. It may run beside a running server.
func (s *Service) Replay(ctx context.Context, actor, event string) (done bool, err error) {
	var tally tally
	applying := false
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		done = false
		found, err := records(t.Context(), t, `agent || '-' || epoch || '-' || seq = $1 AND EXISTS (SELECT 1 FROM charge_problems p
			WHERE p.event = $2 AND p.kind = $3 AND p.settled_at IS NULL) LIMIT 1`, event, event, problemQuarantined)
		if err != nil || len(found) == 0 {
			return err
		}
		b := s.newBatch()
		b.again = true
		applying = true // until it is not, a fault is the event's, a panic too
		if err := b.apply(t, found[0]); err != nil {
			return err
		}
		applying = false
		if b.failed != "" {
			return fmt.Errorf("%w: event %s: %s", ErrAgain, event, b.failed)
		}
		err = t.Exec("UPDATE charge_problems SET settled_at = $1, settled_by = $2 WHERE event = $3 AND kind = $4", t.Now(), actor, event, problemQuarantined)
		if err != nil {
			return err
		}
		done, tally = true, b.tally
		return t.Trail(actor, "charge.replayed", event, nil)
	})
	if err != nil && applying && ctx.Err() == nil {
		err = fmt.Errorf("%w: event %s: %w", ErrAgain, event, err)
	}
	if err != nil {
		return false, err
	}
	s.counts.add(&tally)
	return done, nil
}
