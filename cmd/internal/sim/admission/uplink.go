package admission

import (
	"context"
	"crypto/ed25519"
	"slices"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// ctx is that of every call: nothing here is given up half-way.
var ctx = context.Background()

// uplink is what a gate has of its connection to the server.
type uplink struct {
	session uint64
	open    bool // the server said welcome
	heard   int64
	beat    wire.Clock // the last that was sent
	sent    int64      // when, by the monotonic clock
	told    bool       // the server's time
	upload  int64      // when events were sent last that are not acked
}

// session is the connection that both ends have; 0 = none.
func (g *gate) session() uint64 {
	if c := g.w.server.conns[g.number]; g.link.open && c != nil && c.session == g.link.session {
		return c.session
	}
	return 0
}

// beat is every five seconds: the connection, the clock, and the core's tick.
func (g *gate) beat() error {
	g.during(wire.HeartbeatMS, g.beat)
	g.put(input{in: desk.Tick{Stamp: g.stamp()}})
	l := &g.link
	if l.open && g.w.now-l.heard > wire.PeerSilenceMS {
		*l = uplink{}
	}
	if !l.open {
		return g.dial()
	}
	l.beat, l.sent = wire.Clock{T0: g.clock.wall(g.w.now)}, g.clock.mono(g.w.now)
	if err := g.send(wire.Link, wire.TypeClock, l.beat); err != nil {
		return err
	}
	return g.upload()
}

// dial begins a connection.
func (g *gate) dial() error {
	g.w.order++
	g.link = uplink{session: g.w.order}
	return g.send(wire.Link, wire.TypeAuth, wire.Auth{
		Version: wire.Version, Agent: g.agent.ID, Epoch: g.agent.Epoch, Signature: make([]byte, ed25519.SignatureSize),
		Cursor: g.snap.Cursor(), Last: g.journal.Last(),
	})
}

// send puts a message on the connection to the server.
func (g *gate) send(stream wire.Stream, typ string, body any) error {
	frame, err := wire.EncodeFrame(stream, typ, body)
	if err == nil {
		g.sendFrame(typ == wire.TypeAnswer, frame)
	}
	return err
}

func (g *gate) sendFrame(answer bool, frame []byte) {
	session := g.link.session
	g.w.net.send(int(g.number), 0, answer, [][]byte{frame}, func(frames [][]byte) error {
		return g.w.server.receive(g, session, frames)
	})
}

// receive takes frames of the server on a session of ours.
func (g *gate) receive(session uint64, frames [][]byte) error {
	if !g.on || g.link.session != session {
		return nil
	}
	var group []wire.Delta
	for _, raw := range frames {
		f, err := wire.DecodeFrame(raw)
		if err != nil {
			return err
		}
		g.link.heard = g.w.now
		switch f.Type {
		case wire.TypeWelcome:
			err = into(f, func(m *wire.Welcome) error { return g.welcome(m) })
		case wire.TypeClock:
			err = into(f, func(m *wire.Clock) error { g.compared(m); return nil })
		case wire.TypePing:
			err = into(f, g.ping)
		case wire.TypeAcked:
			err = into(f, func(m *wire.Acked) error { return g.acked(m.Seq) })
		case wire.TypeDelta:
			err = into(f, func(m *wire.Delta) error { group = append(group, *m); return nil })
		case wire.TypeAnswer:
			err = into(f, func(m *wire.Answer) error { g.answered(m, throughServer); return nil })
		case wire.TypeClaim:
			err = into(f, func(m *wire.Claim) error {
				g.claimed(m, func(a wire.Answer) error { return g.send(wire.Ask, wire.TypeAnswer, a) })
				return nil
			})
		}
		if err != nil || !g.on {
			return err
		}
	}
	if len(group) == 0 {
		return nil
	}
	return g.apply(group)
}

func (g *gate) welcome(m *wire.Welcome) error {
	if g.link.open {
		return nil
	}
	g.link.open = true
	if err := g.acked(m.Acked); err != nil || !g.on {
		return err
	}
	return g.upload()
}

// compared believes the last exchange, as half-way as it was.
func (g *gate) compared(m *wire.Clock) {
	l := &g.link
	if m.T0 != l.beat.T0 || l.sent == 0 {
		return
	}
	rtt := g.clock.mono(g.w.now) - l.sent
	l.sent = 0
	if wall := g.clock.wall(g.w.now); wall-m.T0-rtt > 500 || wall-m.T0-rtt < -500 {
		return // somebody set the clock meanwhile
	}
	l.told = true
	g.put(input{in: desk.Synced{Stamp: g.stamp(), OffsetMS: m.T1 - m.T0 - rtt/2}})
}

// apply brings a group into force, or says that it could not.
func (g *gate) apply(group []wire.Delta) error {
	last := group[len(group)-1].Cursor
	have := g.snap.Cursor()
	var err error
	switch {
	case len(group) == 1 && !group[0].Reset && len(group[0].Items) == 0 && last == have:
		if g.link.told { // by the server's clock, or not yet
			err = g.snap.Current(time.UnixMilli(g.core.At(g.stamp())))
		}
	case !group[0].Reset && last.Lineage == have.Lineage && last.Revision < have.Revision:
		return nil // came late
	default:
		err = g.snap.Apply(group)
	}
	ok, err := g.done(err)
	if err != nil || !g.on {
		return err
	}
	if !ok {
		return g.send(wire.Down, wire.TypeApplied, wire.Applied{Cursor: g.snap.Cursor(), Fault: "disk"})
	}
	if slices.ContainsFunc(group, releases) {
		g.put(input{in: desk.Tick{Stamp: g.stamp()}})
	}
	return g.send(wire.Down, wire.TypeApplied, wire.Applied{Cursor: g.snap.Cursor()})
}

// releases reports that there is something for the core to look at, at once.
func releases(d wire.Delta) bool {
	return slices.ContainsFunc(d.Items, func(it wire.Item) bool { return it.Kind == wire.ItemRelease })
}

// acked notes up to where the server holds the journal.
func (g *gate) acked(seq uint64) error {
	ok, err := g.done(g.journal.Ack(seq))
	if err != nil || !ok {
		return err
	}
	g.link.upload = 0
	if g.journal.Queue() > 0 {
		g.during(1, g.upload)
	}
	return nil
}

// upload sends some of what the server has not acknowledged, as a network does
// that repeats itself.
func (g *gate) upload() error {
	w, l := g.w, &g.link
	if !l.open || g.journal.Queue() == 0 || l.upload != 0 && w.now-l.upload < 1_000 {
		return nil
	}
	from, limit := g.journal.Last()-g.journal.Queue(), wire.MaxBatch
	if w.faults {
		limit = int(w.between(1, 60))
		switch {
		case w.chance(0.1): // once more what it has
			from -= min(from, uint64(w.between(1, 20)))
		case w.chance(0.05): // the later before the earlier
			from += uint64(w.between(1, 5))
		}
	}
	records, err := g.journal.After(from, limit)
	if err != nil || len(records) == 0 {
		return err
	}
	frame, _, err := wire.EventsFrame(records)
	if err != nil {
		return err
	}
	l.upload = w.now
	g.sendFrame(false, frame)
	return nil
}

// The two ways to a pass's owner.
const (
	direct = 1 << iota
	throughServer
)

// question is a claim of ours that waits for its answer.
type question struct {
	claim wire.Claim
	ways  int // that have not said silence
}

// ask puts a claim to its decider, by every way there is, and waits no longer than
// a person can be made to wait.
func (g *gate) ask(c wire.Claim) error {
	g.w.result.Claims++
	if c.Reserve == wire.ReserveNone {
		g.w.witness.asked(&c)
	}
	q := &question{claim: c}
	g.asks[c.Asked()] = q
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeClaim, c)
	if err != nil {
		return err
	}
	if g.link.open {
		q.ways |= throughServer
		g.sendFrame(false, frame)
	}
	if c.Owner != 0 && c.Owner != g.number {
		q.ways |= direct
		g.w.net.send(int(g.number), int(c.Owner), false, [][]byte{frame}, func(frames [][]byte) error {
			return g.w.gates[c.Owner-1].asked(g, frames[0])
		})
	}
	if q.ways == 0 {
		g.during(1, func() error { g.silence(q); return nil })
		return nil
	}
	g.during(wire.AskTimeoutMS, func() error { g.silence(q); return nil })
	return nil
}

// asked answers another gate's claim that came directly.
func (g *gate) asked(by *gate, raw []byte) error {
	if !g.on {
		return nil
	}
	f, err := wire.DecodeFrame(raw)
	if err != nil {
		return err
	}
	boot := by.boot
	return into(f, func(m *wire.Claim) error {
		g.claimed(m, func(a wire.Answer) error {
			frame, err := wire.EncodeFrame(wire.Ask, wire.TypeAnswer, a)
			if err != nil {
				return err
			}
			g.w.net.send(int(g.number), int(by.number), true, [][]byte{frame}, func(frames [][]byte) error {
				if !by.on || by.boot != boot {
					return nil
				}
				f, err := wire.DecodeFrame(frames[0])
				if err != nil {
					return err
				}
				return into(f, func(m *wire.Answer) error { by.answered(m, direct); return nil })
			})
			return nil
		})
		return nil
	})
}

// answered takes the first answer that is not silence, or the last silence.
func (g *gate) answered(a *wire.Answer, way int) {
	q := g.asks[a.Answers()]
	if q == nil {
		return
	}
	if a.State == verdict.ClaimSilent {
		if q.ways &^= way; q.ways == 0 {
			g.silence(q)
		}
		return
	}
	delete(g.asks, a.Answers())
	if q.claim.Reserve == wire.ReserveNone {
		g.w.witness.answered(a, q.claim.Pass)
	} else {
		g.w.witness.hears(a)
	}
	g.put(input{in: desk.ClaimReply{Stamp: g.stamp(), From: q.claim.Owner, Answer: *a}})
}

func (g *gate) silence(q *question) {
	if g.asks[q.claim.Asked()] != q {
		return
	}
	delete(g.asks, q.claim.Asked())
	g.w.result.Silent++
	g.put(input{in: desk.ClaimReply{Stamp: g.stamp(), From: q.claim.Owner, Answer: q.claim.Answer(verdict.ClaimSilent)}})
}
