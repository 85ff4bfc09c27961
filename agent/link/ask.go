package link

import (
	"context"
	"sync"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Ask puts a claim to its decider and waits at most 300 ms. The answer is
// silent when there is no connection, too many claims are under way, or none
// came in time: it says nothing about what the decider did, so the same claim
// may be asked again with the same id.
func (l *Link) Ask(ctx context.Context, claim wire.Claim) wire.Answer {
	silent := claim.Answer(verdict.ClaimSilent)
	s := l.current()
	if s == nil {
		return silent
	}
	ctx, cancel := context.WithTimeout(ctx, wire.AskTimeoutMS*time.Millisecond)
	defer cancel()
	answer, forget, ok := s.asks.Wait(claim.Asked())
	if !ok {
		return silent
	}
	defer forget()
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeClaim, claim)
	if err != nil || !s.out.Offer(wire.Ask, frame) {
		return silent
	}
	select {
	case a := <-answer:
		return a
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return silent
}

// claim decides somebody else's claim here, off the reader's goroutine. With
// all slots taken the answer is silence, at once.
func (s *session) claim(c wire.Claim, streams *sync.WaitGroup) error {
	select {
	case s.claims <- struct{}{}:
	default:
		return s.answer(c.Answer(verdict.ClaimSilent))
	}
	streams.Go(func() {
		defer func() { <-s.claims }()
		ctx, cancel := context.WithTimeout(s.ctx, wire.AskTimeoutMS*time.Millisecond)
		defer cancel()
		a := s.l.deps.Claimed(ctx, c)
		a.ID = c.ID
		if a.Check() != nil {
			a = c.Answer(verdict.ClaimSilent)
		}
		if err := s.answer(a); err != nil {
			s.fail(err)
		}
	})
	return nil
}

// answer sends an answer if there is room. Without room it is too late anyway.
func (s *session) answer(a wire.Answer) error {
	frame, err := wire.EncodeFrame(wire.Ask, wire.TypeAnswer, a)
	if err != nil {
		return err
	}
	s.out.Offer(wire.Ask, frame)
	return nil
}
