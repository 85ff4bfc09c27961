package relay_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
	"campusgate/devices/relay"
)

const (
	on  = "+"
	off = "-"
)

var errPulled = errors.New("pulled out")

// board is a relay that can be pulled out and whose writes can fail. One mutex
// covers it and all its ports.
type board struct {
	mu      sync.Mutex
	start   time.Time
	frames  []string        // what arrived: on and off
	times   []time.Duration // and when
	gone    bool            // dialling fails, ports are dead
	failing error           // writes return it
	done    bool            // although they arrived
	stuck   chan struct{}   // not nil: writes wait for it
	broken  bool            // the driver panics
	dials   int
	open    int
}

type port struct {
	*board
	dead bool
}

func (b *board) dial() (relay.Port, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	if b.broken {
		panic("no such board")
	}
	if b.gone {
		return nil, errPulled
	}
	b.open++
	return &port{board: b}, nil
}

func (p *port) Switch(high bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stuck := p.stuck; stuck != nil {
		p.mu.Unlock()
		<-stuck
		p.mu.Lock()
	}
	if p.broken {
		panic("index out of range")
	}
	if p.gone || p.dead {
		p.dead = true
		return errPulled
	}
	if p.failing != nil && !p.done {
		return p.failing
	}
	frame := off
	if high {
		frame = on
	}
	p.frames = append(p.frames, frame)
	p.times = append(p.times, time.Since(p.start))
	return p.failing
}

func (p *port) Alive() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.dead {
		p.dead = true
		return errPulled
	}
	return nil
}

func (p *port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	return nil
}

func (b *board) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// took returns what arrived since the last call.
func (b *board) took() (frames string, times []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	frames, times = strings.Join(b.frames, ""), b.times
	b.frames, b.times = nil, nil
	return frames, times
}

func (b *board) expect(t *testing.T, want string) []time.Duration {
	t.Helper()
	got, times := b.took()
	if got != want {
		t.Errorf("moved %q, want %q", got, want)
	}
	return times
}

// with runs f with a barrier of one second on a board, and closes it.
func with(t *testing.T, b *board, f func(t *testing.T, r *relay.Barrier)) {
	synctest.Test(t, func(t *testing.T) {
		b.start = time.Now()
		r, err := relay.New(relay.Config{Dial: b.dial, Name: "tty", Pulse: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f(t, r)
		_ = r.Close()
		if b.open != 0 {
			t.Errorf("%d ports left open", b.open)
		}
	})
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestOnePulseIsOnThenOff(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.expect(t, off) // at start-up
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.expect(t, on) // as soon as Open returns
		pass(time.Hour)
		times := b.expect(t, off)
		if len(times) == 1 && times[0] != time.Second {
			t.Errorf("off after %v", times[0])
		}
	})
}

func TestOverlappingOpensExtendThePulse(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		for range 4 {
			if err := r.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			pass(600 * time.Millisecond)
		}
		pass(time.Hour)
		times := b.expect(t, on+on+on+on+off)
		if last := times[len(times)-1]; last != 3*600*time.Millisecond+time.Second {
			t.Errorf("off after %v", last)
		}
	})
}

// A driver that panics is a relay that failed: the agent goes on, and the relay
// is brought to rest as soon as that works.
func TestAPanicOfTheDriverIsAFaultLikeAnyOther(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.took()
		b.set(func() { b.broken = true })
		var p *devices.PanicError
		for range 2 { // in Switch, then in Dial
			if err := r.Open(t.Context()); !errors.As(err, &p) || !strings.Contains(err.Error(), "relay tty") {
				t.Errorf("Open: %v", err)
			}
		}
		pass(time.Minute)
		b.expect(t, "")
		b.set(func() { b.broken = false })
		pass(time.Second)
		b.expect(t, off)
		if err := r.Open(t.Context()); err != nil {
			t.Error(err)
		}
		b.expect(t, on)
	})
}

func TestOffFollowsWhenTheCallerIsGone(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		ctx, cancel := context.WithCancel(t.Context())
		if err := r.Open(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		pass(time.Hour)
		b.expect(t, on+off)
	})
}

func TestOffIsTriedUntilItArrives(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.took()
		b.set(func() { b.failing = errPulled })
		pass(time.Minute)
		b.expect(t, "")
		b.set(func() { b.failing = nil })
		pass(time.Second)
		b.expect(t, off)
		pass(time.Minute)
		b.expect(t, "")
	})
}

func TestAFailedOnIsReportedAndFollowedByOff(t *testing.T) {
	for name, done := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			b := &board{}
			with(t, b, func(t *testing.T, r *relay.Barrier) {
				b.took()
				b.set(func() { b.failing, b.done = errPulled, done })
				if err := r.Open(t.Context()); !errors.Is(err, errPulled) {
					t.Errorf("Open: %v", err)
				}
				b.set(func() { b.failing = nil })
				want := off
				if done {
					want = on + off
				}
				pass(time.Second)
				b.expect(t, want)
				// The next Open has a fresh port.
				if err := r.Open(t.Context()); err != nil {
					t.Errorf("the next Open: %v", err)
				}
				pass(time.Minute)
				b.expect(t, on+off)
			})
		})
	}
}

func TestADeviceThatComesLateIsSwitchedOff(t *testing.T) {
	b := &board{gone: true}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		if err := r.Open(t.Context()); !errors.Is(err, errPulled) || !strings.Contains(err.Error(), "tty") {
			t.Errorf("Open: %v", err)
		}
		if _, err := r.Probe(t.Context()); !errors.Is(err, errPulled) {
			t.Errorf("Probe: %v", err)
		}
		pass(time.Minute)
		if b.dials > 100 {
			t.Errorf("%d dials in a minute", b.dials)
		}
		b.set(func() { b.gone = false })
		pass(time.Second)
		b.expect(t, off)
		if name, err := r.Probe(t.Context()); err != nil || name != "tty" {
			t.Errorf("Probe: %q, %v", name, err)
		}
	})
}

func TestAnIdleRelayThatWasRepluggedIsFreshAtTheNextOpen(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		pass(time.Hour)
		b.took()
		b.set(func() { b.gone = true })
		pass(2 * time.Second)
		if b.open != 0 {
			t.Error("the stale port was kept, so its name is still taken")
		}
		b.set(func() { b.gone = false })
		pass(2 * time.Second)
		b.expect(t, off)
		if err := r.Open(t.Context()); err != nil {
			t.Errorf("Open: %v", err)
		}
		b.expect(t, on)
	})
}

func TestAReplugBetweenTwoLooksCostsNoEntry(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		b.set(func() { b.gone = true })
		if err := r.Open(t.Context()); err == nil {
			t.Error("Open found a board that is gone")
		}
		b.set(func() { b.gone = false })
		if err := r.Open(t.Context()); err != nil {
			t.Errorf("Open: %v", err)
		}
		b.expect(t, on)
	})
}

func TestOpenNeverWaitsLongAndMovesNothingLater(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		stuck := make(chan struct{})
		b.set(func() { b.stuck = stuck })
		errs := make(chan error)
		start := time.Now()
		for range 3 { // one is being written, two wait for their turn
			go func() { errs <- r.Open(t.Context()) }()
		}
		for range 3 {
			if err := <-errs; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Open: %v", err)
			}
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Open took %v", took)
		}
		b.set(func() { b.stuck = nil })
		close(stuck)
		pass(time.Minute)
		b.expect(t, on+off) // of the one that was being written
	})
}

func TestAnOpenThatWasGivenUpMovesNothing(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Open(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Open: %v", err)
		}
		pass(time.Minute)
		b.expect(t, "")
	})
}

func TestCloseEndsThePulse(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		b.took()
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		b.expect(t, on+off)
		if err := r.Open(t.Context()); !errors.Is(err, relay.ErrClosed) {
			t.Errorf("Open after Close: %v", err)
		}
	})
}

func TestCloseTellsWhenOffDidNotArrive(t *testing.T) {
	b := &board{}
	with(t, b, func(t *testing.T, r *relay.Barrier) {
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.set(func() { b.gone = true })
		if err := r.Close(); !errors.Is(err, errPulled) {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestABarrierThatCannotBeIsRefused(t *testing.T) {
	if _, err := relay.New(relay.Config{Pulse: -1}); err == nil {
		t.Error("a negative pulse was taken")
	}
}

func TestNoBarrierAlwaysOpens(t *testing.T) {
	var b relay.None
	if err := errors.Join(b.Open(t.Context()), b.Close()); err != nil {
		t.Error(err)
	}
}
