package hub

import "campusgate/signing/wire"

// Calls is what the hub does with calls for help. Methods are called from the
// connections' own goroutines and must not wait.
type Calls interface {
	// Connected: the agent can be told things now.
	Connected(a Agent)
	Rung(a Agent, r wire.Ring)
	Replied(a Agent, r wire.Reply)
	Stands(a Agent, s wire.Stand)
}

// deaf is for a hub that was given nobody to hear calls.
type deaf struct{}

func (deaf) Connected(Agent)           {}
func (deaf) Rung(Agent, wire.Ring)     {}
func (deaf) Replied(Agent, wire.Reply) {}
func (deaf) Stands(Agent, wire.Stand)  {}

// Tell sends an agent a message on the stream call. It reports false when the
// agent is not connected, or takes nothing: then nothing was sent.
func (h *Hub) Tell(agent uint32, typ string, body any) bool {
	h.mu.Lock()
	c := h.agents[agent]
	h.mu.Unlock()
	if c == nil || c.ctx.Err() != nil {
		return false
	}
	frame, err := wire.EncodeFrame(wire.Call, typ, body)
	if err != nil {
		h.cfg.Log.Error("call not sent", "agent", agent, "type", typ, "err", err)
		return false
	}
	return c.out.Offer(wire.Call, frame)
}

// Connected gives the agents that can be told things, by gate.
func (h *Hub) Connected() map[uint16]uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make(map[uint16]uint32, len(h.gates))
	for gate, c := range h.gates {
		list[gate] = c.agent.ID
	}
	return list
}

// call hands a message of the stream on.
func (c *conn) call(f wire.Frame) error {
	calls := c.h.cfg.Calls
	switch f.Type {
	case wire.TypeRing:
		return handle(f, func(m wire.Ring) error {
			calls.Rung(c.agent, m)
			return nil
		})
	case wire.TypeReply:
		return handle(f, func(m wire.Reply) error {
			calls.Replied(c.agent, m)
			return nil
		})
	}
	return handle(f, func(m wire.Stand) error {
		calls.Stands(c.agent, m)
		return nil
	})
}
