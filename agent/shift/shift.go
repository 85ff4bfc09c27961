// Package shift lets guards come on duty at a gate PC, by staff number and PIN,
// with no network: who they are came with the snapshot.
package shift

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"campusgate/agent/desk"
	"campusgate/signing/pin"
	"campusgate/signing/wire"
)

// ErrPIN: no guard of this gate has that number and PIN. It does not say which
// of the two is wrong.
var ErrPIN = errors.New("no guard of this gate has that number and PIN")

// LockedError is what a login gets after too many wrong ones.
type LockedError struct{ Wait time.Duration }

func (e *LockedError) Error() string {
	return fmt.Sprintf("too many wrong PINs: locked for another %v", e.Wait.Round(time.Second))
}

// After Tries wrong PINs in a row nobody can log in for Lock. It is the PC that
// is locked, not a number: whoever guesses stands in front of it.
const (
	Tries = 5
	Lock  = time.Minute
)

// Desk is what a login needs of the lanes; *lane.Desk is one.
type Desk interface {
	Begin(ctx context.Context, number, name string) (desk.Shift, error)
	End(ctx context.Context) error
	Shift() desk.Shift
}

// Deps is what logins need of the rest of the agent. All are required, and must
// be safe for concurrent use.
type Deps struct {
	Desk  Desk
	Guard func(number string) (wire.Guard, bool) // of this gate
	// Elapsed is a clock that no setting of the PC's moves.
	Elapsed func() time.Duration
}

// Logins checks PINs. Safe for concurrent use.
type Logins struct {
	deps Deps

	mu    sync.Mutex     // one PIN at a time: a check takes memory and a processor
	wrong int            // in a row
	of    map[string]int // by number, since its own right one
	until time.Duration
}

// New makes Logins.
func New(d Deps) *Logins { return &Logins{deps: d, of: map[string]int{}} }

// Begin puts a guard on duty. Errors are ErrPIN, a *LockedError, and those of
// the desk.
func (l *Logins) Begin(ctx context.Context, number, digits string) (desk.Shift, error) {
	g, err := l.Check(number, digits)
	if err != nil {
		return desk.Shift{}, err
	}
	return l.deps.Desk.Begin(ctx, number, g.Name)
}

// Check tells whose number and PIN these are. It takes as long for a number that
// nobody has as for one with another PIN. Errors are ErrPIN and a *LockedError.
func (l *Logins) Check(number, digits string) (wire.Guard, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.until - l.deps.Elapsed(); wait > 0 {
		return wire.Guard{}, &LockedError{wait}
	}
	g, known := l.deps.Guard(number)
	if !known {
		g.Hash = pin.Nobody
	}
	ok, err := pin.Matches(g.Hash, digits)
	if err != nil {
		return g, err
	}
	if known && ok {
		l.wrong = 0
		delete(l.of, number) // whoever knows one PIN may still be guessing at another
		return g, nil
	}
	if known {
		l.of[number]++
	}
	if l.wrong++; l.wrong >= Tries || l.of[number] >= Tries {
		l.wrong, l.until = 0, l.deps.Elapsed()+Lock
		delete(l.of, number)
	}
	return g, ErrPIN
}

// End takes the guard off duty.
func (l *Logins) End(ctx context.Context) error { return l.deps.Desk.End(ctx) }

// On is the guard on duty; zero = nobody.
func (l *Logins) On() desk.Shift { return l.deps.Desk.Shift() }

// Review takes a guard off duty who may not be any more. It is to run when the
// snapshot has changed.
func (l *Logins) Review(ctx context.Context) error {
	on := l.On()
	if on == (desk.Shift{}) {
		return nil
	}
	if _, known := l.deps.Guard(on.Number); known {
		return nil
	}
	return l.End(ctx)
}
