package devices_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
)

func TestAPanicOfADriverIsAFaultWithItsStackInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(n int, ctx context.Context, emit func(devices.Scan), opened func()) error {
			opened()
			if n <= 3 {
				var none []byte
				_ = none[n] // as a driver does with a reply that is too short
			}
			emit(devices.Scan{Text: "A"})
			<-ctx.Done()
			return ctx.Err()
		}}
		var log bytes.Buffer
		var scans int
		v := devices.Supervisor{Log: slog.New(slog.NewTextHandler(&log, nil))}
		states := supervise(t, v, s, time.Minute, func(devices.Scan) { scans++ })
		if len(states) < 3 || states[1] != "ok" || !strings.HasPrefix(states[2], "lost: panic: runtime error: index out of range") || states[len(states)-1] != "ok" {
			t.Errorf("states %q", states)
		}
		if scans != 1 {
			t.Errorf("%d scans after the panics", scans)
		}
		if text := log.String(); strings.Count(text, "device driver panicked") != 3 || !strings.Contains(text, "contain_test.go") {
			t.Errorf("log: %s", text)
		}
	})
}

func TestADeviceThatHangsWhileOpeningIsReportedAndWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(n int, ctx context.Context, _ func(devices.Scan), opened func()) error {
			if n == 1 {
				<-time.After(25 * time.Second) // deaf to ctx, as a driver in a system call
				return errPulled
			}
			opened()
			<-ctx.Done()
			return ctx.Err()
		}}
		states := supervise(t, devices.Supervisor{}, s, time.Minute, nil)
		if want := []string{"starting", "stuck: not open after 10s", "lost: pulled out", "ok"}; !slices.Equal(states, want) {
			t.Errorf("states %q, want %q", states, want)
		}
		if len(s.starts) != 2 || s.starts[1].Sub(s.starts[0]) < 25*time.Second {
			t.Errorf("started at %v: two at once", s.starts)
		}
	})
}

func TestAStuckDriverDelaysTheEndByTwoSecondsAndIsNotHeardAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		gone := make(chan struct{})
		s := &script{run: func(_ int, _ context.Context, emit func(devices.Scan), opened func()) error {
			defer close(gone)
			opened()
			emit(devices.Scan{Text: "A"})
			<-release
			emit(devices.Scan{Text: "B"})
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var states, scans []string
		done := make(chan error, 1)
		go func() {
			done <- (&devices.Supervisor{}).Run(ctx, s, func(s devices.Scan) { scans = append(scans, s.Text) },
				func(h devices.Health) { states = append(states, h.String()) })
		}()
		synctest.Wait()
		start := time.Now()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("ended after %v", took)
		}
		close(release)
		<-gone
		if !slices.Equal(states, []string{"starting", "ok", "stuck: the driver does not return"}) || !slices.Equal(scans, []string{"A"}) {
			t.Errorf("states %q, scans %q", states, scans)
		}
	})
}

func TestCatchPassesErrorsOnAndKeepsTheStackOfAPanic(t *testing.T) {
	if err := devices.Catch(func() error { return errPulled }); !errors.Is(err, errPulled) {
		t.Errorf("an error: %v", err)
	}
	if err := devices.Catch(func() error { return nil }); err != nil {
		t.Errorf("nothing: %v", err)
	}
	var p *devices.PanicError
	if err := devices.Catch(func() error { panic("a short reply") }); !errors.As(err, &p) || err.Error() != "panic: a short reply" || !bytes.Contains(p.Stack, []byte("contain_test.go")) {
		t.Errorf("a panic: %v", err)
	}
}
