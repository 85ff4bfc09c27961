package agent

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
	"campusgate/devices/drivers"
	"campusgate/devices/find"
	"campusgate/devices/relay"
)

// ErrNoBarrier: the lane has nothing that opens.
var ErrNoBarrier = console.ErrNoBarrier

// Heard is something that arrived at a port while scanners were tried.
type Heard struct {
	Port string // its path
	Text string // to be shown in part only: it may be somebody's code
}

// TryScan listens at every scanner of the configuration, and at every port that
// may have one, until ctx ends or enough is true of what arrived. It is for an
// agent that does not run. Ports that cannot be opened are passed over.
func TryScan(ctx context.Context, s Settings, ports []find.Port, enough func(Heard) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	var mu sync.Mutex
	listen := func(path string, scanner devices.Scanner) {
		running.Go(func() {
			_ = scanner.Run(ctx, func(scan devices.Scan) {
				mu.Lock()
				defer mu.Unlock()
				if ctx.Err() == nil && enough(Heard{path, scan.Text}) {
					cancel()
				}
			})
		})
	}
	taken := map[string]bool{} // by node: barriers are left alone
	for _, path := range s.paths() {
		taken[path] = true
		if p := find.At("/", ports, path); p != nil {
			taken[p.Node] = true
		}
	}
	for _, l := range s.Lanes {
		for _, c := range l.Scanners {
			if scanner, err := c.scanner(); err == nil && scanner != nil {
				listen(c.Path, scanner)
			}
		}
	}
	for _, p := range ports {
		fits := p.As(find.RoleScanner)
		if taken[p.Node] || taken[p.Path] || len(fits) == 0 || !hasDriver(find.RoleScanner, fits[0].Driver) {
			continue
		}
		scanner, err := drivers.NewScanner(fits[0].Driver, drivers.ScannerConfig{
			Path: p.Path, Baud: fits[0].Baud, Preset: fits[0].Preset, Prefixes: prefixes,
		})
		if err == nil {
			listen(p.Path, scanner)
		}
	}
	<-ctx.Done()
	running.Wait()
	return nil
}

// TryPulse opens a lane's barrier once, for an agent that does not run.
func TryPulse(ctx context.Context, l LaneSettings) error {
	if l.Barrier.Driver == "none" {
		return ErrNoBarrier
	}
	barrier, err := l.barrier()
	if err != nil {
		return err
	}
	// Close ends the pulse; wait for it to have been one.
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if err := barrier.Open(ctx); err != nil {
		return errors.Join(err, barrier.Close())
	}
	pulse := time.NewTimer(l.pulse())
	defer pulse.Stop()
	select {
	case <-pulse.C:
	case <-ctx.Done():
	}
	return barrier.Close()
}

// pulse is how long the lane's barrier is held open.
func (l *LaneSettings) pulse() time.Duration {
	return cmp.Or(time.Duration(l.Barrier.PulseMS)*time.Millisecond, relay.DefaultPulse)
}

// TryPrint prints a test slip on a receipt printer that the configuration need not
// name yet.
func TryPrint(ctx context.Context, path string) error {
	printer, err := drivers.NewPrinter("escpos", drivers.PrinterConfig{Path: path})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return printer.Print(ctx, devices.Slip{
		{Text: "Campusgate", Align: devices.Center, Bold: true}, {Text: "测试 TEST 123", Right: "OK"}, {Cut: true},
	})
}

// Pulse opens a barrier of the running agent once, to see whether it does. It is
// no admission, so the journal does not have it; the log has.
func (a *Agent) Pulse(ctx context.Context, lane string) error {
	for _, p := range a.lanes {
		if p.lane.Name != lane {
			continue
		}
		if p.lane.Barrier.Driver == "none" {
			return ErrNoBarrier
		}
		a.log.Warn("barrier opened to test it", "lane", lane, "guard", a.desk.Shift().Number)
		return p.gate.open(ctx)
	}
	return ErrNoBarrier
}
