package issue

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"time"

	"campusgate/server/store"
)

// Errors of the service, beside those of package store.
var (
	// ErrNotReady: the next key has not been published long enough.
	ErrNotReady = errors.New("the next key is not published long enough")
	// ErrKeyState: the key is not in a state that allows this.
	ErrKeyState = errors.New("not possible for a key in this state")
	// ErrNoKey: there is no active key, so nothing can be signed.
	ErrNoKey = errors.New("no active key")
	// ErrSpent: a prepared pass was issued already.
	ErrSpent = errors.New("prepared pass was issued already")
	// ErrNotBound: the pass has a static code and takes no phone key.
	ErrNotBound = errors.New("pass takes no phone key")
	// ErrOver: the pass is revoked or out of date.
	ErrOver = errors.New("pass is revoked or out of date")
	// ErrEarly: the pass does not hold yet.
	ErrEarly = errors.New("pass does not hold yet")
	// ErrProof: the phone did not sign a nonce of this pass with this key.
	ErrProof = errors.New("phone key is not proved")
)

// Policy is how long keys live.
type Policy struct {
	ActiveFor    time.Duration // a key signs this long
	PublishAhead time.Duration // and is in keyrings at least this long before
}

// DefaultPolicy changes the key four times a year.
var DefaultPolicy = Policy{ActiveFor: 90 * 24 * time.Hour, PublishAhead: 14 * 24 * time.Hour}

// Config is what a Service works with. All fields are required.
type Config struct {
	Store    *store.Store
	Seal     *Sealer
	Root     func() (ed25519.PrivateKey, error) // wraps ErrRootAbsent when it is elsewhere
	Random   io.Reader
	Now      func() time.Time
	Location *time.Location // campus time
	Host     string         // in static codes
	Policy   Policy
}

// Service signs. Safe for concurrent use.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// records is what signing reads: a *store.Store what was committed, a *store.Tx
// what its change sees.
type records interface {
	keys
	Gates(ctx context.Context) ([]store.Gate, error)
}

// keys is what signing itself reads.
type keys interface {
	Keys(ctx context.Context) ([]store.Key, error)
}

func (s *Service) site() string { return s.Store.Site().Name }
