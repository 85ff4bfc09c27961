package settle

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Errors of the service. Each is a refusal: nothing was changed.
var (
	// ErrDay: no such day, or one that nothing can be done with.
	ErrDay = errors.New("not a business day")
	// ErrOpen: the day is not over, or one before it is still open.
	ErrOpen = errors.New("the day cannot be closed yet")
	// ErrClosed: the day was closed before.
	ErrClosed = errors.New("the day is closed")
	// ErrGaps: running numbers of a till are missing. It is an *Unaccounted.
	ErrGaps = errors.New("numbers of tills are missing")
	// ErrDifferences: two that should be equal are not. It is an *Unaccounted.
	ErrDifferences = errors.New("the sums differ")
	// ErrNothing: there is no such gap, difference, charge or merchant.
	ErrNothing = errors.New("there is no such thing")
	// ErrAmount: more than there is left, or nothing.
	ErrAmount = errors.New("not that amount")
	// ErrRepeat: the id was used with other content.
	ErrRepeat = errors.New("the id was used for something else")
)

// Config is what a Service needs. All fields are required.
type Config struct {
	Store    *store.Store
	Ledger   *ledger.Ledger
	Now      func() time.Time
	Location *time.Location // of the campus

	// Ends says when each subsidy ends that a card was granted, unix ms by batch.
	Ends func(ctx context.Context, src store.Source, card uint64) (map[string]int64, error)
}

// Service closes days. Safe for concurrent use.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Today is the business day that has begun at every till, as of now: the one
// before it is over everywhere.
func (s *Service) Today(ctx context.Context, src store.Source, now time.Time) (string, error) {
	latest := 0
	starts, err := store.List(ctx, src, func(rows *sql.Rows) (int, error) {
		var rules string
		var till wire.Till
		if err := rows.Scan(&rules); err != nil {
			return 0, err
		}
		err := json.Unmarshal([]byte(rules), &till)
		return till.DayStart, err
	}, "SELECT v.rules FROM till_versions v JOIN tills t ON t.gate = v.gate AND t.version = v.version")
	for _, start := range starts {
		latest = max(latest, start)
	}
	return wire.BusinessDay(now.In(s.Location), latest), err
}

// Open is the day that is to be closed next: the one after the last closed, or
// where none is, the first that has a charge. "" = nothing was ever taken.
func (s *Service) Open(ctx context.Context, src store.Source) (string, error) {
	var closed, first string
	err := src.QueryRowContext(ctx, `SELECT coalesce((SELECT max(day) FROM days), ''), coalesce((SELECT min(settle_day) FROM charges), '')`).
		Scan(&closed, &first)
	if err != nil || closed == "" {
		return first, err
	}
	return next(closed)
}

// settling is the day with which something is settled that is done now.
func (s *Service) settling(ctx context.Context, t *store.Tx) (string, error) {
	today, err := s.Today(ctx, t, time.UnixMilli(t.Now()))
	if err != nil {
		return "", err
	}
	open, err := s.Open(ctx, t)
	return max(today, open), err
}

// next is the day after.
func next(day string) (string, error) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", fmt.Errorf("%w: %q", ErrDay, day)
	}
	return at.AddDate(0, 0, 1).Format(time.DateOnly), nil
}
