package drivers_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/drivers"
)

const tcpPatience = 10 * time.Second

// server plays the scanner: it hands out each connection that is made to it.
func server(t *testing.T) (address string, conns <-chan net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			out <- c
		}
	}()
	t.Cleanup(func() { _ = ln.Close() })
	return ln.Addr().String(), out
}

func tcpScanner(t *testing.T, c drivers.ScannerConfig) devices.Scanner {
	t.Helper()
	s, err := drivers.NewScanner("tcp", c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATCPScannerReadsCodesHoweverTheyArrive(t *testing.T) {
	address, conns := server(t)
	s := tcpScanner(t, drivers.ScannerConfig{Path: address, Prefix: "P:", Debounce: -1})
	ctx, cancel := context.WithTimeout(t.Context(), tcpPatience)
	defer cancel()
	want := []string{"ONE", "TWO", "THREE", "FOUR"}
	var got []string
	err := s.(devices.Notifier).RunNotify(ctx, func(scan devices.Scan) {
		if got = append(got, scan.Text); len(got) == len(want) {
			cancel()
		}
	}, func() {
		c := <-conns
		go func() {
			for _, piece := range []string{"ON", "E\r\nTW", "O\r", "]Q1P:THREE\n", "FOUR"} { // the last has no end but the pause
				_, _ = io.WriteString(c, piece)
			}
		}()
	})
	if !errors.Is(err, context.Canceled) || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestATCPScannerFailsWhenItsPeerGoesAndComesBackByItself(t *testing.T) {
	address, conns := server(t)
	s := tcpScanner(t, drivers.ScannerConfig{Path: address})
	ctx, cancel := context.WithCancel(t.Context())
	scans, states, done := make(chan string, 10), make(chan string, 100), make(chan error, 1)
	go func() {
		done <- devices.Supervise(ctx, s, func(s devices.Scan) { scans <- s.Text }, func(h devices.Health) { states <- h.State })
	}()
	for _, code := range []string{"A", "B", "C"} {
		c := <-conns
		if _, err := io.WriteString(c, code+"\r"); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-scans:
			if got != code {
				t.Fatalf("read %q, want %q", got, code)
			}
		case <-time.After(tcpPatience):
			t.Fatalf("%s never came", code)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	<-conns
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Supervise: %v", err)
	}
	close(states)
	if all := slices.Collect(seq(states)); !slices.Contains(all, devices.Lost) {
		t.Errorf("states %q", all)
	}
}

func seq(c <-chan string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for s := range c {
			if !yield(s) {
				return
			}
		}
	}
}

func TestATCPScannerNobodyAnswersIsAFaultAndProbeNamesTheAddress(t *testing.T) {
	address, _ := server(t)
	if found, err := tcpScanner(t, drivers.ScannerConfig{Path: address}).(devices.Prober).Probe(t.Context()); err != nil || found != address {
		t.Errorf("Probe: %q, %v", found, err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close() // nobody listens there now
	s := tcpScanner(t, drivers.ScannerConfig{Path: ln.Addr().String()})
	if err := s.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("Run: %v", err)
	}
	if _, err := s.(devices.Prober).Probe(t.Context()); err == nil {
		t.Error("Probe found it")
	}
}

func TestATCPScannerNeedsAnAddress(t *testing.T) {
	for _, c := range []drivers.ScannerConfig{{}, {Path: "10.1.0.9"}, {Path: ":4001"}, {Path: "10.1.0.9:"}, {Path: "h:1", Suffix: "A\nB"}} {
		if s, err := drivers.NewScanner("tcp", c); err == nil || s != nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
