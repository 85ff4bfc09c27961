package disk

import (
	"errors"
	"net/url"
	"path/filepath"
	"testing"
)

// What no caller can bring about: wrong pragmas, other migrations, a COMMIT
// that fails.

func fresh(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.db")
	if err := Create(path, func(*Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen_RefusesWhatIsNotDurable(t *testing.T) {
	for name, params := range map[string]url.Values{
		"normal":           {"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)"}},
		"off":              {"_pragma": {"journal_mode(WAL)", "synchronous(OFF)"}},
		"rollback journal": {"_pragma": {"journal_mode(DELETE)", "synchronous(FULL)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if db, err := open(fresh(t), params); !errors.Is(err, ErrNotDurable) {
				t.Errorf("opened %v: %v", db, err)
			}
		})
	}
}

// The spelling of other drivers is ignored without a word, so asking for too
// little with it goes unnoticed and asking for enough has no effect.
func TestOpen_OtherSpellingsAreIgnored(t *testing.T) {
	path := fresh(t)
	db, err := open(path, url.Values{"_synchronous": {"OFF"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	both := url.Values{"_pragma": {"journal_mode(DELETE)"}, "_journal_mode": {"WAL"}}
	if _, err := open(path, both); !errors.Is(err, ErrNotDurable) {
		t.Fatalf("got %v", err)
	}
}

func TestMigrate_RefusesNewerAndChanged(t *testing.T) {
	db, err := Open(fresh(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	list, err := ours()
	if err != nil || len(list) == 0 {
		t.Fatalf("%d migrations, %v", len(list), err)
	}
	try := func(list []migration) error {
		return db.Update(func(tx *Tx) error { return migrateTo(tx, list, false) })
	}
	if err := try(list[:len(list)-1]); !errors.Is(err, ErrNewer) {
		t.Errorf("older program: %v", err)
	}
	edited := append([]migration(nil), list...)
	edited[0].sum = "0" + edited[0].sum[1:]
	if edited[0].sum == list[0].sum {
		edited[0].sum = "1" + edited[0].sum[1:]
	}
	if err := try(edited); !errors.Is(err, ErrChanged) {
		t.Errorf("edited migration: %v", err)
	}
	renamed := append([]migration(nil), list...)
	renamed[0].name = "0001_other.sql"
	if err := try(renamed); !errors.Is(err, ErrChanged) {
		t.Errorf("renamed migration: %v", err)
	}
	more := append(append([]migration(nil), list...), migration{"0099_more.sql", "CREATE TABLE more (x INTEGER) STRICT;", "sum"})
	if err := try(more); err != nil {
		t.Errorf("newer program: %v", err)
	}
	if err := try(more); err != nil {
		t.Errorf("newer program again: %v", err)
	}
	if err := db.Update(func(tx *Tx) error { return tx.Exec("INSERT INTO more (x) VALUES (1)") }); err != nil {
		t.Error(err)
	}
	broken := append(append([]migration(nil), more...), migration{"0100_broken.sql", "CREATE TABLE y (x INTEGER) STRICT; NONSENSE;", "sum"})
	if err := try(broken); err == nil {
		t.Error("a broken migration went through")
	}
	var n int
	if err := db.pool.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'y'").Scan(&n); err != nil || n != 0 {
		t.Errorf("half a migration is there: %d, %v", n, err)
	}
}

// A migration that fails leaves the store to the program before it; one that was
// done, though it was said to have failed, is found done.
func TestMigrate_ThatFailsInBothFormsLosesNothing(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, done := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			path := fresh(t)
			db, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			old, err := ours()
			if err != nil {
				t.Fatal(err)
			}
			next := append(append([]migration(nil), old...), migration{"0099_more.sql", "CREATE TABLE more (x INTEGER) STRICT;", "sum"})
			put := func(tx *Tx) error { return tx.Exec("INSERT INTO releases (claim, pass) VALUES ('1-1-1', x'01')") }
			if err := db.Update(put); err != nil {
				t.Fatal(err)
			}
			works := db.write.commit
			db.write.commit = func() error {
				if done {
					if err := works(); err != nil {
						return err
					}
				}
				return broken
			}
			if err := db.Update(func(tx *Tx) error { return migrateTo(tx, next, false) }); !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
			db.write.commit = works
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db, err = Open(path) // the program before
			if done != errors.Is(err, ErrNewer) || !done && err != nil {
				t.Fatalf("the old program: %v", err)
			}
			if done {
				if db, err = open(path, pragmas); err != nil {
					t.Fatal(err)
				}
			}
			defer func() { _ = db.Close() }()
			if err := db.Update(func(tx *Tx) error { return migrateTo(tx, next, false) }); err != nil {
				t.Errorf("the new program: %v", err)
			}
			var n int
			if err := db.pool.QueryRow("SELECT (SELECT count(*) FROM releases) + (SELECT count(*) FROM more)").Scan(&n); err != nil || n != 1 {
				t.Errorf("%d rows, %v", n, err)
			}
		})
	}
}

func TestUpdate_CommitFailsInBothForms(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, done := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(fresh(t))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			works := db.write.commit
			db.write.commit = func() error {
				if done {
					if err := works(); err != nil {
						return err
					}
				}
				return broken
			}
			put := func(tx *Tx) error {
				return tx.Exec("INSERT INTO releases (claim, pass) VALUES ('1-1-1', x'01') ON CONFLICT (claim) DO NOTHING")
			}
			if err := db.Update(put); !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
			var n int
			if err := db.pool.QueryRow("SELECT count(*) FROM releases").Scan(&n); err != nil || (n == 1) != done {
				t.Fatalf("%d rows, %v", n, err)
			}
			db.write.commit = works
			if err := db.Update(put); err != nil {
				t.Fatalf("afterwards: %v", err)
			}
		})
	}
}
