package guest_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"campusgate/cmd/internal/guest"
)

var (
	machine = flag.Bool("machine", false, "run the tests of drivers in a guest machine")
	flaps   = flag.Int("flaps", 20, "how often a USB adapter is pulled out and put back")
)

// cycle is far above what it takes to pull a device out and put it back, on a
// busy machine that has to emulate the other one.
const cycle = 10 * time.Second

// TestMain: this program is also the first process of the guest machine, and
// then again one of those that run in it.
func TestMain(m *testing.M) {
	if guest.Inside() {
		guest.Init()
	}
	os.Exit(m.Run())
}

func inside() bool { return os.Getenv(guest.InsideVariable) != "" }

// TestDriversInAMachine boots a machine with the tests of the drivers that need
// devices, and is as good as they are.
func TestDriversInAMachine(t *testing.T) {
	if !*machine {
		t.Skip("needs an emulated machine: make test-devices")
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("the machine is of another kind than this one, and so are its programs")
	}
	root := filepath.Join("..", "..", "..")
	kernel, err := guest.Find(filepath.Join(root, ".cache", "guest"))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := kernel.Load("xhci-pci", "ftdi_sio", "usbhid", "hid-generic", "uhid", "uinput", "evdev")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var programs []string
	for _, p := range []string{"./cmd/internal/guest", "./devices/hid"} {
		program := filepath.Join(folder, filepath.Base(p))
		build := exec.Command("go", "test", "-c", "-ldflags", "-s -w", "-o", program, p)
		build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build the tests of %s: %v\n%s", p, err, out)
		}
		programs = append(programs, program)
	}
	disk := filepath.Join(folder, "disk")
	if err := kernel.Disk(disk, programs[0], modules, programs); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	m, err := kernel.Start(t.Context(), folder, disk,
		"-test.v", fmt.Sprintf("-test.timeout=%v", 10*time.Minute+time.Duration(*flaps)*cycle),
		"-test.skip=Corpus|InAMachine", fmt.Sprintf("-flaps=%d", *flaps))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(t.Context()) }()
	var r results
	err = errors.Join(m.Console(func(line string) {
		if strings.HasPrefix(line, "[guest] runs") && r.booted == 0 {
			r.booted = time.Since(start)
		}
		r.take(t, line)
	}), m.Wait())
	if err != nil {
		t.Errorf("the machine: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("the line: %v", err)
	}
	if r.ended != len(programs) || r.passed < 15 {
		t.Errorf("%d of %d programs ended, %d tests passed", r.ended, len(programs), r.passed)
	}
	t.Logf("booted after %v, off after %v", r.booted, time.Since(start))
}

// results is what the console said.
type results struct {
	passed, ended int
	booted        time.Duration
}

// take makes a subtest of every test in the machine. One that was skipped there
// has failed: nothing else would run it.
func (r *results) take(t *testing.T, line string) {
	t.Log(line)
	var outcome, name string
	if n, _ := fmt.Sscanf(line, "--- %s %s", &outcome, &name); n == 2 {
		t.Run(name, func(t *testing.T) {
			if outcome != "PASS:" {
				t.Error(outcome + " in the machine")
			}
		})
		r.passed++
	}
	if strings.HasPrefix(line, "[guest] ended") {
		r.ended++
		if !strings.HasSuffix(line, " well") {
			t.Error(line)
		}
	}
}
