package settle

import (
	"context"
	"database/sql"

	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/store"
)

// Suspended is a charge that the merchant has the money of and that nobody was
// asked to pay.
type Suspended struct {
	Event    string
	Transfer string
	Account  uint64 // of the card whose code was shown
	Till     uint16
	TillName string
	Fen      int64 // that the merchant still has of it
	At       int64 // by the till's clock
	Since    int64 // when it came here
	Reason   string
	Dispute  int64 // that decides it; 0 = none, only a refund ends it
}

// Suspense lists the charges in suspense, oldest first, at most limit. A charge
// leaves it when it is voided or refunded, or its dispute is decided.
func (s *Service) Suspense(ctx context.Context, limit int) ([]Suspended, error) {
	src := s.Store.Reader()
	found, err := store.List(ctx, src, func(rows *sql.Rows) (u Suspended, err error) {
		var account int64
		err = rows.Scan(&u.Event, &u.Transfer, &account, &u.Till, &u.TillName, &u.At, &u.Since, &u.Reason, &u.Dispute)
		u.Account = uint64(account)
		return u, err
	}, `SELECT c.event, c.transfer, c.account, c.gate, g.name, c.at, c.received_at, coalesce(d.kind, ''),
			CASE d.state WHEN 'open' THEN d.id ELSE 0 END
		FROM charges c JOIN gates g ON g.id = c.gate LEFT JOIN disputes d ON d.transfer = c.transfer
		WHERE c.kind = 'charge' AND c.suspense_fen > 0 AND c.voided_by IS NULL AND c.transfer IS NOT NULL
			AND coalesce(d.state, '') NOT IN ($1, $2)
		ORDER BY c.position LIMIT $3`, string(cards.DisputeMerchant), string(cards.DisputeDismiss), limit)
	if err != nil {
		return nil, err
	}
	left := found[:0]
	for _, u := range found {
		record, _, err := s.Ledger.Find(ctx, src, u.Transfer)
		if err != nil {
			return nil, err
		}
		if u.Fen = leftOf(&record); u.Fen > 0 {
			left = append(left, u)
		}
	}
	return left, nil
}

// SuspenseFen is the balance of suspense: below zero, merchants were given more
// of what nobody paid than came in for nobody.
func (s *Service) SuspenseFen(ctx context.Context) (int64, error) {
	return s.Ledger.BalanceOf(ctx, s.Store.Reader(), ledger.Suspense)
}
