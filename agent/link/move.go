package link

import (
	"context"
	"sync"
	"time"

	"campusgate/signing/wire"
)

// move has a pass given up, off the reader's goroutine. With all slots taken
// nothing is, which is said at once.
func (s *session) move(m wire.Move, streams *sync.WaitGroup) error {
	if s.l.deps.Move == nil {
		return s.moved(wire.Moved{ID: m.ID, State: wire.MoveRefused})
	}
	select {
	case s.moves <- struct{}{}:
	default:
		return s.moved(wire.Moved{ID: m.ID, State: wire.MoveSilent})
	}
	streams.Go(func() {
		defer func() { <-s.moves }()
		ctx, cancel := context.WithTimeout(s.ctx, wire.MoveWaitMS*time.Millisecond)
		defer cancel()
		a := s.l.deps.Move(ctx, m)
		if a.ID = m.ID; a.Check() != nil {
			a = wire.Moved{ID: m.ID, State: wire.MoveSilent}
		}
		if err := s.moved(a); err != nil {
			s.fail(err)
		}
	})
	return nil
}

// moved sends an answer if there is room. Without room the event tells the
// server.
func (s *session) moved(a wire.Moved) error {
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeMoved, a)
	if err != nil {
		return err
	}
	s.out.Offer(wire.Ask, frame)
	return nil
}
