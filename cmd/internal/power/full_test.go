//go:build linux

package power_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
)

// ballast fills a disk to the last byte; the returned function makes room again.
func ballast(t *testing.T, dir string) (relieve func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	check(t, err)
	for _, size := range []int{1 << 16, 1 << 12, 1} {
		for block := make([]byte, size); err == nil || !errors.Is(err, syscall.ENOSPC); {
			_, err = f.Write(block)
		}
		err = nil
	}
	check(t, f.Close())
	return func() { check(t, os.Remove(name)) }
}

func diskOf(s console.Status) string {
	i := slices.IndexFunc(s.Devices, func(d console.Device) bool { return d.Kind == "disk" })
	if i < 0 {
		return ""
	}
	return s.Devices[i].State
}

// A gate whose disk is full lets nobody in of whom it could not write down that it
// did, says why, and goes on by itself.
func TestFull_AGateRefusesAndGoesOn(t *testing.T) {
	t.Parallel()
	dir, data := folder(t, "gate1")
	tmpfs(t, data, 6)
	c := start(t, dir, campus.Options{})
	g := c.Gates[0]
	admitted := map[string]bool{}
	list := campustest.Issue(t, c, c.Gates[0], 60)
	admits(t, g, list[:10], admitted)

	relieve := ballast(t, data)
	// What is left of the last block may take a few.
	i, refused := 10, 0
	for ; i < 40 && refused < 3; i++ {
		reason, _, err := scan(t.Context(), g, list[i])
		check(t, err)
		switch reason {
		case verdict.Granted.String():
			admitted[list[i].ID], refused = true, 0
		case verdict.Internal.String():
			refused++
		default:
			t.Fatalf("on a full disk: %s", reason)
		}
	}
	if refused < 3 {
		t.Fatalf("on a full disk %d people were let in", len(admitted)-10)
	}
	until(t, g, "the page says that the disk is full", func(s console.Status) bool { return diskOf(s) == "full" })
	seen(t, c, "the console says that the disk is full", func(live agentLive) bool {
		return slices.ContainsFunc(live.Devices, func(d struct{ Kind, State string }) bool { return d.Kind == "disk" && d.State == "full" })
	})

	relieve()
	until(t, g, "there is room again", func(s console.Status) bool { return diskOf(s) == "" })
	// Those who were turned away are let in now: nothing of theirs was used up.
	admits(t, g, list[i-3:], admitted)
	drained(t, g)
	g.Agent.Stop()
	account(t, c, campustest.Journal(t, g.Data), admitted)
}

// agentLive is a part of GET /api/v1/agents.
type agentLive struct {
	Connected bool   `json:"connected"`
	UpFault   string `json:"up_fault"`
	Devices   []struct{ Kind, State string }
	Offset    *int64 `json:"offset_ms"`
}

// seen waits for what the console is told of the gate's agent.
func seen(t *testing.T, c *campus.Campus, what string, holds func(agentLive) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last []struct{ Live *agentLive }
	err := campus.Until(ctx, func() (bool, error) {
		var answer struct{ Agents []struct{ Live *agentLive } }
		err := c.Client.Do(ctx, "GET", "/api/v1/agents", nil, &answer)
		last = answer.Agents
		return err == nil && len(last) == 1 && last[0].Live != nil && holds(*last[0].Live), err
	})
	if err != nil {
		t.Fatalf("%s: %v; %+v", what, err, last)
	}
}

// A server whose disk is full acknowledges nothing and says why; the gates go on, and
// everything arrives when there is room.
func TestFull_AServerAcknowledgesNothingAndGoesOn(t *testing.T) {
	t.Parallel()
	dir, data := folder(t, "server")
	tmpfs(t, data, 10)
	c := start(t, dir, campus.Options{})
	g := c.Gates[0]
	admitted := map[string]bool{}
	list := campustest.Issue(t, c, c.Gates[0], 80)
	admits(t, g, list[:5], admitted)
	drained(t, g)

	relieve := ballast(t, data)
	admits(t, g, list[5:], admitted) // the server's disk is full, not this one's
	seen(t, c, "the console says why nothing is taken", func(live agentLive) bool { return strings.Contains(live.UpFault, "no room on the disk") })
	_, err := c.Client.Issue(t.Context(), campus.PassRequest{
		Kind: "resident_single", Name: strings.Repeat("江", 16), Doc4: "118X", Uses: 1, Zones: []int{1}, OwnerGate: g.ID, From: "2020-01-01", Until: "2099-01-01",
	})
	var refusal *campus.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "disk_full" {
		t.Errorf("a pass was asked for: %v", err)
	}
	if s, err := g.Status(t.Context()); err != nil || s.Queue == 0 {
		t.Errorf("the gate has nothing left to send: %+v, %v", s, err)
	}

	relieve()
	drained(t, g)
	g.Agent.Stop()
	account(t, c, campustest.Journal(t, g.Data), admitted)
}
