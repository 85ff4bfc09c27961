package devices_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
)

// script is a Scanner whose nth run does the nth step.
type script struct {
	starts []time.Time
	run    func(n int, ctx context.Context, emit func(devices.Scan), opened func()) error
}

func (s *script) Run(ctx context.Context, emit func(devices.Scan)) error {
	return s.RunNotify(ctx, emit, func() {})
}

func (s *script) RunNotify(ctx context.Context, emit func(devices.Scan), opened func()) error {
	s.starts = append(s.starts, time.Now())
	return s.run(len(s.starts), ctx, emit, opened)
}

// plain hides RunNotify.
type plain struct{ devices.Scanner }

var errPulled = errors.New("pulled out")

func supervise(t *testing.T, v devices.Supervisor, s devices.Scanner, d time.Duration, emit func(devices.Scan)) (states []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err := v.Run(ctx, s, emit, func(h devices.Health) { states = append(states, h.String()) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run: %v", err)
	}
	return states
}

func TestAMissingDeviceIsTriedAgainAtMostTwoSecondsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(int, context.Context, func(devices.Scan), func()) error { return errPulled }}
		states := supervise(t, devices.Supervisor{}, s, time.Minute, nil)
		if want := []string{"starting", "lost: pulled out"}; !slices.Equal(states, want) {
			t.Errorf("states %q, want %q: a state is reported once", states, want)
		}
		if len(s.starts) < 40 || len(s.starts) > 100 {
			t.Errorf("%d tries in a minute", len(s.starts))
		}
		pauses := map[time.Duration]bool{}
		for i := range s.starts[1:] {
			p := s.starts[i+1].Sub(s.starts[i])
			pauses[p] = true
			if p < 50*time.Millisecond || p > 1500*time.Millisecond {
				t.Errorf("pause %d is %v", i, p)
			}
		}
		if len(pauses) < 10 {
			t.Errorf("only %d different pauses: no jitter", len(pauses))
		}
	})
}

func TestPausesDoubleToTheirBoundWithTheJitterGiven(t *testing.T) {
	for name, c := range map[string]struct {
		random io.Reader
		want   []time.Duration // in ms
	}{
		"no jitter":      {bytes.NewReader(make([]byte, 100)), []time.Duration{100, 200, 400, 800, 1500, 1500}},
		"most jitter":    {bytes.NewReader(bytes.Repeat([]byte{255}, 100)), []time.Duration{50, 100, 200, 400, 750, 750}},
		"no random left": {bytes.NewReader(nil), []time.Duration{100, 200, 400, 800, 1500, 1500}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{run: func(int, context.Context, func(devices.Scan), func()) error { return errPulled }}
				supervise(t, devices.Supervisor{Rand: c.random}, s, 10*time.Second, nil)
				for i, want := range c.want {
					if got := s.starts[i+1].Sub(s.starts[i]); got != want*time.Millisecond {
						t.Errorf("pause %d is %v, want %v ms", i, got, int(want))
					}
				}
			})
		})
	}
}

func TestADeviceThatComesBackIsReadWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		plugged := func() bool { at := time.Since(start); return at < 10*time.Second || at >= 30*time.Second }
		s := &script{run: func(_ int, ctx context.Context, emit func(devices.Scan), opened func()) error {
			if !plugged() {
				return errPulled
			}
			opened()
			emit(devices.Scan{Text: "A", At: time.Now()})
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for plugged() {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-tick.C:
				}
			}
			return errPulled
		}}
		var scans []devices.Scan
		states := supervise(t, devices.Supervisor{}, s, time.Minute, func(s devices.Scan) { scans = append(scans, s) })
		if want := []string{"starting", "ok", "lost: pulled out", "ok"}; !slices.Equal(states, want) {
			t.Errorf("states %q, want %q", states, want)
		}
		if len(scans) != 2 {
			t.Fatalf("%d scans, want one per opening", len(scans))
		}
		if late := scans[1].At.Sub(start) - 30*time.Second; late < 0 || late > 2*time.Second {
			t.Errorf("read again %v after the re-plug", late)
		}
	})
}

func TestAFaultAfterGoodWorkIsTriedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(n int, ctx context.Context, _ func(devices.Scan), opened func()) error {
			if n != 6 {
				return errPulled
			}
			opened()
			<-time.After(time.Hour)
			return errPulled
		}}
		supervise(t, devices.Supervisor{}, s, 2*time.Hour, nil)
		if p := s.starts[6].Sub(s.starts[5]) - time.Hour; p > 100*time.Millisecond {
			t.Errorf("first pause after good work is %v", p)
		}
	})
}

func TestAFaultAfterAScanIsTriedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(n int, _ context.Context, emit func(devices.Scan), opened func()) error {
			if n == 6 {
				opened()
				emit(devices.Scan{Text: "A"})
			}
			return errPulled
		}}
		supervise(t, devices.Supervisor{}, s, time.Minute, func(devices.Scan) {})
		if p := s.starts[6].Sub(s.starts[5]); p > 100*time.Millisecond {
			t.Errorf("first pause after a scan is %v", p)
		}
	})
}

func TestADeviceThatFailsRightAfterOpeningBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(_ int, _ context.Context, _ func(devices.Scan), opened func()) error {
			opened()
			return errPulled
		}}
		supervise(t, devices.Supervisor{}, s, time.Minute, nil)
		if len(s.starts) > 100 {
			t.Errorf("%d tries in a minute", len(s.starts))
		}
	})
}

func TestAScannerThatCannotTellIsOKOnceItHasRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{run: func(n int, ctx context.Context, _ func(devices.Scan), _ func()) error {
			if n == 1 {
				return nil // a Scanner that stops without a reason has failed too
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		states := supervise(t, devices.Supervisor{}, plain{s}, time.Minute, nil)
		want := []string{"starting", "lost: the device stopped without a reason", "ok"}
		if !slices.Equal(states, want) {
			t.Errorf("states %q, want %q", states, want)
		}
	})
}

func TestSinceIsTheBeginningOfTheStateOnTheGivenClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faults := []error{errPulled, errors.New("no such file"), nil}
		s := &script{run: func(n int, ctx context.Context, _ func(devices.Scan), opened func()) error {
			if err := faults[n-1]; err != nil {
				return err
			}
			opened()
			<-ctx.Done()
			return ctx.Err()
		}}
		start, offset := time.Now(), 5*time.Hour
		v := devices.Supervisor{Now: func() time.Time { return time.Now().Add(offset) }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var all []devices.Health
		if err := v.Run(ctx, s, nil, func(h devices.Health) { all = append(all, h) }); err == nil {
			t.Fatal("Run returned nil")
		}
		if len(all) != 4 {
			t.Fatalf("reports %v", all)
		}
		first := start.Add(offset)
		if !all[0].Since.Equal(first) || !all[1].Since.Equal(first) {
			t.Errorf("starting since %v, lost since %v, want %v", all[0].Since, all[1].Since, first)
		}
		if all[2].State != devices.Lost || !all[2].Since.Equal(first) {
			t.Errorf("another error is the same loss: %v since %v", all[2], all[2].Since)
		}
		if all[3].State != devices.OK || !all[3].Since.Equal(s.starts[2].Add(offset)) {
			t.Errorf("%v since %v, want ok since %v", all[3], all[3].Since, s.starts[2].Add(offset))
		}
	})
}
