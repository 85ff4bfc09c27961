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
	return errors.Join(append(errs, s.sweep(ctx))...)
}

func (s *Service) remind(ctx context.Context, id string) error {
	_, refusal, err := s.change(ctx, func(t *store.Tx) (approval.Instance, *approval.Refusal, error) {
		old, err := s.find(t.Context(), t, id)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		flow, err := s.flows.of(t.Context(), t, &old.Instance)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		if len(flow.Due(old.Instance, t.Now())) == 0 { // somebody was quicker
			return old.Instance, nil, nil
		}
		w, err := s.scene(t.Context(), t, s.campus(t.Now()), flow, &old.Instance, old.Form)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		now := old
		return s.perform(t, Actor{Person: system, Name: "schedule"}, flow, &old, &now, w, approval.Act{Verb: approval.Remind})
	})
	if err == nil && refusal != nil {
		err = errors.New(refusal.Code)
	}
	return err
}
