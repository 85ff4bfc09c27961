package retention

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"campusgate/server/store"
)

// ErrOpen: the person has something open, and is not erased.
var ErrOpen = errors.New("something of this person is open")

// Open is an ErrOpen that says what.
type Open struct{ What []string }

func (o *Open) Error() string { return ErrOpen.Error() + ": " + strings.Join(o.What, ", ") }

// Is makes an Open an ErrOpen.
func (o *Open) Is(target error) bool { return target == ErrOpen }

// obstacle is something that a person may have open.
type obstacle struct {
	what, query string
	args        []any
}

func obstacles(person string, now int64, today string) []obstacle {
	return []obstacle{
		{"applications", "SELECT count(*) FROM applications WHERE starter = $1 AND state = 'running'", []any{person}},
		{"tasks", "SELECT count(*) FROM application_boxes WHERE person = $1 AND box IN ('todo', 'wait')", []any{person}},
		{"card", "SELECT count(*) FROM cards WHERE person = $1 AND closed_at IS NULL", []any{person}},
		{"disputes", `SELECT count(*) FROM disputes d JOIN cards c ON c.account = d.account
			WHERE c.person = $1 AND d.state = 'open'`, []any{person}},
		{"recharges", "SELECT count(*) FROM recharges WHERE person = $1 AND ask_at IS NOT NULL", []any{person}},
		{"utilities", "SELECT count(*) FROM utility_payments WHERE person = $1 AND try_at IS NOT NULL", []any{person}},
		{"passes", `SELECT count(*) FROM application_passes h JOIN passes p ON p.id = h.pass
			WHERE h.person = $1 AND p.revoked_at IS NULL AND p.valid_until > $2`, []any{person, now / 1000}},
		{"papers", `SELECT count(*) FROM papers WHERE person = $1 AND returned_at IS NULL AND lost_at IS NULL
			AND last_day >= $2`, []any{person, today}},
		{"posts", "SELECT count(*) FROM posts WHERE person = $1 AND ended_at IS NULL AND coalesce(last_day, $2) >= $3", []any{person, today, today}},
	}
}

// wipes take everything of a person away but the number; $1 is that.
var wipes = []string{
	`UPDATE households SET head = '已清除 ' || id WHERE head = (SELECT name FROM persons WHERE id = $1)
		AND id IN (SELECT household FROM members WHERE person = $1)`,
	`DELETE FROM members WHERE person = $1`,
	`UPDATE units SET head = NULL WHERE head = $1`,
	`DELETE FROM passwords WHERE person = $1`,
	`DELETE FROM sessions WHERE person = $1`,
	`DELETE FROM logins WHERE person = $1`,
	`DELETE FROM pins WHERE person = $1`,
	`DELETE FROM messages WHERE person = $1`,
	`DELETE FROM merchant_managers WHERE person = $1`,
	`DELETE FROM card_attempts WHERE who = $1`,
	`DELETE FROM trial_meters WHERE person = $1`,
	`UPDATE cards SET password = NULL, freeze_reason = NULL WHERE person = $1`,
	`UPDATE disputes SET text = '', decision = CASE WHEN decision IS NOT NULL THEN '' END
		WHERE account IN (SELECT account FROM cards WHERE person = $1)`,
	`UPDATE recharges SET payer = '', pay = NULL WHERE person = $1`,
	`UPDATE utility_payments SET meter = '', room = '' WHERE person = $1`,
	`DELETE FROM phones WHERE pass IN (SELECT pass FROM application_passes WHERE person = $1 UNION SELECT pass FROM papers WHERE person = $1)`,
	`UPDATE passes SET name = '', doc4 = '', code = '', revoke_reason = CASE WHEN revoke_reason IS NOT NULL THEN '' END
		WHERE id IN (SELECT pass FROM application_passes WHERE person = $1 UNION SELECT pass FROM papers WHERE person = $1)`,
	`UPDATE papers SET name = '', doc4 = '', address = '', documents = '', note = '' WHERE person = $1`,
}

// Erase takes away what says who a person was: see the package. It wraps
// store.ErrNotFound, store.ErrUsed when they were erased before, and ErrOpen (as
// *Open); then nothing has changed.
func (s *Service) Erase(ctx context.Context, actor, person, reason string) error {
	var refused error
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		if refused = s.refusal(t, person); refused != nil {
			var open *Open
			if errors.As(refused, &open) || errors.Is(refused, store.ErrNotFound) || errors.Is(refused, store.ErrUsed) {
				return nil // nothing was written, and others share the transaction
			}
			return refused
		}
		if err := s.Apply.ForgetOf(t, person); err != nil {
			return err
		}
		for _, wipe := range wipes {
			if err := t.Exec(wipe, person); err != nil {
				return fmt.Errorf("erase: %w", err)
			}
		}
		return errors.Join(
			t.UnnamePasses(person),
			t.Exec(`UPDATE persons SET name = '', level = '', unit = NULL, phone = NULL, phone_key = NULL, number = NULL,
				number_key = NULL, mail = '', left_at = coalesce(left_at, $1) WHERE id = $2`, t.Now(), person),
			t.Exec("UPDATE imports SET table_read = NULL, name = '' WHERE used_at IS NULL"),
			t.Exec("INSERT INTO erasures (person, erased_at, erased_by, reason) VALUES ($1, $2, $3, $4)", person, t.Now(), actor, reason),
			t.Trail(actor, "person.erased", "person "+person, map[string]any{"reason": reason}),
		)
	})
	if err == nil && refused == nil {
		return errors.Join(s.Apply.SweepFolder(ctx), s.Store.EmptyLog(ctx))
	}
	return errors.Join(refused, err)
}

func (s *Service) refusal(t *store.Tx, person string) error {
	var known, erased int
	err := t.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM persons WHERE id = $1),
		(SELECT count(*) FROM erasures WHERE person = $2)`, person, person).Scan(&known, &erased)
	switch {
	case err != nil:
		return err
	case known == 0:
		return fmt.Errorf("%w: person", store.ErrNotFound)
	case erased > 0:
		return fmt.Errorf("%w: the person was erased", store.ErrUsed)
	}
	today := time.UnixMilli(t.Now()).In(s.Location).Format(time.DateOnly)
	var open Open
	for _, o := range obstacles(person, t.Now(), today) {
		var n int
		if err := t.QueryRowContext(t.Context(), o.query, o.args...).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", o.what, err)
		}
		if n > 0 {
			open.What = append(open.What, o.what)
		}
	}
	if len(open.What) > 0 {
		return &open
	}
	return nil
}
