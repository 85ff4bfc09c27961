package charges

import (
	"context"
	"log/slog"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

const (
	// holdFor is how long money is promised to a till that does not report.
	holdFor = 15 * time.Minute

	// maxFen bounds one charge: nothing costs ten million yuan, and no sum of
	// such amounts comes near the end of the numbers.
	maxFen = 10_000_000_00
	// maxAccount bounds the numbers of accounts, which pages read as they are.
	maxAccount = 1<<53 - 1
)

// Store is what a Service needs of the server's database; *store.Store is one.
type Store interface {
	Reader() store.Source
	Change(ctx context.Context, fn func(*store.Tx) error) error
	Urgent(ctx context.Context, fn func(*store.Tx) error) error
}

// Money is what a Service needs of the ledger; *ledger.Ledger is one.
type Money interface {
	Post(t *store.Tx, tr ledger.Transfer) (ledger.Outcome, error)
	Balance(ctx context.Context, src store.Source, card uint64) (ledger.Balance, error)
	Spend(ctx context.Context, src store.Source, card uint64, fen int64) ([]ledger.Entry, error)
	Hold(t *store.Tx, h ledger.Hold) (granted bool, free int64, err error)
	Release(t *store.Tx, id string) (held bool, err error)
}

// Card is what is asked of a card account. 0 = no limit.
type Card struct {
	State      wire.CardState
	Epoch      uint32 // of its credential
	Holder     string // masked
	PerTxFen   int64
	PerMealFen int64
	PerDayFen  int64
}

// Cards finds card accounts. ok is false where there is no such account.
type Cards interface {
	Card(ctx context.Context, src store.Source, account uint64) (c Card, ok bool, err error)
	// WasLost says whether a card was reported lost at a time in the past, in ms.
	WasLost(ctx context.Context, src store.Source, account uint64, at int64) (bool, error)
}

// Tills finds tills; *canteen.Service is one.
type Tills interface {
	At(ctx context.Context, src store.Source, gate uint16, version string) (canteen.Till, bool, error)
}

// Config is what a Service works with. All but Log are required.
type Config struct {
	Store    Store
	Ledger   Money
	Cards    Cards
	Tills    Tills
	Location *time.Location // of the campus: days begin there
	Log      *slog.Logger   // nil = discards; it never sees a name
}

// Service answers tills and posts what they report. One of them follows a
// database at a time (Run); everything else may be used from anywhere.
type Service struct {
	Config
	wake    chan struct{}
	counts  counts
	failing struct { // at what the follower stopped, and how often
		position int64
		times    int
	}
}

// New makes a Service.
func New(c Config) *Service {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Config: c, wake: make(chan struct{}, 1)}
}
