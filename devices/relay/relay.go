// Package relay opens barriers through a serial relay board of the LCUS family.
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

// DefaultPulse is how long the relay stays on.
const DefaultPulse = 500 * time.Millisecond

// openTimeout bounds how long Open keeps its caller waiting.
const openTimeout = time.Second

// Port is an open serial port. Write and Alive must return in bounded time.
type Port interface {
	Write([]byte) (int, error)
	// Alive returns an error when the device is gone.
	Alive() error
	Close() error
}

// Config sets up a Barrier.
type Config struct {
	// Dial opens the port; called again after a fault.
	Dial func() (Port, error)
	// Name is what messages call the port, its path.
	Name string
	// Channel is the relay on the board, 1 to 8; 0 means 1.
	Channel int
	// Pulse is how long the relay stays on; 0 means DefaultPulse.
	Pulse time.Duration
}

// Barrier is a relay as a devices.Barrier. One goroutine owns the port. The
// board has no watchdog and no answer, so "off" is sent at start-up, after each
// pulse, whenever the port was opened again, and until a write succeeds.
type Barrier struct {
	c        Config
	requests chan request
	quit     chan struct{}
	done     chan struct{}
	closing  sync.Once
	closeErr error // of the last "off"; set before done closes
}

var (
	_ devices.Barrier = (*Barrier)(nil)
	_ devices.Prober  = (*Barrier)(nil)
)

// request asks the owner of the port for a pulse or a look.
type request struct {
	ctx   context.Context
	open  bool
	reply chan error
}

// New starts a barrier and sends "off" in the background. A device that is not
// there yet is no error: it is tried again until it comes.
func New(c Config) (*Barrier, error) {
	if c.Channel == 0 {
		c.Channel = 1
	}
	if c.Pulse == 0 {
		c.Pulse = DefaultPulse
	}
	if c.Channel < 1 || c.Channel > Channels {
		return nil, fmt.Errorf("relay %s: channel %d is not in 1 to %d", c.Name, c.Channel, Channels)
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

// Open implements devices.Barrier. It returns within one second: with an error
// of the port, with ErrClosed, or with that of ctx; an Open that was given up
// before its turn moves nothing.
func (b *Barrier) Open(ctx context.Context) error { return b.ask(ctx, true) }

// Probe implements devices.Prober: it opens the port where that is needed and
// looks whether the device is there.
func (b *Barrier) Probe(ctx context.Context) (string, error) {
	if err := b.ask(ctx, false); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s channel %d", b.c.Name, b.c.Channel), nil
}

func (b *Barrier) ask(ctx context.Context, open bool) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	r := request{ctx: ctx, open: open, reply: make(chan error, 1)}
	select {
	case b.requests <- r:
	case <-b.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("relay %s: %w", b.c.Name, ctx.Err())
	}
	select {
	case err := <-r.reply:
		return err
	case <-ctx.Done():
		return fmt.Errorf("relay %s: %w", b.c.Name, ctx.Err())
	}
}

// Close implements devices.Barrier. It returns the error of the last "off".
func (b *Barrier) Close() error {
	b.closing.Do(func() { close(b.quit) })
	<-b.done
	return b.closeErr
}
