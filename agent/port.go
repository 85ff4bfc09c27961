package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/devices"
	"campusgate/signing/verdict"
)

const (
	// probeEvery is how often a barrier is asked whether it is there.
	probeEvery = 2 * time.Second
	// openTime is how long a pulse may take to be taken. Whoever stands there goes
	// back to the guard by then.
	openTime = 3 * time.Second
	// closeTime is how long a barrier may take to come to rest when the agent ends.
	closeTime = 2 * time.Second
)

// port is a lane's hardware: its scanners feed the desk, its barrier opens. Each
// runs by itself, so that a stuck device delays no other, nor the agent's end.
type port struct {
	lane    LaneSettings
	readers []*reader
	gate    *opener
}

func (a *Agent) newPort(l LaneSettings) (*port, error) {
	p := &port{lane: l}
	for _, c := range l.Scanners {
		r, err := a.newReader(&l, c)
		if err != nil {
			return nil, err
		}
		p.readers = append(p.readers, r)
	}
	barrier, err := l.barrier()
	p.gate = &opener{device: a.newDevice(l.Name, kindBarrier, l.Barrier.Driver, ""), barrier: barrier}
	return p, err
}

// loops are everything of this lane that runs until its context ends.
func (p *port) loops() (all []func(context.Context) error) {
	for _, r := range p.readers {
		all = append(all, r.run, r.listen)
	}
	return append(all, p.gate.watch, p.keepOpen)
}

// opener is a lane's barrier.
type opener struct {
	*device
	barrier                  devices.Barrier
	opening, asking, holding calls
}

// open pulses the barrier and remembers whether that worked.
func (o *opener) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	err := o.opening.do(ctx, o.barrier.Open)
	o.found(err)
	return err
}

// watch asks the barrier every two seconds whether it is there, so that the
// guard knows before the next person stands in front of it.
func (o *opener) watch(ctx context.Context) error {
	prober, ok := o.barrier.(devices.Prober)
	if !ok {
		o.found(nil)
		return nil
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, probeEvery)
		err := o.asking.do(asking, func(ctx context.Context) error {
			_, err := prober.Probe(ctx)
			return err
		})
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		o.found(err)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// found notes what the barrier said last.
func (o *opener) found(err error) {
	switch {
	case err == nil:
		o.report(devices.Health{State: devices.OK})
	case errors.Is(err, errStuck):
		o.report(devices.Health{State: devices.Stuck, Detail: err.Error()})
	default:
		o.report(devices.Health{State: devices.Lost, Detail: err.Error()})
	}
}

// close brings the barrier to rest, and does not wait for one that is stuck.
func (o *opener) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	var closing calls
	return closing.do(ctx, func(context.Context) error { return o.barrier.Close() })
}

// beep lets the scanners of a lane sound when somebody may go through.
func (a *Agent) beep(ctx context.Context) error {
	beeping := map[string][]*reader{}
	for _, p := range a.lanes {
		for _, r := range p.readers {
			if r.c.Beep {
				beeping[p.lane.Name] = append(beeping[p.lane.Name], r)
			}
		}
	}
	if len(beeping) == 0 {
		return nil
	}
	for ctx.Err() == nil {
		results, leave := a.desk.Subscribe()
		for open := true; open && ctx.Err() == nil; {
			select {
			case <-ctx.Done():
			case r, ok := <-results:
				if open = ok; ok && r.Reason == verdict.Granted && !r.Annulled && !r.Repeat {
					for _, b := range beeping[r.Lane] {
						go b.beep(ctx)
					}
				}
			}
		}
		leave() // a subscriber that fell behind begins again
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

// trigger has the scanners of a lane read, or stop; it is the console's.
func (a *Agent) trigger(ctx context.Context, lane string, stop bool) error {
	for _, p := range a.lanes {
		if p.lane.Name != lane {
			continue
		}
		err := errors.ErrUnsupported
		for _, r := range p.readers {
			switch was := r.trigger(ctx, stop); {
			case was == nil:
				err = nil
			case !errors.Is(was, errors.ErrUnsupported) && err != nil:
				err = was
			}
		}
		if err != nil {
			return fmt.Errorf("trigger: %w", err)
		}
		return nil
	}
	return desk.ErrNoLane
}

func (p *port) view() console.Lane {
	v := console.Lane{Name: p.lane.Name, Direction: string(p.lane.Direction)}
	for i, r := range p.readers {
		h := r.now()
		one := console.Scanner{Driver: r.driver, State: reached(h.State), Since: h.Since.UnixMilli(), Detail: h.Detail}
		if i == 0 || v.Scanner.State == devices.OK && one.State != devices.OK {
			v.Scanner = one // the one that needs somebody
		}
		_, can := r.scanner.(devices.Triggerer)
		v.Trigger = v.Trigger || can
	}
	h := p.gate.now()
	v.Barrier = console.Barrier{Driver: p.gate.driver, State: reached(h.State), Detail: h.Detail}
	if h.State == devices.Starting {
		v.Barrier.State = devices.OK // nothing is wrong with it as far as anybody knows
	}
	return v
}

// reached tells only whether a device is there.
func reached(state string) string {
	switch state {
	case devices.Silent, devices.Garbled:
		return devices.OK
	case devices.Stuck:
		return devices.Lost
	}
	return state
}
