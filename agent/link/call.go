package link

import "campusgate/signing/wire"

// Calls is what the link does with calls for help. Methods are called from the
// reader's goroutine, one at a time, and must not wait.
type Calls interface {
	Rung(r wire.Ring)
	Replied(r wire.Reply)
	Stands(s wire.Stand)
}

// deaf is for agents that take no calls, as tills are.
type deaf struct{}

func (deaf) Rung(wire.Ring)     {}
func (deaf) Replied(wire.Reply) {}
func (deaf) Stands(wire.Stand)  {}

// Tell sends a message on the stream call. It reports false when there is no
// connection, or no room: then nothing was sent.
func (l *Link) Tell(typ string, body any) bool {
	s := l.current()
	if s == nil {
		return false
	}
	frame, err := wire.EncodeFrame(wire.Call, typ, body)
	if err != nil {
		l.cfg.Log.Error("call not sent", "type", typ, "err", err)
		return false
	}
	return s.out.Offer(wire.Call, frame)
}

// call hands a message of the stream on.
func (s *session) call(f wire.Frame) error {
	switch f.Type {
	case wire.TypeRing:
		return handle(f, func(m wire.Ring) error {
			s.l.deps.Calls.Rung(m)
			return nil
		})
	case wire.TypeReply:
		return handle(f, func(m wire.Reply) error {
			s.l.deps.Calls.Replied(m)
			return nil
		})
	}
	return handle(f, func(m wire.Stand) error {
		s.l.deps.Calls.Stands(m)
		return nil
	})
}
