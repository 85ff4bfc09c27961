package hub

import (
	"context"
	"time"

	"campusgate/server/lease"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// ping sends a ping to every connected gate that is to have one.
func (h *Hub) ping(now time.Time) {
	gates := h.store.Leased()
	h.leases.Keep(gates)
	for _, gate := range gates {
		c := h.owner(gate)
		if c == nil {
			continue
		}
		frame, err := wire.EncodeFrame(wire.Link, wire.TypePing, h.leases.Ping(gate, c, now))
		if err != nil {
			c.fail(err)
			continue
		}
		c.out.Offer(wire.Link, frame) // too late later
	}
}

// pong takes a gate's promise.
func (c *conn) pong(m wire.Pong) error {
	c.mu.Lock()
	acked := c.state.Acked
	c.mu.Unlock()
	c.h.leases.Pong(c.agent.Gate, c, m, acked, c.h.cfg.Now())
	return nil
}

// Decide has the store decide a claim, and names the gates that are dark. A claim
// that cannot ask those is answered silent while there are any. Errors are the
// store's.
func (h *Hub) Decide(ctx context.Context, m wire.Claim) (wire.Answer, error) {
	then := h.leases.Current(h.cfg.Now())
	a, err := h.store.Decide(ctx, m)
	if err != nil || a.State != verdict.ClaimGranted || len(a.Dark) == 0 {
		return a, err
	}
	a.Dark = lease.Dark(a.Dark, then, h.leases.Current(h.cfg.Now()))
	if len(a.Dark) > 0 && m.Reserve == wire.ReserveNone {
		return m.Answer(verdict.ClaimSilent), nil
	}
	return a, nil
}

// lease pings until ctx ends.
func (h *Hub) lease(ctx context.Context) {
	tick := time.NewTicker(wire.LeasePingMS * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.ping(h.cfg.Now())
		}
	}
}
