package cards_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/cards"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Whatever is done to a card, in any order: it is in the state that the model
// says, closing is for good, the epoch never falls, and of all credentials that
// were ever given out a till takes the last one only, while the card is in
// order.
func TestCard_AnySequence(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		c := w.open(t, w.another(t))
		phones := []*phone{newPhone(t), newPhone(t)}
		var lost, frozen, closed bool
		var standing *phone // whose credential is good
		epoch := c.Epoch
		for i := range rapid.IntRange(1, 14).Draw(rt, "steps") {
			var err error
			var want error
			inOrder := !lost && !frozen && !closed
			switch step := rapid.IntRange(0, 7).Draw(rt, "step"); step {
			case 0:
				_, err = w.ReportLoss(t.Context(), "x", c.Account, "x")
				lost = lost || !closed
			case 1:
				_, err = w.Lift(t.Context(), "x", c.Account, "x")
				if !lost {
					want = cards.ErrState
				}
				lost = lost && closed
			case 2:
				_, err = w.Freeze(t.Context(), "x", c.Account, "x")
				frozen = frozen || !closed
			case 3:
				_, err = w.Unfreeze(t.Context(), "x", c.Account, "x")
				if !frozen {
					want = cards.ErrState
				}
				frozen = frozen && closed
			case 4:
				_, err = w.Reissue(t.Context(), "x", c.Account, "x")
				if !closed {
					lost, standing = false, nil
				}
			case 5:
				p := phones[rapid.IntRange(0, 1).Draw(rt, "phone")]
				if !inOrder {
					want = cards.ErrState
					_, err = p.asks(t, w, c.Account)
				} else {
					p.enrol(t, w, c.Account)
					standing = p
				}
			case 6:
				if i > 8 { // not too early: nothing happens any more
					_, err = w.Close(t.Context(), "x", c.Account, "x")
					ok(t, err)
					closed, err = true, nil
				}
				want = err
			case 7:
				w.add(time.Duration(rapid.IntRange(1, 30).Draw(rt, "hours")) * time.Hour)
				want = err
			}
			got := w.find(t, c.Account)
			if closed && err != nil {
				want = cards.ErrClosed
			}
			if !errors.Is(err, want) || err != nil && want == nil {
				rt.Fatalf("step %d: %v, want %v", i, err, want)
			}
			state := wire.CardActive
			switch {
			case closed:
				state = wire.CardClosed
			case lost:
				state = wire.CardLost
			case frozen:
				state = wire.CardFrozen
			}
			if got.State != state || got.Epoch < epoch {
				rt.Fatalf("step %d: %s epoch %d, want %s from %d", i, got.State, got.Epoch, state, epoch)
			}
			epoch = got.Epoch
			for n, p := range phones {
				if p.cred == nil {
					continue
				}
				r := till(t, w, p.shows(t, w), 100, false).Reason
				if good := r == verdict.Granted; good && (p != standing || state != wire.CardActive) {
					rt.Fatalf("step %d: phone %d pays, the card is %s", i, n, state)
				} else if p == standing && state == wire.CardActive && !good && r != verdict.Expired {
					rt.Fatalf("step %d: phone %d: %s", i, n, r)
				}
			}
		}
	})
}
