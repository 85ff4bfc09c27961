package drivers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"campusgate/devices"
	"campusgate/devices/scanframe"
)

// This file is a whole driver, and the example for the next one. It reads
// scanners that listen on a TCP port: fixed-mount readers, and serial scanners
// behind a device server. What a driver needs is
//
//  1. a function that checks its configuration, opens nothing, and is named in a
//     map in drivers.go;
//  2. a Run that opens, reads, and returns at the first fault. It does not try
//     again: the Supervisor does, with pauses, and tells the pages meanwhile. It
//     does not recover: the Supervisor does that too, but a goroutine that the
//     driver starts itself runs in devices.Catch;
//  3. a test against something real: tcp_test.go has a listener.
//
// What a driver has beyond that (Notifier, Prober, Triggerer, Beeper) is found
// by type assertion, so it is left out where the device cannot do it.

// tcpScanner: Path is host:port.
func tcpScanner(c ScannerConfig) (devices.Scanner, error) {
	host, port, err := net.SplitHostPort(c.Path)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("path %q: want host:port", c.Path)
	}
	framing := scanframe.Config{Prefixes: c.Prefixes, Prefix: c.Prefix, Suffix: c.Suffix}
	if err := framing.Check(); err != nil {
		return nil, err
	}
	t := &tcp{address: c.Path, framing: framing, debounce: devices.NewDebounce(c.Debounce), gap: c.IdleGap, now: c.Now}
	if t.gap <= 0 {
		t.gap = scanframe.IdleGap
	}
	if t.now == nil {
		t.now = time.Now
	}
	return t, nil
}

// tcp is a scanner at the other end of a connection.
type tcp struct {
	address  string
	framing  scanframe.Config
	debounce *devices.Debounce // it outlives a connection: a code in view is one scan
	gap      time.Duration
	now      func() time.Time
}

var (
	_ devices.Notifier = (*tcp)(nil)
	_ devices.Prober   = (*tcp)(nil)
)

const (
	// dialTime bounds the opening, which must be bounded in every driver.
	dialTime = 3 * time.Second
	// A cable that was pulled out says nothing: after lostAfter lost keep-alives, a
	// second apart, the connection has failed.
	lostAfter = 3
)

func (t *tcp) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTime, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Second, Interval: time.Second, Count: lostAfter,
	}}
	return d.DialContext(ctx, "tcp", t.address)
}

// Probe implements devices.Prober: gateagent doctor calls it.
func (t *tcp) Probe(ctx context.Context) (string, error) {
	conn, err := t.dial(ctx)
	if err != nil {
		return "", err
	}
	return t.address, conn.Close()
}

// Run implements devices.Scanner.
func (t *tcp) Run(ctx context.Context, emit func(devices.Scan)) error {
	return t.RunNotify(ctx, emit, func() {})
}

// RunNotify implements devices.Notifier: opened says that the device is there
// before it reads anything. A driver that cannot tell has Run alone.
func (t *tcp) RunNotify(ctx context.Context, emit func(devices.Scan), opened func()) error {
	conn, err := t.dial(ctx)
	if err != nil {
		return err
	}
	// When ctx ends the connection closes, which ends the Read below at once.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }() // nothing was written that could be lost
	opened()

	framer, silence := scanframe.New(t.framing), scanframe.NewSilence(t.gap)
	pass := func(frames []scanframe.Frame) {
		for _, f := range frames {
			if at := t.now(); ctx.Err() == nil && !t.debounce.Repeat(f.Text, at) {
				emit(devices.Scan{Text: f.Text, At: at, Raw: f.Raw})
			}
		}
	}
	for buf := make([]byte, 4096); ; {
		// A code without an end is over when the line has been quiet for a while.
		var deadline time.Time // none
		if framer.Pending() {
			deadline = time.Now().Add(silence.Wait())
		}
		if err := conn.SetReadDeadline(deadline); err != nil {
			return ended(ctx, err)
		}
		n, err := conn.Read(buf)
		pass(framer.Feed(buf[:n]))
		switch {
		case err == nil:
			silence.Heard()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return ended(ctx, err)
		case silence.Over():
			pass(framer.Idle())
		}
	}
}

// ended prefers the reason for which a call failed to the failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
