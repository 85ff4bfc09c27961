package people_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/configs"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

const actor = "test"

var by = people.By{Actor: actor}

// world is a Service over a real database.
type world struct {
	*people.Service
	db  *store.Store
	dir string
	now atomic.Int64
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// flowRoles are the posts that the flows of the sample campus name.
func flowRoles(context.Context) ([]people.Role, error) {
	return []people.Role{
		{Role: "community", Name: "社区办"},
		{Role: "security_office", Name: "保卫处"},
		{Role: "college_admin", Name: "学院管理人员"},
		{Role: "xgb_leader", Name: "学工部领导"},
		{Role: "ygb_leader", Name: "研工部领导"},
	}, nil
}

// newWorld is an empty campus at noon of 21 November 2026.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := worldOf(t, t.TempDir(), storetest.Found)
	t.Cleanup(func() { ok(t, w.db.Close()) })
	return w
}

var settled storetest.Folder

// sampled is the campus of the sample files.
func sampled(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	settled.Copy(t, dir, func(first string) {
		w := worldOf(t, first, storetest.Found)
		sampledInto(t, w)
		ok(t, w.db.Close())
	})
	w := worldOf(t, dir, storetest.Open)
	t.Cleanup(func() { ok(t, w.db.Close()) })
	return w
}

// worldOf is the campus of a folder, which is found there or opened.
func worldOf(t testing.TB, dir string, open func(storetest.T, string, store.Options) (*store.Store, ed25519.PrivateKey)) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{dir: dir}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, campus).UnixMilli())
	now := func() time.Time { return time.UnixMilli(w.now.Load()) }
	w.db, _ = open(t, dir, store.Options{Now: now, Random: rand.Reader})
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	w.Service = people.New(people.Config{
		Store: w.db, Vault: vault, Now: now, Location: campus, Random: rand.Reader, Roles: flowRoles,
	})
	return w
}

// sampledInto imports the sample files and gives what they did together.
func sampledInto(t testing.TB, w *world) (sum people.Imported) {
	t.Helper()
	files, err := configs.People()
	ok(t, err)
	for _, f := range files {
		done := w.importAll(t, people.ImportKind(f.Kind), string(f.Data))
		sum.Added += done.Added
		sum.Changed += done.Changed
	}
	return sum
}

// importAll imports a file that has no faults.
func (w *world) importAll(t testing.TB, kind people.ImportKind, file string) people.Imported {
	t.Helper()
	p := w.preview(t, kind, file)
	if len(p.Faults) > 0 {
		t.Fatalf("%s: faults %+v", kind, p.Faults)
	}
	done, err := w.Confirm(t.Context(), by, p.ID, false)
	ok(t, err)
	if done.Added != p.Adds || done.Changed != p.Changes || done.Skipped != 0 {
		t.Fatalf("%s: done %+v, promised %d and %d", kind, done, p.Adds, p.Changes)
	}
	return done
}

func (w *world) preview(t testing.TB, kind people.ImportKind, file string) people.Preview {
	t.Helper()
	p, err := w.Import(t.Context(), by, kind, "test.csv", []byte(file))
	ok(t, err)
	return p
}

// change runs a change that must succeed.
func (w *world) change(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	ok(t, w.Change(t.Context(), fn))
}

func (w *world) src() store.Source { return w.db.Reader() }

func (w *world) person(t testing.TB, id string) people.Person {
	t.Helper()
	p, err := w.Find(t.Context(), w.src(), id)
	ok(t, err)
	return p
}

// add makes somebody.
func (w *world) add(t testing.TB, p people.Person) people.Person {
	t.Helper()
	var made people.Person
	w.change(t, func(tx *store.Tx) (err error) {
		made, err = w.AddPerson(tx, actor, p)
		return err
	})
	return made
}

// refused requires a Fault of this field and that the trail is as long as
// before: nothing was changed.
func (w *world) refused(t testing.TB, field string, fn func(*store.Tx) error) {
	t.Helper()
	before := w.entries(t)
	err := w.Change(t.Context(), fn)
	var f *people.Fault
	if !errors.As(err, &f) || f.Field != field || f.ZH == "" || f.EN == "" {
		t.Fatalf("got %v, want a fault of %s", err, field)
	}
	if w.entries(t) != before {
		t.Fatalf("%s was refused and changed something: %s", field, w.trail(t))
	}
}

// entries is the length of the audit trail.
func (w *world) entries(t testing.TB) (n int) {
	t.Helper()
	ok(t, w.src().QueryRowContext(t.Context(), "SELECT count(*) FROM trail").Scan(&n))
	return n
}

// trail is the whole audit trail as text.
func (w *world) trail(t testing.TB) string {
	t.Helper()
	entries, err := w.db.Trail(t.Context(), 0, 1_000_000)
	ok(t, err)
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.Actor + " " + e.Action + " " + e.Target + " " + string(e.Details) + "\n")
	}
	return b.String()
}

// files is everything that the database has on disk.
func (w *world) files(t testing.TB) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(w.dir, "x.db*"))
	ok(t, err)
	var all strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		ok(t, err)
		all.Write(data)
	}
	return all.String()
}

func ids(list []people.Person) string {
	var all []string
	for _, p := range list {
		all = append(all, p.ID)
	}
	return strings.Join(all, " ")
}
