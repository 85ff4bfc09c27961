package cards

import (
	"context"

	"campusgate/server/store"
)

// Settle brings a card's grants in line with its wallet now.
func (s *Service) Settle(ctx context.Context, account uint64) error {
	return s.Store.Change(ctx, func(t *store.Tx) error { return s.settle(t, account) })
}
