package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"campusgate/agent/console"
	"campusgate/agent/doctor"
	"campusgate/devices"
	"campusgate/devices/find"
)

// The names of the kinds of devices.
var kindNames = map[string]string{kindScanner: "扫码器 scanner", kindBarrier: "道闸 barrier", kindSensor: "过闸感应 sensor", kindContact: "紧急按钮 emergency contact", kindPrinter: "打印机 printer"}

func deviceName(lane, kind, name string) string {
	return strings.TrimSpace(lane + " " + kindNames[kind] + " " + name)
}

// lane looks for the devices of a lane while no agent has them.
func (p *patient) lane(ctx context.Context, l LaneSettings) {
	for _, c := range l.Scanners {
		if scanner, err := c.scanner(); scanner != nil && err == nil {
			p.device(ctx, deviceName(l.Name, kindScanner, c.Name), scanner, c.shown())
		}
	}
	barrier, err := l.barrier()
	if err == nil {
		p.device(ctx, deviceName(l.Name, kindBarrier, ""), barrier, l.Barrier.shown())
		_ = barrier.Close() // it was only looked at
	}
	if sensor, err := l.Sensor.input(); sensor != nil && err == nil {
		p.device(ctx, deviceName(l.Name, kindSensor, ""), sensor, l.Sensor.Path)
	}
}

func (p *patient) device(ctx context.Context, what string, device any, path string) {
	prober, ok := device.(devices.Prober)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	found, err := prober.Probe(ctx)
	p.say(what, err, found, plugIn(path))
}

func plugIn(path string) string {
	return fmt.Sprintf("检查是否插好、是否被其他程序占用 / is it plugged in as %s, and is no other program using it? (ls -l /dev/serial/by-id)", path)
}

// Examine is Doctor for an agent that runs: it takes the word of its lanes for
// their devices. Safe for concurrent use.
func (a *Agent) Examine(ctx context.Context) doctor.Report {
	p := &patient{
		Surroundings: Surroundings{Now: a.now, Root: a.root}.real(),
		settings:     a.settings, journal: a.journal, snapshot: a.snapshot,
	}
	p.say(storeCheck, nil, a.settings.store()+"，断电不丢 durable", "")
	p.say("身份 identity", nil, a.journal.Identity().String(), "")
	p.say("流水 journal", nil, fmt.Sprintf("%d events, %d to send", a.journal.Last(), a.journal.Queue()), "")
	p.parts(ctx)
	p.link(a.status())
	for _, d := range a.devices {
		v := d.view()
		p.state(deviceName(v.Lane, v.Kind, v.Name), v.State, v.Detail, a.settings.pathOf(v))
	}
	p.plugged()
	return p.report
}

// pathOf is where a device is plugged in, as anybody may read it.
func (s *Settings) pathOf(d console.Device) string {
	switch d.Kind {
	case kindContact:
		return s.Emergency.Path
	case kindPrinter:
		return s.Printer.Path
	}
	at := slices.IndexFunc(s.Lanes, func(l LaneSettings) bool { return l.Name == d.Lane })
	if at < 0 {
		return ""
	}
	l := s.Lanes[at]
	switch d.Kind {
	case kindBarrier:
		return l.Barrier.shown()
	case kindSensor:
		return l.Sensor.Path
	}
	for _, c := range l.Scanners {
		if c.Name == d.Name {
			return c.shown()
		}
	}
	return ""
}

func (p *patient) link(s console.Status) {
	var err error
	if !s.Online {
		if err = errors.New("offline"); s.LastError != "" {
			err = errors.New(s.LastError)
		}
	}
	p.say("连接 link", err, "online", "断网时校门照常工作，联网后补传 / the gate works without, and sends what it kept afterwards")
}

func (p *patient) state(what, state, detail, path string) {
	var err error
	if state != devices.OK {
		if err = errors.New(state); detail != "" {
			err = errors.New(detail)
		}
	}
	if path == "" {
		path = "none"
	} else if port := find.At(p.Root, find.Ports(p.Root), path); port != nil {
		path = port.String()
	}
	p.say(what, err, path, plugIn(path))
}
