// Package relay opens barriers by pulses of a relay. What makes a pulse safe is
// here, once; how a relay is told is a Port, of which a serial board's is here
// and others are in packages of their own.
package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"campusgate/devices"
)

// ErrClosed is returned by a barrier after Close.
var ErrClosed = errors.New("barrier closed")

// DefaultPulse is how long the barrier is told to open.
const DefaultPulse = 500 * time.Millisecond

const (
	// openTimeout bounds how long Open keeps its caller waiting for the relay.
	openTimeout = time.Second
	// doorTimeout bounds how long it waits before that for another barrier of its
	// interlock to close.
	doorTimeout = 3 * time.Second
)

// Port is an open connection to one relay. All methods must return in bounded
// time.
type Port interface {
	// Switch makes the relay go on or off. After an error it may have done so.
	Switch(on bool) error
	// Alive returns an error when the relay is gone, or is not as it was switched.
	Alive() error
	Close() error
}

// Config sets up a Barrier.
type Config struct {
	// Dial opens the port; called again after a fault.
	Dial func() (Port, error)
	// Name is what messages call the relay: its path and channel.
	Name string
	// Pulse is how long the relay stays on; 0 means DefaultPulse.
	Pulse time.Duration
	// Inverted: the relay rests on and opens by going off, so that the barrier
	// opens when the power fails.
	Inverted bool
	// Door is the barrier's part of an interlock; nil means none.
	Door *devices.Door
}

// Barrier is a relay as a devices.Barrier. One goroutine owns the port. Few
// boards have a watchdog, so the relay is brought to rest at start-up, after each
// pulse, whenever the port was opened again, and until that succeeds. Until then
// its door counts as open.
type Barrier struct {
	c        Config
	requests chan request
	quit     chan struct{}
	done     chan struct{}
	closing  sync.Once
	closeErr error // of the last attempt to bring it to rest; set before done closes
}

var (
	_ devices.Barrier = (*Barrier)(nil)
	_ devices.Holder  = (*Barrier)(nil)
	_ devices.Prober  = (*Barrier)(nil)
)

// wish is what somebody wants of the relay.
type wish int

const (
	look  wish = iota
	pulse      // the door was entered, and the owner leaves it
	hold       // on, until released
	release
)

// request asks the owner of the port for something.
type request struct {
	ctx   context.Context
	wish  wish
	reply chan error
}

// New starts a barrier and brings it to rest in the background. A device that is
// not there yet is no error: it is tried again until it comes.
func New(c Config) (*Barrier, error) {
	if c.Pulse == 0 {
		c.Pulse = DefaultPulse
	}
	if c.Pulse < 0 {
		return nil, fmt.Errorf("relay %s: pulse %v is negative", c.Name, c.Pulse)
	}
	b := &Barrier{
		c:        c,
		requests: make(chan request),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	go newOwner(b).run()
	return b, nil
}

// Open implements devices.Barrier. It waits up to three seconds for its
// interlock and then one for the relay. It returns an error of the port, of the
// interlock, ErrClosed, or that of ctx; an Open that was given up before its turn
// moves nothing.
func (b *Barrier) Open(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, doorTimeout)
	defer cancel()
	if err := b.c.Door.Enter(waiting); err != nil {
		return fmt.Errorf("relay %s: %w", b.c.Name, err)
	}
	return b.ask(ctx, pulse)
}

// Hold implements devices.Holder. While it is held, the relay moves only when its
// port was opened again; released, it is brought to rest at once, and until that
// succeeds.
func (b *Barrier) Hold(ctx context.Context, on bool) error {
	if on {
		return b.ask(ctx, hold)
	}
	return b.ask(ctx, release)
}

// Probe implements devices.Prober: it opens the port where that is needed and
// looks whether the relay is there.
func (b *Barrier) Probe(ctx context.Context) (string, error) {
	if err := b.ask(ctx, look); err != nil {
		return "", err
	}
	return b.c.Name, nil
}

func (b *Barrier) ask(ctx context.Context, w wish) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	r := request{ctx: ctx, wish: w, reply: make(chan error, 1)}
	select {
	case b.requests <- r:
	case <-b.done:
		b.notAsked(w)
		return ErrClosed
	case <-ctx.Done():
		b.notAsked(w)
		return fmt.Errorf("relay %s: %w", b.c.Name, ctx.Err())
	}
	select {
	case err := <-r.reply:
		return err
	case <-ctx.Done():
		return fmt.Errorf("relay %s: %w", b.c.Name, ctx.Err())
	}
}

// notAsked leaves the door for a pulse that the owner will never hear of.
func (b *Barrier) notAsked(w wish) {
	if w == pulse {
		b.c.Door.Leave()
	}
}

// Close implements devices.Barrier. It returns the error of the last attempt to
// bring the relay to rest.
func (b *Barrier) Close() error {
	b.closing.Do(func() { close(b.quit) })
	<-b.done
	return b.closeErr
}
