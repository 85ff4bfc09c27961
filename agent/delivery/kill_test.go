//go:build unix

package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/signing/wire"
)

// What the process that is killed is told.
const (
	killIn = "KILL_IN" // folder of the PC
	killAt = "KILL_AT" // at the step of this number
)

// TestMain is also the agent that is killed: it brings what lies in the PC's folder,
// and dies at a step.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killIn); dir != "" {
		os.Exit(doomed(dir))
	}
	os.Exit(m.Run())
}

func doomed(dir string) int {
	var s sent
	raw, err := os.ReadFile(filepath.Join(dir, "sent"))
	if err != nil || json.Unmarshal(raw, &s) != nil {
		return 1
	}
	at, _ := strconv.Atoi(os.Getenv(killAt))
	step := func() {
		if at--; at < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	of := opened(s)
	p := &pc{t: quietly{}, dir: dir, calm: true}
	p.serves = func(f wire.Fetch) (wire.Part, error) {
		step()
		return of.part(f), nil
	}
	p.step = func(string) { step() }
	p.pause = time.Nanosecond
	c := p.start()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	c.Offer(of.SHA256)
	go func() { _ = c.Run(ctx) }()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return 2
		case <-look.C:
		}
		if s, err := p.book().Load(); err == nil && s.Trial != nil {
			return 0
		}
	}
}

// quietly stands for a test in a process that is none.
type quietly struct{ testing.TB }

func (quietly) Helper() {}

func TestKill_AtEveryStepOfADeliveryItGoesOnAndIsWhole(t *testing.T) {
	of := newParcel(t, "1.1", 7)
	raw, err := json.Marshal(sent{of.signed, of.program})
	check(t, err)
	self, err := os.Executable()
	check(t, err)
	for at := 0; ; at++ {
		p := newPC(t)
		check(t, os.WriteFile(filepath.Join(p.dir, "sent"), raw, 0o600))
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), killIn+"="+p.dir, killAt+"="+strconv.Itoa(at))
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err == nil {
			if at < 8 {
				t.Fatalf("only %d steps", at)
			}
			return // it lived through all of them
		}
		if !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("step %d: %v\n%s", at, err, out)
		}
		synctest.Test(t, func(t *testing.T) {
			p.t = t
			p.honest(of)
			if h := p.live(p.start(), of.SHA256, time.Hour); h.State != wire.ProgramStaged {
				t.Fatalf("killed at step %d: %+v", at, h)
			}
			s := p.state()
			got, err := os.ReadFile(p.book().Path(*s.Trial))
			if err != nil || *s.Trial != of.Manifest || string(got) != string(of.program) {
				t.Fatalf("killed at step %d: %+v, %d bytes, %v", at, s, len(got), err)
			}
		})
	}
}
