//go:build linux

package power_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// patience bounds every wait.
const patience = 60 * time.Second

// daemons are the real programs, as they are.
func daemons(t testing.TB) string {
	t.Helper()
	return program(t, "daemons", nil, "campusgate/cmd/gateserver", "campusgate/cmd/gateagent")
}

// start runs a campus of one gate in a folder, which may hold mounted disks already.
func start(t *testing.T, dir string, o campus.Options) *campus.Campus {
	t.Helper()
	if o.Bin == "" {
		o.Bin = daemons(t)
	}
	o.Dir, o.Gates = dir, []string{"东门 East Gate"}
	return campustest.Start(t, o)
}

// folder is a folder for a test with an empty one in it.
func folder(t testing.TB, name string) (dir, inner string) {
	t.Helper()
	dir = t.TempDir()
	inner = filepath.Join(dir, name)
	check(t, os.Mkdir(inner, 0o700))
	return dir, inner
}

// scan shows a code at the gate and gives the reason of the verdict.
func scan(ctx context.Context, g *campus.Gate, p campus.Pass) (reason string, repeat bool, err error) {
	var got struct {
		Reason string `json:"reason"`
		Repeat bool   `json:"repeat"`
	}
	at := campus.Client{Base: strings.TrimSuffix(g.URL, "/")}
	err = at.Do(ctx, http.MethodPost, "/api/v1/scans", map[string]any{"text": p.Code, "source": "api", "lane": "主通道"}, &got)
	return got.Reason, got.Repeat, err
}

// until polls the gate's status.
func until(t *testing.T, g *campus.Gate, what string, holds func(console.Status) bool) console.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last console.Status
	err := campus.Until(ctx, func() (bool, error) {
		s, err := g.Status(ctx)
		last = s
		return err == nil && holds(s), err
	})
	if err != nil {
		t.Fatalf("%s: %v; %+v", what, err, last)
	}
	return last
}

// drained waits until the server holds all that the gate has.
func drained(t *testing.T, g *campus.Gate) {
	t.Helper()
	until(t, g, "everything is sent", func(s console.Status) bool { return s.Online && s.Queue == 0 })
}

// account checks the journal against the server's events, and both against what
// people at the gate saw: who was let in, by pass id.
func account(t *testing.T, c *campus.Campus, journal []campustest.Event, admitted map[string]bool) {
	t.Helper()
	events, _, err := c.Client.Events(t.Context(), 0)
	check(t, err)
	held := map[string]int{}
	for _, e := range events {
		held[e.ID]++
	}
	times := map[string]int{}
	for _, e := range journal {
		if n := held[e.ID.String()]; n != 1 {
			t.Errorf("event %v is %d times at the server", e.ID, n)
		}
		if e.Type == wire.EventScan && e.Verdict.Reason == verdict.Granted && !e.Verdict.Repeat && e.Case.Code.Uses == 1 {
			times[e.Pass.String()]++
		}
	}
	if len(events) != len(journal) {
		t.Errorf("%d events at the server, %d in the journal", len(events), len(journal))
	}
	for pass, n := range times {
		if n > 1 {
			t.Errorf("pass %s was admitted %d times", pass, n)
		}
	}
	for pass := range admitted {
		if times[pass] == 0 {
			t.Errorf("pass %s was let in, and no event says so", pass)
		}
	}
}

// crowd shows codes until there are none, the agent is gone or stop says so, and
// notes whom it let in.
func crowd(ctx context.Context, g *campus.Gate, list []campus.Pass, admitted map[string]bool) {
	for _, p := range list {
		reason, repeat, err := scan(ctx, g, p)
		if err != nil {
			return
		}
		if reason == verdict.Granted.String() && !repeat {
			admitted[p.ID] = true
		}
	}
}

// admits shows codes, every one of which must let its person in, and notes whom.
func admits(t *testing.T, g *campus.Gate, list []campus.Pass, admitted map[string]bool) {
	t.Helper()
	for i, p := range list {
		reason, repeat, err := scan(t.Context(), g, p)
		switch {
		case err != nil:
			t.Errorf("code %d of %d: %v", i+1, len(list), err)
		case reason != verdict.Granted.String() || repeat:
			t.Errorf("code %d of %d: %s, a repeat: %t", i+1, len(list), reason, repeat)
		default:
			admitted[p.ID] = true
		}
	}
}

// whoever mounts something in a test takes it away before its folder goes.
func unmountable(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENODEV)
}

// tmpfs mounts a disk of a few MiB in memory.
func tmpfs(t testing.TB, dir string, mib int) {
	t.Helper()
	err := syscall.Mount("power", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mib))
	if unmountable(err) {
		t.Skipf("this machine does not allow to mount a tmpfs: %v", err)
	}
	check(t, err)
	t.Cleanup(func() { check(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
}
