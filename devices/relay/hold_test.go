package relay_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
	"campusgate/devices/relay"
)

func TestHold_StaysOpenPastEveryPulseUntilItIsReleased(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.expect(t, off)
		for range 3 { // asked again and again, it moves once
			if err := r.Hold(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			pass(10 * time.Second)
		}
		b.expect(t, on)
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
		b.expect(t, on) // of the pulse, after which nothing closes
		if err := r.Hold(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.expect(t, off)
		if err := r.Hold(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		b.expect(t, "")
	})
}

func TestHold_ARelayThatCameBackOpensByItself(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		b.set(func() { b.gone = true })
		if err := r.Hold(t.Context(), true); !errors.Is(err, errPulled) {
			t.Fatalf("held without a relay: %v", err)
		}
		b.set(func() { b.gone = false })
		pass(3 * time.Second)
		b.expect(t, on)
		b.set(func() { b.gone = true })
		pass(3 * time.Second)
		b.set(func() { b.gone = false })
		pass(3 * time.Second)
		b.expect(t, on)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		b.expect(t, off)
	})
}

// Let go while its board is away, the relay rests when that is back.
func TestHold_ReleasedWithoutARelayRestsLater(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		if err := r.Hold(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		b.expect(t, off+on)
		b.set(func() { b.gone = true })
		if err := r.Hold(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		b.expect(t, "")
		b.set(func() { b.gone = false })
		pass(3 * time.Second)
		b.expect(t, off)
	})
}

// An interlock holds nobody back in an emergency, and counts who is held open.
func TestHold_KeepsTheDoorOfAnInterlock(t *testing.T) {
	booth(t, func(t *testing.T, boards [2]*board, _ [2]*devices.Door, relays [2]*relay.Barrier) {
		for i, r := range relays {
			if err := r.Hold(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			boards[i].expect(t, on)
		}
		if err := relays[1].Hold(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		boards[1].expect(t, off)
		if err := relays[1].Open(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("opened beside one that is held open: %v", err)
		}
		if err := relays[0].Hold(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := relays[1].Open(t.Context()); err != nil {
			t.Fatalf("after it was let go: %v", err)
		}
	})
}
