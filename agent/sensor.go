package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/devices"
)

// passageTick is how often it is looked whose time to go through is over.
const passageTick = 100 * time.Millisecond

// annulRetry is the pause after an annulment could not be written.
const annulRetry = time.Second

// SensorConfig names the contact that sees people go through a lane, and how long
// they have.
type SensorConfig struct {
	InputConfig `yaml:",inline"`
	TimeoutMS   int `yaml:"timeout_ms"`
}

// The bounds of SensorConfig.TimeoutMS. An admission that is repeated within ten
// seconds does not open again, unless it was taken back before.
const (
	minPassageMS = 1_000
	maxPassageMS = 60_000
)

// input makes the contact without opening it; nil = none.
func (c SensorConfig) input() (devices.Input, error) {
	if c.TimeoutMS != 0 && (c.TimeoutMS < minPassageMS || c.TimeoutMS > maxPassageMS) {
		return nil, fmt.Errorf("timeout_ms %d is not in %d to %d", c.TimeoutMS, minPassageMS, maxPassageMS)
	}
	return c.InputConfig.input()
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
			device: a.newDevice(l.Name, kindSensor, l.Sensor.Driver, ""), input: in, door: l.door, desk: d, log: a.log,
			passages: lane.Passages{Timeout: time.Duration(l.Sensor.TimeoutMS) * time.Millisecond},
			reach:    devices.Health{State: devices.Starting, Since: a.now()},
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
	*device
	input devices.Input
	door  *devices.Door // kept while somebody is to go through
	desk  passageDesk
	log   *slog.Logger

	watching sync.Mutex // over both below
	passages lane.Passages
	reach    devices.Health // of the contact, whatever it says

	// Below belongs to run's goroutine.
	overdue []string      // scans whose admission is to be taken back
	again   time.Duration // when that is tried again after it failed
	fault   string        // as last told
}

// opened is told when the lane was opened for a scan.
func (s *sensor) opened(scan string) {
	s.watching.Lock()
	defer s.watching.Unlock()
	if s.passages.Opened(s.desk.Elapsed(), scan) {
		s.door.Stay()
	}
}

// run watches until ctx ends.
func (s *sensor) run(ctx context.Context) error {
	supervisor := s.agent.supervisor()
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		_ = supervisor.Keep(ctx, func(ctx context.Context, alive func()) error { // it ends with ctx only
			defer s.lost()
			return s.input.Run(ctx, func(active bool) {
				alive()
				s.contact(active)
			})
		}, s.heard)
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
	s.watching.Lock()
	out, stray := s.passages.Contact(s.desk.Elapsed(), active)
	s.watching.Unlock()
	s.settle(out)
	if stray {
		s.log.Warn("somebody went through for whom the lane was not opened", "lane", s.lane)
	}
}

func (s *sensor) lost() {
	s.watching.Lock()
	out := s.passages.Lost()
	s.watching.Unlock()
	s.settle(out)
}

// look takes back what is due. What cannot be written is tried again.
func (s *sensor) look(ctx context.Context) {
	now := s.desk.Elapsed()
	s.watching.Lock()
	out, fault := s.passages.Due(now), s.passages.Fault(now)
	s.watching.Unlock()
	s.settle(out)
	if fault != s.fault {
		s.fault = fault
		s.tell()
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

// heard notes whether the contact can be read.
func (s *sensor) heard(h devices.Health) {
	s.watching.Lock()
	s.reach = h
	s.watching.Unlock()
	s.tell()
}

// tell reports the sensor's health: one that can be read but not be believed is
// lost.
func (s *sensor) tell() {
	s.watching.Lock()
	h, fault := s.reach, s.passages.Fault(s.desk.Elapsed())
	s.watching.Unlock()
	if fault != "" && h.State == devices.OK {
		h = devices.Health{State: devices.Lost, Detail: fault}
	}
	s.report(h)
}
