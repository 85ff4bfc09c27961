package link

import (
	"fmt"

	"campusgate/signing/wire"
)

// upload is the agent's side of the up stream: it sends what the server does
// not hold yet, in order, at most UpWindow frames ahead of its acks.
func (s *session) upload(acked uint64) {
	u := &uplink{s: s, acked: acked, sent: acked}
	for failures := 0; s.ctx.Err() == nil; {
		appended := s.l.deps.Journal.Appended()
		if err := u.advance(); err != nil {
			if s.ctx.Err() != nil {
				return
			}
			s.l.fault(upFault, err.Error())
			failures++
			if !s.pause(failures) {
				return
			}
			continue
		}
		failures = 0
		s.l.fault(upFault, "")
		select {
		case <-s.ctx.Done():
		case <-appended:
		case seq := <-s.acks:
			if err := u.held(seq); err != nil {
				s.fail(err)
			}
		}
	}
}

// uplink is what one connection knows of the up stream.
type uplink struct {
	s     *session
	begun bool     // the journal knows where this connection began
	acked uint64   // the server holds every event up to here
	noted uint64   // the journal knows so
	sent  uint64   // last seq on its way
	tails []uint64 // last seq of each frame that waits for an ack
}

// advance tells the journal what is held and sends while the window is open.
func (u *uplink) advance() error {
	journal := u.s.l.deps.Journal
	if !u.begun {
		if err := journal.Resume(u.sent); err != nil {
			return fmt.Errorf("note that the server holds %d: %w", u.sent, err)
		}
		u.begun, u.noted = true, u.sent
	}
	if u.acked > u.noted {
		if err := journal.Ack(u.acked); err != nil {
			return fmt.Errorf("note that %d is held: %w", u.acked, err)
		}
		u.noted = u.acked
	}
	for len(u.tails) < wire.UpWindow {
		records, err := journal.After(u.sent, wire.MaxBatch)
		if err != nil {
			return fmt.Errorf("read the journal after %d: %w", u.sent, err)
		}
		if len(records) == 0 {
			return nil
		}
		for i := range records {
			if want := u.sent + 1 + uint64(i); records[i].Seq != want {
				return fmt.Errorf("the journal gives event %d where %d belongs", records[i].Seq, want)
			}
		}
		frame, n, err := wire.EventsFrame(records)
		if err != nil {
			return fmt.Errorf("send events after %d: %w", u.sent, err)
		}
		if err := u.s.out.Put(u.s.ctx, wire.Up, frame); err != nil {
			return err
		}
		u.sent = records[n-1].Seq
		u.tails = append(u.tails, u.sent)
	}
	return nil
}

// held takes an ack. Older ones change nothing; one for what was never sent is
// an error.
func (u *uplink) held(seq uint64) error {
	if seq > u.sent {
		return fmt.Errorf("%w: acked %d, but sent %d", wire.ErrProtocol, seq, u.sent)
	}
	u.acked = max(u.acked, seq)
	for len(u.tails) > 0 && u.tails[0] <= u.acked {
		u.tails = u.tails[1:]
	}
	return nil
}
