package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// Everything in this file is SQLite's own. PostgreSQL would bring its own
// driver, data source names, migrations, error codes and durability check.

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

const (
	driverName    = "sqlite"
	migrationsDir = "migrations/sqlite"
	// Lock at once: two writers then wait for each other instead of failing
	// halfway.
	beginWriting  = "BEGIN IMMEDIATE"
	busyTimeoutMS = 5000
	readers       = 4
)

// dataSource names a file for the driver, which silently ignores options that
// it does not know: assertDurable checks that these were taken.
func dataSource(path string, forWriting bool) string {
	q := url.Values{}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeoutMS))
	q.Add("_pragma", "foreign_keys(1)")
	// INSERT OR REPLACE deletes, and the triggers that forbid it must know.
	q.Add("_pragma", "recursive_triggers(1)")
	q.Set("mode", "rw")
	if forWriting {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(FULL)")
		q.Set("_txlock", "immediate")
		// Copying the log back into the file is cheaper in larger portions, and
		// the index of uses is written all over: keep it in memory (KiB of pages,
		// which take twice that, since the driver gives 8 KiB for a page and its head).
		q.Add("_pragma", "wal_autocheckpoint(8000)")
		q.Add("_pragma", "cache_size(-65536)")
		q.Add("_pragma", "temp_store(MEMORY)")
		// What was forgotten is overwritten in the file.
		q.Add("_pragma", "secure_delete(1)")
	} else {
		q.Add("_pragma", "query_only(1)")
	}
	return fileURL(path, q)
}

func fileURL(path string, q url.Values) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

// aside names a file for a connection that neither changes how it is kept nor
// holds much of it in memory.
func aside(path string) string {
	q := url.Values{}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeoutMS))
	q.Set("mode", "rw")
	return fileURL(path, q)
}

// readOnly names a file that nobody writes.
func readOnly(path string) string {
	q := url.Values{}
	q.Set("mode", "ro")
	q.Set("immutable", "1")
	return fileURL(path, q)
}

// createFile makes the empty database file; it fails when there is one.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// assertDurable refuses a database that can lose a commit at a power cut.
func assertDurable(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%w: journal_mode is %s, want wal", ErrNotDurable, mode)
	}
	var level int
	if err := db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level); err != nil {
		return err
	}
	if level < 2 {
		return fmt.Errorf("%w: synchronous is %d, want 2 (FULL)", ErrNotDurable, level)
	}
	return nil
}

// IsUnique reports that a row with this key is there already.
func IsUnique(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) &&
		(e.Code() == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// isFull reports that a change failed for want of room on the disk.
func isFull(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlitelib.SQLITE_FULL
}

// bind rewrites $1, $2 … to bare question marks where they stand in order and
// once each. The driver compares the names of numbered parameters as text,
// each with every argument, which costs more than the insert itself.
func bind(query string) string {
	var b strings.Builder
	next := 1
	for i := 0; i < len(query); {
		if query[i] != '$' {
			b.WriteByte(query[i])
			i++
			continue
		}
		j, n := i+1, 0
		for j < len(query) && query[j] >= '0' && query[j] <= '9' {
			n = n*10 + int(query[j]-'0')
			j++
		}
		if n != next {
			return query
		}
		next++
		b.WriteByte('?')
		i = j
	}
	return b.String()
}

// Triggers gives the text of every trigger in the database, by name.
func Triggers(ctx context.Context, src Source) (map[string]string, error) {
	type trigger struct{ name, text string }
	all, err := List(ctx, src, func(rows *sql.Rows) (t trigger, err error) {
		err = rows.Scan(&t.name, &t.text)
		return t, err
	}, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, t := range all {
		texts[t.name] = t.text
	}
	return texts, nil
}
