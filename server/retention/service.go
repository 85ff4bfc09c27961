package retention

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"campusgate/server/apply"
	"campusgate/server/store"
)

// portion is how many rows one change forgets, so that nobody waits for it.
const portion = 500

// Config is what a Service needs.
type Config struct {
	Store    *store.Store
	Apply    *apply.Service
	Policy   Policy
	Now      func() time.Time
	Location *time.Location
}

// Service forgets by its policy. Safe for concurrent use.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c} }

// step is what becomes of the rows of a class. Its text takes the moment (ms), or
// what at makes of it, and the size of a portion.
type step struct {
	days int
	text string
	at   func(ms int64) any
}

func seconds(ms int64) any { return ms / 1000 }

func (s *Service) steps() []step {
	p := s.Policy
	day := func(ms int64) any { return time.UnixMilli(ms).In(s.Location).Format(time.DateOnly) }
	return []step{
		{days: p.Events, text: `DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE received_at < $1 LIMIT $2)`},
		{days: p.Passes, at: seconds, text: `UPDATE passes SET name = '', doc4 = '', code = '',
			revoke_reason = CASE WHEN revoke_reason IS NOT NULL THEN '' END
			WHERE id IN (SELECT id FROM passes WHERE valid_until < $1 AND name <> '' LIMIT $2)`},
		{days: p.Passes, at: seconds, text: `DELETE FROM phones WHERE (pass, phone) IN
			(SELECT h.pass, h.phone FROM phones h JOIN passes p ON p.id = h.pass WHERE p.valid_until < $1 LIMIT $2)`},
		{days: p.Messages, text: `DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE at < $1 LIMIT $2)`},
		{days: p.Logins, text: `DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE at < $1 LIMIT $2)`},
		{days: p.Calls, text: `DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE coalesce(ended_at, at) < $1 LIMIT $2)`},
		{days: p.Calls, text: `DELETE FROM outages WHERE id IN (SELECT id FROM outages WHERE ended_at < $1 LIMIT $2)`},
		{days: p.Calls, text: `DELETE FROM tidings WHERE seq IN (SELECT seq FROM tidings WHERE told_at < $1 LIMIT $2)`},
		{days: p.Papers, at: day, text: `UPDATE papers SET name = '', doc4 = '', address = '', documents = '', note = ''
			WHERE number IN (SELECT number FROM papers WHERE last_day < $1 AND name <> '' LIMIT $2)`},
		{days: 1, text: `UPDATE imports SET table_read = NULL, name = '' WHERE id IN
			(SELECT id FROM imports WHERE expires_at < $1 AND name <> '' LIMIT $2)`},
	}
}

// Tick forgets everything that was kept long enough. A class that fails keeps no
// other waiting.
func (s *Service) Tick(ctx context.Context) error {
	var errs []error
	gone := 0
	for _, st := range s.steps() {
		n, err := s.run(ctx, st)
		gone, errs = gone+n, append(errs, err)
	}
	n, err := s.Store.PruneEvents(ctx, ago(s.Now(), s.Policy.Events), ago(s.Now(), s.Policy.Registers))
	gone, errs = gone+n, append(errs, err)
	if s.Policy.Applications > 0 {
		for more := true; more && err == nil; {
			n, err = s.Apply.Forget(ctx, ago(s.Now(), s.Policy.Applications), portion/10)
			gone, more = gone+n, n > 0
		}
		errs = append(errs, err)
	}
	n, err = s.eraseLeft(ctx)
	gone, errs = gone+n, append(errs, err, s.Apply.SweepFolder(ctx))
	if gone > 0 {
		errs = append(errs, s.Store.EmptyLog(ctx))
	}
	return errors.Join(errs...)
}

func (s *Service) run(ctx context.Context, st step) (gone int, err error) {
	if st.days == 0 {
		return 0, nil
	}
	var at any = ago(s.Now(), st.days)
	if st.at != nil {
		at = st.at(at.(int64))
	}
	for {
		var n int64
		err := s.Store.Change(ctx, func(t *store.Tx) (err error) {
			n, err = t.Affect(st.text, at, portion)
			return err
		})
		gone += int(n)
		if err != nil || n < portion {
			return gone, err
		}
	}
}

// eraseLeft erases who left long ago. Whoever has something open waits.
func (s *Service) eraseLeft(ctx context.Context) (gone int, err error) {
	if s.Policy.People == 0 {
		return 0, nil
	}
	left, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (id string, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT id FROM persons WHERE left_at < $1 AND id NOT IN (SELECT person FROM erasures) ORDER BY left_at, id LIMIT $2",
		ago(s.Now(), s.Policy.People), portion)
	if err != nil {
		return 0, err
	}
	for _, person := range left {
		switch err := s.Erase(ctx, "schedule", person, ""); {
		case errors.Is(err, ErrOpen):
		case err != nil:
			return gone, fmt.Errorf("erase who left: %w", err)
		default:
			gone++
		}
	}
	return gone, nil
}
