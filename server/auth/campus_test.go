package auth_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

// campus is a database with people, and their way in.
type campus struct {
	*auth.Accounts
	db     *store.Store
	people *people.Service
	sms    *gateway
	mu     sync.Mutex
	now    time.Time
}

// gateway stands for the carrier: what was sent, and how it fails. Lost means
// that the code arrives and the answer does not.
type gateway struct {
	mu    sync.Mutex
	codes map[string][]string
	fault error
	lost  bool
}

func (g *gateway) Text(_ context.Context, phone, code string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fault == nil || g.lost {
		g.codes[phone] = append(g.codes[phone], code)
	}
	return g.fault
}

// last is the code that a phone got last, "" = none.
func (g *gateway) last(phone string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.codes[phone]); n > 0 {
		return g.codes[phone][n-1]
	}
	return ""
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func (c *campus) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *campus) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newCampus(t testing.TB) *campus {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	c := &campus{now: time.Date(2026, 5, 1, 9, 0, 0, 0, zone), sms: &gateway{codes: map[string][]string{}}}
	c.db, _ = storetest.Found(t, t.TempDir(), store.Options{Now: c.time, Random: rand.Reader})
	t.Cleanup(func() { ok(t, c.db.Close()) })
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	c.people = people.New(people.Config{Store: c.db, Vault: vault, Now: c.time, Location: zone, Random: rand.Reader})
	c.Accounts = auth.NewAccounts(auth.Config{
		Store: c.db, People: c.people, Vault: vault, Texter: c.sms, Now: c.time, Random: rand.Reader,
	})
	return c
}

func (c *campus) change(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	ok(t, c.people.Change(t.Context(), fn))
}

// add makes a member of staff.
func (c *campus) add(t testing.TB, number, phone string, posts ...people.Post) {
	t.Helper()
	c.change(t, func(tx *store.Tx) error {
		_, err := c.people.AddPerson(tx, "test", people.Person{
			ID: number, Name: "林晓岚", Kind: people.Staff, Phone: phone, IDNumber: "53010219900307202X",
		})
		for _, p := range posts {
			p.Person = number
			if err == nil {
				_, err = c.people.AddPost(tx, "test", p)
			}
		}
		return err
	})
}

// root may give anybody an initial password.
var root = auth.Caller{Actor: "test", Scopes: auth.Scopes{auth.Admin}}

// password gives somebody a password of their own.
func (c *campus) password(t testing.TB, number, password string) {
	t.Helper()
	initial, err := c.Initial(t.Context(), root, number)
	ok(t, err)
	e, err := c.EnterByPassword(t.Context(), number, initial, auth.Client{})
	ok(t, err)
	ok(t, c.ChangePassword(t.Context(), e.Caller, initial, password, auth.Client{}))
	ok(t, c.End(t.Context(), number, e.Caller.Session))
}

func (c *campus) enter(t testing.TB, number string) auth.Entry {
	t.Helper()
	e, err := c.Enter(t.Context(), number, "oidc:campus", auth.Client{})
	ok(t, err)
	return e
}

func (c *campus) byPhone(t testing.TB, phone string) auth.Entry {
	t.Helper()
	ok(t, c.SendCode(t.Context(), phone))
	e, err := c.EnterByPhone(t.Context(), phone, c.sms.last(phone), auth.Client{})
	ok(t, err)
	return e
}

// results are those of a person's history, oldest first.
func (c *campus) results(t testing.TB, person string) string {
	t.Helper()
	list, _, err := c.Logins(t.Context(), person, 1, 100)
	ok(t, err)
	var all []string
	for _, l := range list {
		all = append([]string{l.Way + " " + l.Result}, all...)
	}
	return strings.Join(all, ", ")
}

// dump is every text and every byte that the database holds.
func (c *campus) dump(t testing.TB) string {
	t.Helper()
	src := c.db.Reader()
	tables, err := store.List(t.Context(), src, func(rows *sql.Rows) (name string, err error) {
		return name, rows.Scan(&name)
	}, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	ok(t, err)
	var all strings.Builder
	for _, table := range tables {
		rows, err := src.QueryContext(t.Context(), "SELECT * FROM "+table)
		ok(t, err)
		columns, err := rows.Columns()
		ok(t, err)
		for rows.Next() {
			row, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			ok(t, rows.Scan(into...))
			for _, cell := range row {
				all.Write(cell)
				all.WriteByte('\n')
			}
		}
		ok(t, errors.Join(rows.Err(), rows.Close()))
	}
	return all.String()
}
