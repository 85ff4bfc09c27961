package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// copies is an SQLite file with some tables of a server, and the rows that a
// server wrote into them, to be inserted again.
type copies struct {
	db     *sql.DB
	conn   *sql.Conn
	tables []copied
}

type copied struct {
	insert *sql.Stmt
	rows   [][]any
}

// newCopies makes tables equal to those in the database at like, without its
// triggers, and reads their rows, which share parts insert.
func newCopies(ctx context.Context, path, like string, tables ...string) (c *copies, err error) {
	c = &copies{}
	if c.db, err = sql.Open("sqlite", address(path, "rwc")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.conn, err = c.db.Conn(ctx); err != nil {
		return c, err
	}
	statements, err := definitions(ctx, like, tables...)
	if err != nil {
		return c, err
	}
	for _, s := range statements {
		if _, err := c.conn.ExecContext(ctx, s); err != nil {
			return c, err
		}
	}
	source, err := sql.Open("sqlite", address(like, "rw"))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	for _, name := range tables {
		t, err := c.read(ctx, source, name)
		if err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
		c.tables = append(c.tables, t)
	}
	return c, nil
}

func (c *copies) read(ctx context.Context, source *sql.DB, name string) (t copied, err error) {
	rows, err := source.QueryContext(ctx, "SELECT * FROM "+name)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return t, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return t, err
		}
		t.rows = append(t.rows, row)
	}
	if err := rows.Err(); err != nil {
		return t, err
	}
	places := strings.Repeat(", ?", len(columns))[2:]
	t.insert, err = c.conn.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", name, strings.Join(columns, ", "), places))
	return t, err
}

// part inserts the n-th of so many equal parts of all rows, in one transaction.
func (c *copies) part(ctx context.Context, n, of int) error {
	if _, err := c.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, t := range c.tables {
		for _, row := range t.rows[len(t.rows)*n/of : len(t.rows)*(n+1)/of] {
			if _, err := t.insert.ExecContext(ctx, row...); err != nil {
				return err
			}
		}
	}
	_, err := c.conn.ExecContext(ctx, "COMMIT")
	return err
}

func (c *copies) close() error {
	var errs []error
	for _, t := range c.tables {
		if t.insert != nil {
			errs = append(errs, t.insert.Close())
		}
	}
	if c.conn != nil {
		errs = append(errs, c.conn.Close())
	}
	return errors.Join(append(errs, c.db.Close())...)
}
