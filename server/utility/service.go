package utility

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// What a Service wraps beside store.ErrNotFound and, for ids that come again
// with other content, for requests and for accounts, the errors of recharge:
// ErrKey, *Fault, ErrNoCard.
var (
	// ErrBalance: the main account has not so much that is free.
	ErrBalance = errors.New("not enough money")
	// ErrCard: the card is lost, frozen or closed.
	ErrCard = errors.New("the card does not pay now")
)

// The kinds of meters. The names are permanent, and those of ledger accounts.
const (
	Electricity = "electricity"
	HotWater    = "hot_water"
)

// Kind is one service that is paid for.
type Kind struct {
	ID      string
	Name    recharge.Name
	Adapter Adapter
}

// Config is what a Service works with. All fields are required but Kinds.
type Config struct {
	Store    *store.Store
	Ledger   recharge.Ledger
	Cards    recharge.Cards
	Kinds    []Kind
	Now      func() time.Time
	Location *time.Location
	Log      *slog.Logger

	Amounts []int64 // offered, fen
	Max     int64   // of one payment, fen
}

// Service takes payments. Safe for concurrent use.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c} }

// State is where a payment stands.
type State string

// The states. The names are permanent.
const (
	Pending State = "pending" // paid, and the meter has not answered
	Done    State = "done"
	Failed  State = "failed" // the money was given back
)

// Payment is money for a meter.
type Payment struct {
	ID         string
	Person     string
	Key        string
	Account    uint64
	Kind       string
	Meter      string
	Room       string
	Fen        int64
	CreatedAt  int64
	DoneAt     int64 // facts: unix ms, 0 = it is not so
	ReversedAt int64

	tries int
}

// State derives where the payment stands from the facts.
func (p Payment) State() State {
	switch {
	case p.DoneAt > 0:
		return Done
	case p.ReversedAt > 0:
		return Failed
	}
	return Pending
}

func (p Payment) transfer() string { return "utility/" + p.ID }

const paymentColumns = `SELECT id, person, key, account, kind, meter, room, fen, created_at, tries, coalesce(done_at, 0), coalesce(reversed_at, 0)
	FROM utility_payments`

func scanPayment(rows *sql.Rows) (p Payment, err error) {
	err = rows.Scan(&p.ID, &p.Person, &p.Key, &p.Account, &p.Kind, &p.Meter, &p.Room, &p.Fen, &p.CreatedAt, &p.tries, &p.DoneAt, &p.ReversedAt)
	return p, err
}

func find(ctx context.Context, src store.Source, id string) (Payment, error) {
	found, err := store.List(ctx, src, scanPayment, paymentColumns+" WHERE id = $1", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("payment: %w", store.ErrNotFound)
	}
	if err != nil {
		return Payment{}, err
	}
	return found[0], nil
}

// List gives a person's payments, newest first; before 0 = from the newest.
func (s *Service) List(ctx context.Context, person string, before int64, limit int) ([]Payment, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	return store.List(ctx, s.Store.Reader(), scanPayment,
		paymentColumns+" WHERE person = $1 AND created_at < $2 ORDER BY created_at DESC, id LIMIT $3", person, before, limit)
}

// Offer is a kind with the meters of a person. Meters is nil where their system
// does not answer.
type Offer struct {
	Kind   Kind
	Meters []Meter
}

// Offers gives what a person can pay for. A system that does not answer takes
// nothing away from the others.
func (s *Service) Offers(ctx context.Context, person string) []Offer {
	all := []Offer{}
	for _, k := range s.Kinds {
		meters, err := k.Adapter.Meters(ctx, person)
		if err != nil {
			s.Log.Warn("utility: meters", "kind", k.ID, "err", err)
			meters = nil
		}
		all = append(all, Offer{k, meters})
	}
	return all
}

// Paying asks for a payment.
type Paying struct {
	Person string
	Key    string // made by the asker: the same again is the same payment
	Kind   string
	Meter  string
	Fen    int64
}

// How long a meter may take, and until it is asked again; the last pause
// repeats. No two calls for one payment are on the way at the same time.
const callTimeout = 10 * time.Second

var pauses = []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// Pay takes the money and credits the meter. A meter that does not answer leaves
// the payment pending, which is no error. Errors: *recharge.Fault,
// recharge.ErrNoCard, recharge.ErrKey, ErrCard, ErrBalance, store.ErrNotFound
// for a kind or meter that is not the person's.
func (s *Service) Pay(ctx context.Context, r Paying) (Payment, error) {
	if !keyForm.MatchString(r.Key) {
		return Payment{}, &recharge.Fault{Field: "id", ZH: "编号应为 8 到 64 位字母、数字或短横线", EN: "want 8 to 64 letters, digits or dashes"}
	}
	sum := sha256.Sum256([]byte("utility\x00" + r.Person + "\x00" + r.Key))
	p := Payment{
		ID:     "U" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26],
		Person: r.Person, Key: r.Key, Kind: r.Kind, Meter: r.Meter, Fen: r.Fen,
	}
	stored, err := find(ctx, s.Store.Reader(), p.ID)
	mine := false // this call has taken the money, and asks the meter
	if errors.Is(err, store.ErrNotFound) {
		var card recharge.Card
		if p.Room, card, err = s.admits(ctx, p); err != nil {
			return Payment{}, err
		}
		p.Account = card.Account
		stored, mine, err = s.take(ctx, p)
	}
	if err != nil {
		return Payment{}, err
	}
	if stored.Kind != p.Kind || stored.Meter != p.Meter || stored.Fen != p.Fen {
		return Payment{}, recharge.ErrKey
	}
	if !mine {
		return stored, nil
	}
	if err := s.credit(ctx, stored); err != nil {
		return stored, err
	}
	return find(ctx, s.Store.Reader(), p.ID)
}

func (s *Service) kind(id string) (Kind, bool) {
	i := slices.IndexFunc(s.Kinds, func(k Kind) bool { return k.ID == id })
	if i < 0 {
		return Kind{}, false
	}
	return s.Kinds[i], true
}

// NameOf is what a kind is called.
func (s *Service) NameOf(kind string) recharge.Name {
	if k, ok := s.kind(kind); ok {
		return k.Name
	}
	return recharge.Name{ZH: kind, EN: kind}
}

// admits checks a new payment and gives the room of its meter.
func (s *Service) admits(ctx context.Context, p Payment) (room string, card recharge.Card, err error) {
	if p.Fen <= 0 || p.Fen > s.Max {
		return "", card, &recharge.Fault{
			Field: "amount_fen", ZH: "金额应在 0.01 元到 " + recharge.Yuan(s.Max) + " 元之间", EN: "want 0.01 to " + recharge.Yuan(s.Max) + " yuan",
		}
	}
	k, ok := s.kind(p.Kind)
	if !ok {
		return "", card, fmt.Errorf("kind: %w", store.ErrNotFound)
	}
	if card, err = s.Cards.OfPerson(ctx, s.Store.Reader(), p.Person); err != nil {
		return "", card, err
	}
	meters, err := k.Adapter.Meters(ctx, p.Person)
	if err != nil {
		return "", card, fmt.Errorf("%w: meters", recharge.ErrUnavailable)
	}
	i := slices.IndexFunc(meters, func(m Meter) bool { return m.ID == p.Meter })
	if i < 0 {
		return "", card, fmt.Errorf("meter: %w", store.ErrNotFound)
	}
	return meters[i].Room, card, nil
}

// take stores a payment and takes its money, in one change.
func (s *Service) take(ctx context.Context, p Payment) (stored Payment, mine bool, err error) {
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		refusal, mine = nil, false
		if stored, err = find(t.Context(), t, p.ID); !errors.Is(err, store.ErrNotFound) {
			return err // another call was first
		}
		card, err := s.Cards.Find(t.Context(), t, p.Account)
		if err != nil {
			return err
		}
		b, err := s.Ledger.Balance(t.Context(), t, p.Account)
		switch {
		case err != nil:
			return err
		case card.State != wire.CardActive:
			refusal = ErrCard
			return nil
		case min(b.MainFen, b.Free()) < p.Fen:
			refusal = ErrBalance
			return nil
		}
		out, err := s.Ledger.Post(t, s.money(p, t.Now(), p.transfer(), "", 1))
		if err != nil {
			return err
		}
		if out.State != ledger.Posted {
			refusal = fmt.Errorf("%w: ledger: %s", store.ErrState, out.State)
			return nil
		}
		mine = true
		err = t.Exec(`INSERT INTO utility_payments (id, person, key, account, kind, meter, room, fen, created_at, try_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			p.ID, p.Person, p.Key, int64(p.Account), p.Kind, p.Meter, p.Room, p.Fen, t.Now(), t.Now()+pauses[0].Milliseconds())
		if err == nil {
			stored, err = find(t.Context(), t, p.ID)
		}
		return err
	})
	if err == nil {
		err = refusal
	}
	return stored, mine, err
}

// money is the transfer of a payment, or back where way is -1.
func (s *Service) money(p Payment, at int64, id, reverses string, way int64) ledger.Transfer {
	k, _ := s.kind(p.Kind)
	return ledger.Transfer{
		ID: id, Kind: ledger.KindUtility, At: at, Day: time.UnixMilli(at).In(s.Location).Format(time.DateOnly), Card: p.Account, Reverses: reverses,
		Place:   k.Name.ZH + " " + p.Room,
		Entries: []ledger.Entry{{Account: ledger.Main(p.Account), Fen: -way * p.Fen}, {Account: ledger.Utility(p.Kind), Fen: way * p.Fen}},
	}
}

// Tick asks the meters again that did not answer. It is meant to run every few
// seconds.
func (s *Service) Tick(ctx context.Context) error {
	waiting, err := store.List(ctx, s.Store.Reader(), scanPayment, paymentColumns+" WHERE try_at <= $1 ORDER BY try_at LIMIT 50", s.Now().UnixMilli())
	if err != nil {
		return err
	}
	for _, p := range waiting {
		mine := false
		err := s.Store.Change(ctx, func(t *store.Tx) error {
			pause := pauses[min(p.tries+1, len(pauses)-1)]
			n, err := t.Affect("UPDATE utility_payments SET tries = tries + 1, try_at = $1 WHERE id = $2 AND tries = $3 AND try_at IS NOT NULL",
				t.Now()+pause.Milliseconds(), p.ID, p.tries)
			mine = n > 0
			return err
		})
		if err != nil {
			return err
		}
		if mine {
			if err := s.credit(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// credit asks the meter, and writes down what it said. A caller that leaves does
// not end the call: the money has been taken.
func (s *Service) credit(ctx context.Context, p Payment) error {
	k, ok := s.kind(p.Kind)
	if !ok {
		return nil // switched off; asked when it is on again
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	err := k.Adapter.Credit(call, p.ID, p.Meter, p.Fen)
	refused := errors.Is(err, ErrRefused)
	if err != nil && !refused {
		s.Log.Warn("utility: no answer of the meter", "kind", p.Kind, "payment", p.ID)
		return nil
	}
	return s.Store.Change(context.WithoutCancel(ctx), func(t *store.Tx) error {
		now, err := find(t.Context(), t, p.ID)
		if err != nil || now.State() != Pending {
			return err
		}
		if !refused {
			return t.Exec("UPDATE utility_payments SET done_at = $1, try_at = NULL WHERE id = $2", t.Now(), p.ID)
		}
		return s.giveBack(t, p)
	})
}

// giveBack reverses a payment; a debt that is there by now is paid first.
func (s *Service) giveBack(t *store.Tx, p Payment) error {
	tr := s.money(p, t.Now(), p.transfer()+"/back", p.transfer(), -1)
	lines, err := s.Ledger.Refill(t.Context(), t, p.Account, p.Fen)
	if err != nil {
		return err
	}
	tr.Entries = append(lines, ledger.Entry{Account: ledger.Utility(p.Kind), Fen: -p.Fen})
	out, err := s.Ledger.Post(t, tr)
	if err != nil {
		return err
	}
	if out.State != ledger.Posted && out.State != ledger.Repeated {
		s.Log.Error("utility: a person has to look: a payment was not given back", "payment", p.ID, "ledger", out.State)
		return nil
	}
	return t.Exec("UPDATE utility_payments SET reversed_at = $1, try_at = NULL WHERE id = $2", t.Now(), p.ID)
}
