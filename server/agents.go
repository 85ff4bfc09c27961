package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/server/hub"
	"campusgate/server/store"
)

// agents is the database as the hub sees it.
type agents struct{ *store.Store }

var _ hub.Store = agents{}

func (a agents) Agent(ctx context.Context, id uint32) (hub.Agent, error) {
	found, err := a.Store.Agent(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: %d", hub.ErrUnknownAgent, id)
	}
	return hub.Agent{
		ID: found.ID, Epoch: found.Epoch, Gate: found.Gate, PublicKey: found.PublicKey, Revoked: found.RevokedAt != 0,
	}, err
}

func (a agents) Seen(ctx context.Context, id uint32, state hub.State) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("state of agent %d: %w", id, err)
	}
	return a.Store.Seen(ctx, id, data)
}
