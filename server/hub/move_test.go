package hub_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/signing"
	"campusgate/signing/wire"
)

func TestMove_TheOwnerIsAskedAndItsAnswerComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := wire.Move{ID: "move-0001", Pass: signing.PassID{1}, From: 7, To: 8, Epoch: 1, AgentEpoch: 1, Issued: 1, Expires: 2}
		if a := w.hub.Move(t.Context(), m); a.ID != m.ID || a.State != wire.MoveSilent {
			t.Fatalf("while the gate is away: %+v", a)
		}
		owner := w.gate(7)
		owner.move = func(_ context.Context, m wire.Move) wire.Moved {
			return wire.Moved{ID: m.ID, State: wire.MoveReleased, Stands: &m}
		}
		till := w.gate(8)
		slow := w.gate(9)
		slow.move = func(ctx context.Context, m wire.Move) wire.Moved {
			<-ctx.Done()
			return wire.Moved{ID: m.ID, State: wire.MoveSilent}
		}
		for _, g := range []*gate{owner, till, slow} {
			g.start()
		}
		synctest.Wait()
		if a := w.hub.Move(t.Context(), m); a.State != wire.MoveReleased || a.Stands == nil || *a.Stands != m {
			t.Fatalf("given up: %+v", a)
		}
		m.From, m.To = 8, 7
		if a := w.hub.Move(t.Context(), m); a.State != wire.MoveRefused {
			t.Fatalf("a program that decides no passes: %+v", a)
		}
		m.From = 9
		begun := time.Now()
		if a := w.hub.Move(t.Context(), m); a.State != wire.MoveSilent || time.Since(begun) > wire.MoveWaitMS*time.Millisecond {
			t.Fatalf("after %v: %+v", time.Since(begun), a)
		}
	})
}
