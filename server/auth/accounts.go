package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"campusgate/server/notify"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Why a person does not get in. Which part of a login was wrong is never said.
var (
	// ErrNoSession: ended, too old, or its person has left.
	ErrNoSession = errors.New("session has ended")
	// ErrMustChange: the password comes from somebody else and is to be changed
	// before anything else.
	ErrMustChange = errors.New("password must be changed first")
	// ErrCredentials: no such number, another password, or one who has left.
	ErrCredentials = errors.New("number or password is wrong")
	// ErrCode: another code, none, used, or too old.
	ErrCode = errors.New("code is wrong or too old")
	// ErrNoWay: this server does not offer that way in.
	ErrNoWay = errors.New("this way in is off")
	// ErrSending: the gateway did not take the code.
	ErrSending = errors.New("code could not be sent")
	// ErrBudget: as many codes were sent within the hour as may be.
	ErrBudget = errors.New("no more codes are sent this hour")
	// ErrUnknown: proved elsewhere who they are, and nobody here.
	ErrUnknown = errors.New("no such person here")
	// ErrLink: no such link.
	ErrLink = errors.New("no such link")
	// ErrBusy: too many passwords are being checked.
	ErrBusy = errors.New("too many at once")
)

// Wait is ErrTooMany with the time after which it may go.
type Wait struct{ After time.Duration }

func (w *Wait) Error() string { return fmt.Sprintf("try again in %s", w.After) }

// Is makes a Wait an ErrTooMany.
func (w *Wait) Is(target error) bool { return target == ErrTooMany }

// Config is what Accounts work with. All but Texter are required.
type Config struct {
	Store  *store.Store
	People *people.Service
	Vault  people.Vault
	Texter notify.Texter // nil = nobody signs in by phone
	Hourly int           // codes to all phones within an hour; 0 = DefaultHourly
	Now    func() time.Time
	Random io.Reader
}

// Accounts let persons in and know their sessions. Safe for concurrent use.
type Accounts struct {
	Config
	hasher *hasher

	mu   sync.Mutex
	seen map[int64]int64 // sessions used since the last Flush: when, ms
}

// NewAccounts makes Accounts.
func NewAccounts(c Config) *Accounts {
	if c.Hourly == 0 {
		c.Hourly = DefaultHourly
	}
	return &Accounts{Config: c, hasher: newHasher(c.Random), seen: map[int64]int64{}}
}

// Client is where a login comes from.
type Client struct {
	IP     string
	Device string // see Device
	Cookie string // of the session that the browser still has: a login ends it
}

// Entry is a session that has just begun.
type Entry struct {
	Caller  Caller
	Cookie  string // value of the cookie
	Lasting bool   // the browser keeps the cookie when it is closed
}

// secret is a random text that is given out once, and the hash that is kept.
type secret struct {
	plain string
	hash  []byte
}

func (a *Accounts) newSecret() (secret, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(a.Random, raw); err != nil {
		return secret{}, fmt.Errorf("make a session: %w", err)
	}
	plain := base64.RawURLEncoding.EncodeToString(raw)
	return secret{plain, hashOf(plain)}, nil
}

// change runs fn as a change. A refusal is a result: what fn has written with it
// stays, such as the count of wrong tries, and the changes of others in the same
// transaction are not taken back.
func (a *Accounts) change(ctx context.Context, fn func(*store.Tx) (refusal, fault error)) error {
	var refusal error
	err := a.Store.Change(ctx, func(t *store.Tx) (err error) {
		refusal, err = fn(t)
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

// begin starts a session in the change that found out who it is.
func (a *Accounts) begin(t *store.Tx, person, way string, c Client, s secret) error {
	if c.Cookie != "" {
		if err := t.Exec("DELETE FROM sessions WHERE hash = $1", hashOf(c.Cookie)); err != nil {
			return err
		}
	}
	var id int64
	err := t.QueryRowContext(t.Context(), `INSERT INTO sessions (hash, person, way, device, created_at, seen_at)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`, s.hash, person, way, c.Device, t.Now(), t.Now()).Scan(&id)
	if err != nil {
		return err
	}
	return record(t, person, way, c, "ok", id)
}

// entered reads back what begin has made.
func (a *Accounts) entered(ctx context.Context, s secret) (Entry, error) {
	caller, way, err := a.session(ctx, s.plain)
	return Entry{Caller: caller, Cookie: s.plain, Lasting: lifeOf(way) == lifePhone}, err
}

// Enter starts a session for a person who has proved elsewhere to have this
// number. ErrUnknown when nobody active has it.
func (a *Accounts) Enter(ctx context.Context, number, way string, c Client) (Entry, error) {
	s, err := a.newSecret()
	if err != nil {
		return Entry{}, err
	}
	err = a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		person, err := a.active(t.Context(), t, number)
		if err != nil {
			return nil, err
		}
		if person.ID == "" {
			return ErrUnknown, record(t, "", way, c, "unknown", 0)
		}
		return nil, a.begin(t, person.ID, way, c, s)
	})
	if err != nil {
		return Entry{}, err
	}
	return a.entered(ctx, s)
}

// active finds a person who has not left; the zero Person when there is none.
func (a *Accounts) active(ctx context.Context, src store.Source, number string) (people.Person, error) {
	person, err := a.People.Find(ctx, src, number)
	if errors.Is(err, store.ErrNotFound) || err == nil && person.State != people.Active {
		return people.Person{}, nil
	}
	return person, err
}

func hashOf(plain string) []byte {
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}

// below gives a number from 0 to n-1, each equally likely.
func below(random io.Reader, n uint32) (uint32, error) {
	even := math.MaxUint32 / n * n // beyond it, small results would come more often
	for {
		var raw [4]byte
		if _, err := io.ReadFull(random, raw[:]); err != nil {
			return 0, err
		}
		if v := binary.LittleEndian.Uint32(raw[:]); v < even {
			return v % n, nil
		}
	}
}
