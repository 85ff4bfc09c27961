package lane

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// This file is lockdowns and emergency openings: from the server, by a button of
// the guard's, by a contact at the gate.

// ErrBadAlarm: no such state, or too many words.
var ErrBadAlarm = errors.New("want open, lockdown or normal, and a reason of at most 240 bytes")

// Alarm raises or ends an alarm of this gate's own. Each source has one.
type Alarm struct {
	desk.Stamp
	State  wire.AlarmState // "" = ends
	Source wire.AlarmSource
	Reason string
}

// Awaits is nothing: Alarm is answered by Done or Reject.
func (Alarm) Awaits() string { return "" }

// Alarmed is the effect of alarms that began or ended: those in force now.
type Alarmed struct{ Held []wire.AlarmMove }

// Raise raises or ends an alarm of this gate's own, and returns when it is in the
// journal. Errors are ErrBadAlarm, ErrNoShift, ErrBusy and ErrStore. An emergency
// opening that cannot be written opens the barriers all the same, and fails: who
// asked should ask again.
func (d *Desk) Raise(ctx context.Context, state wire.AlarmState, source wire.AlarmSource, reason string) error {
	_, err := d.Do(ctx, Alarm{Stamp: d.Stamp(), State: state, Source: source, Reason: reason})
	return err
}

// Alarms are the alarms in force, the one that counts first. The list is shared.
func (d *Desk) Alarms() []wire.AlarmMove { return *d.alarms.Load() }

// state is what several alarms come to; they are in order.
func state(held []wire.AlarmMove) wire.AlarmState {
	if len(held) == 0 {
		return wire.AlarmNone
	}
	return held[0].State
}

func (c *Core) alarm(book Book, in Alarm, now desk.Moment) ([]desk.Effect, error) {
	var err error
	a := wire.Alarm{State: in.State, Reason: in.Reason, Since: now.At}
	switch {
	case in.State != wire.AlarmNone && a.Check() != nil || signing.CheckWords(in.Reason, maxNote) != nil:
		err = ErrBadAlarm
	case in.Source != wire.AlarmFromGuard && in.Source != wire.AlarmFromInput:
		err = ErrBadAlarm
	case in.Source == wire.AlarmFromGuard && c.unattended():
		err = desk.ErrNoShift
	}
	if err != nil {
		return []desk.Effect{desk.Reject{Err: err}}, nil
	}
	if in.Source == wire.AlarmFromGuard {
		a.By = c.OnDuty().Number
	}
	// Raised again it is the same alarm, unless it is another one.
	same := func(h wire.AlarmMove) bool { return h.Source == in.Source && h.State == in.State }
	if in.State == wire.AlarmNone || !slices.ContainsFunc(c.held, same) {
		if err := book.SetOwnAlarm(in.Source, a); err != nil {
			return nil, err
		}
	}
	effects, err := c.alarms(book, now)
	if err == nil && c.loose == in.Source {
		if len(effects) == 0 { // for the journal nothing changed, for the barriers it did
			effects = append(effects, Alarmed{c.held})
		}
		c.Undo(func() { c.loose = in.Source })
		c.loose = ""
	}
	return append(effects, desk.Done{}), err
}

// alarms compares what is known with what the journal says is in force, and
// writes an event for each that began or ended.
func (c *Core) alarms(book Book, now desk.Moment) ([]desk.Effect, error) {
	known, err := book.Alarms()
	if err != nil {
		return nil, err
	}
	known = slices.DeleteFunc(known, func(m wire.AlarmMove) bool {
		return m.State == wire.AlarmNone || m.Until != 0 && now.At >= m.Until
	})
	// By the alphabet open comes after lockdown, and counts before it.
	slices.SortFunc(known, func(a, b wire.AlarmMove) int {
		return cmp.Or(-cmp.Compare(a.State, b.State), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Scope, b.Scope))
	})
	if slices.Equal(known, c.held) {
		return nil, nil
	}
	for _, m := range c.held {
		same := func(k wire.AlarmMove) bool { return k.Source == m.Source && k.Scope == m.Scope }
		if slices.ContainsFunc(known, same) {
			continue
		}
		end := wire.AlarmMove{Source: m.Source, Scope: m.Scope}
		if err := c.tell(book, end, now); err != nil {
			return nil, err
		}
	}
	for _, m := range known {
		if slices.Contains(c.held, m) {
			continue
		}
		if err := c.tell(book, m, now); err != nil {
			return nil, err
		}
	}
	old := c.held
	c.Undo(func() { c.held = old })
	c.held = known
	return []desk.Effect{Alarmed{known}}, book.SetHeld(known)
}

func (c *Core) tell(book Book, m wire.AlarmMove, now desk.Moment) error {
	e := wire.Event{Type: wire.EventAlarm, Offline: now.Offline, Guard: c.OnDuty().Number, Alarm: &m}
	return c.Write(book, &e, now)
}

// unwritten is what follows of an alarm that could not be written. People are
// let out of a fire whatever the disk says.
func (c *Core) unwritten(in Alarm, cause error) []desk.Effect {
	effects := []desk.Effect{desk.Reject{Err: cause}}
	if in.State != wire.AlarmOpen || in.Source == wire.AlarmFromGuard && c.unattended() {
		return effects
	}
	c.loose = in.Source
	m := wire.AlarmMove{State: in.State, Source: in.Source, Reason: in.Reason, Since: c.At(in.Stamp)}
	return append([]desk.Effect{Alarmed{append([]wire.AlarmMove{m}, c.held...)}}, effects...)
}
