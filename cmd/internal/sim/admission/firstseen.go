package admission

import (
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file is what gates of the policy first_seen have besides.

// limits are wide, so that they hide nothing.
var limits = wire.Offline{Max: 10_000, MaxAgeMS: 30 * 24 * 3_600_000}

func (r *Run) offline() wire.Offline {
	if r.Policy == verdict.FirstSeen {
		return limits
	}
	return wire.Offline{}
}

// lease pings the gates, as the hub does.
func (s *server) lease() error {
	s.w.after(wire.LeasePingMS, s.lease)
	if s.off {
		return nil
	}
	gates := s.db.Leased()
	s.leases.Keep(gates)
	for _, gate := range gates {
		c := s.conns[gate]
		if c == nil {
			continue
		}
		if err := s.send(c, wire.Link, wire.TypePing, s.leases.Ping(gate, c, s.w.time())); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) pong(c *conn, m *wire.Pong) error {
	acked, err := s.db.Acked(ctx, c.agent.ID, c.agent.Epoch)
	if err == nil {
		s.leases.Pong(c.g.number, c, *m, acked, s.w.time())
	}
	return err
}

// ping has the core promise not to act alone.
func (g *gate) ping(m *wire.Ping) error {
	g.put(input{in: lane.Pinged{Stamp: g.stamp(), Ping: *m}})
	return nil
}

// later has the core go on after some ms of its own clock.
func (g *gate) later(e desk.Later) {
	g.during(int64(float64(e.MS)/g.clock.rate)+1, func() error {
		g.put(input{in: desk.Waited{Stamp: g.stamp(), Claim: e.Claim}})
		return nil
	})
}

// tell sends a claim to whose answer nobody listens.
func (g *gate) tell(c wire.Claim) error {
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeClaim, c)
	if err != nil {
		return err
	}
	if g.link.open {
		g.sendFrame(false, frame)
	}
	g.w.net.send(int(g.number), int(c.Owner), false, [][]byte{frame}, func(frames [][]byte) error {
		return g.w.gates[c.Owner-1].asked(g, frames[0])
	})
	return nil
}

// told is what the server has committed of a journal, and when.
type told struct {
	seq uint64
	at  int64
}

func (t *witness) telling(agent store.Agent, acked uint64) {
	t.told[agent.ID] = append(t.told[agent.ID], told{acked, t.w.now})
}

// couldTell reports whether the gate of a later admission could have heard of an
// earlier one, as D5 says it: by one question and one answer, which were in time,
// between the two gates; or of the server, which knew.
func (w *world) couldTell(first, second *admission) bool {
	a, b, since := int(first.gate), int(second.gate), second.presented
	if a == b || w.witness.heard[second.claim][first.gate] >= since {
		return true
	}
	n, g := w.net, w.gates[a-1]
	if n.smooth(a, b, since) && n.smooth(b, a, since) && g.on && g.clock.started <= since && g.fault < since {
		return true
	}
	s := w.server
	if !s.up() || second.link == 0 || s.fault >= since || !n.smooth(b, 0, since) || !n.smooth(0, b, since) {
		return false
	}
	for _, t := range w.witness.told[first.event.Agent] {
		if t.seq >= first.event.Seq {
			return t.at <= since
		}
	}
	return false
}

// smooth reports whether a way has been up since a moment, and lost and delayed
// nothing.
func (n *network) smooth(from, to int, since int64) bool {
	return n.held(from, to, since) && n.ways[from][to].rough < since
}
