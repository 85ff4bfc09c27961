package hub

import (
	"context"
	"time"

	"campusgate/signing/wire"
)

// Move asks the agent of the gate that owns a pass to give it up, and waits for
// what came of it, wire.MoveWaitMS at most. Silence is also the answer of a gate
// that is not connected, and says nothing: the pass may have been given up all
// the same, and then its event comes.
func (h *Hub) Move(ctx context.Context, m wire.Move) wire.Moved {
	silent := wire.Moved{ID: m.ID, State: wire.MoveSilent}
	c := h.owner(m.From)
	if c == nil {
		return silent
	}
	answer, forget, ok := c.moves.Wait(m.ID)
	if !ok {
		return silent
	}
	defer forget()
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeMove, m)
	if err != nil || !c.out.Offer(wire.Ask, frame) {
		return silent
	}
	ctx, cancel := context.WithTimeout(ctx, wire.MoveWaitMS*time.Millisecond)
	defer cancel()
	select {
	case a := <-answer:
		return a
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return silent
}
