package settle

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// Refund gives money of a charge back: made by the office, never by a till.
type Refund struct {
	ID      string `json:"id"`     // made by whoever asks: the same again changes nothing
	Charge  string `json:"charge"` // event
	Fen     int64  `json:"amount_fen"`
	Reason  string `json:"reason"`
	Account uint64 `json:"-"`
	Day     string `json:"day"` // that it is settled with
	By      string `json:"by"`
	At      int64  `json:"at"`
	LeftFen int64  `json:"left_fen"` // of the charge, after it
}

// charged is what a refund needs to know of a charge.
type charged struct {
	event    string
	transfer string
	merchant int64
	account  uint64
	fen      int64
}

func findCharge(ctx context.Context, src store.Source, event string) (c charged, err error) {
	found, err := store.List(ctx, src, func(rows *sql.Rows) (c charged, err error) {
		var account int64
		err = rows.Scan(&c.event, &c.transfer, &c.merchant, &account, &c.fen)
		c.account = uint64(account)
		return c, err
	}, `SELECT event, transfer, merchant, account, amount_fen FROM charges WHERE event = $1 AND kind = 'charge' AND transfer IS NOT NULL`, event)
	if err != nil {
		return c, err
	}
	if len(found) == 0 {
		return c, fmt.Errorf("%w: no charge %s", ErrNothing, event)
	}
	return found[0], nil
}

// Refund posts a refund. ErrNothing for a charge that is not there, ErrAmount
// for more than is left of it, ErrRepeat for an id that was used otherwise.
func (s *Service) Refund(ctx context.Context, actor string, r Refund) (Refund, error) {
	var refusal error
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		refusal = nil
		done, err := refundOf(t.Context(), t, r.ID)
		if err != nil {
			return err
		}
		if done != nil {
			if done.Charge != r.Charge || done.Fen != r.Fen {
				refusal = fmt.Errorf("%w: refund %s", ErrRepeat, r.ID)
				return nil
			}
			r = *done
			return nil
		}
		c, err := findCharge(t.Context(), t, r.Charge)
		if errors.Is(err, ErrNothing) {
			refusal = err
			return nil
		}
		if err != nil {
			return err
		}
		refusal, err = s.refund(t, actor, &r, &c)
		return err
	})
	if err == nil {
		err = refusal
	}
	return r, err
}

func refundOf(ctx context.Context, src store.Source, id string) (*Refund, error) {
	found, err := store.List(ctx, src, func(rows *sql.Rows) (r Refund, err error) {
		var account int64
		err = rows.Scan(&r.ID, &r.Charge, &r.Fen, &r.Reason, &account, &r.Day, &r.By, &r.At)
		r.Account = uint64(account)
		return r, err
	}, "SELECT id, charge, fen, reason, account, settle_day, made_by, made_at FROM refunds WHERE id = $1", id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// refund moves the money and keeps the record, in the caller's change.
func (s *Service) refund(t *store.Tx, actor string, r *Refund, c *charged) (refusal, err error) {
	ctx := t.Context()
	record, found, err := s.Ledger.Find(ctx, t, c.transfer)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return fmt.Errorf("%w: %s was not posted", ErrNothing, c.transfer), nil
	}
	left := leftOf(&record)
	if r.Fen <= 0 || r.Fen > left {
		return fmt.Errorf("%w: %d of %d fen left", ErrAmount, r.Fen, left), nil
	}
	entries, err := s.Ledger.TakeBack(ctx, t, c.transfer, r.Fen)
	if err != nil {
		return nil, err
	}
	if r.Day, err = s.settling(ctx, t); err != nil {
		return nil, err
	}
	r.By, r.At, r.Account, r.LeftFen = actor, t.Now(), c.account, left-r.Fen
	out, err := s.Ledger.Post(t, ledger.Transfer{
		ID: "refund/" + r.ID, Kind: ledger.KindRefund, At: t.Now(), Day: r.Day, Card: record.Card, Entries: entries,
		Reverses: c.transfer, Place: record.Place,
	})
	if err != nil {
		return nil, err
	}
	if out.State != ledger.Posted {
		return fmt.Errorf("%w: %s: %s", ErrAmount, out.State, out.Why), nil
	}
	err = t.Exec(`INSERT INTO refunds (id, charge, merchant, account, fen, reason, settle_day, made_by, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.ID, r.Charge, c.merchant, int64(c.account), r.Fen, r.Reason, r.Day, actor, t.Now())
	if err != nil {
		return nil, err
	}
	return nil, t.Trail(actor, "charge.refunded", r.Charge, map[string]any{"refund": r.ID, "fen": r.Fen, "reason": r.Reason})
}

// leftOf is how much of a charge its merchant still has.
func leftOf(r *ledger.Record) (fen int64) {
	for _, e := range r.Left {
		if e.Fen > 0 {
			fen += e.Fen
		}
	}
	return fen
}

// Refunds lists those of a settled day, oldest first.
func (s *Service) Refunds(ctx context.Context, day string) ([]Refund, error) {
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (r Refund, err error) {
		var account int64
		err = rows.Scan(&r.ID, &r.Charge, &r.Fen, &r.Reason, &account, &r.Day, &r.By, &r.At)
		r.Account = uint64(account)
		return r, err
	}, `SELECT id, charge, fen, reason, account, settle_day, made_by, made_at FROM refunds
		WHERE settle_day = $1 ORDER BY made_at, id`, day)
}

// MerchantPayment is money paid out to a merchant for closed days.
type MerchantPayment struct {
	ID       string `json:"id"`
	Merchant int64  `json:"merchant"`
	Day      string `json:"day"` // up to and with it
	Fen      int64  `json:"amount_fen"`
	By       string `json:"by"`
	At       int64  `json:"at"`
}

// owed is what a merchant is to be paid for the days up to day.
func owed(ctx context.Context, src store.Source, merchant int64, day string) (fen int64, err error) {
	err = src.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(sum(fen), 0) FROM day_totals WHERE merchant = $1 AND day <= $2)
		- (SELECT coalesce(sum(fen), 0) FROM refunds WHERE merchant = $3 AND settle_day <= $4)
		- (SELECT coalesce(sum(fen), 0) FROM payments WHERE merchant = $5)`,
		merchant, day, merchant, day, merchant).Scan(&fen)
	return fen, err
}

// Pay records that a merchant was paid what it is owed for the days up to a
// closed one. ErrDay where that is not closed, ErrAmount where nothing is owed.
func (s *Service) Pay(ctx context.Context, actor, id string, merchant int64, day string) (p MerchantPayment, err error) {
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		refusal = nil
		done, err := store.List(t.Context(), t, scanPayment, paymentColumns+"WHERE id = $1", id)
		if err != nil {
			return err
		}
		if len(done) > 0 {
			if p = done[0]; p.Merchant != merchant || p.Day != day {
				refusal = fmt.Errorf("%w: payment %s", ErrRepeat, id)
			}
			return nil
		}
		var closed bool
		if err := t.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM days WHERE day = $1)", day).Scan(&closed); err != nil {
			return err
		}
		if !closed {
			refusal = fmt.Errorf("%w: %s is not closed", ErrDay, day)
			return nil
		}
		p = MerchantPayment{ID: id, Merchant: merchant, Day: day, By: actor, At: t.Now()}
		if p.Fen, err = owed(t.Context(), t, merchant, day); err != nil {
			return err
		}
		if p.Fen <= 0 {
			refusal = fmt.Errorf("%w: %d fen are owed", ErrAmount, p.Fen)
			return nil
		}
		refusal, err = s.pay(t, &p)
		return err
	})
	if err == nil {
		err = refusal
	}
	return p, err
}

func (s *Service) pay(t *store.Tx, p *MerchantPayment) (refusal, err error) {
	out, err := s.Ledger.Post(t, ledger.Transfer{
		ID: "payment/" + p.ID, Kind: ledger.KindSettle, At: t.Now(), Day: time.UnixMilli(t.Now()).In(s.Location).Format(time.DateOnly),
		Entries: []ledger.Entry{{Account: ledger.Merchant(p.Merchant), Fen: -p.Fen}, {Account: ledger.Clearing("bank"), Fen: p.Fen}},
	})
	if err != nil {
		return nil, err
	}
	if out.State != ledger.Posted {
		return fmt.Errorf("%w: %s: %s", ErrAmount, out.State, out.Why), nil
	}
	err = t.Exec("INSERT INTO payments (id, merchant, day, fen, paid_by, paid_at) VALUES ($1, $2, $3, $4, $5, $6)",
		p.ID, p.Merchant, p.Day, p.Fen, p.By, p.At)
	if err != nil {
		return nil, err
	}
	return nil, t.Trail(p.By, "merchant.paid", fmt.Sprintf("merchant %d", p.Merchant), map[string]any{"fen": p.Fen, "day": p.Day, "payment": p.ID})
}

const paymentColumns = "SELECT id, merchant, day, fen, paid_by, paid_at FROM payments "

func scanPayment(rows *sql.Rows) (p MerchantPayment, err error) {
	err = rows.Scan(&p.ID, &p.Merchant, &p.Day, &p.Fen, &p.By, &p.At)
	return p, err
}
