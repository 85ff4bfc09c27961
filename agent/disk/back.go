package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoWayBack: the newer program changed what this one needs.
var ErrNoWayBack = errors.New("no way back to an older store")

// Newer is what the store of a newer program is called after StepBack.
const Newer = ".newer"

// StepBack turns a store that a newer program migrated into one of this program:
// a new file with this program's migrations, and all rows of its tables as they
// are now. What only the newer program knows is not taken over; its file is kept
// beside it under the ending Newer. check looks at the new file before it takes
// the place of the other. Nobody may have the store open. ErrNoWayBack and an
// untouched store where a table or column is missing, or check fails.
func StepBack(path string, check func(*DB) error) error {
	list, err := ours()
	if err != nil {
		return err
	}
	return stepBack(path, list, check)
}

// Rehearse migrates the store at path, which should be a copy, has check look at
// it, goes back to what it was, and forward once more.
func Rehearse(path string, check func(*DB) error) error {
	db, err := open(path, pragmas)
	if err != nil {
		return err
	}
	have := 0
	err = db.pool.QueryRow("SELECT count(*) FROM migrations").Scan(&have)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	list, err := ours()
	if err != nil {
		return err
	}
	forward := func() error {
		db, err := Open(path)
		if err != nil {
			return err
		}
		return errors.Join(check(db), db.Close())
	}
	if err := forward(); err != nil {
		return err
	}
	if err := stepBack(path, list[:min(have, len(list))], func(*DB) error { return nil }); err != nil {
		return err
	}
	return forward()
}

// Copy writes a copy of the store to a new file, also while an agent works with
// it: all that was committed, and nothing half.
func Copy(path, to string) error {
	db, err := open(path, pragmas)
	if err != nil {
		return err
	}
	_, err = db.pool.Exec("VACUUM INTO $1", to)
	return errors.Join(err, db.Close(), os.Chmod(to, 0o600))
}

func stepBack(path string, list []migration, check func(*DB) error) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".back-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	draft := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(draft, nil, 0o600); err != nil {
		return err
	}
	db, err := open(draft, pragmas)
	if err != nil {
		return err
	}
	err = db.takeOver(path, list)
	if err == nil {
		err = check(db)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrNoWayBack, err)
	}
	// A log that is still there would be taken for that of the new file.
	for _, log := range []string{path + "-wal", draft + "-wal"} {
		if _, err := os.Stat(log); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: the store is open: %s", ErrNoWayBack, log)
		}
	}
	if err := os.Remove(path + Newer); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(path, path+Newer); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// takeOver fills an empty file with these migrations and the rows of the store
// at path.
func (db *DB) takeOver(path string, list []migration) error {
	conn := db.write.conn
	if _, err := conn.ExecContext(context.Background(), "ATTACH DATABASE $1 AS newer", path); err != nil {
		return err
	}
	err := db.Update(func(tx *Tx) error {
		if err := migrateTo(tx, list, true); err != nil {
			return err
		}
		var same int
		if _, err := tx.Get("SELECT count(*) FROM main.migrations JOIN newer.migrations USING (number, name, sha256)", nil, &same); err != nil {
			return err
		}
		if same != len(list) {
			return ErrChanged
		}
		var tables []string
		err := tx.Each("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migrations'", nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			tables = append(tables, name)
			return err
		})
		for _, table := range tables {
			if err == nil {
				err = tx.rows(table)
			}
		}
		return err
	})
	_, detached := conn.ExecContext(context.Background(), "DETACH DATABASE newer")
	return errors.Join(err, detached)
}

// rows takes over a table. Columns are named with their table, since SQLite takes
// a name alone that it does not find for a text.
func (tx *Tx) rows(table string) error {
	var to, from []string
	err := tx.Each("SELECT name FROM pragma_table_info($1, 'main')", []any{table}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		to, from = append(to, `"`+name+`"`), append(from, `n."`+name+`"`)
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.script(fmt.Sprintf(`DELETE FROM main.%q`, table)); err != nil {
		return err
	}
	return tx.script(fmt.Sprintf(`INSERT INTO main.%q (%s) SELECT %s FROM newer.%q AS n`, table, strings.Join(to, ", "), strings.Join(from, ", "), table))
}
