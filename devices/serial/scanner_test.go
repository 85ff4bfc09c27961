//go:build linux

package serial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/pty"
	"campusgate/devices/serial"
)

// patience is far above anything that is waited for; it only ends a broken test.
const patience = 20 * time.Second

// rig is a running scanner.
type rig struct {
	t       *testing.T
	scanner *serial.Scanner
	scans   chan devices.Scan
	done    chan error
	cancel  context.CancelFunc
}

func run(t *testing.T, c serial.ScannerConfig) *rig {
	t.Helper()
	s, err := serial.NewScanner(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &rig{t: t, scanner: s, scans: make(chan devices.Scan, 1000), done: make(chan error, 1), cancel: cancel}
	opened := make(chan struct{})
	go func() {
		r.done <- s.RunNotify(ctx, func(s devices.Scan) { r.scans <- s }, func() { close(opened) })
	}()
	t.Cleanup(cancel)
	select {
	case <-opened:
	case err := <-r.done:
		t.Fatalf("the port did not open: %v", err)
	}
	return r
}

func (r *rig) next() devices.Scan {
	r.t.Helper()
	select {
	case s := <-r.scans:
		return s
	case err := <-r.done:
		r.t.Fatalf("the scanner stopped: %v", err)
	case <-time.After(patience):
		r.t.Fatal("no scan")
	}
	return devices.Scan{}
}

func (r *rig) texts(n int) (out []string) {
	r.t.Helper()
	for range n {
		out = append(out, r.next().Text)
	}
	return out
}

func terminal(t testing.TB) *pty.Terminal {
	t.Helper()
	p, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func cable(t testing.TB) *pty.Cable {
	t.Helper()
	c, err := pty.NewCable(t.TempDir(), "tty")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func device(t testing.TB, c *pty.Cable) *os.File {
	t.Helper()
	f, err := os.OpenFile(c.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func send(t testing.TB, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
}

func on(path string) serial.ScannerConfig {
	return serial.ScannerConfig{
		Config:   serial.Config{Path: path, Baud: 115200},
		Prefixes: []string{"HTTPS://", "CP1:"},
		Debounce: -1,
	}
}

// bothPorts runs a test with each package that can open a port.
func bothPorts(t *testing.T, test func(t *testing.T, on func(path string) serial.ScannerConfig)) {
	for _, port := range []string{serial.Tarm, serial.Bugst} {
		t.Run(port, func(t *testing.T) {
			test(t, func(path string) serial.ScannerConfig {
				c := on(path)
				c.Port = port
				return c
			})
		})
	}
}

const static = "HTTPS://GATE.EXAMPLE/V/MFRGGZDF"

// TestCodesArriveAsTheyWereSent sends each line, then a sentinel, which shows
// that nothing else came.
func TestCodesArriveAsTheyWereSent(t *testing.T) { bothPorts(t, codesArriveAsTheyWereSent) }

func codesArriveAsTheyWereSent(t *testing.T, on func(string) serial.ScannerConfig) {
	c := cable(t)
	r := run(t, on(c.Host))
	dev := device(t, c)
	var burst string
	var burstCodes []string
	for i := range 200 {
		code := fmt.Sprintf("CP1:%d", i)
		burst, burstCodes = burst+code+"\r", append(burstCodes, code)
	}
	for _, line := range []struct {
		name, sent string
		want       []string
	}{
		{"CR", static + "\r", []string{static}},
		{"LF", static + "\n", []string{static}},
		{"CR LF", static + "\r\n", []string{static}},
		{"TAB", static + "\t", []string{static}},
		{"AIM", "]Q1" + static + "\r", []string{static}},
		{"ECI", "]Q2\\000026" + static + "\r", []string{static}},
		{"GS", "01095\x1d3103\r", []string{"01095\x1d3103"}},
		{"interrupt, quit, stop and end of file are bytes", "A\x11\x13\x1c\x1a\x16\x15B\r", []string{"A\uFFFD\uFFFD\x1c\uFFFD\uFFFD\uFFFDB"}},
		{"two codes with no pause", static + "\r" + "CP1:A\r", []string{static, "CP1:A"}},
		{"a burst", burst, burstCodes},
		{"garbage", "\xff\xfe\x00\x80\r", []string{"\uFFFD\uFFFD\uFFFD\uFFFD"}},
		{"no code", "\x00\x02\x00\x00\x01\x0031%%NoRead\r\r\n", nil},
	} {
		send(t, dev, line.sent+"SENTINEL\r")
		if got, want := r.texts(len(line.want)+1), append(line.want, "SENTINEL"); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", line.name, got, want)
		}
	}
}

func TestAFrameWithoutATerminatorEndsAfterThePause(t *testing.T) {
	bothPorts(t, aFrameWithoutATerminatorEndsAfterThePause)
}

func aFrameWithoutATerminatorEndsAfterThePause(t *testing.T, on func(string) serial.ScannerConfig) {
	p := terminal(t)
	r := run(t, on(p.Path))
	start := time.Now()
	send(t, p, static)
	s := r.next()
	if s.Text != static || s.Raw != len(static) {
		t.Errorf("scan %+v", s)
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("ended after %v", took)
	}
	// Half a frame, a pause, and the rest are two frames; neither is the code.
	send(t, p, "HTTPS://GATE.EX")
	if s := r.next(); s.Text != "HTTPS://GATE.EX" {
		t.Errorf("half a frame: %+v", s)
	}
	send(t, p, "AMPLE/V/MFRGGZDF\r")
	if s := r.next(); s.Text != "AMPLE/V/MFRGGZDF" {
		t.Errorf("the other half: %+v", s)
	}
	// Two codes with neither pause nor terminator.
	send(t, p, static+static+"2")
	if got := r.texts(2); !slices.Equal(got, []string{static, static + "2"}) {
		t.Errorf("glued codes: %q", got)
	}
}

func TestTenThousandBytesWithoutAnEndAreReportedOnceAndPassed(t *testing.T) {
	bothPorts(t, tenThousandBytesWithoutAnEndAreReportedOnceAndPassed)
}

func tenThousandBytesWithoutAnEndAreReportedOnceAndPassed(t *testing.T, on func(string) serial.ScannerConfig) {
	c := cable(t)
	r := run(t, on(c.Host))
	send(t, device(t, c), strings.Repeat("A", 10_000)+"\r"+static+"\r")
	if s := r.next(); !strings.HasSuffix(s.Text, "\uFFFD") || s.Raw < 4096 || len(s.Text) > 100 {
		t.Errorf("first scan: %d bytes, raw %d", len(s.Text), s.Raw)
	}
	if s := r.next(); s.Text != static {
		t.Errorf("second scan %+v", s)
	}
}

func TestACodeReadEvery200msIsOneScan(t *testing.T) {
	p := terminal(t)
	c := on(p.Path)
	c.Debounce = 0
	start := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	var now atomic.Int64 // milliseconds since start
	c.Now = func() time.Time { return start.Add(time.Duration(now.Load()) * time.Millisecond) }
	r := run(t, c)
	for i := range 50 {
		now.Store(int64(i) * 200)
		// The sentinel's arrival says that the code before it was handled, so
		// that the clock may go on.
		send(t, p, fmt.Sprintf("%s\rSENTINEL %d\r", static, i))
		if i == 0 {
			if s := r.next(); s.Text != static || !s.At.Equal(start) {
				t.Errorf("scan %+v", s)
			}
		}
		if s := r.next(); s.Text != fmt.Sprintf("SENTINEL %d", i) {
			t.Fatalf("read %d: scan %+v", i, s)
		}
	}
	if n := r.scanner.Suppressed(); n != 49 {
		t.Errorf("%d suppressed, want 49", n)
	}
	now.Add(1000)
	send(t, p, static+"\r")
	if s := r.next(); s.Text != static {
		t.Errorf("a second later: %+v", s)
	}
}

func TestWhatWasScannedWhileNobodyReadIsDropped(t *testing.T) {
	bothPorts(t, whatWasScannedWhileNobodyReadIsDropped)
}

func whatWasScannedWhileNobodyReadIsDropped(t *testing.T, on func(string) serial.ScannerConfig) {
	p := terminal(t)
	send(t, p, "STALE\r")
	r := run(t, on(p.Path))
	send(t, p, static+"\r")
	if s := r.next(); s.Text != static {
		t.Errorf("first scan %+v", s)
	}
}

func TestRunEndsWithItsContextAndCanRunAgain(t *testing.T) {
	bothPorts(t, runEndsWithItsContextAndCanRunAgain)
}

func runEndsWithItsContextAndCanRunAgain(t *testing.T, on func(string) serial.ScannerConfig) {
	p := terminal(t)
	r := run(t, on(p.Path))
	for range 3 {
		r.cancel()
		start := time.Now()
		if err := <-r.done; !errors.Is(err, context.Canceled) {
			t.Fatalf("Run: %v", err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("Run waited for its reader: %v", took)
		}
		ctx, cancel := context.WithCancel(context.Background())
		r.cancel = cancel
		opened := make(chan struct{})
		go func() {
			r.done <- r.scanner.RunNotify(ctx, func(s devices.Scan) { r.scans <- s }, func() { close(opened) })
		}()
		<-opened
		send(t, p, static+"\r")
		if s := r.next(); s.Text != static {
			t.Errorf("scan %+v", s)
		}
	}
	r.cancel()
	if err := <-r.done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.scanner.Run(gone, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Run after its context: %v", err)
	}
}

func TestAnUnpluggedPtyEndsTheRun(t *testing.T) { bothPorts(t, anUnpluggedPtyEndsTheRun) }

func anUnpluggedPtyEndsTheRun(t *testing.T, on func(string) serial.ScannerConfig) {
	p := terminal(t)
	r := run(t, on(p.Path))
	send(t, p, static+"\rHALF A FRA")
	if s := r.next(); s.Text != static {
		t.Fatalf("scan %+v", s)
	}
	start := time.Now()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-r.done; !errors.Is(err, serial.ErrUnplugged) {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("noticed after %v", took)
	}
	if name, err := r.scanner.Probe(t.Context()); err == nil {
		t.Errorf("Probe found %s", name)
	}
}

func TestProbeNamesThePort(t *testing.T) { bothPorts(t, probeNamesThePort) }

func probeNamesThePort(t *testing.T, on func(string) serial.ScannerConfig) {
	p := terminal(t)
	s, err := serial.NewScanner(on(p.Path))
	if err != nil {
		t.Fatal(err)
	}
	if name, err := s.Probe(t.Context()); err != nil || name != p.Path {
		t.Errorf("Probe: %q, %v", name, err)
	}
	if _, err := serial.NewScanner(serial.ScannerConfig{}); err == nil {
		t.Error("a scanner without a path was made")
	}
}
