package hub

import (
	"context"
	"sync"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// claim answers a claim of this agent, off the reader's goroutine. With all
// slots taken the answer is silence, at once.
func (c *conn) claim(m wire.Claim, streams *sync.WaitGroup) error {
	if !c.mayAsk(m) {
		c.h.cfg.Log.Warn("claim in another's name", "agent", c.agent.ID, "gate", c.agent.Gate, "claim", m.ID, "for", m.Gate)
		return c.answer(silence(m))
	}
	select {
	case c.claims <- struct{}{}:
	default:
		return c.answer(silence(m))
	}
	streams.Go(func() {
		defer func() { <-c.claims }()
		ctx, cancel := context.WithTimeout(c.ctx, wire.AskTimeoutMS*time.Millisecond)
		defer cancel()
		if err := c.answer(c.decide(ctx, m)); err != nil {
			c.fail(err)
		}
	})
	return nil
}

// mayAsk reports whether the claim is this agent's own, of this enrolment or
// an earlier one, for its own gate: whoever repeats a claim id is given its
// answer.
func (c *conn) mayAsk(m wire.Claim) bool {
	id, err := wire.ParseEventID(m.ID)
	return err == nil && id.Agent == c.agent.ID && id.Epoch <= c.agent.Epoch && m.Gate == c.agent.Gate
}

// decide has the claim decided by whoever decides it. Silence is not an answer
// of a decider: it may have decided, and will say the same again.
func (c *conn) decide(ctx context.Context, m wire.Claim) wire.Answer {
	if m.Charge != nil && m.Owner != 0 {
		return silence(m) // no gate holds money
	}
	if m.Owner == 0 {
		ask := c.h.Decide
		if m.Charge != nil {
			ask = c.h.store.Charge
		}
		a, err := ask(ctx, m)
		if err != nil {
			c.h.cfg.Log.Warn("claim not decided", "agent", c.agent.ID, "claim", m.ID, "err", err)
			return silence(m)
		}
		a.ID, a.Try = m.ID, m.Try
		if err := a.Check(); err != nil {
			c.h.cfg.Log.Error("claim not answered", "agent", c.agent.ID, "claim", m.ID, "err", err)
			return silence(m)
		}
		return a
	}
	owner := c.h.owner(m.Owner)
	if owner == nil || owner == c {
		return silence(m)
	}
	return owner.ask(ctx, m)
}

// ask puts a claim to this agent, the owner, and waits for its answer.
func (c *conn) ask(ctx context.Context, m wire.Claim) wire.Answer {
	answer, forget, ok := c.relayed.Wait(m.ID)
	if !ok {
		return silence(m)
	}
	defer forget()
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeClaim, m)
	if err != nil || !c.out.Offer(wire.Ask, frame) {
		return silence(m)
	}
	select {
	case a := <-answer:
		return a
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return silence(m)
}

// answer sends an answer if there is room. Without room it is too late anyway.
func (c *conn) answer(a wire.Answer) error {
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeAnswer, a)
	if err != nil {
		return err
	}
	c.out.Offer(wire.Ask, frame)
	return nil
}

func silence(m wire.Claim) wire.Answer {
	return m.Answer(verdict.ClaimSilent)
}

// Ask puts a claim of the server's own to the gate that owns the pass, and
// waits no longer than a gate would. Silence is an answer; so is that of a gate
// that is not connected.
func (h *Hub) Ask(ctx context.Context, m wire.Claim) wire.Answer {
	ctx, cancel := context.WithTimeout(ctx, wire.AskTimeoutMS*time.Millisecond)
	defer cancel()
	owner := h.owner(m.Owner)
	if owner == nil {
		return silence(m)
	}
	return owner.ask(ctx, m)
}
