package recharge

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// What a Service wraps beside the errors of channels and store.ErrNotFound.
var (
	ErrInvalid = errors.New("invalid request")
	// ErrKey: the id was used for another order.
	ErrKey = errors.New("id was used for something else")
	// ErrNoCard: no such card account.
	ErrNoCard = cards.ErrNoCard
	// ErrCardClosed: the account takes no money any more.
	ErrCardClosed = cards.ErrClosed
	// ErrOff: this channel, or this way to pay, is not there.
	ErrOff = errors.New("no such payment channel or way")
	// ErrTooMany: too many orders wait to be paid.
	ErrTooMany = errors.New("too many unpaid orders")
)

// Fault says what is wrong with one field, in both languages. Nothing was
// changed.
type Fault struct{ Field, ZH, EN string }

func (f *Fault) Error() string { return f.Field + ": " + f.EN }

// Is makes a Fault an ErrInvalid.
func (f *Fault) Is(target error) bool { return target == ErrInvalid }

// Card is what has to be known of a card account.
type Card struct {
	Account uint64
	Number  string // as people read and write it
	Holder  string // name, masked
	State   wire.CardState
}

// Cards knows the card accounts. Errors: ErrNoCard.
type Cards interface {
	OfPerson(ctx context.Context, src store.Source, person string) (Card, error)
	Find(ctx context.Context, src store.Source, account uint64) (Card, error)
	// Named finds by Card.Number.
	Named(ctx context.Context, src store.Source, number string) (Card, error)
}

// Ledger is what is needed of *ledger.Ledger.
type Ledger interface {
	Post(t *store.Tx, tr ledger.Transfer) (ledger.Outcome, error)
	Refill(ctx context.Context, src store.Source, card uint64, fen int64) ([]ledger.Entry, error)
	Balance(ctx context.Context, src store.Source, card uint64) (ledger.Balance, error)
}

// Config is what a Service works with. All fields are required but Channels.
type Config struct {
	Store    *store.Store
	Ledger   Ledger
	Cards    Cards
	Channels []Channel
	Now      func() time.Time
	Location *time.Location
	Log      *slog.Logger // never sees a name, an account or a secret

	Amounts []int64 // offered, in fen
	Min     int64   // smallest amount, fen
	Max     int64   // largest
	Public  string  // scheme and host of the pages, where channels send people back to

	// Alarm has a program of the campus told of what a person has to look at, in the
	// change that finds it; what has the same id is told once. nil = nobody is told.
	Alarm func(t *store.Tx, id, about, kind string, body map[string]any) error
}

// DefaultAmounts are the buttons of the recharge page: 10 to 200 yuan.
func DefaultAmounts() []int64 { return []int64{1000, 2000, 3000, 5000, 10000, 20000} }

// The limits of an amount where nothing else is set.
const (
	DefaultMin = 100
	DefaultMax = 50000
)

// Service takes orders and what channels say of them. Safe for concurrent use.
type Service struct {
	Config
	channels map[string]Channel
}

// New makes a Service.
func New(c Config) *Service {
	s := &Service{Config: c, channels: map[string]Channel{}}
	if s.Alarm == nil {
		s.Alarm = func(*store.Tx, string, string, string, map[string]any) error { return nil }
	}
	for _, ch := range c.Channels {
		s.channels[ch.Info().ID] = ch
	}
	return s
}

// Warning stands beside the button that pays.
var Warning = Name{
	ZH: "请确保“账户账号”正确再充值!如有疑问,请咨询“财务资产处”",
	EN: "Make sure that the account is the right one before you pay. Questions: the finance office.",
}

// Options is what somebody who is about to pay has to know and can choose.
type Options struct {
	Card     Card
	Amounts  []int64
	Min, Max int64
	Channels []Info
}

// Options gives what can be chosen for an account; number "" = the person's own.
// Errors: ErrNoCard, ErrCardClosed.
func (s *Service) Options(ctx context.Context, person, number string) (Options, error) {
	card, err := s.card(ctx, person, number)
	if err != nil {
		return Options{}, err
	}
	if card.State == wire.CardClosed {
		return Options{}, ErrCardClosed
	}
	o := Options{Card: card, Amounts: s.Amounts, Min: s.Min, Max: s.Max, Channels: []Info{}}
	for _, ch := range s.Channels {
		o.Channels = append(o.Channels, ch.Info())
	}
	return o, nil
}

func (s *Service) card(ctx context.Context, person, number string) (Card, error) {
	if number == "" {
		return s.Cards.OfPerson(ctx, s.Store.Reader(), person)
	}
	return s.Cards.Named(ctx, s.Store.Reader(), number)
}

// day is the campus day of a moment.
func (s *Service) day(ms int64) string {
	return time.UnixMilli(ms).In(s.Location).Format(time.DateOnly)
}
