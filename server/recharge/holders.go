package recharge

import (
	"context"

	"campusgate/server/cards"
	"campusgate/server/store"
)

// Holders makes Cards of the service that keeps them.
type Holders struct{ Service *cards.Service }

var _ Cards = Holders{}

func card(c cards.Account, err error) (Card, error) {
	return Card{c.Account, c.Display, cards.MaskName(c.Name), c.State}, err
}

// OfPerson gives the card that a person has bound.
func (h Holders) OfPerson(ctx context.Context, src store.Source, person string) (Card, error) {
	c, err := h.Service.OfPerson(ctx, src, person)
	if err == nil && c.BoundAt == 0 {
		err = ErrNoCard
	}
	return card(c, err)
}

// Find gives a card by its account.
func (h Holders) Find(ctx context.Context, src store.Source, account uint64) (Card, error) {
	return card(h.Service.Find(ctx, src, account))
}

// Named gives a card by the number that people write.
func (h Holders) Named(ctx context.Context, src store.Source, number string) (Card, error) {
	return card(h.Service.ByDisplay(ctx, src, number))
}
