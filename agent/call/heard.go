package call

import (
	"time"

	"campusgate/signing/wire"
)

// This file is what the link hears, and whether it hears.

// Rung is a call of another gate, or one that is said again.
func (b *Book) Rung(r wire.Ring) {
	attended := b.deps.Attended()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	e := b.find(r.ID)
	switch {
	case e != nil && e.mine: // our own came back
		return
	case e == nil:
		if e = b.add(r); e == nil {
			return
		}
	case e.cut && e.sent != nil:
		b.deps.Tell(wire.TypeReply, *e.sent)
	}
	e.cut, e.acked = false, false
	if attended {
		b.sound(e)
	}
	b.touch()
}

// add keeps a call of another gate; nil where there are too many.
func (b *Book) add(r wire.Ring) *entry {
	n := 0
	for _, e := range b.calls {
		if !e.mine {
			n++
		}
	}
	if n >= maxRung {
		b.deps.Log.Warn("call dropped: too many ring", "id", r.ID)
		return nil
	}
	e := &entry{ring: r, born: b.deps.Elapsed(), stand: wire.Stand{ID: r.ID, State: wire.CallRinging}}
	// The kiosk or the server says when it ends; this is for when neither can.
	e.timer = time.AfterFunc(wire.CallLifeMS*time.Millisecond+shownTime, func() { b.expire(e) })
	b.calls = append(b.calls, e)
	return e
}

// Replied is the answer of a guard elsewhere to a call that was made here.
func (b *Book) Replied(r wire.Reply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.find(r.ID); e != nil && e.mine && !e.gone() {
		b.take(e, r)
		return
	}
	b.deps.Tell(wire.TypeStand, wire.Stand{ID: r.ID, State: wire.CallOver})
}

// Stands is how a call stands: of ours that it rings somewhere or was missed, of
// another gate's what its own agent says.
func (b *Book) Stands(s wire.Stand) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.find(s.ID)
	switch {
	case e == nil || e.gone():
	case !e.mine:
		e.stand, e.cut = s, false
		if e.sent = nil; !s.State.Open() {
			e.timer.Reset(shownTime)
		}
		b.touch()
	case s.State == wire.CallRinging && e.stand.State == wire.CallCalling:
		e.stand.State, e.stand.Gate = wire.CallRinging, s.Gate
		b.touch()
	case s.State == wire.CallMissed && e.stand.State.Open() && e.stand.State != wire.CallAnswered && !e.settling:
		b.end(e, wire.Stand{State: wire.CallMissed})
		b.giveUp(e)
	}
}

// Online says that there is a connection again, or none any more. What was made
// here is told again; what rings here is told by the server.
func (b *Book) Online(now bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.online == now {
		return
	}
	b.online = now
	for _, e := range append([]*entry(nil), b.calls...) {
		switch {
		case !now:
			e.cut = true
		case e.mine && (e.stand.State.Open() || !e.told):
			e.cut = !b.deps.Tell(wire.TypeRing, e.ring)
			if e.stand.State != wire.CallCalling && e.stand.State != wire.CallRinging {
				b.tell(e)
			}
			if e.gone() && e.told {
				b.drop(e)
			}
		}
	}
	b.touch()
}
