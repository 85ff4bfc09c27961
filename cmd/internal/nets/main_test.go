//go:build linux

package nets_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// bin holds the daemons under test, built without the race detector: what runs
// here are the programs as they are installed.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		flag.Parse()
		dir, err := os.MkdirTemp("", "campusgate-bin-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		bin = dir
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir, "campusgate/cmd/gateserver", "campusgate/cmd/gateagent")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the daemons: %v\n%s", err, out)
			return 1
		}
		// Scenarios wait for silence to be noticed, most of their time.
		if err := flag.Set("test.parallel", "12"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		sweep()
		return m.Run()
	}())
}

// transcript keeps what several daemons write.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buf.Len() > 8<<20 {
		s.buf.Reset()
	}
	return s.buf.Write(p)
}

func (s *transcript) tail() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.buf.Bytes()
	return bytes.Clone(all[max(0, len(all)-8000):])
}
