package cards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// What cards refuse. Most come as a [Refusal] that knows more.
var (
	// ErrNoCard: no such card, or the person has none that is bound.
	ErrNoCard = errors.New("no card")
	// ErrMismatch: name and number are not those of who asks. Which of them is
	// wrong is never said.
	ErrMismatch = errors.New("name and number do not fit")
	// ErrTries: too many wrong pairs of name and number.
	ErrTries = errors.New("too many wrong tries")
	// ErrState: not possible while the card is lost, frozen, or in order.
	ErrState = errors.New("not possible in the state of the card")
	// ErrClosed: the card is closed for good.
	ErrClosed = errors.New("card is closed")
	// ErrExists: the person has a card.
	ErrExists = errors.New("the person has a card")
	// ErrPassword: another card password, or there is none.
	ErrPassword = errors.New("wrong card password")
	// ErrLocked: too many wrong passwords.
	ErrLocked = errors.New("card password is locked")
	// ErrWeak: a password that everybody tries, or not six digits.
	ErrWeak = errors.New("weak card password")
	// ErrLimit: above what the campus or the card office allows.
	ErrLimit = errors.New("above the limit")
	// ErrBalance: there is money on the card, or promised to a till.
	ErrBalance = errors.New("there is money on the card")
	// ErrDebt: the holder owes something.
	ErrDebt = errors.New("there is a debt")
	// ErrDisputed: somebody looks into this payment already.
	ErrDisputed = errors.New("disputed already")
	// ErrBatch: the id was used for another batch of subsidies.
	ErrBatch = errors.New("id of another batch")
	// ErrFaulty: a batch with faulty rows, and nobody said to leave them out.
	ErrFaulty = errors.New("faulty rows")
	// ErrPosting: the ledger did not take a transfer.
	ErrPosting = errors.New("the ledger refused")
)

// Refusal is one of the errors above, with what the caller may be told beside.
type Refusal struct {
	Err     error
	Details map[string]any // for JSON; nothing secret
}

func (r *Refusal) Error() string { return r.Err.Error() }

func (r *Refusal) Unwrap() error { return r.Err }

func refuse(err error, key string, value any) error {
	return &Refusal{err, map[string]any{key: value}}
}

func fault(field, zh, en string) error { return &people.Fault{Field: field, ZH: zh, EN: en} }

// Money is what cards need of the ledger; *ledger.Ledger is one.
type Money interface {
	Post(t *store.Tx, tr ledger.Transfer) (ledger.Outcome, error)
	Balance(ctx context.Context, src store.Source, card uint64) (ledger.Balance, error)
	BalanceOf(ctx context.Context, src store.Source, a ledger.Account) (int64, error)
	Lines(ctx context.Context, src store.Source, card uint64, before int64, limit int) ([]ledger.Line, error)
	Find(ctx context.Context, src store.Source, id string) (ledger.Record, bool, error)
}

// Config is what a Service works with. All fields are required.
type Config struct {
	Store    *store.Store
	Issue    *issue.Service
	People   *people.Service
	Vault    people.Vault
	Ledger   Money
	Now      func() time.Time
	Random   io.Reader
	Location *time.Location // of the campus
}

// Service keeps cards. Safe for concurrent use.
type Service struct {
	Config
	slots  chan struct{} // of password hashes, which take memory
	rounds int           // of a verifier that is made
}

// New makes a Service.
func New(c Config) *Service { return &Service{c, make(chan struct{}, hashesAtOnce), iterations} }

// Account is a card.
type Account struct {
	Account  uint64 // pseudonym, 1 to 2^53-1
	Display  string // number for people
	Person   string // staff or student number
	Name     string
	State    wire.CardState
	StateAt  int64 // when that came about
	Epoch    uint32
	EpochAt  int64
	OpenedAt int64
	BoundAt  int64 // 0 = the holder has not bound it yet
	LostAt   int64 // 0 = not lost; may stand beside frozen
	FrozenAt int64
	ClosedAt int64
	// FreezeReason is for the office.
	FreezeReason string
	HasPassword  bool

	Limits  Caps      // in force
	Offline Offline   // in force
	Ceiling Terms     // without the holder's own: what they can ask for at most
	Office  Overrides // what the office has set for this card

	credential [8]byte // signing.PassID
	own        own
	password   []byte // sealed
	passwordAt int64
}

// change runs fn as a change. A refusal is a result: what fn has written with it
// stays, and the changes of others in the same transaction are not taken back.
func (s *Service) change(ctx context.Context, fn func(*store.Tx) (refusal, fault error)) error {
	var refusal error
	err := s.Store.Change(ctx, func(t *store.Tx) (err error) {
		refusal, err = fn(t)
		return err
	})
	if err != nil {
		return err
	}
	return refusal
}

// trail notes what was done to a card.
func trail(t *store.Tx, actor, action string, c Account, details map[string]any) error {
	return t.Trail(actor, action, "card "+c.Display, details)
}

// day is the campus day of a time in ms.
func (s *Service) day(at int64) string {
	return time.UnixMilli(at).In(s.Location).Format(time.DateOnly)
}

// post makes a transfer of a card now. Not being posted is ErrPosting, a
// refusal, except that it had been posted before.
func (s *Service) post(t *store.Tx, c Account, tr ledger.Transfer, data any) (refusal, fault error) {
	tr.At, tr.Day, tr.Card = t.Now(), s.day(t.Now()), c.Account
	if data != nil {
		text, err := json.Marshal(data)
		if err != nil {
			return nil, err
		}
		tr.Data = text
	}
	out, err := s.Ledger.Post(t, tr)
	switch {
	case err != nil:
		return nil, fmt.Errorf("transfer %s: %w", tr.ID, err)
	case out.State == ledger.Posted || out.State == ledger.Repeated:
		return nil, nil
	}
	return refuse(ErrPosting, "state", string(out.State)), nil
}
