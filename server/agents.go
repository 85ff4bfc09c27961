package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/server/charges"
	"campusgate/server/hub"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// agents is the database as the hub sees it.
type agents struct {
	*store.Store
	charges  *charges.Service
	ingested func() // called after each commit of events; must not wait
}

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

func (a agents) Ingest(ctx context.Context, agent, epoch uint32, records []wire.Record) (acked uint64, err error) {
	acked, err = a.Store.Ingest(ctx, agent, epoch, records)
	if err == nil {
		a.ingested()
	}
	return acked, err
}

func (a agents) Charge(ctx context.Context, c wire.Claim) (wire.Answer, error) {
	return a.charges.Authorise(ctx, c)
}

func (a agents) Seen(ctx context.Context, id uint32, state hub.State) error {
	data, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("state of agent %d: %w", id, err)
	}
	if err := a.Store.Seen(ctx, id, data); err != nil || !state.Reported {
		return err
	}
	return a.SetAddresses(ctx, id, state.Epoch, state.Health.Addresses)
}
