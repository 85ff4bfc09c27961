package backup_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/backup"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var rows = flag.Int("rows", 2000, "events in the database that is backed up under load")

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

type site struct {
	*store.Store
	dir   string
	clock atomic.Int64
}

func (s *site) now() time.Time { return time.UnixMilli(s.clock.Load()) }

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	s.clock.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixMilli())
	s.Store, _ = storetest.Found(t, s.dir, store.Options{Now: s.now, Random: rand.Reader})
	return s
}

func (s *site) source() backup.Source {
	return backup.Source{Database: filepath.Join(s.dir, storetest.Database), Attachments: filepath.Join(s.dir, "attachments")}
}

func (s *site) service(dir string, keep int) *backup.Service {
	return backup.New(backup.Config{
		Store: s.Store, Source: s.source(), Schedule: backup.Schedule{Dir: dir, Hour: 3, Minute: 10, Keep: keep},
		Now: s.now, Location: time.UTC, Log: slog.New(slog.DiscardHandler),
	})
}

func (s *site) write(ctx context.Context) error {
	return s.Change(ctx, func(t *store.Tx) error { return t.Trail("test", "test.written", "", nil) })
}

// TestMake_WritersGoOn backs up a database that is written all the while. With
// -rows 300000 -v it tells what the writers feel of it.
func TestMake_WritersGoOn(t *testing.T) {
	s := newSite(t)
	var writers sync.WaitGroup
	for range 100 { // whose changes share a commit
		writers.Go(func() {
			for range *rows / 100 {
				_, err := s.RecordOwn(t.Context(), wire.Event{
					Type: wire.EventScan, At: s.clock.Load(), Gate: 1, Lane: "in", Verdict: verdict.Verdict{Reason: verdict.Expired},
					Case: &verdict.Case{Code: verdict.Code{Site: strings.Repeat("x", 300)}},
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	submit := func(until <-chan struct{}) (took []time.Duration) {
		for {
			select {
			case <-until:
				return took
			default:
			}
			began := time.Now()
			if err := s.write(t.Context()); err != nil {
				t.Error(err)
				return took
			}
			took = append(took, time.Since(began))
		}
	}
	p99 := func(all []time.Duration) time.Duration {
		slices.Sort(all)
		return all[len(all)*99/100]
	}
	quiet := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() { close(quiet) })
	alone := submit(quiet)
	made, done := backup.Made{}, make(chan struct{})
	before := must(s.VerifyTrail(t.Context()))(t)
	out := filepath.Join(t.TempDir(), "b.db")
	var failed error
	go func() {
		defer close(done)
		made, failed = backup.Make(t.Context(), s.source(), out, time.Now)
	}()
	during := submit(done)
	if failed != nil {
		t.Fatal(failed)
	}
	if len(during) == 0 || len(alone) == 0 {
		t.Fatal("nothing was written meanwhile")
	}
	t.Logf("%d bytes in %d ms; p99 of %d submits %v, of %d during the backup %v, longest %v",
		made.Bytes, made.TookMS, len(alone), p99(alone), len(during), p99(during), during[len(during)-1])
	c := must(store.Examine(t.Context(), out))(t)
	if c.Trail < before || c.Site != "云岭大学" || c.Bytes != made.Bytes {
		t.Errorf("%+v of a trail of %d", c, before)
	}
	if info := must(os.Stat(out))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}

func TestTick_MakesWhatIsDueOnceAndKeepsTheLatest(t *testing.T) {
	s := newSite(t)
	dir := t.TempDir()
	b := s.service(dir, 2)
	list := func() []string { return must(filepath.Glob(filepath.Join(dir, "*.db")))(t) }
	for day := range 4 {
		for range 3 { // every minute, as a server does
			if err := b.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.clock.Add(time.Minute.Milliseconds())
		}
		if n := len(list()); n != min(day+1, 2) {
			t.Errorf("day %d: %q", day, list())
		}
		s.clock.Add(24 * time.Hour.Milliseconds())
	}
	st := must(b.Status(t.Context()))(t)
	if !st.Scheduled || !st.Late || st.Last == nil || st.At != "03:10" || st.Failure != "" {
		t.Errorf("a day later: %+v", st)
	}
}

// TestTick_AFailureIsToldAndLeavesNothing: a folder that is not there is a disk
// that was not mounted, and none is made in its place.
func TestTick_AFailureIsToldAndLeavesNothing(t *testing.T) {
	s := newSite(t)
	dir := filepath.Join(t.TempDir(), "mounted")
	b := s.service(dir, 2)
	if err := b.Tick(t.Context()); err == nil {
		t.Fatal("a backup without a folder")
	}
	if err := b.Tick(t.Context()); err != nil {
		t.Errorf("the next try comes later, not %v", err)
	}
	st := must(b.Status(t.Context()))(t)
	if st.Failure == "" || st.FailedAt == 0 || st.Last != nil || !st.Late {
		t.Errorf("%+v", st)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.clock.Add(time.Hour.Milliseconds())
	if err := b.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st = must(b.Status(t.Context()))(t); st.Failure != "" || st.Last == nil || st.Late {
		t.Errorf("%+v", st)
	}
}

func TestMake_NothingIsOverwrittenAndNothingHalfIsLeft(t *testing.T) {
	s := newSite(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "b.db")
	must(backup.Make(t.Context(), s.source(), out, s.now))(t)
	if _, err := backup.Make(t.Context(), s.source(), out, s.now); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a backup: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Make(ended, s.source(), filepath.Join(dir, "c.db"), s.now); err == nil {
		t.Error("a backup that was called off")
	}
	if all := must(filepath.Glob(filepath.Join(dir, ".*part*")))(t); len(all) > 0 {
		t.Errorf("left: %q", all)
	}
	whole := must(os.ReadFile(out))(t)
	for _, n := range []int{0, 100, 4096, len(whole) / 2, len(whole) - 4096, len(whole) - 1} {
		cut := filepath.Join(dir, fmt.Sprintf("cut%d.db", n))
		if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Examine(t.Context(), cut); err == nil {
			t.Errorf("%d of %d bytes are taken for whole", n, len(whole))
		}
	}
}

// TestRestore_FailsWithNothingChanged: what prepares the new database fails, and
// the old one is as it was.
func TestRestore_FailsWithNothingChanged(t *testing.T) {
	s := newSite(t)
	out := filepath.Join(t.TempDir(), "b.db")
	must(backup.Make(t.Context(), s.source(), out, s.now))(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	old := must(os.ReadFile(s.source().Database))(t)
	failed := errors.New("no")
	if _, err := backup.Restore(t.Context(), out, s.source(), true, s.now, func(string) error { return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), out, s.source(), false, s.now, nil); !errors.Is(err, backup.ErrInPlace) {
		t.Errorf("over a database: %v", err)
	}
	if now := must(os.ReadFile(s.source().Database))(t); string(now) != string(old) {
		t.Error("the old database changed")
	}
	kept := must(backup.Restore(t.Context(), out, s.source(), true, s.now, func(string) error { return nil }))(t)
	if aside := must(os.ReadFile(filepath.Join(kept, storetest.Database)))(t); string(aside) != string(old) {
		t.Error("what is kept is not the old database")
	}
}
