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

// moment is a transaction that only reads: one state of the database, in one
// goroutine. It runs what is prepared. A text that is not yet is prepared once the
// transaction has ended, since that takes a connection and this one holds one.
type moment struct {
	*sql.Tx
	reader *reader
	later  []string
}

func (r *reader) moment(ctx context.Context) (*moment, error) {
	tx, err := r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	return &moment{Tx: tx, reader: r}, err
}

func (m *moment) stmt(ctx context.Context, query string) *sql.Stmt {
	m.reader.mu.RLock()
	st := m.reader.prepared[query]
	m.reader.mu.RUnlock()
	if st == nil {
		m.later = append(m.later, query)
		return nil
	}
	return m.StmtContext(ctx, st)
}

// QueryContext is that of the transaction.
func (m *moment) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if st := m.stmt(ctx, query); st != nil {
		return st.QueryContext(ctx, args...)
	}
	return m.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of the transaction.
func (m *moment) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if st := m.stmt(ctx, query); st != nil {
		return st.QueryRowContext(ctx, args...)
	}
	return m.Tx.QueryRowContext(ctx, query, args...)
}

// end is to be called once.
func (m *moment) end(ctx context.Context) error {
	err := m.Rollback()
	for _, query := range m.later {
		m.reader.stmt(ctx, query)
	}
	return err
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
