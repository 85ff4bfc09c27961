package people

import (
	"context"
	"io"
	"time"

	"campusgate/server/store"
)

// Config is what a Service works with. All but Roles are required.
type Config struct {
	Store    *store.Store
	Vault    Vault
	Now      func() time.Time
	Location *time.Location // of the campus: days begin there
	Random   io.Reader

	// Roles gives the posts that flows name, beside those of the product. Nil =
	// none.
	Roles func(ctx context.Context) ([]Role, error)
}

// Service keeps people. Safe for concurrent use.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c} }

// Change runs fn as a change of its own. What the writing methods of a Service
// refuse (a Fault, store.ErrNotFound, ErrTaken, ErrState, ErrUsed, ErrEnded)
// they refuse before they write, so that a refusal here does not take back the
// changes of others that share the transaction.
func (s *Service) Change(ctx context.Context, fn func(*store.Tx) error) error {
	var refusal error
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		refusal = nil
		err := fn(t)
		if refuses(err) {
			refusal = err
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

// Today is the campus day, 2026-05-01.
func (s *Service) Today() string { return s.day(s.Now()) }

func (s *Service) day(at time.Time) string { return at.In(s.Location).Format(time.DateOnly) }

// dayOf is the campus day of a change.
func (s *Service) dayOf(t *store.Tx) string { return s.day(time.UnixMilli(t.Now())) }

// Page is a part of a list.
type Page struct {
	Number int // from 1; less = 1
	Size   int // up to MaxPage; less than 1 = 20
}

// MaxPage is the most that a page holds.
const MaxPage = 200

func (p Page) limits() (limit, offset int) {
	limit = p.Size
	if limit < 1 {
		limit = 20
	}
	limit = min(limit, MaxPage)
	return limit, limit * (max(p.Number, 1) - 1)
}

// nullable turns an empty text into NULL.
func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// count gives the number of rows that a list without its page has.
func count(ctx context.Context, src store.Source, query string, args ...any) (n int, err error) {
	err = src.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}
