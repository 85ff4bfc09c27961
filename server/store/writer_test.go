package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"campusgate/server/store"
	"campusgate/signing/verdict"
)

// waitFor waits until so many goroutines have put a change into the queue.
func waitFor(s *store.Store, changes int) {
	for s.Waiting() < changes {
		runtime.Gosched()
	}
}

// Changes that wait at the same time share one commit; one that fails takes
// nothing of the others with it.
func TestWriter_GroupsAndKeepsFailuresApart(t *testing.T) {
	s, _ := newStore(t)
	commits := 0
	s.SetCommitFault(func() (bool, error) { commits++; return true, nil })
	release := s.Hold()
	const changes = 20
	errs := make([]error, changes)
	var wg sync.WaitGroup
	for i := range changes {
		wg.Go(func() {
			if i == 7 {
				errs[i] = s.Fail(errDisk)
				return
			}
			_, errs[i] = s.AddGate(context.Background(), "test", store.Gate{Name: string(rune('a' + i)), Zone: 1, Mode: verdict.Owner})
		})
	}
	waitFor(s, changes)
	release()
	wg.Wait()
	s.SetCommitFault(nil)
	for i, err := range errs {
		if want := i == 7; want != errors.Is(err, errDisk) || !want && err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if n := len(must(s.Gates(t.Context()))(t)); n != changes-1 {
		t.Errorf("%d gates", n)
	}
	if z := must(s.Zones(t.Context()))(t); len(z) != 1 {
		t.Errorf("half a change stayed: %+v", z)
	}
	must(s.VerifyTrail(t.Context()))(t)
	if n := must(s.AddGate(t.Context(), "test", store.Gate{Name: "last", Zone: 1, Mode: verdict.Owner}))(t); n.ID != changes {
		t.Errorf("gate %d, want %d: a change that was run again used up a number", n.ID, changes)
	}
}

func TestWriter_OneCommitForAGroup(t *testing.T) {
	s, _ := newStore(t)
	release := s.Hold()
	commits := 0
	s.SetCommitFault(func() (bool, error) { commits++; return true, nil })
	var wg sync.WaitGroup
	const changes = 10
	for i := range changes {
		wg.Go(func() {
			_, err := s.AddGate(context.Background(), "test", store.Gate{Name: string(rune('a' + i)), Zone: 1, Mode: verdict.Owner})
			if err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(s, changes)
	release()
	wg.Wait()
	s.SetCommitFault(nil)
	if commits != 2 { // the one that held the writer, and the group
		t.Fatalf("%d commits", commits)
	}
}

func TestWriter_PanicIsAnError(t *testing.T) {
	s, _ := newStore(t)
	if err := s.Fail(nil); err == nil || !strings.Contains(err.Error(), "on purpose") {
		t.Fatalf("got %v", err)
	}
	addGate(t, s, "after", verdict.Owner)
}

func TestWriter_ALeavingCallerChangesNothing(t *testing.T) {
	s, _ := newStore(t)
	release := s.Hold()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := s.AddGate(ctx, "test", store.Gate{Name: "a", Zone: 1, Mode: verdict.Owner})
		done <- err
	}()
	waitFor(s, 1)
	cancel()
	release()
	wants(t, <-done, context.Canceled)
	if n := len(must(s.Gates(t.Context()))(t)); n != 0 {
		t.Fatalf("%d gates", n)
	}
}

func TestTrail_TamperingIsFound(t *testing.T) {
	for name, sql := range map[string]string{
		"changed": "UPDATE trail SET actor = 'nobody' WHERE id = 2",
		"removed": "DELETE FROM trail WHERE id = 2",
		"cut":     "DELETE FROM trail WHERE id = 1",
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newStore(t)
			for _, n := range []string{"a", "b", "c"} {
				addGate(t, s, n, verdict.Owner)
			}
			ok(t, s.Exec(sql))
			_, err := s.VerifyTrail(t.Context())
			wants(t, err, store.ErrBroken)
		})
	}
}

func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	ok(t, os.WriteFile(path, nil, 0o600))
	return path
}

func TestAssertDurable(t *testing.T) {
	for name, c := range map[string]struct {
		options string
		want    error
	}{
		"OK":          {"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", nil},
		"Extra":       {"?_pragma=journal_mode(WAL)&_pragma=synchronous(EXTRA)", nil},
		"ErrNormal":   {"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)", store.ErrNotDurable},
		"ErrRollback": {"?_pragma=synchronous(FULL)", store.ErrNotDurable},
		// In pieces, since nobody may write this in one.
		"ErrOtherSpelling": {"?_journal_mode" + "=WAL&_synchronous" + "=FULL", store.ErrNotDurable},
	} {
		t.Run(name, func(t *testing.T) {
			db := must(sql.Open(store.DriverName, "file:"+emptyFile(t)+c.options))(t)
			defer func() { ok(t, db.Close()) }()
			if err := store.AssertDurable(t.Context(), db); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestOpen_PathsWithOddCharacters(t *testing.T) {
	for _, name := range []string{"a b.db", "校 园?#%25.db", "x&mode=memory.db"} {
		c := newClock()
		path := filepath.Join(t.TempDir(), name)
		s := must(store.Create(t.Context(), path, testSite(), c.options()))(t)
		ok(t, s.Close())
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s = must(store.Open(t.Context(), path, c.options()))(t)
		ok(t, s.Close())
	}
}

func TestBind(t *testing.T) {
	for in, want := range map[string]string{
		"a = $1 AND b = $2":                  "a = ? AND b = ?",
		"a = $2 AND b = $1":                  "a = $2 AND b = $1",
		"a = $1 OR b = $1":                   "a = $1 OR b = $1",
		"$1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11": "? ? ? ? ? ? ? ? ? ? ?",
		"nothing":                            "nothing",
	} {
		if got := store.Bind(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMigrate(t *testing.T) {
	one, two := store.Step{Name: "0001_a", Text: "CREATE TABLE a (x INTEGER)"}, store.Step{Name: "0002_b", Text: "CREATE TABLE b (x INTEGER)"}
	changed := store.Step{Name: one.Name, Text: one.Text + " -- other"}
	broken := store.Step{Name: "0002_b", Text: "CREATE TABLE c (x INTEGER); NOT SQL"}
	for name, c := range map[string]struct {
		before, now []store.Step
		want        error
		tables      int
	}{
		"Fresh":      {nil, []store.Step{one, two}, nil, 2},
		"Again":      {[]store.Step{one, two}, []store.Step{one, two}, nil, 2},
		"OneMore":    {[]store.Step{one}, []store.Step{one, two}, nil, 2},
		"ErrNewer":   {[]store.Step{one, two}, []store.Step{one}, store.ErrNewer, 2},
		"ErrChanged": {[]store.Step{one}, []store.Step{changed, two}, store.ErrChanged, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := must(sql.Open(store.DriverName, store.DataSource(emptyFile(t), true)))(t)
			defer func() { ok(t, db.Close()) }()
			ok(t, store.MigrateTo(db, c.before...))
			if err := store.MigrateTo(db, c.now...); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if n := tables(t, db); n != c.tables {
				t.Fatalf("%d tables, want %d", n, c.tables)
			}
		})
	}
	t.Run("BrokenStepLeavesNothing", func(t *testing.T) {
		db := must(sql.Open(store.DriverName, store.DataSource(emptyFile(t), true)))(t)
		defer func() { ok(t, db.Close()) }()
		if err := store.MigrateTo(db, one, broken); err == nil || !strings.Contains(err.Error(), "0002_b") {
			t.Fatalf("got %v", err)
		}
		if n := tables(t, db); n != 0 {
			t.Fatalf("%d tables", n)
		}
		ok(t, store.MigrateTo(db, one, two))
	})
	t.Run("OfSeveralStepsOneThatFailsLeavesTheOldProgramItsDatabase", func(t *testing.T) {
		db := must(sql.Open(store.DriverName, store.DataSource(emptyFile(t), true)))(t)
		defer func() { ok(t, db.Close()) }()
		ok(t, store.MigrateTo(db, one))
		broken := store.Step{Name: "0003_c", Text: broken.Text}
		if err := store.MigrateTo(db, one, two, broken); err == nil || !strings.Contains(err.Error(), "0003_c") {
			t.Fatalf("got %v", err)
		}
		if n := tables(t, db); n != 1 {
			t.Fatalf("%d tables", n)
		}
		ok(t, store.MigrateTo(db, one)) // the program before
	})
}

func tables(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	ok(t, db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations'").Scan(&n))
	return n
}
