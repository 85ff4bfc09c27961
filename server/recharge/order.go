package recharge

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/server/store"
)

// State is where an order stands.
type State string

// The states. The names are permanent.
const (
	StateCreated  State = "created"
	StatePaid     State = "paid" // and posted to the ledger
	StateFailed   State = "failed"
	StateClosed   State = "closed"
	StateRefunded State = "refunded"
)

// Order is a recharge that somebody asked for.
type Order struct {
	ID        string // number that the channel knows
	Person    string // who asked
	Key       string // made by the asker
	Account   uint64
	Channel   string
	Way       string
	Payer     string
	Fen       int64
	Pay       *Pay // nil = the channel has not said how
	CreatedAt int64
	ExpiresAt int64

	Trade      string
	PaidAt     int64 // the facts: unix ms, 0 = it is not so
	CreditedAt int64
	Suspended  bool // credited to suspense: the account is closed
	RefundedAt int64
	ClosedAt   int64
	Failed     bool

	asked   int
	askedAt int64
}

// State derives where the order stands from the facts.
func (o Order) State() State {
	switch {
	case o.RefundedAt > 0:
		return StateRefunded
	case o.CreditedAt > 0:
		return StatePaid
	case o.Failed:
		return StateFailed
	case o.ClosedAt > 0:
		return StateClosed
	}
	return StateCreated
}

// Transfer is the id of the credit in the ledger.
func (o Order) Transfer() string { return "recharge/" + o.ID }

// orderID makes the number of a person's order from the id that they made: so
// the same request is the same order, wherever it was lost.
func orderID(person, key string) string {
	sum := sha256.Sum256([]byte("recharge\x00" + person + "\x00" + key))
	return "R" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26]
}

const orderColumns = `SELECT id, person, key, account, channel, way, payer, fen, coalesce(pay, ''), created_at, expires_at, asked, asked_at,
	trade, coalesce(paid_at, 0), coalesce(credited_at, 0), suspended, coalesce(refunded_at, 0), coalesce(closed_at, 0), failed FROM recharges`

func scanOrder(rows *sql.Rows) (o Order, err error) {
	var pay string
	err = rows.Scan(&o.ID, &o.Person, &o.Key, &o.Account, &o.Channel, &o.Way, &o.Payer, &o.Fen, &pay, &o.CreatedAt, &o.ExpiresAt, &o.asked, &o.askedAt,
		&o.Trade, &o.PaidAt, &o.CreditedAt, &o.Suspended, &o.RefundedAt, &o.ClosedAt, &o.Failed)
	if err == nil && pay != "" {
		err = json.Unmarshal([]byte(pay), &o.Pay)
	}
	return o, err
}

// find gives an order, or store.ErrNotFound.
func find(ctx context.Context, src store.Source, id string) (Order, error) {
	found, err := store.List(ctx, src, scanOrder, orderColumns+" WHERE id = $1", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("order: %w", store.ErrNotFound)
	}
	if err != nil {
		return Order{}, err
	}
	return found[0], nil
}

// Find gives an order. Errors: store.ErrNotFound.
func (s *Service) Find(ctx context.Context, id string) (Order, error) {
	return find(ctx, s.Store.Reader(), id)
}

// Mine gives an order that the person placed. Errors: store.ErrNotFound.
func (s *Service) Mine(ctx context.Context, person, id string) (Order, error) {
	o, err := s.Find(ctx, id)
	if err == nil && o.Person != person {
		return Order{}, fmt.Errorf("order: %w", store.ErrNotFound)
	}
	return o, err
}

// Filter chooses orders. Zero values choose all.
type Filter struct {
	Person  string
	State   State
	Channel string
	From    int64 // created at, unix ms
	Until   int64 // the first moment after
	Before  int64 // created before; for the next page
	Limit   int
	Offset  int
}

// conditions of the states, in the words of Order.State.
var conditions = map[State]string{
	"":            "TRUE",
	StateRefunded: "refunded_at IS NOT NULL",
	StatePaid:     "refunded_at IS NULL AND credited_at IS NOT NULL",
	StateFailed:   "refunded_at IS NULL AND credited_at IS NULL AND failed = 1",
	StateClosed:   "refunded_at IS NULL AND credited_at IS NULL AND failed = 0 AND closed_at IS NOT NULL",
	StateCreated:  "refunded_at IS NULL AND credited_at IS NULL AND failed = 0 AND closed_at IS NULL",
}

// List gives orders, newest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) (found []Order, total int, err error) {
	condition, known := conditions[f.State]
	if !known {
		return nil, 0, &Fault{"state", "没有这种状态", "there is no such state"}
	}
	const forever = 1<<63 - 1
	where := ` WHERE ($1 = '' OR person = $2) AND ($3 = '' OR channel = $4) AND created_at >= $5 AND created_at < $6 AND created_at < $7 AND ` + condition
	args := []any{f.Person, f.Person, f.Channel, f.Channel, f.From, or(f.Until, forever), or(f.Before, forever)}
	src := s.Store.Reader()
	if err := src.QueryRowContext(ctx, "SELECT count(*) FROM recharges"+where, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	found, err = store.List(ctx, src, scanOrder, orderColumns+where+" ORDER BY created_at DESC, id LIMIT $8 OFFSET $9", append(args, f.Limit, f.Offset)...)
	return found, total, err
}

func or(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

// insert adds an order unless it is there.
func insert(t *store.Tx, o Order) error {
	return t.Exec(`INSERT INTO recharges (id, person, key, account, channel, way, payer, fen, created_at, expires_at, ask_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING`,
		o.ID, o.Person, o.Key, int64(o.Account), o.Channel, o.Way, o.Payer, o.Fen, o.CreatedAt, o.ExpiresAt, o.CreatedAt+pauses[0].Milliseconds())
}

// open counts a person's orders that wait to be paid.
func open(ctx context.Context, src store.Source, person string) (n int, err error) {
	err = src.QueryRowContext(ctx, "SELECT count(*) FROM recharges WHERE person = $1 AND "+conditions[StateCreated], person).Scan(&n)
	return n, err
}

// savePay keeps how an order is paid; the first answer stays.
func savePay(t *store.Tx, id string, p Pay) error {
	body, err := json.Marshal(p)
	if err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	return t.Exec("UPDATE recharges SET pay = $1 WHERE id = $2 AND pay IS NULL", string(body), id)
}
