package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/devices"
	"campusgate/devices/drivers"
)

// passageTick is how often it is looked whose time to go through is over.
const passageTick = 100 * time.Millisecond

// annulRetry is the pause after an annulment could not be written.
const annulRetry = time.Second

// SensorConfig names the contact that sees people go through a lane, and how long
// they have.
type SensorConfig struct {
	Driver    string `yaml:"driver"`
	Path      string `yaml:"path"`
	Baud      int    `yaml:"baud"`
	Unit      int    `yaml:"unit"`
	Channel   int    `yaml:"channel"`
	Inverted  bool   `yaml:"inverted"`
	TimeoutMS int    `yaml:"timeout_ms"`
}

// The bounds of SensorConfig.TimeoutMS. An admission that is repeated within ten
// seconds does not open again, unless it was taken back before.
const (
	minPassageMS = 1_000
	maxPassageMS = 60_000
)

// input makes the contact without opening it; nil = none.
func (c SensorConfig) input() (devices.Input, error) {
	if c.Driver == "" || c.Driver == "none" {
		return nil, nil
	}
	if c.TimeoutMS != 0 && (c.TimeoutMS < minPassageMS || c.TimeoutMS > maxPassageMS) {
		return nil, fmt.Errorf("timeout_ms %d is not in %d to %d", c.TimeoutMS, minPassageMS, maxPassageMS)
	}
	return drivers.NewInput(c.Driver, drivers.InputConfig{
		Path: c.Path, Baud: c.Baud, Unit: c.Unit, Channel: c.Channel, Inverted: c.Inverted,
	})
}

// interlocked gives the barriers of each interlock their doors.
func interlocked(lanes []LaneSettings) []LaneSettings {
	locks := map[string]*devices.Interlock{}
	lanes = slices.Clone(lanes)
	for i := range lanes {
		name := lanes[i].Barrier.Interlock
		if name == "" {
			continue
		}
		if locks[name] == nil {
			locks[name] = devices.NewInterlock(name)
		}
		lanes[i].door = locks[name].Door(lanes[i].Name)
	}
	return lanes
}

// newSensors makes the sensors of the lanes that have one.
func (a *Agent) newSensors(lanes []LaneSettings, d passageDesk) error {
	a.sensors = map[string]*sensor{}
	for _, l := range lanes {
		in, err := l.Sensor.input()
		if err != nil {
			return err
		}
		if in == nil {
			continue
		}
		a.sensors[l.Name] = &sensor{
			lane: l.Name, driver: l.Sensor.Driver, input: in, door: l.door, desk: d,
			now: a.now, log: a.log, touch: a.touch,
			passages: lane.Passages{Timeout: time.Duration(l.Sensor.TimeoutMS) * time.Millisecond},
			health:   devices.Health{State: devices.Starting, Since: a.now()},
		}
	}
	return nil
}

// opened tells a lane's sensor that the lane was opened for a scan.
func (a *Agent) opened(lane, scan string) {
	if s := a.sensors[lane]; s != nil {
		s.opened(scan)
	}
}

// passageDesk is what a sensor's word is told to; *lane.Desk is one.
type passageDesk interface {
	Passed(id string, p desk.Passage)
	NobodyWentThrough(ctx context.Context, id string) error
	Elapsed() time.Duration
}

// sensor watches who goes through a lane after it was opened, and takes back
// the admissions of those who did not. What it does not know it leaves alone:
// after a restart, too.
type sensor struct {
	lane   string
	driver string
	input  devices.Input
	door   *devices.Door // kept while somebody is to go through
	desk   passageDesk
	now    func() time.Time
	log    *slog.Logger
	touch  func()

	mu       sync.Mutex
	passages lane.Passages
	health   devices.Health

	// Below belongs to run's goroutine.
	overdue []string      // scans whose admission is to be taken back
	again   time.Duration // when that is tried again after it failed
	fault   string        // as last logged
}

// opened is told when the lane was opened for a scan.
func (s *sensor) opened(scan string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.passages.Opened(s.desk.Elapsed(), scan) {
		s.door.Stay()
	}
}

// run watches until ctx ends.
func (s *sensor) run(ctx context.Context) error {
	supervisor := devices.Supervisor{Now: s.now}
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		_ = supervisor.Keep(ctx, func(ctx context.Context, alive func()) error { // it ends with ctx only
			defer s.lost()
			return s.input.Run(ctx, func(active bool) {
				alive()
				s.contact(active)
			})
		}, s.report)
	})
	tick := time.NewTicker(passageTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			s.look(ctx)
		}
	}
}

func (s *sensor) contact(active bool) {
	s.mu.Lock()
	out, stray := s.passages.Contact(s.desk.Elapsed(), active)
	s.mu.Unlock()
	s.settle(out)
	if stray {
		s.log.Warn("somebody went through for whom the lane was not opened", "lane", s.lane)
	}
}

func (s *sensor) lost() {
	s.mu.Lock()
	out := s.passages.Lost()
	s.mu.Unlock()
	s.settle(out)
}

// look takes back what is due. What cannot be written is tried again.
func (s *sensor) look(ctx context.Context) {
	now := s.desk.Elapsed()
	s.mu.Lock()
	out, fault := s.passages.Due(now), s.passages.Fault(now)
	s.mu.Unlock()
	s.settle(out)
	if fault != s.fault {
		s.fault = fault
		s.log.Warn("sensor", "lane", s.lane, "fault", fault)
		s.touch()
	}
	for len(s.overdue) > 0 && now >= s.again {
		err := s.desk.NobodyWentThrough(ctx, s.overdue[0])
		switch {
		case errors.Is(err, lane.ErrNotAnnullable), errors.Is(err, desk.ErrNoScan): // a guard was first
		case err != nil:
			s.log.Error("admission not taken back yet", "lane", s.lane, "error", err)
			s.again = now + annulRetry
			return
		}
		s.overdue = s.overdue[1:]
	}
}

// settle does what follows from outcomes.
func (s *sensor) settle(out []lane.Outcome) {
	for _, o := range out {
		switch o.Went {
		case desk.WentThrough:
			s.desk.Passed(o.Scan, desk.WentThrough)
		case desk.WentNowhere:
			s.overdue = append(s.overdue, o.Scan)
		case desk.WentUnknown:
			s.log.Warn("not known whether somebody went through", "lane", s.lane)
		}
		s.door.Leave()
	}
}

func (s *sensor) report(h devices.Health) {
	s.mu.Lock()
	s.health = h
	s.mu.Unlock()
	s.log.Info("sensor", "lane", s.lane, "state", h.State, "detail", h.Detail)
	s.touch()
}

// view is the sensor's state: one that can be read but not be believed is lost.
func (s *sensor) view() *console.Sensor {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	if fault := s.passages.Fault(s.desk.Elapsed()); fault != "" && h.State == devices.OK {
		h.State, h.Detail = devices.Lost, fault
	}
	return &console.Sensor{Driver: s.driver, State: h.State, Since: h.Since.UnixMilli(), Detail: h.Detail}
}
