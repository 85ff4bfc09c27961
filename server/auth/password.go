package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/people"
	"campusgate/server/store"
)

// Wrong passwords of one number: so many within so long, and nobody may try for
// as long again. It holds for numbers that nobody has, too.
const (
	lockAfter  = 5
	lockWindow = 15 * time.Minute
)

// numberOf is the form in which numbers of persons are kept.
func numberOf(text string) string { return norm.NFKC.String(strings.TrimSpace(text)) }

// passwordOf gives the hash of a person's password, "" when there is none.
func passwordOf(ctx context.Context, src store.Source, person string) (hash string, err error) {
	err = src.QueryRowContext(ctx, "SELECT phc FROM passwords WHERE person = $1", person).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return hash, err
}

// HasPassword reports whether a person has one.
func (a *Accounts) HasPassword(ctx context.Context, person string) (bool, error) {
	hash, err := passwordOf(ctx, a.Store.Reader(), person)
	return hash != "", err
}

// EnterByPassword starts a session for who knows the password of a number.
// Errors: ErrCredentials, *Wait, ErrBusy.
func (a *Accounts) EnterByPassword(ctx context.Context, number, password string, c Client) (Entry, error) {
	number = numberOf(number)
	s, err := a.newSecret()
	if err != nil {
		return Entry{}, err
	}
	hash, fresh, err := a.prove(ctx, number, password, c)
	if err != nil && !errors.Is(err, ErrCredentials) {
		return Entry{}, err
	}
	good := err == nil
	err = a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		person, err := a.active(t.Context(), t, number)
		if err != nil {
			return nil, err
		}
		if !good {
			return ErrCredentials, record(t, person.ID, WayPassword, c, "wrong_password", 0)
		}
		// It may have become another one meanwhile, or the person have left.
		if now, err := passwordOf(t.Context(), t, person.ID); err != nil || now != hash {
			return ErrCredentials, err
		}
		if fresh != "" {
			if err := t.Exec("UPDATE passwords SET phc = $1 WHERE person = $2", fresh, person.ID); err != nil {
				return nil, err
			}
		}
		if err := a.uncharge(t, number); err != nil {
			return nil, err
		}
		return nil, a.begin(t, person.ID, WayPassword, c, s)
	})
	if err != nil {
		return Entry{}, err
	}
	return a.entered(ctx, s)
}

// prove checks a password, whether anybody has the number or not, in the same
// time. The try is counted before, so that many at once are no more than five
// either. Fresh is a hash at today's cost where the kept one is of another.
func (a *Accounts) prove(ctx context.Context, number, password string, c Client) (hash, fresh string, err error) {
	if err := a.charge(ctx, number, c); err != nil {
		return "", "", err
	}
	src := a.Store.Reader()
	person, err := a.active(ctx, src, number)
	if err != nil {
		return "", "", err
	}
	if hash, err = passwordOf(ctx, src, person.ID); err != nil {
		return "", "", err
	}
	against := hash
	if hash == "" {
		against = decoy
	}
	good, outdated, err := a.hasher.check(ctx, against, norm.NFC.String(password))
	if err != nil {
		return "", "", err
	}
	if !good || hash == "" {
		return "", "", ErrCredentials
	}
	if outdated {
		fresh, err = a.hasher.hash(ctx, norm.NFC.String(password))
	}
	return hash, fresh, err
}

func (a *Accounts) attemptKey(number string) []byte { return a.Vault.Index("login attempts", number) }

// charge counts a try at a number; a *Wait while it is locked.
func (a *Accounts) charge(ctx context.Context, number string, c Client) error {
	key := a.attemptKey(number)
	return a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		now := t.Now()
		var count, began, locked int64
		err := t.QueryRowContext(t.Context(), "SELECT count, began_at, coalesce(locked_until, 0) FROM attempts WHERE number = $1", key).
			Scan(&count, &began, &locked)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if locked > now {
			person, err := a.active(t.Context(), t, number)
			if err != nil {
				return nil, err
			}
			return &Wait{time.Duration(locked-now) * time.Millisecond}, record(t, person.ID, WayPassword, c, "locked", 0)
		}
		if locked != 0 || now-began >= lockWindow.Milliseconds() {
			count, began = 0, now
		}
		var until any
		if count++; count >= lockAfter {
			until = now + lockWindow.Milliseconds()
		}
		return nil, t.Exec(`INSERT INTO attempts (number, count, began_at, locked_until) VALUES ($1, $2, $3, $4)
			ON CONFLICT (number) DO UPDATE SET count = excluded.count, began_at = excluded.began_at,
				locked_until = excluded.locked_until`, key, count, began, until)
	})
}

// uncharge forgets the tries at a number after one was right.
func (a *Accounts) uncharge(t *store.Tx, number string) error {
	return t.Exec("DELETE FROM attempts WHERE number = $1", a.attemptKey(number))
}

// ChangePassword replaces a person's own password, and ends their other
// sessions. Who has none yet needs no old one. Errors: ErrCredentials, *Wait,
// ErrBusy, or a *people.Fault of field "new".
func (a *Accounts) ChangePassword(ctx context.Context, who Caller, old, fresh string, c Client) error {
	person, err := a.People.Details(ctx, a.Store.Reader(), who.Person)
	if err != nil {
		return err
	}
	before, err := passwordOf(ctx, a.Store.Reader(), person.ID)
	if err != nil {
		return err
	}
	if before != "" {
		if _, _, err := a.prove(ctx, person.ID, old, c); err != nil {
			return err
		}
	}
	if err := checkPassword(fresh, person); err != nil {
		return err
	}
	if fresh == old {
		return &people.Fault{Field: "new", ZH: "新密码不能与原密码相同", EN: "the same as the old one"}
	}
	hash, err := a.hasher.hash(ctx, norm.NFC.String(fresh))
	if err != nil {
		return err
	}
	return a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		if now, err := passwordOf(t.Context(), t, person.ID); err != nil || now != before {
			return ErrCredentials, err // changed meanwhile
		}
		if err := a.uncharge(t, person.ID); err != nil {
			return nil, err
		}
		return nil, a.setPassword(t, who.Actor, person.ID, hash, false, who.Session)
	})
}

// setPassword keeps a hash and ends every session but one.
func (a *Accounts) setPassword(t *store.Tx, actor, person, hash string, mustChange bool, keep int64) error {
	initial, action := 0, "password.changed"
	if mustChange {
		initial, action = 1, "password.reset"
	}
	err := t.Exec(`INSERT INTO passwords (person, phc, must_change, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person) DO UPDATE SET phc = excluded.phc, must_change = excluded.must_change, changed_at = excluded.changed_at`,
		person, hash, initial, t.Now())
	if err != nil {
		return err
	}
	if err := EndAll(t, person, keep); err != nil {
		return err
	}
	return t.Trail(actor, action, "person "+person, nil)
}

// Initial gives a person a random password that must be changed at the first
// login, ends their sessions, and lifts a lock. Only who may all that the person
// may can do that: ErrForbidden. store.ErrNotFound for nobody active.
func (a *Accounts) Initial(ctx context.Context, who Caller, number string) (password string, err error) {
	if password, err = a.newPassword(); err != nil {
		return "", err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		person, err := a.active(t.Context(), t, number)
		if err != nil {
			return nil, err
		}
		if person.ID == "" {
			return fmt.Errorf("%w: person", store.ErrNotFound), nil
		}
		posts, err := a.People.PostsOf(t.Context(), t, person.ID, a.People.Today())
		if err != nil {
			return nil, err
		}
		if theirs := ScopesOf(posts)[1:]; !who.Scopes.Covers(theirs) { // all but Self, which everybody has
			return fmt.Errorf("%w: this person may more than you", ErrForbidden), nil
		}
		if err := a.uncharge(t, person.ID); err != nil {
			return nil, err
		}
		return nil, a.setPassword(t, who.Actor, person.ID, hash, true, 0)
	})
	if err != nil {
		return "", err
	}
	return password, nil
}

// letters of initial passwords: those that are not taken for one another on
// paper.
const letters = "abcdefghjkmnpqrstuvwxyz23456789"

// newPassword gives 14 of them, 69 bits.
func (a *Accounts) newPassword() (string, error) {
	text := make([]byte, 14)
	for i := range text {
		n, err := below(a.Random, uint32(len(letters)))
		if err != nil {
			return "", fmt.Errorf("make a password: %w", err)
		}
		text[i] = letters[n]
	}
	return string(text), nil
}
