package agent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
	"campusgate/signing/wire"
)

// The kinds of devices, as pages and server know them.
const (
	kindScanner = "scanner"
	kindBarrier = "barrier"
	kindSensor  = "sensor"
	kindContact = "contact"
	kindPrinter = "printer"
)

// device is the health of one device, of whatever kind: what the pages, the log
// and the server are told. Whoever runs the device reports to it.
type device struct {
	agent  *Agent
	lane   string // "" = it belongs to none
	kind   string
	driver string
	name   string // tells it from others of its kind at that lane; never a path

	mu     sync.Mutex
	health devices.Health
}

// newDevice puts a device on the list.
func (a *Agent) newDevice(lane, kind, driver, name string) *device {
	d := &device{
		agent: a, lane: lane, kind: kind, driver: driver, name: name,
		health: devices.Health{State: devices.Starting, Since: a.now()},
	}
	a.devices = append(a.devices, d)
	return d
}

// report notes the health of the device and tells everybody of a change. A
// health without a time begins now.
func (d *device) report(h devices.Health) {
	d.mu.Lock()
	if h.Since.IsZero() {
		if h.Since = d.health.Since; h.State != d.health.State {
			h.Since = d.agent.now()
		}
	}
	changed := h.State != d.health.State || h.Detail != d.health.Detail
	d.health = h
	d.mu.Unlock()
	if !changed {
		return
	}
	d.agent.log.Info("device", "lane", d.lane, "kind", d.kind, "name", d.name, "state", h.State, "detail", h.Detail)
	d.agent.touch()
}

func (d *device) now() devices.Health {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.health
}

func (d *device) view() console.Device {
	h := d.now()
	return console.Device{
		Lane: d.lane, Kind: d.kind, Driver: d.driver, Name: d.name,
		State: h.State, Since: h.Since.UnixMilli(), Detail: h.Detail,
	}
}

// wire is the view for the server, on its clock.
func (d *device) wire(offsetMS int64) wire.Device {
	v := d.view()
	return wire.Device{
		Lane: v.Lane, Kind: v.Kind, Driver: v.Driver, Name: v.Name,
		State: v.State, Since: v.Since + offsetMS, Detail: wire.Clip(v.Detail),
	}
}

// supervisor keeps a device of this agent going.
func (a *Agent) supervisor() *devices.Supervisor {
	return &devices.Supervisor{Now: a.now, Log: a.log}
}

// errStuck: a driver does not return from a call.
var errStuck = errors.New("the driver does not return")

// calls makes calls into a driver that nobody has to wait for longer than he
// likes. A call that does not return is left behind, and no other is made until
// it does.
type calls struct{ busy atomic.Bool }

// do calls work and waits until ctx ends and a little longer, in which a driver
// that heeds ctx says why. It fails with errStuck where the driver does not.
func (c *calls) do(ctx context.Context, work func(context.Context) error) error {
	if !c.busy.CompareAndSwap(false, true) {
		return errStuck
	}
	back := make(chan error, 1)
	go func() {
		err := devices.Catch(func() error { return work(ctx) })
		c.busy.Store(false)
		back <- err
	}()
	select {
	case err := <-back:
		return err
	case <-ctx.Done():
	}
	late := time.NewTimer(callGrace)
	defer late.Stop()
	select {
	case err := <-back:
		return err
	case <-late.C:
		return errStuck
	}
}

// callGrace is for the way back of a call whose time is up.
const callGrace = 200 * time.Millisecond
