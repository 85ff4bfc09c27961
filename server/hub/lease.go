package hub

import (
	"context"
	"sync"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// wordMS is for how long the hub's word about who is dark is good: a gate is
// current only while its lease lasts for that much longer. Whoever asked takes
// no answer after AskTimeoutMS, and clocks drift.
const wordMS = wire.AskTimeoutMS + wire.AskTimeoutMS/6

// leases knows which gates have promised not to act on their own. It is in
// memory only: after a restart nobody has.
type leases struct {
	mu     sync.Mutex
	nonce  uint64
	term   uint64 // of the lease that was proven last
	gates  map[uint16]*lease
	wanted map[uint16]bool // that are pinged
}

// lease is what is known of one gate on its present connection.
type lease struct {
	of     *conn
	pings  map[uint64]time.Time // sent and not answered, by nonce
	proven bool                 // its journal is held up to a pong, and the lease never ended since
	until  time.Time            // when the last promise ends
	term   uint64               // another one each time that it is proven anew
}

// before reports that t has not been reached yet, by the clock and by the time
// that passed: one of them stands still while a machine sleeps.
func before(now, t time.Time) bool { return now.Before(t) && now.Round(0).Before(t.Round(0)) }

// ping sends a ping to every connected gate that is to have one.
func (h *Hub) ping(now time.Time) {
	gates := h.store.Leased()
	l := &h.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.wanted)
	for _, gate := range gates {
		l.wanted[gate] = true
		c := h.owner(gate)
		if c == nil {
			continue
		}
		at := l.gates[gate]
		if at == nil || at.of != c {
			at = &lease{of: c, pings: map[uint64]time.Time{}}
			l.gates[gate] = at
		}
		for nonce, sent := range at.pings {
			if !before(now, sent.Add(wire.LeaseMS*time.Millisecond)) {
				delete(at.pings, nonce)
			}
		}
		l.nonce++
		frame, err := wire.EncodeFrame(wire.Link, wire.TypePing, wire.Ping{Nonce: l.nonce})
		if err != nil {
			c.fail(err)
			continue
		}
		at.pings[l.nonce] = now // before it can be answered
		if !c.out.Offer(wire.Link, frame) {
			delete(at.pings, l.nonce)
		}
	}
	for gate := range l.gates {
		if !l.wanted[gate] {
			delete(l.gates, gate)
		}
	}
}

// pong takes a gate's promise. It counts from when the ping was sent.
func (c *conn) pong(m wire.Pong) error {
	c.mu.Lock()
	acked := c.state.Acked
	c.mu.Unlock()
	l, now := &c.h.leases, c.h.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.gates[c.agent.Gate]
	if at == nil || at.of != c {
		return nil
	}
	sent, ok := at.pings[m.Nonce]
	if !ok {
		return nil
	}
	delete(at.pings, m.Nonce)
	if !before(now, at.until) {
		at.proven = false
	}
	was := at.proven
	if at.proven = m.FirstSeen && (was || m.Last <= acked); !at.proven {
		return nil
	}
	if !was {
		l.term++
		at.term = l.term
	}
	if until := sent.Add(wire.LeaseMS * time.Millisecond); until.After(at.until) {
		at.until = until
	}
	return nil
}

// current gives the term of each gate that is known to act on nothing of its own
// now, and to have told everything it did before.
func (h *Hub) current() map[uint16]uint64 {
	l, now := &h.leases, h.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	terms := map[uint16]uint64{}
	for gate, at := range l.gates {
		if at.proven && l.wanted[gate] && before(now.Add(wordMS*time.Millisecond), at.until) {
			terms[gate] = at.term
		}
	}
	return terms
}

// Current reports whether a gate of the policy first_seen is not dark.
func (h *Hub) Current(gate uint16) bool { return h.current()[gate] != 0 }

// Decide has the store decide a claim, and names the gates that are dark: those
// that were not current all the time. A claim that cannot ask those is answered
// silent while there are any. Errors are the store's.
func (h *Hub) Decide(ctx context.Context, m wire.Claim) (wire.Answer, error) {
	then := h.current()
	a, err := h.store.Decide(ctx, m)
	if err != nil || a.State != verdict.ClaimGranted || len(a.Dark) == 0 {
		return a, err
	}
	// A gate that was dark at first may have told something since that the store
	// did not know when it decided; one that is dark now may be about to admit.
	var dark []uint16
	now := h.current()
	for _, gate := range a.Dark {
		if then[gate] == 0 || then[gate] != now[gate] {
			dark = append(dark, gate)
		}
	}
	if a.Dark = dark; len(dark) > 0 && m.Reserve == wire.ReserveNone {
		return silence(m), nil
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
