package campus_test

import (
	"bufio"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

// TestTrace_JournalIsFlushedBeforeThePulse reads the agent's system calls.
// SIGKILL does not lose the page cache, so only the order of the calls shows
// that the row is on the disk: after a code was read from the tty, and before
// the relay's "on" frame is written, the journal's log was written and a flush
// of it has returned.
func TestTrace_JournalIsFlushedBeforeThePulse(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		missing(t, "strace is not installed")
	}
	log := filepath.Join(t.TempDir(), "calls")
	c := start(t, campus.Options{
		Gates: []string{"东门 East Gate"},
		Wrap:  []string{strace, "-f", "-y", "-xx", "-s", "16", "-o", log, "-e", "trace=read,write,pwrite64,fdatasync,fsync"},
	})
	gate := c.Gates[0]
	tty, err := filepath.EvalSymlinks(gate.Scanner.Host)
	if err != nil {
		t.Fatal(err)
	}
	relay := campustest.Watch(t, gate)
	s := plug(t, gate)
	passes := campustest.Issue(t, c, gate, 8)
	for i, p := range passes {
		s.scan(t, p.Code)
		relay.Await(t, i+1)
	}
	gate.Agent.Stop()

	calls, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = calls.Close() }()
	pulses, early, err := traced(calls, tty)
	if err != nil {
		t.Fatal(err)
	}
	if pulses != len(passes) || early != 0 {
		t.Errorf("%d pulses in the trace, want %d; %d left before the journal was flushed", pulses, len(passes), early)
	}
}

// Lines of strace -y -xx: "PID call(fd<path>, …) = result", or in two parts,
// "PID call(fd<path> <unfinished ...>" and "PID <... call resumed>…) = result".
// Strings and paths are in hex.
var (
	parts   = regexp.MustCompile(`^(\d+) +(?:<\.\.\. )?([a-z0-9]+)(?:\(\d+<([^>]*)>| resumed>)`)
	result  = regexp.MustCompile(`= (-?\d+)`)
	onFrame = `\xa0\x01\x01\xa2`
)

// traced walks the calls in order and counts the pulses, and those that no
// flush precedes which began after the log was written with what the tty said
// last.
func traced(log io.Reader, tty string) (pulses, early int, err error) {
	var written, flushed bool   // since the tty was read
	covers := map[string]bool{} // threads inside a flush: whether it began after a write
	inside := map[string]string{}
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		m := parts.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		thread, call, path := m[1], m[2], unhex(m[3])
		if strings.Contains(line, "resumed>") {
			path = inside[thread]
		}
		begins, ends := !strings.Contains(line, "resumed>"), !strings.Contains(line, "<unfinished")
		inside[thread] = path
		wal := strings.HasSuffix(path, "agent.db-wal")
		switch {
		case call == "read" && path == tty && ends:
			if r := result.FindAllStringSubmatch(line, -1); r != nil && r[len(r)-1][1] > "0" {
				written, flushed = false, false
			}
		case call == "pwrite64" && wal && ends:
			written = true
		case (call == "fdatasync" || call == "fsync") && wal:
			if begins {
				covers[thread] = written
			}
			if ends && strings.HasSuffix(line, "= 0") && covers[thread] {
				flushed = true
			}
		case call == "write" && begins && strings.Contains(line, onFrame):
			pulses++
			if !flushed {
				early++
			}
		}
	}
	return pulses, early, lines.Err()
}

// unhex reads the path of an -xx line, which may be plain too.
func unhex(s string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil || !strings.HasPrefix(s, `\x`) {
		return s
	}
	return string(raw)
}

// The reader of traces must see a pulse that comes too early.
func TestTraced_SeesAnEarlyPulse(t *testing.T) {
	const (
		read  = `7 read(9</dev/pts/4>, "\x48"..., 4096) = 300`
		wal   = `7 pwrite64(5</d/agent.db-wal>, "\x00"..., 4096, 0) = 4096`
		flush = `7 fdatasync(5</d/agent.db-wal>) = 0`
		begun = `8 fdatasync(5</d/agent.db-wal> <unfinished ...>`
		done  = `8 <... fdatasync resumed>) = 0`
		pulse = `7 write(8</dev/pts/6>, "\xa0\x01\x01\xa2", 4) = 4`
	)
	for name, c := range map[string]struct {
		lines []string
		early int
	}{
		"OK":                {[]string{read, wal, flush, pulse}, 0},
		"TwoParts":          {[]string{read, wal, begun, done, pulse}, 0},
		"NotFlushed":        {[]string{read, wal, pulse, flush}, 1},
		"NotReturned":       {[]string{read, wal, begun, pulse, done}, 1},
		"FlushBeforeWrite":  {[]string{read, begun, wal, done, pulse}, 1},
		"FlushOfAnEarlier":  {[]string{read, wal, flush, pulse, read, pulse}, 1},
		"NothingWritten":    {[]string{read, flush, pulse}, 1},
		"FlushFailed":       {[]string{read, wal, strings.Replace(flush, "= 0", "= -1 EIO", 1), pulse}, 1},
		"TimeoutIsNoScan":   {[]string{read, wal, flush, strings.Replace(read, "= 300", "= 0", 1), pulse}, 0},
		"OthersWriteBehind": {[]string{read, wal, flush, wal, pulse}, 0},
	} {
		pulses, early, err := traced(strings.NewReader(strings.Join(c.lines, "\n")), "/dev/pts/4")
		if err != nil || early != c.early || pulses == 0 {
			t.Errorf("%s: %d of %d pulses early, want %d (%v)", name, early, pulses, c.early, err)
		}
	}
}
