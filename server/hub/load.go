package hub

import (
	"context"

	"campusgate/signing/wire"
)

// Programs are the releases of the agents' own program. Methods are called from
// many goroutines at once.
type Programs interface {
	// Offered gives the release for a PC of this system at this gate, as SHA-256 in
	// hex; "" = none. It is asked with every heartbeat and must not wait.
	Offered(gate uint16, os, arch string) string
	// Part answers a Fetch. Data stay empty unless the release is offered to the
	// gate.
	Part(ctx context.Context, gate uint16, f wire.Fetch) wire.Part
}

// none offers nothing.
type none struct{}

func (none) Offered(uint16, string, string) string { return "" }

func (none) Part(_ context.Context, _ uint16, f wire.Fetch) wire.Part {
	return wire.Part{Release: f.Release, Offset: f.Offset}
}

// offer is what a heartbeat is answered with.
func (c *conn) offer(h *wire.Health) string {
	if h == nil || h.Program == nil {
		return ""
	}
	return c.h.cfg.Programs.Offered(c.agent.Gate, h.Program.OS, h.Program.Arch)
}

// load sends parts of programs, one after the other.
func (c *conn) load() {
	for {
		var f wire.Fetch
		select {
		case f = <-c.fetches:
		case <-c.ctx.Done():
			return
		}
		frame, err := wire.EncodeFrame(wire.Load, wire.TypePart, c.h.cfg.Programs.Part(c.ctx, c.agent.Gate, f))
		if err == nil {
			err = c.out.Put(c.ctx, wire.Load, frame)
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}
