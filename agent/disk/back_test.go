package disk

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// later makes a store as a newer program has it.
func later(t *testing.T, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.db")
	err := Create(path, func(tx *Tx) error {
		if err := tx.script(more); err != nil {
			return err
		}
		if err := tx.Exec("INSERT INTO migrations (number, name, sha256) SELECT count(*) + 1, '9999_later.sql', 'x' FROM migrations"); err != nil {
			return err
		}
		return tx.Exec("INSERT INTO releases (claim, pass) VALUES ('1-1-1', x'01')")
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrNewer) {
		t.Fatalf("opened a newer store: %v", err)
	}
	return path
}

func TestStepBack_KeepsEveryRow(t *testing.T) {
	path := later(t, "ALTER TABLE releases ADD COLUMN why TEXT NOT NULL DEFAULT ''; CREATE TABLE later (n INTEGER) STRICT; INSERT INTO policy (id, body) VALUES (1, x'07')")
	looked := false
	if err := StepBack(path, func(*DB) error { looked = true; return nil }); err != nil || !looked {
		t.Fatal(err, looked)
	}
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var claim string
	var body []byte
	err = errors.Join(db.Read().QueryRow("SELECT claim FROM releases").Scan(&claim), db.Read().QueryRow("SELECT body FROM policy").Scan(&body))
	if err != nil || claim != "1-1-1" || string(body) != "\x07" {
		t.Errorf("%v %q %x", err, claim, body)
	}
	if _, err := os.Stat(path + Newer); err != nil {
		t.Error(err)
	}
}

func TestStepBack_ChangesNothingWhereSomethingIsMissing(t *testing.T) {
	broken := errors.New("no")
	for _, c := range []struct {
		more  string
		check error
	}{
		{"DROP TABLE counters", nil},
		{"ALTER TABLE gates RENAME COLUMN zone TO area", nil},
		{"CREATE TABLE later (n INTEGER) STRICT", broken},
	} {
		path := later(t, c.more)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := StepBack(path, func(*DB) error { return c.check }); !errors.Is(err, ErrNoWayBack) {
			t.Errorf("%s: %v", c.more, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("%s: the store changed: %v", c.more, err)
		}
	}
}

func TestRehearse_MigratesAnOlderStoreAndGoesBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.db")
	if err := Create(path, func(*Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	list, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	if err := stepBack(path, list[:len(list)-1], func(*DB) error { return nil }); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy.db")
	if err := Copy(path, copied); err != nil {
		t.Fatal(err)
	}
	seen := 0
	if err := Rehearse(copied, func(*DB) error { seen++; return nil }); err != nil || seen != 2 {
		t.Fatalf("%d: %v", seen, err)
	}
	db, err := Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
