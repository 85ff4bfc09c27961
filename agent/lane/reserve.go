package lane

import (
	"maps"
	"slices"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is our answers to gates that share passes with us. Who is told that
// a pass is free may count on it for wire.ReserveMS. That is kept in memory: a
// gate that was started anew does not act on its own for as long (leased).

// maxReserved bounds the passes that are reserved; for more there is no answer.
const maxReserved = 4096

// reservation is a pass that another gate may be about to admit.
type reservation struct {
	claim string
	gate  uint16
	until int64 // mono
}

// shared answers a question about a pass that gates share.
func (c *Core) shared(book Book, q *wire.Claim, now desk.Moment) ([]desk.Effect, error) {
	reply := func(a wire.Answer) desk.Effect {
		a.ID, a.From, a.Try = q.ID, c.cfg.Gate, q.Try
		return desk.Reply{Answer: a}
	}
	one := func(a wire.Answer) []desk.Effect { return []desk.Effect{reply(a)} }
	granted, silent := wire.Answer{State: verdict.ClaimGranted}, wire.Answer{State: verdict.ClaimSilent}
	if q.Reserve == wire.ReserveFree {
		c.unreserve(q.Pass, func(r reservation) bool { return r.claim == q.ID })
		return one(granted), nil
	}
	standing, err := book.Standing(q.Pass, signing.PhoneID{})
	if err != nil {
		return nil, err
	}
	r := &standing.Record
	switch {
	case r.Uses >= q.Uses:
		return one(wire.Answer{State: verdict.ClaimUsed, First: r.First}), nil
	case r.Revoked || r.Blocked:
		return one(wire.Answer{State: verdict.ClaimRefused}), nil
	case !standing.Policy.Known || q.Issued < standing.Policy.OwnsFrom:
		return one(silent), nil // its record may not go back so far
	}
	if slices.ContainsFunc(c.reserved[q.Pass], func(r reservation) bool { return r.gate < q.Gate && r.until > now.Mono }) {
		return one(wire.Answer{State: verdict.ClaimReserved}), nil
	}
	var effects []desk.Effect
	for _, own := range slices.Sorted(maps.Keys(c.quests)) {
		quest := c.quests[own]
		switch {
		case quest.claim.Pass != q.Pass:
		case c.cfg.Gate < q.Gate:
			return one(wire.Answer{State: verdict.ClaimReserved}), nil
		default:
			more, err := c.end(book, quest, verdict.Claim{State: verdict.ClaimReserved, By: q.Gate}, now)
			if err != nil {
				return nil, err
			}
			effects = append(effects, more...)
		}
	}
	if !c.reserve(q.Pass, reservation{q.ID, q.Gate, now.Mono + wire.ReserveMS}) {
		return append(effects, reply(silent)), nil
	}
	return append(effects, reply(granted)), nil
}

// reserve keeps a reservation, in place of an earlier one of the same gate.
func (c *Core) reserve(pass signing.PassID, r reservation) bool {
	if len(c.reserved) >= maxReserved && c.reserved[pass] == nil {
		return false
	}
	kept := slices.DeleteFunc(slices.Clone(c.reserved[pass]), func(o reservation) bool { return o.gate == r.gate })
	c.setReserved(pass, append(kept, r))
	return true
}

func (c *Core) unreserve(pass signing.PassID, gone func(reservation) bool) {
	list := c.reserved[pass]
	if slices.ContainsFunc(list, gone) {
		c.setReserved(pass, slices.DeleteFunc(slices.Clone(list), gone))
	}
}

func (c *Core) setReserved(pass signing.PassID, list []reservation) {
	old := c.reserved[pass]
	c.Undo(func() { c.putReserved(pass, old) })
	c.putReserved(pass, list)
}

func (c *Core) putReserved(pass signing.PassID, list []reservation) {
	if len(list) == 0 {
		delete(c.reserved, pass)
		return
	}
	c.reserved[pass] = list
}

// reservers are the gates that may be about to admit a pass, in order.
func (c *Core) reservers(pass signing.PassID, now desk.Moment) (gates []uint16) {
	for _, r := range c.reserved[pass] {
		if r.until > now.Mono {
			gates = append(gates, r.gate)
		}
	}
	slices.Sort(gates)
	return gates
}

// expire forgets the reservations that are over.
func (c *Core) expire(now desk.Moment) {
	for _, pass := range slices.Collect(maps.Keys(c.reserved)) {
		c.unreserve(pass, func(r reservation) bool { return r.until <= now.Mono })
	}
}
