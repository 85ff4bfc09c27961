package lane

import (
	"context"
	"errors"

	"campusgate/signing/wire"
)

// ShiftMS is after how long a shift ends by itself: somebody forgot to end it.
const ShiftMS = 16 * 3600_000

// Begin puts a guard on duty, whose PIN the caller has checked, and relieves the
// one before. Errors are ErrBusy and ErrStore.
func (d *Desk) Begin(ctx context.Context, number, name string) (Shift, error) {
	in := BeginShift{Stamp: d.stamp(), Number: number, Name: name}
	if _, err := d.wait(ctx, &entry{in: in, back: make(chan outcome, 1)}); err != nil {
		return Shift{}, err
	}
	return d.Shift(), nil
}

// End takes the guard off duty; nobody on duty is no error. Errors are ErrBusy
// and ErrStore.
func (d *Desk) End(ctx context.Context) error {
	_, err := d.wait(ctx, &entry{in: EndShift{d.stamp()}, back: make(chan outcome, 1)})
	if errors.Is(err, ErrNoShift) {
		return nil
	}
	return err
}

// Shift is the guard on duty; zero = nobody.
func (d *Desk) Shift() Shift { return *d.shift.Load() }

// unattended: a guard has to answer for it, and none is on duty. Codes are
// judged all the same, and open where no document is asked for: for that nobody
// has to be there.
func (c *Core) unattended() bool { return c.cfg.Shift && c.shift == Shift{} }

func (c *Core) begin(book Book, in BeginShift, now moment) ([]Effect, error) {
	if in.Number == "" {
		return []Effect{Reject{Err: ErrNoShift}}, nil
	}
	if c.shift.Number == in.Number {
		return []Effect{Shifted{c.shift}}, nil
	}
	if (c.shift != Shift{}) {
		if _, err := c.endShift(book, now); err != nil {
			return nil, err
		}
	}
	return c.move(book, wire.ShiftBegins, in.Number, Shift{Number: in.Number, Name: in.Name, Since: now.at}, now)
}

func (c *Core) endShift(book Book, now moment) ([]Effect, error) {
	if (c.shift == Shift{}) {
		return []Effect{Reject{Err: ErrNoShift}}, nil
	}
	return c.move(book, wire.ShiftEnds, c.shift.Number, Shift{}, now)
}

// lapse ends a shift that went on for longer than anybody's does.
func (c *Core) lapse(book Book, now moment) ([]Effect, error) {
	if (c.shift == Shift{}) || now.at-c.shift.Since < ShiftMS {
		return nil, nil
	}
	return c.endShift(book, now)
}

func (c *Core) move(book Book, move wire.ShiftMove, guard string, next Shift, now moment) ([]Effect, error) {
	e := wire.Event{Type: wire.EventShift, Offline: now.Offline, Guard: guard, Shift: move}
	if err := c.write(book, &e, now); err != nil {
		return nil, err
	}
	old := c.shift
	c.undo = append(c.undo, func() { c.shift = old })
	c.shift = next
	return []Effect{Shifted{next}}, book.SetShift(next)
}
