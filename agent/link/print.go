package link

import (
	"context"
	"sync"
	"time"

	"campusgate/signing/wire"
)

// print has something printed, off the reader's goroutine. With all slots taken
// nothing is, which is said at once.
func (s *session) print(p wire.Print, streams *sync.WaitGroup) error {
	if s.l.deps.Print == nil {
		return s.printed(wire.Printed{ID: p.ID, State: wire.PrintFailed, Reason: wire.PrintNoPrinter})
	}
	select {
	case s.prints <- struct{}{}:
	default:
		return s.printed(wire.Printed{ID: p.ID, State: wire.PrintFailed, Reason: wire.PrintBusy})
	}
	streams.Go(func() {
		defer func() { <-s.prints }()
		ctx, cancel := context.WithTimeout(s.ctx, wire.PrintWaitMS*time.Millisecond)
		defer cancel()
		a := s.l.deps.Print(ctx, p)
		a.ID, a.Detail = p.ID, wire.Clip(a.Detail)
		if err := s.printed(a); err != nil {
			s.fail(err)
		}
	})
	return nil
}

// printed sends an answer if there is room. Without room the server asks again.
func (s *session) printed(a wire.Printed) error {
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypePrinted, a)
	if err != nil {
		return err
	}
	s.out.Offer(wire.Ask, frame)
	return nil
}
