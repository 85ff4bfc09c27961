package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"campusgate/devices"
)

const (
	// listenEvery is how often an open scanner is asked whether it should have said
	// something.
	listenEvery = time.Second
	// commandTime is how long a trigger or a beep may take.
	commandTime = time.Second
)

// reader is a scanner of a lane: it feeds the desk.
type reader struct {
	*device
	c       ScannerSettings
	scanner devices.Scanner // nil = none
	command calls

	hearing sync.Mutex
	link    devices.Health // what the supervisor says
	listening
}

func (a *Agent) newReader(l *LaneSettings, c ScannerSettings) (*reader, error) {
	scanner, err := c.scanner()
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(a.journal.Identity().TimeZone)
	if err != nil {
		return nil, err
	}
	return &reader{
		device: a.newDevice(l.Name, kindScanner, c.Driver, c.Name), c: c, scanner: scanner,
		listening: listening{silentAfter: c.SilentAfter, opening: c.Opening, zone: zone},
	}, nil
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context) error {
	if r.scanner == nil {
		r.report(devices.Health{State: devices.OK})
		<-ctx.Done()
		return nil
	}
	return r.agent.supervisor().Run(ctx, r.scanner, r.scan, r.supervised)
}

func (r *reader) scan(s devices.Scan) {
	r.hearing.Lock()
	r.heard(s.Text, r.agent.now())
	r.hearing.Unlock()
	r.settle()
	if err := r.agent.desk.ScanTowards(r.lane, r.driver, r.c.Towards, s.Text); err != nil {
		r.agent.log.Error("scan dropped", "lane", r.lane, "name", r.name, "error", err)
	}
}

func (r *reader) supervised(h devices.Health) {
	r.hearing.Lock()
	r.link = h
	r.hearing.Unlock()
	r.settle()
}

// listen notices what a scanner does not say.
func (r *reader) listen(ctx context.Context) error {
	if r.scanner == nil || r.c.SilentAfter == 0 {
		return nil
	}
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.settle()
		}
	}
}

// settle reports what supervisor and listening say together.
func (r *reader) settle() {
	r.hearing.Lock()
	defer r.hearing.Unlock()
	h := r.link
	if h.State == devices.OK {
		if heard := r.listening.health(r.agent.now()); heard.State != "" {
			h = heard
		}
	}
	r.report(h)
}

// trigger has the scanner read, or stop reading. errors.ErrUnsupported where it
// cannot be told to.
func (r *reader) trigger(ctx context.Context, stop bool) error {
	t, ok := r.scanner.(devices.Triggerer)
	if !ok {
		return errors.ErrUnsupported
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if stop {
		return r.command.do(ctx, t.Stop)
	}
	return r.command.do(ctx, t.Trigger)
}

// beep sounds where the scanner can and should.
func (r *reader) beep(ctx context.Context) {
	b, ok := r.scanner.(devices.Beeper)
	if !ok || !r.c.Beep {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	if err := r.command.do(ctx, b.Beep); err != nil {
		r.agent.log.Info("scanner did not beep", "lane", r.lane, "name", r.name, "error", err)
	}
}
