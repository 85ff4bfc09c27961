package relay_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
	"campusgate/devices/relay"
)

func TestAnInvertedRelayRestsOnAndOpensByGoingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{start: time.Now()}
		r, err := relay.New(relay.Config{Dial: b.dial, Inverted: true})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.expect(t, on) // it holds the gate
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.expect(t, off)
		pass(time.Minute)
		b.expect(t, on)
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		b.expect(t, off+on)
	})
}

// booth is two barriers of one interlock.
func booth(t *testing.T, f func(t *testing.T, boards [2]*board, doors [2]*devices.Door, relays [2]*relay.Barrier)) {
	synctest.Test(t, func(t *testing.T) {
		lock := devices.NewInterlock("booth")
		var boards [2]*board
		var doors [2]*devices.Door
		var relays [2]*relay.Barrier
		for i, name := range []string{"outer", "inner"} {
			boards[i], doors[i] = &board{start: time.Now()}, lock.Door(name)
			var err error
			relays[i], err = relay.New(relay.Config{Dial: boards[i].dial, Name: name, Pulse: time.Second, Door: doors[i]})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			boards[i].took()
		}
		f(t, boards, doors, relays)
		_ = errors.Join(relays[0].Close(), relays[1].Close())
	})
}

func TestTheSecondBarrierOfAnInterlockWaitsForTheFirst(t *testing.T) {
	booth(t, func(t *testing.T, boards [2]*board, _ [2]*devices.Door, relays [2]*relay.Barrier) {
		start := time.Now()
		if err := relays[0].Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := relays[1].Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		boards[0].expect(t, on+off)
		boards[1].expect(t, on)
	})
}

func TestTheSecondBarrierFailsClearlyWhenTheFirstStaysOpen(t *testing.T) {
	booth(t, func(t *testing.T, boards [2]*board, _ [2]*devices.Door, relays [2]*relay.Barrier) {
		if err := relays[0].Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		boards[0].set(func() { boards[0].failing = errPulled }) // "off" does not arrive
		start := time.Now()
		err := relays[1].Open(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "interlock booth: outer may be open") {
			t.Errorf("Open: %v", err)
		}
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("waited %v", waited)
		}
		boards[1].expect(t, "")
		boards[0].set(func() { boards[0].failing = nil })
		pass(time.Minute)
		if err := relays[1].Open(t.Context()); err != nil {
			t.Errorf("after the first closed: %v", err)
		}
	})
}

func TestABarrierWaitsWhileSomebodyIsInTheOther(t *testing.T) {
	booth(t, func(t *testing.T, boards [2]*board, doors [2]*devices.Door, relays [2]*relay.Barrier) {
		if err := relays[0].Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		doors[0].Stay() // the pulse ends, but nobody has come through yet
		pass(2 * time.Second)
		opened := make(chan error)
		go func() { opened <- relays[1].Open(t.Context()) }()
		pass(2 * time.Second)
		boards[1].expect(t, "")
		doors[0].Leave()
		if err := <-opened; err != nil {
			t.Errorf("Open: %v", err)
		}
		boards[1].expect(t, on)
	})
}

func TestPulsesThatNeverHappenedLeaveTheirDoor(t *testing.T) {
	booth(t, func(t *testing.T, boards [2]*board, _ [2]*devices.Door, relays [2]*relay.Barrier) {
		boards[0].set(func() { boards[0].gone = true })
		if err := relays[0].Open(t.Context()); err == nil {
			t.Error("Open found a board that is gone")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := relays[0].Open(ended); err == nil {
			t.Error("Open after the end of ctx")
		}
		start := time.Now()
		if err := relays[1].Open(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Open: %v after %v", err, time.Since(start))
		}
	})
}

func TestABarrierOfUnknownStateKeepsTheOthersShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lock := devices.NewInterlock("booth")
		gone, there := &board{gone: true}, &board{}
		var relays []*relay.Barrier
		for i, b := range []*board{gone, there} {
			r, err := relay.New(relay.Config{Dial: b.dial, Door: lock.Door([]string{"outer", "inner"}[i])})
			if err != nil {
				t.Fatal(err)
			}
			relays = append(relays, r)
		}
		synctest.Wait()
		if err := relays[1].Open(t.Context()); err == nil {
			t.Error("opened while the other may have been left open")
		}
		gone.set(func() { gone.gone = false })
		if err := relays[1].Open(t.Context()); err != nil {
			t.Error(err)
		}
		_ = errors.Join(relays[0].Close(), relays[1].Close())
	})
}
