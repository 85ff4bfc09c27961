package link

import (
	"context"
	"sync"
	"time"

	"campusgate/signing/wire"
)

// ping has the lanes promise not to act alone for a while, and passes the promise
// on. One at a time: a promise that takes longer than the next ping is late
// anyway, and the server believes nothing that it did not get.
func (s *session) ping(m wire.Ping, streams *sync.WaitGroup) error {
	if s.l.deps.Pinged == nil {
		return nil
	}
	select {
	case s.pings <- struct{}{}:
	default:
		return nil
	}
	streams.Go(func() {
		defer func() { <-s.pings }()
		ctx, cancel := context.WithTimeout(s.ctx, wire.LeaseMS*time.Millisecond)
		defer cancel()
		pong, err := s.l.deps.Pinged(ctx, m)
		if err != nil || pong.Nonce != m.Nonce {
			return
		}
		frame, err := wire.EncodeFrame(wire.Link, wire.TypePong, pong)
		if err != nil {
			s.fail(err)
			return
		}
		s.out.Offer(wire.Link, frame)
	})
	return nil
}
