// Package mutants proves that the simulations bite: every mutation of the product in
// its table is a fault that somebody might make, and is found by a simulation.
//
// All mutations are in one program, made with go build -overlay: in copies of the
// sources each place reads as it should, or, when an environment variable names the
// mutation, as it should not. The product itself has no hook. A text of the product
// that is not found exactly once fails the test by the mutation's name.
package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/store/storetest"

	_ "campusgate/cmd/internal/sim" // so that the test runs again when what is played has changed
	_ "campusgate/cmd/internal/sim/admission"
)

// variable names the mutation that is on.
const variable = "CAMPUSGATE_MUTANT"

// seeds are played, one after the other, until a mutation must have been found.
const seeds = 20

// The simulations find every mutation, and nothing with the same seeds where there
// is none.
func TestMutations_EachIsFoundBySimulation(t *testing.T) {
	if storetest.Raced {
		t.Skip("mutations are played without the race detector: make sweeps")
	}
	if len(mutations) < 16 {
		t.Errorf("%d mutations are too few", len(mutations))
	}
	program := build(t)
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	run := func(t *testing.T, mutation, what string, first, seeds uint64) outcome {
		slots <- struct{}{}
		defer func() { <-slots }()
		return play(t, program, mutation, what, first, seeds)
	}
	type at struct {
		play string
		seed uint64
	}
	var found sync.Map // at
	t.Run("on", func(t *testing.T) {
		names := map[string]bool{}
		for _, m := range mutations {
			if names[m.name] {
				t.Errorf("two mutations are called %s", m.name)
			}
			names[m.name] = true
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				o := run(t, m.name, m.play, m.seed, seeds)
				switch {
				case o.failed && !strings.Contains(o.said, m.says):
					t.Errorf("%s is found, but nothing says %q: %s", m.name, m.says, o.said)
				case o.failed:
					found.Store(at{m.play, o.seed}, true)
					t.Logf("%s found in %v: %s", m.name, o.took.Round(time.Millisecond), brief(o.said))
				case !o.reached:
					t.Errorf("%s: the simulation of %s never comes to the place: %s", m.name, m.play, m.wrong)
				default:
					t.Errorf("%s: the simulation of %s does not see it: %s", m.name, m.play, m.wrong)
				}
			})
		}
	})
	t.Run("off", func(t *testing.T) {
		for where := range found.Range {
			where := where.(at)
			t.Run(fmt.Sprint(where.play, " ", where.seed), func(t *testing.T) {
				t.Parallel()
				if o := run(t, "", where.play, where.seed, 1); o.failed {
					t.Errorf("without a mutation: %s", o.said)
				}
			})
		}
	})
}

// outcome is what became of a mutation.
type outcome struct {
	failed  bool
	seed    uint64 // with which
	reached bool   // what was mutated was executed
	said    string
	took    time.Duration
}

func play(t *testing.T, program, mutation, what string, first, seeds uint64) outcome {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	begun := time.Now()
	cmd := exec.CommandContext(ctx, program, "-what", what, "-first", fmt.Sprint(first), "-seeds", fmt.Sprint(seeds), "-dir", shm())
	cmd.Env = append(os.Environ(), variable+"="+mutation)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	o := outcome{took: time.Since(begun), reached: strings.Contains(log.String(), "reached "+mutation)}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		o.failed, o.said = true, out.String()
		var said struct{ Seed uint64 }
		if err := json.Unmarshal(out.Bytes(), &said); err != nil {
			t.Fatalf("%v: %s", err, o.said)
		}
		o.seed = said.Seed
	default: // also a panic: none of these faults may end the program
		t.Fatalf("%v\n%s%s", err, &out, &log)
	}
	return o
}

func brief(s string) string { return s[:min(len(s), 400)] }

// shm is a folder in memory, where there is one: what a power cut leaves on a disk
// is not played here.
func shm() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// build makes the program with all mutations in it.
var build = func() func(t *testing.T) string {
	var once sync.Once
	var program string
	return func(t *testing.T) string {
		t.Helper()
		once.Do(func() { program = compile(t) })
		if program == "" {
			t.FailNow()
		}
		return program
	}
}()

func compile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	put := func(name string, text []byte) {
		copied := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root(t), filepath.FromSlash(name))] = copied
	}
	put("mutant/mutant.go", []byte(switches))
	for name, text := range mutated(t) {
		put(name, []byte(text))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "play.exe")
	cmd := exec.Command("go", "build", "-overlay", list, "-ldflags", "-s -w", "-o", program, "./cmd/internal/mutants/play")
	cmd.Dir = root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// mutated gives the files with every mutation in them, by their names in the module.
func mutated(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, m := range mutations {
		for _, e := range m.edits {
			text, known := files[e.file]
			if !known {
				read, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(e.file)))
				if err != nil {
					t.Errorf("%s: %v", m.name, err)
					continue
				}
				text = withImport(string(read))
			}
			if n := strings.Count(text, e.find); n != 1 {
				t.Errorf("%s: %s has this %d times:\n%s", m.name, e.file, n, e.find)
				continue
			}
			wrong := strings.ReplaceAll(e.with, "ON", fmt.Sprintf("mutant.On(%q)", m.name))
			files[e.file] = strings.Replace(text, e.find, wrong, 1)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return files
}

// withImport adds the import to a file, in the line of its package clause.
func withImport(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "package ") {
			lines[i] += `; import "campusgate/mutant"`
			break
		}
	}
	return strings.Join(lines, "\n")
}
