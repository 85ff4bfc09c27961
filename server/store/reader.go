package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// reader is the pool of reading. To prepare a text takes longer than to run most,
// so each is prepared once, on every connection that needs it. Safe for
// concurrent use.
type reader struct {
	*sql.DB

	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

// preparedMost bounds what is kept: the texts of filters are many.
const preparedMost = 256

// stmt gives nil for a text that is not kept, or cannot be prepared: to run it
// says why.
func (r *reader) stmt(ctx context.Context, query string) *sql.Stmt {
	r.mu.RLock()
	st, full := r.prepared[query], len(r.prepared) >= preparedMost
	r.mu.RUnlock()
	if st != nil || full {
		return st
	}
	made, err := r.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := r.prepared[query]; st != nil { // another was faster
		_ = made.Close()
		return st
	}
	r.prepared[query] = made
	return made
}

// QueryContext is that of the pool.
func (r *reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if st := r.stmt(ctx, query); st != nil {
		return st.QueryContext(ctx, args...)
	}
	return r.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of the pool.
func (r *reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if st := r.stmt(ctx, query); st != nil {
		return st.QueryRowContext(ctx, args...)
	}
	return r.DB.QueryRowContext(ctx, query, args...)
}

// Close closes the statements too: one that stays open keeps SQLite from moving
// its log into the file.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, st := range r.prepared {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, r.DB.Close())...)
}
