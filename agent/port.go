package agent

import (
	"context"
	"sync"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
)

// port is a lane's hardware: its scanner feeds the desk, its barrier opens.
// Each runs by itself, so that a stuck device delays no other lane.
type port struct {
	lane    LaneSettings
	scanner devices.Scanner // nil = none
	barrier devices.Barrier
	agent   *Agent

	mu     sync.Mutex
	health devices.Health // of the scanner
	fault  string         // of the barrier's last pulse; "" = it opened
}

func (a *Agent) newPort(l LaneSettings) (*port, error) {
	p := &port{lane: l, agent: a, health: devices.Health{State: devices.Starting, Since: a.now()}}
	var err error
	if p.scanner, err = l.scanner(); err != nil {
		return nil, err
	}
	p.barrier, err = l.barrier()
	return p, err
}

// run reads the scanner until ctx ends.
func (p *port) run(ctx context.Context) error {
	if p.scanner == nil {
		p.report(devices.Health{State: devices.OK, Since: p.agent.now()})
		<-ctx.Done()
		return nil
	}
	supervisor := devices.Supervisor{Now: p.agent.now}
	return supervisor.Run(ctx, p.scanner, p.scan, p.report)
}

func (p *port) scan(s devices.Scan) {
	if err := p.agent.desk.Scan(p.lane.Name, p.lane.Scanner.Driver, s.Text); err != nil {
		p.agent.log.Error("scan dropped", "lane", p.lane.Name, "error", err)
	}
}

func (p *port) report(h devices.Health) {
	p.mu.Lock()
	p.health = h
	p.mu.Unlock()
	p.agent.log.Info("scanner", "lane", p.lane.Name, "state", h.State, "detail", h.Detail)
	p.agent.touch()
}

// open pulses the barrier and remembers whether that worked.
func (p *port) open(ctx context.Context) error {
	err := p.barrier.Open(ctx)
	p.found(err)
	return err
}

// watch asks the barrier every two seconds whether it is there, so that the
// guard knows before the next person stands in front of it.
func (p *port) watch(ctx context.Context) error {
	prober, ok := p.barrier.(devices.Prober)
	if !ok {
		return nil
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, probeEvery)
		_, err := prober.Probe(asking)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		p.found(err)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

const probeEvery = 2 * time.Second

// found notes what the barrier said last.
func (p *port) found(err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	p.mu.Lock()
	changed := p.fault != fault
	p.fault = fault
	p.mu.Unlock()
	if changed {
		p.agent.log.Info("barrier", "lane", p.lane.Name, "fault", fault)
		p.agent.touch()
	}
}

func (p *port) view() console.Lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := console.Lane{
		Name: p.lane.Name, Direction: string(p.lane.Direction),
		Scanner: console.Scanner{
			Driver: p.lane.Scanner.Driver, State: p.health.State,
			Since: p.health.Since.UnixMilli(), Detail: p.health.Detail,
		},
		Barrier: console.Barrier{Driver: p.lane.Barrier.Driver, State: devices.OK},
	}
	if p.fault != "" {
		v.Barrier.State, v.Barrier.Detail = devices.Lost, p.fault
	}
	return v
}
