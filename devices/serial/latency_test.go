//go:build linux

package serial_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/serial"
)

// BenchmarkLatency measures from the write of a terminated code of the length of
// a live code to its emission.
func BenchmarkLatency(b *testing.B) {
	b.Run("pty", func(b *testing.B) {
		p := terminal(b)
		latency(b, p.Path, p)
	})
	b.Run("cable", func(b *testing.B) {
		c := cable(b)
		latency(b, c.Host, device(b, c))
	})
}

func latency(b *testing.B, path string, dev io.Writer) {
	s, err := serial.NewScanner(on(path))
	if err != nil {
		b.Fatal(err)
	}
	scans, opened := make(chan time.Time), make(chan struct{})
	go func() {
		_ = s.RunNotify(b.Context(), func(devices.Scan) { scans <- time.Now() }, func() { close(opened) })
	}()
	<-opened
	code := strings.Repeat("A", 400) + "\r"
	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		send(b, dev, code)
		took = append(took, (<-scans).Sub(start))
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))]) / float64(time.Microsecond)
	}
	b.ReportMetric(at(0.50), "p50-µs")
	b.ReportMetric(at(0.99), "p99-µs")
	b.ReportMetric(at(1), "max-µs")
}
