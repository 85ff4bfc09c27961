package lane

import (
	"maps"
	"slices"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is our questions about passes that gates share (policy first_seen):
// the server is asked, then the gates that may know more than it, and who says
// no in time stops us.

// wordMS is how long the server's word about who is dark holds, from when it was
// asked: as long as an answer may take.
const wordMS = wire.AskTimeoutMS

// quest is how far the questions about a claim have come. Quests are replaced,
// never changed.
type quest struct {
	claim  wire.Claim
	again  bool // a question under the same id may have been granted before
	zones  signing.Zones
	began  int64 // mono, before the first question left
	at     int64 // mono, before the server was asked last
	server verdict.ClaimState
	others []said // gates that were asked, in that order
	waits  bool   // for the lease to be over
}

// said is what a gate answered; unasked = not yet.
type said struct {
	gate  uint16
	state verdict.ClaimState
}

func (q *quest) pending() bool {
	return q.server == verdict.ClaimUnasked || slices.ContainsFunc(q.others, func(s said) bool { return s.state == verdict.ClaimUnasked })
}

func (c *Core) setQuest(id string, q *quest) {
	old := c.quests
	c.Undo(func() { c.quests = old })
	c.quests = maps.Clone(old)
	if c.quests == nil {
		c.quests = map[string]*quest{}
	}
	if q == nil {
		delete(c.quests, id)
		return
	}
	c.quests[id] = q
}

// share adds to a case what first_seen goes by.
func (c *Core) share(book Book, k *verdict.Case, p *Policy) error {
	agreed := k.Offline.Confirmed
	if k.Offline = (verdict.Offline{}); p.Mode != verdict.FirstSeen || k.Code.Uses != 1 {
		return nil
	}
	_, shared, err := book.Group(k.Code.Zones, k.Decider())
	if err != nil {
		return err
	}
	k.Offline = p.Offline.Caps()
	k.Offline.Shared, k.Offline.Confirmed = shared, agreed
	k.Offline.Admitted, err = book.Unconfirmed()
	return err
}

// seek begins to ask everybody, unless that is under way.
func (c *Core) seek(a *attempt, claim wire.Claim, again bool, now desk.Moment) []desk.Effect {
	if c.quests[claim.ID] != nil {
		return nil
	}
	claim.Reserve = wire.ReserveTake
	c.setQuest(claim.ID, &quest{claim: claim, again: again, zones: a.kase.Code.Zones, began: now.Mono, at: now.Mono})
	return []desk.Effect{desk.Ask{Claim: claim}}
}

// heard takes an answer to a quest.
func (c *Core) heard(book Book, was *quest, in desk.ClaimReply, now desk.Moment) ([]desk.Effect, error) {
	q := *was
	q.others = slices.Clone(was.others)
	state := in.Answer.State
	if in.From == 0 {
		if q.server != verdict.ClaimUnasked || in.Answer.Try != q.claim.Try {
			return nil, nil
		}
		switch state {
		case verdict.ClaimUsed, verdict.ClaimRefused:
			q.server = state
			return c.end(book, &q, verdict.Claim{State: state, First: in.Answer.First}, now)
		case verdict.ClaimGranted:
			q.server = state
			return c.spread(book, &q, append(slices.Clone(in.Answer.Dark), c.reservers(q.claim.Pass, now)...), now)
		default:
			q.server = verdict.ClaimSilent
		}
		gates, _, err := book.Group(q.zones, 0)
		if err != nil {
			return nil, err
		}
		return c.spread(book, &q, append(gates, c.reservers(q.claim.Pass, now)...), now)
	}
	i := slices.IndexFunc(q.others, func(s said) bool { return s.gate == in.From && s.state == verdict.ClaimUnasked })
	if i < 0 {
		return nil, nil
	}
	switch state {
	case verdict.ClaimUsed:
		return c.end(book, &q, verdict.Claim{State: state, First: in.Answer.First}, now)
	case verdict.ClaimReserved:
		return c.end(book, &q, verdict.Claim{State: state, By: in.From}, now)
	case verdict.ClaimRefused:
		return c.end(book, &q, verdict.Claim{State: state}, now)
	case verdict.ClaimGranted:
		// Who calls it free is not about to admit it, whatever it reserved before.
		c.unreserve(q.claim.Pass, func(r reservation) bool { return r.gate == in.From })
	default:
		state = verdict.ClaimSilent
	}
	q.others[i].state = state
	return c.advance(book, &q, now)
}

// spread asks the gates that were not asked yet.
func (c *Core) spread(book Book, q *quest, gates []uint16, now desk.Moment) (effects []desk.Effect, err error) {
	slices.Sort(gates)
	for _, gate := range slices.Compact(gates) {
		if gate == c.cfg.Gate || slices.ContainsFunc(q.others, func(s said) bool { return s.gate == gate }) {
			continue
		}
		q.others = append(q.others, said{gate: gate})
		effects = append(effects, desk.Ask{Claim: q.to(gate)})
	}
	more, err := c.advance(book, q, now)
	return append(effects, more...), err
}

func (q *quest) to(gate uint16) wire.Claim {
	claim := q.claim
	claim.Owner, claim.Try = gate, 0
	return claim
}

// advance ends a quest to which everybody has answered, or been silent.
func (c *Core) advance(book Book, q *quest, now desk.Moment) ([]desk.Effect, error) {
	if q.waits = false; q.pending() {
		c.setQuest(q.claim.ID, q)
		return nil, nil
	}
	if now.Mono-q.began > wire.AttemptMS {
		return c.end(book, q, verdict.Claim{State: verdict.ClaimSilent}, now)
	}
	if by := c.reservers(q.claim.Pass, now); len(by) > 0 {
		return c.end(book, q, verdict.Claim{State: verdict.ClaimReserved, By: by[0]}, now)
	}
	granted := verdict.Claim{State: verdict.ClaimGranted}
	for _, s := range q.others {
		if s.state == verdict.ClaimSilent {
			granted.State = verdict.ClaimUnreached
			granted.Unreached = append(granted.Unreached, s.gate)
		}
	}
	if q.server == verdict.ClaimGranted {
		if now.Mono-q.at > wordMS {
			return c.askAgain(q, now), nil
		}
		return c.end(book, q, granted, now)
	}
	granted.State, granted.Unreached = verdict.ClaimUnreached, append([]uint16{0}, granted.Unreached...)
	switch wait := c.leased(now); {
	case wait <= 0:
		return c.end(book, q, granted, now)
	case now.Mono+wait-q.began > wire.AttemptMS:
		return c.end(book, q, verdict.Claim{State: verdict.ClaimSilent}, now)
	default:
		q.waits = true
		c.setQuest(q.claim.ID, q)
		return []desk.Effect{desk.Later{Claim: q.claim.ID, MS: wait}}, nil
	}
}

// askAgain asks the server once more, with the same id.
func (c *Core) askAgain(q *quest, now desk.Moment) []desk.Effect {
	q.server, q.at, q.again = verdict.ClaimUnasked, now.Mono, true
	q.claim.Try++
	c.setQuest(q.claim.ID, q)
	return []desk.Effect{desk.Ask{Claim: q.claim}}
}

// waited goes on after the lease should have ended. Where it was renewed the
// server can be reached again.
func (c *Core) waited(book Book, in desk.Waited, now desk.Moment) ([]desk.Effect, error) {
	was := c.quests[in.Claim]
	if was == nil || !was.waits {
		return nil, nil
	}
	q := *was
	if c.leased(now) > 0 {
		return c.askAgain(&q, now), nil
	}
	return c.advance(book, &q, now)
}

// leased is for how many ms more this gate may not act on its own; none or less =
// it may. After a start it waits for the promises of the time before, which are
// in nobody's memory.
func (c *Core) leased(now desk.Moment) int64 {
	return max(c.started+wire.ReserveMS, c.lease+wire.LeaseGateMS) - now.Mono
}

// end settles the attempts that wait for a quest, and gives back what they did
// not open with.
func (c *Core) end(book Book, q *quest, claim verdict.Claim, now desk.Moment) (effects []desk.Effect, err error) {
	id := q.claim.ID
	c.setQuest(id, nil)
	standing, err := book.Standing(q.claim.Pass, signing.PhoneID{})
	if err != nil {
		return nil, err
	}
	if asked := standing.Asked; asked == nil || asked.ID != id || asked.State != desk.ClaimOpen {
		claim = verdict.Claim{State: verdict.ClaimSilent} // given back meanwhile
	}
	for _, a := range append([]*attempt(nil), c.waiting...) {
		if !a.asked || a.claim != id {
			continue
		}
		next := *a
		next.kase.Claim = claim
		more, err := c.decide(book, &next, now)
		if err != nil {
			return nil, err
		}
		effects = append(effects, more...)
	}
	if standing, err = book.Standing(q.claim.Pass, signing.PhoneID{}); err != nil {
		return nil, err
	}
	asked := standing.Asked
	if asked == nil || asked.ID != id || asked.State == desk.ClaimOpened {
		return effects, nil
	}
	for _, s := range q.others {
		if s.state == verdict.ClaimUsed || s.state == verdict.ClaimReserved {
			continue
		}
		free := q.to(s.gate)
		free.Reserve = wire.ReserveFree
		effects = append(effects, desk.Tell{Claim: free})
	}
	switch {
	case asked.State != desk.ClaimOpen:
		return effects, nil
	case !q.again && (q.server == verdict.ClaimUsed || q.server == verdict.ClaimRefused):
		return effects, book.Settle(q.claim.Pass, desk.ClaimRefused)
	}
	return effects, c.GiveBack(book, wire.EventAnnul, asked, now)
}

// pinged promises not to act for a while, where the server hears it.
func (c *Core) pinged(book Book, in Pinged, now desk.Moment) ([]desk.Effect, error) {
	last, mode, err := book.End()
	if err != nil {
		return nil, err
	}
	promise := in.Ping.Reaches()
	if promise {
		old := c.lease
		c.Undo(func() { c.lease = old })
		c.lease = now.Mono
	}
	return []desk.Effect{desk.Pong{Pong: wire.Pong{
		Nonce: in.Ping.Nonce, Promise: promise, Last: last, FirstSeen: mode == verdict.FirstSeen,
	}}}, nil
}
