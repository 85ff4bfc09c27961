package disk

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// The files are applied in the order of their names and never edited once
// released: a change is a new file.
//
//go:embed migrations/*.sql
var migrations embed.FS

// application marks the file as an agent's ("CGat"), in SQLite's own field for
// it.
const application = 0x43476174

type migration struct {
	name, text, sum string
}

func ours() ([]migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		list = append(list, migration{strings.TrimPrefix(name, "migrations/"), string(text), hex.EncodeToString(sum[:])})
	}
	return list, nil
}

// migrate compares what the file has seen with what the program has, and
// applies the rest in the same transaction. A file that is not new must be ours.
func migrate(tx *Tx, fresh bool) error {
	list, err := ours()
	if err != nil {
		return err
	}
	return migrateTo(tx, list, fresh)
}

func migrateTo(tx *Tx, list []migration, fresh bool) error {
	if fresh {
		if err := tx.script(fmt.Sprintf("PRAGMA application_id = %d", application)); err != nil {
			return err
		}
		if err := tx.script("CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT"); err != nil {
			return err
		}
	}
	var id int
	if _, err := tx.Get("PRAGMA application_id", nil, &id); err != nil {
		return err
	}
	if id != application {
		return fmt.Errorf("%w: application id %#x", ErrForeign, id)
	}
	have := 0
	err := tx.Each("SELECT number, name, sha256 FROM migrations ORDER BY number", nil, func(scan func(...any) error) error {
		var number int
		var name, sum string
		if err := scan(&number, &name, &sum); err != nil {
			return err
		}
		have++
		switch {
		case number > len(list):
			return fmt.Errorf("%w: migration %d %s", ErrNewer, number, name)
		case number != have || list[number-1].name != name || list[number-1].sum != sum:
			return fmt.Errorf("%w: migration %d %s", ErrChanged, number, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := have; i < len(list); i++ {
		if err := tx.script(list[i].text); err != nil {
			return fmt.Errorf("migration %s: %w", list[i].name, err)
		}
		if err := tx.Exec("INSERT INTO migrations (number, name, sha256) VALUES ($1, $2, $3)", i+1, list[i].name, list[i].sum); err != nil {
			return err
		}
	}
	return nil
}

// script runs several statements that are needed once.
func (tx *Tx) script(text string) error {
	_, err := tx.w.conn.ExecContext(context.Background(), text)
	return err
}
