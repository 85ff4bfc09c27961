package recharge

import (
	"context"
	"database/sql"
	"errors"

	"campusgate/server/store"
)

// Suspended is a recharge whose money is in suspense, since its account is
// closed.
type Suspended struct {
	Order
	Issue int64 // to be resolved with the account that gets it; 0 = there is none
}

// Suspense lists the recharges in suspense, oldest first, at most limit. They
// leave it by Resolve with an account, or refunded at the channel.
func (s *Service) Suspense(ctx context.Context, limit int) ([]Suspended, error) {
	src := s.Store.Reader()
	orders, err := store.List(ctx, src, scanOrder, orderColumns+
		" WHERE suspended = 1 AND refunded_at IS NULL ORDER BY credited_at, id LIMIT $1", limit)
	list := make([]Suspended, len(orders))
	for i, o := range orders {
		if err != nil {
			return nil, err
		}
		list[i].Order = o
		err = src.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM recharge_issues WHERE kind = $1 AND channel = $2 AND recharge = $3",
			AccountClosed, o.Channel, o.ID).Scan(&list[i].Issue)
	}
	return list, err
}

// waits tells an issue that was resolved and yet left money in suspense.
func waits(ctx context.Context, src store.Source, i Issue) (suspended bool, err error) {
	if i.Kind != AccountClosed {
		return false, nil
	}
	err = src.QueryRowContext(ctx, "SELECT suspended FROM recharges WHERE id = $1 AND refunded_at IS NULL", i.Order).Scan(&suspended)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return suspended, err
}
