package disk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Tx is the open write transaction. It is valid inside the function that was
// given it, in that goroutine.
type Tx struct{ w *writer }

// Update runs do in a write transaction and commits. When Update returns nil
// all of it is on the disk. When it returns an error nobody may act on anything
// that do did; and should the commit be what failed, the data may be there
// nevertheless: whoever caches what the file holds reads it again.
func (db *DB) Update(do func(*Tx) error) error {
	w := db.write
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			// do failed or panicked, or the commit did. After a failed commit there
			// may be nothing left to roll back.
			_ = w.exec("ROLLBACK")
		}
	}()
	if err := do(&Tx{w}); err != nil {
		return err
	}
	if err := w.commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	return nil
}

// Exec runs one statement with $1, $2 and so on. Statements are prepared once
// for the life of the store, so query should be a constant.
func (tx *Tx) Exec(query string, args ...any) error {
	s, err := tx.w.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.Exec(args...)
	return err
}

// Count is Exec, and gives the number of rows that were changed.
func (tx *Tx) Count(query string, args ...any) (int64, error) {
	s, err := tx.w.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Get reads the only row of a query into dest. It reports false when there is
// none.
func (tx *Tx) Get(query string, args []any, dest ...any) (bool, error) {
	s, err := tx.w.stmt(query)
	if err != nil {
		return false, err
	}
	err = s.QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Each calls visit for every row of a query. visit may read no further row and
// run no other statement.
func (tx *Tx) Each(query string, args []any, visit func(scan func(dest ...any) error) error) error {
	s, err := tx.w.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

func (w *writer) exec(query string) error {
	s, err := w.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.Exec()
	return err
}

func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	w.stmts[query] = s
	return s, nil
}
