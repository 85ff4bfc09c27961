package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// migration is one step of the schema: a file named 0001_what.sql.
type migration struct {
	name string
	text string
	sum  string // SHA-256 of text, hex
}

func migrations(dir fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	var list []migration // ReadDir sorts by name, which is the order
	for _, e := range entries {
		text, err := fs.ReadFile(dir, e.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, newMigration(strings.TrimSuffix(e.Name(), ".sql"), string(text)))
	}
	return list, nil
}

func newMigration(name, text string) migration {
	sum := sha256.Sum256([]byte(text))
	return migration{name: name, text: text, sum: hex.EncodeToString(sum[:])}
}

// migrate applies what is missing, all of it in one transaction: when a step fails
// the program before can go on with the database. The
// steps that were applied must be the first ones of ours, unchanged: another
// text wraps ErrChanged, an unknown one ErrNewer.
func migrate(ctx context.Context, db *sql.DB, now func() time.Time) error {
	dir, err := fs.Sub(sqliteMigrations, migrationsDir)
	if err != nil {
		return err
	}
	ours, err := migrations(dir)
	if err != nil {
		return err
	}
	return migrateTo(ctx, db, ours, now)
}

func migrateTo(ctx context.Context, db *sql.DB, ours []migration, now func() time.Time) error {
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (
		name TEXT PRIMARY KEY, sum TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	if err != nil {
		return err
	}
	applied, err := appliedMigrations(ctx, db)
	if err != nil {
		return err
	}
	if err := known(applied, ours); err != nil {
		return err
	}
	if len(applied) == len(ours) {
		return nil
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for _, m := range ours[len(applied):] {
		if err := apply(ctx, tx, m, now().UnixMilli()); err != nil {
			return fmt.Errorf("step %s: %w", m.name, err)
		}
	}
	return tx.Commit()
}

// known refuses what was applied and is not the first of ours, unchanged.
func known(applied, ours []migration) error {
	for i, done := range applied {
		switch {
		case i >= len(ours) || ours[i].name != done.name:
			return fmt.Errorf("%w: it has step %s", ErrNewer, done.name)
		case ours[i].sum != done.sum:
			return fmt.Errorf("%w: step %s", ErrChanged, done.name)
		}
	}
	return nil
}

func appliedMigrations(ctx context.Context, db *sql.DB) (list []migration, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name, sum FROM migrations ORDER BY name")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.name, &m.sum); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

func apply(ctx context.Context, tx *sql.Tx, m migration, at int64) error {
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO migrations (name, sum, applied_at) VALUES ($1, $2, $3)", m.name, m.sum, at)
	return err
}
