package settle

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"campusgate/server/store"
)

// MerchantDay is a closed day of a merchant's statement.
type MerchantDay struct {
	Day       string `json:"day"`
	Charges   int    `json:"charges"`
	Voids     int    `json:"voids"`
	Fen       int64  `json:"fen"`      // charges less voids of the day itself
	LateFen   int64  `json:"late_fen"` // of earlier days, that came late
	RefundFen int64  `json:"refund_fen"`
	PaidFen   int64  `json:"paid_fen"`
	OwedFen   int64  `json:"owed_fen"` // at the end of the day
}

// MerchantStatement is what a merchant took and was paid on the closed days of a period.
type MerchantStatement struct {
	Merchant   int64             `json:"merchant"`
	Name       string            `json:"name"`
	From       string            `json:"from"`
	To         string            `json:"to"`
	OpeningFen int64             `json:"opening_fen"`
	ClosingFen int64             `json:"closing_fen"`
	Days       []MerchantDay     `json:"days"`
	Payments   []MerchantPayment `json:"payments"`
}

// Statement draws up a merchant's statement, both days included. ErrDay,
// ErrNothing for no such merchant.
func (s *Service) Statement(ctx context.Context, merchant int64, from, to string) (*MerchantStatement, error) {
	for _, day := range []string{from, to} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return nil, fmt.Errorf("%w: %q", ErrDay, day)
		}
	}
	src := s.Store.Reader()
	n, err := readNames(ctx, src)
	if err != nil {
		return nil, err
	}
	name, ok := n.merchants[merchant]
	if !ok {
		return nil, fmt.Errorf("%w: merchant %d", ErrNothing, merchant)
	}
	st := &MerchantStatement{Merchant: merchant, Name: name, From: from, To: to}
	// What was owed before, with the payments of that time.
	err = src.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(sum(fen), 0) FROM day_totals WHERE merchant = $1 AND day < $2)
		- (SELECT coalesce(sum(r.fen), 0) FROM refunds r JOIN days d ON d.day = r.settle_day WHERE r.merchant = $3 AND r.settle_day < $4)
		- (SELECT coalesce(sum(fen), 0) FROM payments WHERE merchant = $5 AND day < $6)`,
		merchant, from, merchant, from, merchant, from).Scan(&st.OpeningFen)
	if err != nil {
		return nil, err
	}
	st.Days, err = store.List(ctx, src, func(rows *sql.Rows) (d MerchantDay, err error) {
		err = rows.Scan(&d.Day, &d.Charges, &d.Voids, &d.Fen, &d.LateFen, &d.RefundFen, &d.PaidFen)
		return d, err
	}, `SELECT d.day, coalesce(sum(t.charges), 0), coalesce(sum(t.voids), 0),
		coalesce(sum(CASE t.late WHEN 0 THEN t.fen END), 0), coalesce(sum(CASE t.late WHEN 1 THEN t.fen END), 0),
		(SELECT coalesce(sum(r.fen), 0) FROM refunds r WHERE r.merchant = $1 AND r.settle_day = d.day),
		(SELECT coalesce(sum(p.fen), 0) FROM payments p WHERE p.merchant = $2 AND p.day = d.day)
		FROM days d LEFT JOIN day_totals t ON t.day = d.day AND t.merchant = $3
		WHERE d.day BETWEEN $4 AND $5 GROUP BY d.day ORDER BY d.day`, merchant, merchant, merchant, from, to)
	if err != nil {
		return nil, err
	}
	st.ClosingFen = st.OpeningFen
	for i := range st.Days {
		d := &st.Days[i]
		st.ClosingFen += d.Fen + d.LateFen - d.RefundFen - d.PaidFen
		d.OwedFen = st.ClosingFen
	}
	st.Payments, err = store.List(ctx, src, scanPayment, paymentColumns+"WHERE merchant = $1 AND day BETWEEN $2 AND $3 ORDER BY paid_at, id",
		merchant, from, to)
	return st, err
}
