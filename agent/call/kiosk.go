package call

import (
	"context"
	"errors"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// This file decides how the calls stand that were made here.

// take carries an answer out, unless another was quicker. What comes of it is
// told in any case: whoever answered must not be left without an answer.
func (b *Book) take(e *entry, r wire.Reply) {
	switch {
	case e.settling: // the outcome will be told
	case !e.stand.State.Open():
		b.tell(e)
	case r.Answer == wire.CallComing:
		if e.stand.State != wire.CallAnswered {
			e.stand.State, e.stand.Gate, e.stand.Guard = wire.CallAnswered, r.Gate, r.Guard
			e.timer.Reset(wire.CallLifeMS*time.Millisecond - (b.deps.Elapsed() - e.born))
		}
		b.tell(e)
	case e.ring.Reason == wire.CallHelp:
		b.end(e, wire.Stand{State: wire.CallRefused, Gate: r.Gate, Guard: r.Guard})
	default:
		e.settling = true
		b.work.Go(func() { b.settle(e, r) })
	}
}

// settle answers the scan of a document call.
func (b *Book) settle(e *entry, r wire.Reply) {
	result, err := b.answer(e.ring.Scan, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	e.settling = false
	stand := wire.Stand{State: wire.CallRefused, Gate: r.Gate, Guard: r.Guard, Reason: result.Reason.String()}
	switch {
	case b.closed:
		return
	case errors.Is(err, desk.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		b.tell(e) // as it was: it may be answered again
		return
	case errors.Is(err, desk.ErrNotWaiting), errors.Is(err, desk.ErrNoScan):
		stand = wire.Stand{State: wire.CallOver}
	case err != nil:
		stand = wire.Stand{State: wire.CallOver, Reason: verdict.Internal.String()}
	case result.Opens:
		stand.State = wire.CallAdmitted
	}
	if err != nil {
		b.deps.Log.Warn("call not settled", "id", e.ring.ID, "error", err)
	}
	b.end(e, stand)
}

func (b *Book) answer(scan string, r wire.Reply) (desk.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	return b.deps.Settle(ctx, scan, r.Guard, r.Documents, r.Answer == wire.CallRefuse)
}

// giveUp refuses the scan of a document call that came to nothing.
func (b *Book) giveUp(e *entry) {
	if e.ring.Reason != wire.CallDocument {
		return
	}
	b.work.Go(func() {
		_, err := b.answer(e.ring.Scan, wire.Reply{Answer: wire.CallRefuse})
		if err != nil && !errors.Is(err, desk.ErrNotWaiting) {
			b.deps.Log.Warn("scan of a call not refused", "id", e.ring.ID, "error", err)
		}
	})
}

// Settled says that a scan waits no more, however that came about.
func (b *Book) Settled(scan string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.calls {
		if e.mine && e.ring.Scan == scan && scan != "" && e.stand.State.Open() && !e.settling {
			b.end(e, wire.Stand{State: wire.CallOver})
		}
	}
}

// end is the end of a call that was made here. It stays listed for a moment.
func (b *Book) end(e *entry, s wire.Stand) {
	s.ID = e.ring.ID
	e.stand = s
	b.tell(e)
	e.timer.Reset(shownTime)
	b.deps.Log.Info("call ended", "id", s.ID, "state", s.State, "gate", s.Gate)
}

// tell says how a call stands.
func (b *Book) tell(e *entry) {
	e.told = b.deps.Tell(wire.TypeStand, e.stand)
	e.cut = !e.told
	b.touch()
}

// expire is the end of a call's time, made here or elsewhere.
func (b *Book) expire(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed || e.timer == nil:
	case !e.mine:
		b.drop(e)
	case e.settling:
		e.timer.Reset(settleTime)
	case e.stand.State.Open():
		s := wire.Stand{State: wire.CallMissed}
		if e.stand.State == wire.CallAnswered {
			s = wire.Stand{State: wire.CallOver, Gate: e.stand.Gate, Guard: e.stand.Guard}
		}
		b.end(e, s)
		b.giveUp(e)
	case e.told:
		b.drop(e)
	default: // the server has yet to hear of it
		e.timer = nil
		b.forget()
		b.touch()
	}
}

// forget bounds what is kept only to be told.
func (b *Book) forget() {
	kept := 0
	for i := len(b.calls) - 1; i >= 0; i-- {
		if e := b.calls[i]; e.gone() {
			if kept++; kept > wire.MaxCalls {
				b.drop(e)
			}
		}
	}
}
