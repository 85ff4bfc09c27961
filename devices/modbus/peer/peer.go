// Package peer runs a Modbus board for tests. It is made of libmodbus, in a
// process of its own: what ours and another's implementation agree on is likely
// to be Modbus.
package peer

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

//go:embed testdata/peer.c
var source []byte

const patience = 20 * time.Second

// Board is a running board: unit 1, with 16 coils and 16 discrete inputs.
type Board struct {
	t     testing.TB
	stdin io.Writer
	done  chan string // commands that were obeyed

	// Coils gets "N V" for each coil that was written, counted from 0.
	Coils chan string
	// Address is host:port of a TCP board.
	Address string
}

// build compiles the board once and gives the program's bytes, so that nothing
// is left behind.
var build = sync.OnceValues(func() (program []byte, err error) {
	dir, err := os.MkdirTemp("", "modbus")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, out := filepath.Join(dir, "peer.c"), filepath.Join(dir, "peer")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return nil, err
	}
	if said, err := exec.Command("gcc", "-o", out, file, "-lmodbus").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return os.ReadFile(out)
})

// TCP starts a board on loopback, at that port; 0 is a free one.
func TCP(t testing.TB, port int) *Board { return start(t, "tcp", strconv.Itoa(port)) }

// RTU starts a board at the device's end of a serial line.
func RTU(t testing.TB, path string) *Board { return start(t, "rtu", path) }

// start skips the test where there is no libmodbus.
func start(t testing.TB, args ...string) *Board {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Skipf("not tested against libmodbus: want gcc and libmodbus-dev: %.200v", err)
	}
	path := filepath.Join(t.TempDir(), "peer")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), path, args...)
	stdin, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stderr = os.Stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	b := &Board{t: t, stdin: stdin, done: make(chan string, 1), Coils: make(chan string, 10_000)}
	ready := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			switch what, rest, _ := strings.Cut(lines.Text(), " "); what {
			case "ready":
				ready <- rest
			case "coil":
				b.Coils <- rest
			case "did":
				b.done <- rest
			}
		}
	})
	t.Cleanup(func() {
		_ = stdin.Close() // the end of its commands ends it
		reading.Wait()
		_ = run.Wait() // killed where the test was over first
	})
	select {
	case port := <-ready:
		b.Address = "127.0.0.1:" + port
	case <-time.After(patience):
		t.Fatal("the board did not start")
	}
	return b
}

// Tell gives a command, as testdata/peer.c lists them, and returns when it was
// obeyed.
func (b *Board) Tell(format string, args ...any) {
	b.t.Helper()
	line := fmt.Sprintf(format, args...)
	if _, err := io.WriteString(b.stdin, line+"\n"); err != nil {
		b.t.Fatal(err)
	}
	select {
	case <-b.done:
	case <-time.After(patience):
		b.t.Fatalf("the board did not obey %q", line)
	}
}

// Coil waits for the next write of a coil.
func (b *Board) Coil() string {
	b.t.Helper()
	select {
	case c := <-b.Coils:
		return c
	case <-time.After(patience):
		b.t.Fatal("no coil was written")
		return ""
	}
}
