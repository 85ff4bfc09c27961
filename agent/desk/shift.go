package desk

import (
	"context"
	"errors"

	"campusgate/signing/wire"
)

// ShiftMS is after how long a shift ends by itself: somebody forgot to end it.
const ShiftMS = 16 * 3600_000

// Shift is who is on duty. Since is by the corrected clock.
type Shift struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	Since  int64  `json:"since"` // unix ms
}

// Begin puts somebody on duty, whose PIN the caller has checked, and relieves
// the one before. Errors are ErrBusy and ErrStore.
func (d *Desk) Begin(ctx context.Context, number, name string) (Shift, error) {
	if _, err := d.Do(ctx, BeginShift{Stamp: d.Stamp(), Number: number, Name: name}); err != nil {
		return Shift{}, err
	}
	return d.Shift(), nil
}

// End takes them off duty; nobody on duty is no error. Errors are ErrBusy and
// ErrStore.
func (d *Desk) End(ctx context.Context) error {
	_, err := d.Do(ctx, EndShift{d.Stamp()})
	if errors.Is(err, ErrNoShift) {
		return nil
	}
	return err
}

// Shift is who is on duty; zero = nobody.
func (d *Desk) Shift() Shift { return *d.shift.Load() }

// OnDuty is who is on duty as of the steps so far; zero = nobody.
func (b *Base) OnDuty() Shift { return b.shift }

// BeginShift writes that somebody came, and that another went.
func (b *Base) BeginShift(book Book, in BeginShift, now Moment) ([]Effect, error) {
	if in.Number == "" {
		return []Effect{Reject{Err: ErrNoShift}}, nil
	}
	if b.shift.Number == in.Number {
		return []Effect{Shifted{b.shift}}, nil
	}
	if (b.shift != Shift{}) {
		if _, err := b.EndShift(book, now); err != nil {
			return nil, err
		}
	}
	return b.move(book, wire.ShiftBegins, in.Number, Shift{Number: in.Number, Name: in.Name, Since: now.At}, now)
}

// EndShift writes that who is on duty goes.
func (b *Base) EndShift(book Book, now Moment) ([]Effect, error) {
	if (b.shift == Shift{}) {
		return []Effect{Reject{Err: ErrNoShift}}, nil
	}
	return b.move(book, wire.ShiftEnds, b.shift.Number, Shift{}, now)
}

// lapse ends a shift that went on for longer than anybody's does.
func (b *Base) lapse(book Book, now Moment) ([]Effect, error) {
	if (b.shift == Shift{}) || now.At-b.shift.Since < ShiftMS {
		return nil, nil
	}
	return b.EndShift(book, now)
}

func (b *Base) move(book Book, move wire.ShiftMove, guard string, next Shift, now Moment) ([]Effect, error) {
	e := wire.Event{Type: wire.EventShift, Offline: now.Offline, Guard: guard, Shift: move}
	if err := b.Write(book, &e, now); err != nil {
		return nil, err
	}
	old := b.shift
	b.Undo(func() { b.shift = old })
	b.shift = next
	return []Effect{Shifted{next}}, book.SetShift(next)
}
