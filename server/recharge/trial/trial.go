// Package trial is the built-in test channel: a button pays. It keeps its books
// in the database, and an order goes the same way as with a real channel: the
// service asks, and credits what the channel says was paid. It is there only
// where the configuration says so.
package trial

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/store"
)

// ID is what the channel is called, also in ledger accounts.
const ID = "trial"

// Channel is a recharge.Channel. Safe for concurrent use.
type Channel struct{ Store *store.Store }

var _ recharge.Channel = Channel{}

// Info describes the channel.
func (c Channel) Info() recharge.Info {
	return recharge.Info{ID: ID, Name: recharge.Name{ZH: "测试支付（不收钱）", EN: "Test payment (no money)"}, Ways: []string{recharge.Trial}}
}

// Create writes the order down.
func (c Channel) Create(ctx context.Context, r recharge.Request) (recharge.Pay, error) {
	err := c.Store.Change(ctx, func(t *store.Tx) error {
		return t.Exec("INSERT INTO trial_orders (id, fen) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", r.Order, r.Fen)
	})
	if err != nil {
		return recharge.Pay{}, fmt.Errorf("%w: %w", recharge.ErrUnavailable, err)
	}
	return recharge.Pay{Kind: recharge.Trial}, nil
}

// Press is the button: the order is paid, or paying fails. The first press
// counts. Errors: store.ErrNotFound.
func (c Channel) Press(ctx context.Context, order string, paid bool) error {
	there := int64(0)
	err := c.Store.Change(ctx, func(t *store.Tx) error {
		column := "failed_at"
		if paid {
			column = "paid_at"
		}
		err := t.Exec("UPDATE trial_orders SET "+column+" = $1 WHERE id = $2 AND paid_at IS NULL AND failed_at IS NULL AND closed_at IS NULL", t.Now(), order)
		if err != nil {
			return err
		}
		return t.QueryRowContext(t.Context(), "SELECT count(*) FROM trial_orders WHERE id = $1", order).Scan(&there)
	})
	if err == nil && there == 0 {
		err = fmt.Errorf("trial order: %w", store.ErrNotFound)
	}
	return err
}

// Query tells what became of an order.
func (c Channel) Query(ctx context.Context, order string) (recharge.Notice, error) {
	n := recharge.Notice{Event: recharge.Waiting, Order: order, Trade: "T" + order, Currency: "CNY"}
	var failed, closed int64
	err := c.Store.Reader().QueryRowContext(ctx,
		"SELECT fen, coalesce(paid_at, 0), coalesce(failed_at, 0), coalesce(closed_at, 0) FROM trial_orders WHERE id = $1", order).
		Scan(&n.Fen, &n.At, &failed, &closed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return n, nil
	case err != nil:
		return n, fmt.Errorf("%w: %w", recharge.ErrUnavailable, err)
	case n.At > 0:
		n.Event = recharge.Paid
	case failed > 0:
		n.Event = recharge.Failed
	case closed > 0:
		n.Event = recharge.Closed
	}
	return n, nil
}

// Close ends an order that was not paid.
func (c Channel) Close(ctx context.Context, order string) error {
	paid := 0
	err := c.Store.Change(ctx, func(t *store.Tx) error {
		if err := t.Exec("UPDATE trial_orders SET closed_at = $1 WHERE id = $2 AND paid_at IS NULL AND closed_at IS NULL", t.Now(), order); err != nil {
			return err
		}
		return t.QueryRowContext(t.Context(), "SELECT count(*) FROM trial_orders WHERE id = $1 AND paid_at IS NOT NULL", order).Scan(&paid)
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", recharge.ErrUnavailable, err)
	case paid > 0:
		return fmt.Errorf("%w: it was paid", recharge.ErrRefused)
	}
	return nil
}

// Callback refuses everything: this channel sends no notices.
func (c Channel) Callback(http.Header, []byte, time.Time) (recharge.Notice, error) {
	return recharge.Notice{}, fmt.Errorf("%w: this channel sends none", recharge.ErrForged)
}

// Answer refuses.
func (c Channel) Answer(bool) recharge.Answer { return recharge.Answer{Status: http.StatusBadRequest} }

// Bill lists what was paid on a day.
func (c Channel) Bill(ctx context.Context, day time.Time) ([]recharge.Row, error) {
	rows, err := store.List(ctx, c.Store.Reader(), func(rows *sql.Rows) (r recharge.Row, err error) {
		err = rows.Scan(&r.Order, &r.Fen, &r.At)
		r.Trade = "T" + r.Order
		return r, err
	}, "SELECT id, fen, paid_at FROM trial_orders WHERE paid_at >= $1 AND paid_at < $2 ORDER BY paid_at, id",
		day.UnixMilli(), day.AddDate(0, 0, 1).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", recharge.ErrUnavailable, err)
	}
	return rows, nil
}
