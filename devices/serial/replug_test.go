//go:build linux

package serial_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/serial"
)

// usage counts what a leak would raise.
func usage(t *testing.T) (goroutines, files int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return runtime.NumGoroutine(), len(fds)
}

// TestAScannerSurvivesTwentyReplugs pulls and puts back the cable of a supervised
// scanner. Each recovery is timed from the moment the cable is back, and at the
// end no goroutine and no file is left over.
func TestAScannerSurvivesTwentyReplugs(t *testing.T) { bothPorts(t, aScannerSurvivesTwentyReplugs) }

func aScannerSurvivesTwentyReplugs(t *testing.T, on func(string) serial.ScannerConfig) {
	c := cable(t)
	dev := device(t, c)
	s, err := serial.NewScanner(on(c.Host))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	scans, states := make(chan devices.Scan, 10), make(chan devices.Health, 100)
	done := make(chan error, 1)
	go func() {
		done <- devices.Supervise(ctx, s, func(s devices.Scan) { scans <- s }, func(h devices.Health) { states <- h })
	}()
	await := func(state string) {
		t.Helper()
		timeout := time.After(patience)
		for {
			select {
			case h := <-states:
				if h.State == state {
					return
				}
			case <-timeout:
				t.Fatalf("never %s", state)
			}
		}
	}
	await(devices.OK)
	send(t, dev, "FIRST\r")
	<-scans // so that its reader runs, and is counted
	goroutines, files := usage(t)
	var slowest time.Duration
	for i := range 20 {
		if err := c.Unplug(); err != nil {
			t.Fatal(err)
		}
		await(devices.Lost)
		if err := c.Replug(); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		await(devices.OK)
		slowest = max(slowest, time.Since(back))
		want := fmt.Sprintf("CODE %d", i)
		send(t, dev, want+"\r")
		select {
		case s := <-scans:
			if s.Text != want {
				t.Fatalf("cycle %d: scan %q", i, s.Text)
			}
		case <-time.After(patience):
			t.Fatalf("cycle %d: no scan", i)
		}
	}
	t.Logf("slowest recovery %v", slowest)
	if slowest > 2*time.Second {
		t.Errorf("slowest recovery %v", slowest)
	}
	// A closed reader leaves within its read timeout. Each round trip over the
	// cable gives it time without a clock.
	deadline := time.Now().Add(patience)
	for {
		g, f := usage(t)
		if g <= goroutines && f <= files {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files, at the start %d and %d", g, f, goroutines, files)
		}
		send(t, dev, fmt.Sprintf("%d\r", time.Now().UnixNano()))
		<-scans
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Supervise: %v", err)
	}
}
