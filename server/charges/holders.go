package charges

import (
	"context"
	"errors"

	"campusgate/server/cards"
	"campusgate/server/store"
)

// Holders are the campus's cards as Cards.
type Holders struct{ Service *cards.Service }

// Card gives the card of an account, its holder masked.
func (h Holders) Card(ctx context.Context, src store.Source, account uint64) (c Card, ok bool, err error) {
	a, err := h.Service.Paying(ctx, src, account)
	if errors.Is(err, cards.ErrNoCard) {
		return c, false, nil
	}
	return Card{
		State: a.State, Epoch: a.Epoch, Holder: cards.MaskName(a.Name),
		PerTxFen: a.Limits.PerTxFen, PerMealFen: a.Limits.PerMealFen, PerDayFen: a.Limits.PerDayFen,
	}, err == nil, err
}

// WasLost is that of the cards.
func (h Holders) WasLost(ctx context.Context, src store.Source, account uint64, at int64) (bool, error) {
	return h.Service.WasLost(ctx, src, account, at)
}
