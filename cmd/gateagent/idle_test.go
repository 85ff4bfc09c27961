//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/cmd/internal/bench"
)

// The program that is measured here is this test's: the figures themselves are
// those of gatectl bench.
func TestBench_MeasuresAnIdleAgent(t *testing.T) {
	program, err := exec.LookPath("gateagent")
	check(t, err)
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	var out bytes.Buffer
	check(t, bench.Measure(t.Context(), bench.Options{
		Tiny: true, Only: []string{"agent-idle"}, Dir: t.TempDir(), Bin: filepath.Dir(program), Now: time.Now, Rand: rand.Reader,
	}, &out))
	for _, name := range []string{`"name":"idle_cpu","value":`, `"name":"idle_rss","value":`} {
		if !strings.Contains(out.String(), name) || strings.Contains(out.String(), name+"0,") {
			t.Errorf("no %s in\n%s", name, &out)
		}
	}
}
