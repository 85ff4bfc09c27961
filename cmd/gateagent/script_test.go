package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"campusgate/cmd/internal/script"
)

// TestMain lets tests run gateagent as a program of its own: this test binary,
// under that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gateagent": main})
}

// TestScripts runs what needs neither a server nor devices.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			// A race-enabled program otherwise sleeps for a second when it ends.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": script.Exits},
	})
}
