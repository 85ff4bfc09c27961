package agent

import (
	"context"
	"sync"
	"time"

	"campusgate/agent/lane"
	"campusgate/devices"
	"campusgate/signing/wire"
)

// holdEvery is how often a barrier that can stand open is told so again: its
// device may have been away.
const holdEvery = time.Second

// standing says whether the barriers are to stand open, and wakes whoever moves
// them. The zero value says no.
type standing struct {
	mu      sync.Mutex
	open    bool
	changed chan struct{}
}

func (s *standing) set(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == open {
		return
	}
	s.open = open
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// now gives the state, and a channel that is closed when it changes.
func (s *standing) now() (open bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.open, s.changed
}

// alarmed is told of the alarms in force.
func (a *Agent) alarmed(held []wire.AlarmMove) {
	a.standing.set(len(held) > 0 && held[0].State == wire.AlarmOpen)
	a.touch()
}

// keepOpen holds the lane's barrier open as long as it is to stand open, and
// brings it to rest after.
func (p *port) keepOpen(ctx context.Context) error {
	held := false
	for {
		open, changed := p.gate.agent.standing.now()
		wait := p.lane.pulse() / 2
		if _, can := p.gate.barrier.(devices.Holder); can {
			wait = holdEvery
		}
		if open || held {
			held = p.gate.hold(ctx, open) != nil || open
		}
		var again <-chan time.Time
		timer := time.NewTimer(wait)
		if open || held {
			again = timer.C
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-changed:
		case <-again:
		}
		timer.Stop()
	}
}

// hold holds the barrier, or lets it go. One that cannot stand open gets pulses
// that follow each other, and rests after the last. No interlock holds it back.
func (o *opener) hold(ctx context.Context, open bool) error {
	ctx, cancel := context.WithTimeout(devices.Emergency(ctx), holdEvery)
	defer cancel()
	err := o.holding.do(ctx, func(ctx context.Context) error {
		if h, can := o.barrier.(devices.Holder); can {
			return h.Hold(ctx, open)
		}
		if open {
			return o.barrier.Open(ctx)
		}
		return nil
	})
	o.found(err)
	return err
}

// watchInput follows the contact that opens the gate in an emergency. What it
// said last stays, also over a restart, until it says otherwise: a cable that was
// cut closes no gate on people who flee.
func (a *Agent) watchInput(ctx context.Context, in devices.Input, lanes *lane.Desk) error {
	said := make(chan bool, 1)
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() { a.raiseInput(ctx, said, lanes) })
	return a.supervisor().Keep(ctx, func(ctx context.Context, alive func()) error {
		return in.Run(ctx, func(active bool) {
			alive()
			select {
			case <-said: // an older word that nobody has heard
			default:
			}
			said <- active
		})
	}, a.contactHealth.report)
}

// raiseInput hands the state of the contact to the lanes, until they have it.
func (a *Agent) raiseInput(ctx context.Context, said <-chan bool, lanes *lane.Desk) {
	var again <-chan time.Time
	active := false
	for {
		select {
		case <-ctx.Done():
			return
		case active = <-said:
		case <-again:
		}
		state := wire.AlarmNone
		if active {
			state = wire.AlarmOpen
		}
		if again = nil; lanes.Raise(ctx, state, wire.AlarmFromInput, "") != nil {
			again = time.After(holdEvery)
		}
	}
}
