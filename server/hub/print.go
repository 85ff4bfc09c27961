package hub

import (
	"context"
	"time"

	"campusgate/signing/wire"
)

// Print has the receipt printer at a gate print something and waits for what came
// of it, wire.PrintWaitMS at most. The same id again prints nothing: it gives what
// came of it the first time, as far as the agent knows.
func (h *Hub) Print(ctx context.Context, gate uint16, p wire.Print) wire.Printed {
	nothing := wire.Printed{ID: p.ID, State: wire.PrintFailed}
	c := h.owner(gate)
	if c == nil {
		nothing.Reason = wire.PrintOffline
		return nothing
	}
	answer, forget, ok := c.prints.Wait(p.ID)
	if !ok {
		nothing.Reason = wire.PrintBusy
		return nothing
	}
	defer forget()
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypePrint, p)
	if err != nil || !c.out.Offer(wire.Ask, frame) {
		nothing.Reason = wire.PrintBusy
		return nothing
	}
	ctx, cancel := context.WithTimeout(ctx, wire.PrintWaitMS*time.Millisecond)
	defer cancel()
	select {
	case a := <-answer:
		return a
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	return wire.Printed{ID: p.ID, State: wire.PrintUnknown, Reason: wire.PrintSilent}
}
