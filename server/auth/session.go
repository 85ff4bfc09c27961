package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"campusgate/server/people"
	"campusgate/server/store"
)

// Cookie is the name of the session cookie.
const Cookie = "cg_session"

// How long a session lasts after it was last used. A phone is its owner's; a
// password is typed on any PC.
const (
	lifePhone = 90 * 24 * time.Hour
	lifeOther = 12 * time.Hour

	seenEvery  = time.Minute // how exactly the last use is kept
	cookieSize = 43
)

// The ways in that are not another system's.
const (
	WayPhone    = "phone"
	WayPassword = "password"
	WayLink     = "link"
)

func lifeOf(way string) time.Duration {
	if way == WayPhone {
		return lifePhone
	}
	return lifeOther
}

// Session is one that has not ended.
type Session struct {
	ID        int64
	Way       string
	Device    string
	CreatedAt int64 // ms
	SeenAt    int64 // ms
}

// Check finds the caller of a request by its cookie. Posts are read anew each
// time, so who has left, or whose post has ended, may nothing more at once. The
// error is ErrNoSession or the database's.
func (a *Accounts) Check(ctx context.Context, cookie string) (Caller, error) {
	caller, _, err := a.session(ctx, cookie)
	return caller, err
}

func (a *Accounts) session(ctx context.Context, cookie string) (caller Caller, way string, err error) {
	if len(cookie) != cookieSize {
		return Caller{}, "", ErrNoSession
	}
	src := a.Store.Reader()
	var seen int64
	var initial bool
	err = src.QueryRowContext(ctx, `SELECT s.id, s.person, s.way, s.seen_at, coalesce(p.must_change, 0)
		FROM sessions s LEFT JOIN passwords p ON p.person = s.person WHERE s.hash = $1`, hashOf(cookie)).
		Scan(&caller.Session, &caller.Person, &way, &seen, &initial)
	if errors.Is(err, sql.ErrNoRows) {
		return Caller{}, "", ErrNoSession
	}
	if err != nil {
		return Caller{}, "", err
	}
	now := a.Now().UnixMilli()
	if now >= seen+lifeOf(way).Milliseconds() {
		return Caller{}, "", ErrNoSession
	}
	person, err := a.active(ctx, src, caller.Person)
	if err != nil {
		return Caller{}, "", err
	}
	if person.ID == "" {
		return Caller{}, "", ErrNoSession
	}
	if caller.Posts, err = a.People.PostsOf(ctx, src, person.ID, a.People.Today()); err != nil {
		return Caller{}, "", err
	}
	caller.Actor, caller.Name = actorOf(person.ID), person.Name
	caller.Scopes, caller.Gate = ScopesOf(caller.Posts), gateOf(caller.Posts)
	caller.MustChange = initial && way == WayPassword
	if now-seen >= seenEvery.Milliseconds() {
		a.mu.Lock()
		a.seen[caller.Session] = now
		a.mu.Unlock()
	}
	return caller, way, nil
}

// actorOf is how the trail calls a person.
func actorOf(person string) string { return "person " + person }

// gateOf is the gate of the guard's latest post.
func gateOf(posts []people.Post) uint16 {
	var last people.Post
	for _, p := range posts {
		if p.Role == people.Guard && p.Gate != 0 && p.From >= last.From {
			last = p
		}
	}
	return last.Gate
}

// Sessions lists the sessions of a person that have not ended, the last used
// first.
func (a *Accounts) Sessions(ctx context.Context, person string) ([]Session, error) {
	now := a.Now().UnixMilli()
	scan := func(rows *sql.Rows) (s Session, err error) {
		err = rows.Scan(&s.ID, &s.Way, &s.Device, &s.CreatedAt, &s.SeenAt)
		return s, err
	}
	all, err := store.List(ctx, a.Store.Reader(), scan, `SELECT id, way, device, created_at, seen_at FROM sessions
		WHERE person = $1 ORDER BY seen_at DESC, id DESC`, person)
	open := all[:0]
	for _, s := range all {
		if now < s.SeenAt+lifeOf(s.Way).Milliseconds() {
			open = append(open, s)
		}
	}
	return open, err
}

// End ends a session of this person; store.ErrNotFound when they have no such.
func (a *Accounts) End(ctx context.Context, person string, id int64) error {
	return a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		n, err := t.Affect("DELETE FROM sessions WHERE id = $1 AND person = $2", id, person)
		if err == nil && n == 0 {
			return fmt.Errorf("%w: session", store.ErrNotFound), nil
		}
		return nil, err
	})
}

// EndAll ends every session of a person but one, in the change that makes this
// necessary; keep 0 = every one.
func EndAll(t *store.Tx, person string, keep int64) error {
	return t.Exec("DELETE FROM sessions WHERE person = $1 AND id <> $2", person, keep)
}

// Flush keeps which sessions were used since the last Flush. It is called every
// minute: no request waits for a disk because of it.
func (a *Accounts) Flush(ctx context.Context) error {
	a.mu.Lock()
	used := a.seen
	a.seen = map[int64]int64{}
	a.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	return a.Store.Change(ctx, func(t *store.Tx) error {
		for id, at := range used {
			if err := t.Exec("UPDATE sessions SET seen_at = $1 WHERE id = $2", at, id); err != nil {
				return err
			}
		}
		return nil
	})
}
