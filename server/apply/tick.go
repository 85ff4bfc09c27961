package apply

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// reminders is how many matters one Tick reminds of at most.
const reminders = 500

// Tick does what the clock asks for: it sends the reminders that are due, and
// forgets attachments that nothing holds. A matter that fails keeps no other
// waiting.
func (s *Service) Tick(ctx context.Context) error {
	due, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (id string, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT id FROM applications WHERE remind_at <= $1 ORDER BY remind_at, id LIMIT $2", s.Now().UnixMilli(), reminders)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range due {
		if err := s.remind(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("remind of application %s: %w", id, err))
		}
	}
	errs = append(errs, s.handOver(ctx))
	return errors.Join(append(errs, s.sweep(ctx))...)
}

// handOver gives the tasks of matters under way to whoever holds their seats now:
// heads change, posts end, and people leave.
func (s *Service) handOver(ctx context.Context) error {
	src := s.Store.Reader()
	running, err := store.List(ctx, src, s.scanRecord, recordColumns+" WHERE a.state = $1 ORDER BY a.id", string(approval.Running))
	if err != nil {
		return err
	}
	var errs []error
	for i := range running {
		flow, err := s.flows.of(ctx, src, &running[i].Instance)
		if err == nil {
			var w *scene
			var moved bool
			if w, err = s.scene(ctx, src, s.Now(), flow, &running[i].Instance, running[i].Form); err == nil {
				moved, err = flow.Moved(running[i].Instance, w.World)
			}
			if err == nil && moved {
				err = s.bySystem(ctx, running[i].ID, approval.HandOver, func(f *approval.Flow, in approval.Instance, w *scene) (bool, error) {
					return f.Moved(in, w.World)
				})
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("hand over application %s: %w", running[i].ID, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) remind(ctx context.Context, id string) error {
	return s.bySystem(ctx, id, approval.Remind, func(f *approval.Flow, in approval.Instance, w *scene) (bool, error) {
		return len(f.Due(in, w.Now.UnixMilli())) > 0, nil
	})
}

// bySystem does what the clock asks of a matter, if it is still to be done.
func (s *Service) bySystem(ctx context.Context, id string, verb approval.Verb, due func(*approval.Flow, approval.Instance, *scene) (bool, error)) error {
	_, refusal, err := s.change(ctx, func(t *store.Tx) (approval.Instance, *approval.Refusal, error) {
		old, err := s.find(t.Context(), t, id)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		flow, err := s.flows.of(t.Context(), t, &old.Instance)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		w, err := s.scene(t.Context(), t, s.campus(t.Now()), flow, &old.Instance, old.Form)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		if still, err := due(flow, old.Instance, w); err != nil || !still { // somebody was quicker
			return old.Instance, nil, err
		}
		now := old
		return s.perform(t, Actor{Person: system, Name: "schedule"}, flow, &old, &now, w, approval.Act{Verb: verb})
	})
	if err == nil && refusal != nil {
		err = errors.New(refusal.Code)
	}
	return err
}
