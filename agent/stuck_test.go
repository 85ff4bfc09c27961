//go:build linux

package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
	"campusgate/devices/drivers"
	"campusgate/signing/verdict"
)

// deaf hangs in every call until its channel closes.
type deaf chan struct{}

func (d deaf) Run(context.Context, func(devices.Scan)) error { <-d; return io.EOF }
func (d deaf) Open(context.Context) error                    { <-d; return io.EOF }
func (d deaf) Probe(context.Context) (string, error)         { <-d; return "", io.EOF }
func (d deaf) Close() error                                  { <-d; return io.EOF }

// jumpy panics in every call.
type jumpy struct{}

func (jumpy) Run(context.Context, func(devices.Scan)) error { panic("a scanner's") }
func (jumpy) Open(context.Context) error                    { panic("a barrier's") }
func (jumpy) Probe(context.Context) (string, error)         { panic("a barrier's") }
func (jumpy) Close() error                                  { panic("a barrier's") }

// fit adds drivers for one test.
func fit(t *testing.T, name string, s devices.Scanner, b devices.Barrier) {
	t.Helper()
	drivers.Scanners[name] = func(drivers.ScannerConfig) (devices.Scanner, error) { return s, nil }
	drivers.Barriers[name] = drivers.BarrierDriver{
		Check: func(drivers.BarrierConfig) error { return nil },
		New:   func(drivers.BarrierConfig) (devices.Barrier, error) { return b, nil },
	}
	t.Cleanup(func() {
		delete(drivers.Scanners, name)
		delete(drivers.Barriers, name)
	})
}

// find gives the state of a device.
func find(st console.Status, lane, kind string) console.Device {
	for _, d := range st.Devices {
		if d.Lane == lane && d.Kind == kind {
			return d
		}
	}
	return console.Device{}
}

// log keeps what the agent logs.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestAgent_DevicesThatHangOrPanicConcernNoOtherLaneNorTheEnd runs three lanes: one
// is well, one hangs in every call, one panics in every call.
func TestAgent_DevicesThatHangOrPanicConcernNoOtherLaneNorTheEnd(t *testing.T) {
	s := newStation(t)
	stuck := make(deaf)
	defer close(stuck)
	fit(t, "deaf", stuck, stuck)
	fit(t, "jumpy", jumpy{}, jumpy{})
	lanes := fmt.Sprintf("  - name: %s\n    scanner: {driver: serial, path: %s, baud: 115200}\n    barrier: {driver: lcus, path: %s, pulse_ms: 50}\n"+
		"  - {name: 卡死, scanner: {driver: deaf}, barrier: {driver: deaf}}\n  - {name: 崩溃, scanner: {driver: jumpy}, barrier: {driver: jumpy}}\n",
		where, s.scanner.Host, s.relay.Host)
	d := deps(0)
	var logged log
	d.Log = slog.New(slog.NewTextHandler(&logged, nil))
	r := s.start(s.settings(lanes), d)
	st := r.until("the barriers are found out", func(st console.Status) bool {
		return find(st, "卡死", "barrier").State == devices.Stuck && find(st, "崩溃", "scanner").State == devices.Lost &&
			find(st, "崩溃", "barrier").State == devices.Lost && find(st, where, "scanner").State == devices.OK
	})
	if got := find(st, "崩溃", "scanner").Detail; got != "panic: a scanner's" {
		t.Errorf("detail %q", got)
	}
	if l := st.Lanes[1]; l.Barrier.State != devices.Lost {
		t.Errorf("lane %+v", l)
	}
	// People at the lanes that do not work are judged; the one that works opens.
	for _, lane := range []string{"卡死", "崩溃"} {
		if got := r.postLane(s.code(), lane); got != verdict.Granted.String() {
			t.Errorf("%s: %v", lane, got)
		}
	}
	start := time.Now()
	for range 5 {
		s.send(s.code())
		s.pulses(1)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("five people beside the stuck lane took %v", took)
	}
	start = time.Now()
	r.end()
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("the end took %v", took)
	}
	if text := logged.String(); !strings.Contains(text, "device driver panicked") || !strings.Contains(text, "stuck_test.go") {
		t.Error("the log has no stack of the panic")
	}
}

func (r *running) postLane(code, lane string) string {
	r.t.Helper()
	got := r.post("/api/v1/scans", map[string]string{"text": code, "lane": lane})
	return got.Reason.String()
}

// talker is a scanner that can be told to read and to beep.
type talker struct {
	deaf
	heard chan string
	fails error
}

func (k *talker) Run(ctx context.Context, _ func(devices.Scan)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (k *talker) say(what string) error {
	if k.fails == nil {
		k.heard <- what
	}
	return k.fails
}
func (k *talker) Trigger(context.Context) error { return k.say("trigger") }
func (k *talker) Stop(context.Context) error    { return k.say("stop") }
func (k *talker) Beep(context.Context) error    { return k.say("beep") }

func TestAgent_AScannerIsTriggeredAndBeepsForAnAdmission(t *testing.T) {
	s := newStation(t)
	k := &talker{heard: make(chan string, 10)}
	fit(t, "talker", k, nil)
	r := s.start(s.settings("  - {name: 按键, scanner: {driver: talker, beep: true}}\n  - {name: 无, barrier: {driver: none}}\n"), deps(0))
	if st := r.until("any", func(console.Status) bool { return true }); !st.Lanes[0].Trigger || st.Lanes[1].Trigger {
		t.Errorf("lanes %+v", st.Lanes)
	}
	ask := func(lane, body string, want int) {
		t.Helper()
		resp, err := r.http.Post(r.url+"/api/v1/lanes/"+lane+"/trigger", "application/json", strings.NewReader(body))
		check(t, err)
		check(t, resp.Body.Close())
		if resp.StatusCode != want {
			t.Errorf("%s %s: %d, want %d", lane, body, resp.StatusCode, want)
		}
	}
	ask("按键", `{}`, http.StatusOK)
	ask("按键", `{"stop": true}`, http.StatusOK)
	ask("按键", `{"go": 1}`, http.StatusBadRequest)
	ask("无", `{}`, http.StatusConflict)
	ask("别处", `{}`, http.StatusUnprocessableEntity)
	code := s.code()
	for _, want := range []verdict.Reason{verdict.Granted, verdict.Malformed} {
		if got := r.present(code); got.Reason != want {
			t.Errorf("presented: %v, want %v", got.Reason, want)
		}
		code = "no code"
	}
	for _, want := range []string{"trigger", "stop", "beep"} {
		select {
		case got := <-k.heard:
			if got != want {
				t.Errorf("the scanner heard %q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("the scanner never heard %q", want)
		}
	}
	r.end()
	if len(k.heard) != 0 {
		t.Errorf("the scanner heard %q too", <-k.heard)
	}
}

func TestAgent_TheScannersOfALaneHaveTheirOwnDirection(t *testing.T) {
	s := newStation(t)
	out := must[*pairs](t)(newPair(t))
	lanes := fmt.Sprintf("  - name: %s\n    scanners:\n      - {driver: serial, path: %s, baud: 115200}\n      - {name: 出, driver: serial, path: %s, baud: 115200, direction: out}\n",
		where, s.scanner.Host, out.cable.Host)
	r := s.start(s.settings(lanes), deps(0))
	st := r.until("both are open", func(st console.Status) bool {
		return len(st.Devices) == 3 && st.Devices[0].State == devices.OK && st.Devices[1].State == devices.OK
	})
	if st.Devices[0].Name != "1" || st.Devices[1].Name != "出" {
		t.Errorf("devices %+v", st.Devices)
	}
	code := s.code()
	s.send(code)
	if got := r.scanned(); got.Reason != verdict.Granted || got.Direction != verdict.Entry {
		t.Errorf("in: %+v", got)
	}
	out.send(t, code)
	if got := r.scanned(); got.Reason != verdict.Granted && got.Reason != verdict.Attention || got.Direction != verdict.Exit || !got.Opens || got.Lane != where {
		t.Errorf("out: %+v", got)
	}
	// The lane is well only when both are.
	check(t, out.cable.Unplug())
	st = r.until("one is lost", func(st console.Status) bool { return st.Devices[1].State == devices.Lost })
	if st.Lanes[0].Scanner.State != devices.Lost || st.Devices[0].State != devices.OK {
		t.Errorf("lane %+v, devices %+v", st.Lanes[0], st.Devices)
	}
}
