// Package campustest runs a whole campus in a test, and looks at what it leaves:
// the frames on a relay's cable, the journal on a gate's disk.
package campustest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
)

// Build makes the two daemons in a folder of their own, without the race detector:
// what is killed, cut off and looked at are the programs as they are installed.
func Build() (bin string, remove func(), err error) {
	bin, err = os.MkdirTemp("", "campusgate-bin-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(bin) }
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", bin, "campusgate/cmd/gateserver", "campusgate/cmd/gateagent")
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build the daemons: %w\n%s", err, out)
	}
	return bin, remove, nil
}

// Start runs a campus that ends with the test, in a folder of the test's unless
// o.Dir is one. What its daemons said last is shown when the test fails.
func Start(t testing.TB, o campus.Options) *campus.Campus {
	t.Helper()
	said := &transcript{}
	o.Log = said
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	c, err := campus.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v\n%s", err, said.tail())
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemons said:\n%s", said.tail())
		}
	})
	return c
}

// Issue makes n passes for one use, for today and tomorrow, that the gate decides.
func Issue(t testing.TB, c *campus.Campus, g *campus.Gate, n int) []campus.Pass {
	t.Helper()
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	today := time.Now().In(zone)
	tomorrow := today.Add(24 * time.Hour)
	passes := make([]campus.Pass, n)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, 8) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				p, err := c.Client.Issue(t.Context(), campus.PassRequest{
					Kind: "resident_single", Name: fmt.Sprintf("访客%d", k), Doc4: "0420",
					From: today.Format(time.DateOnly), Until: tomorrow.Format(time.DateOnly),
					Uses: 1, Zones: []int{1}, OwnerGate: g.ID,
				})
				if err != nil {
					t.Error(err)
				}
				passes[k] = p
			}
		})
	}
	workers.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return passes
}

// transcript keeps the end of what several daemons write.
type transcript struct {
	mu   sync.Mutex
	last []byte
}

const kept = 8000

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = append(s.last, p...)
	if len(s.last) > 64*kept {
		s.last = append(s.last[:0], s.last[len(s.last)-kept:]...)
	}
	return len(p), nil
}

func (s *transcript) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.last[max(0, len(s.last)-kept):])
}
