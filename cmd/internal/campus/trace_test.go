package campus_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"campusgate/cmd/internal/campus"
)

// TestTrace_JournalIsFlushedBeforeThePulse reads the agent's system calls.
// SIGKILL does not lose the page cache, so only the order of the calls shows
// that the row is on the disk: between reading a code and writing the relay's
// "on" frame, a flush of the journal's log has returned.
func TestTrace_JournalIsFlushedBeforeThePulse(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("strace is not installed")
	}
	log := filepath.Join(t.TempDir(), "calls")
	c := start(t, campus.Options{
		Gates: []string{"东门 East Gate"},
		Wrap:  []string{strace, "-f", "-y", "-xx", "-s", "16", "-o", log, "-e", "trace=write,pwrite64,fdatasync,fsync"},
	})
	gate := c.Gates[0]
	relay := watch(t, gate)
	s := plug(t, gate)
	passes := issue(t, c, gate, 8)
	for i, p := range passes {
		s.scan(t, p.Code)
		relay.await(t, i+1)
	}
	gate.Agent.Stop()

	pulses, calls := traced(t, log)
	if pulses != len(passes) {
		t.Fatalf("%d pulses in the trace, want %d", pulses, len(passes))
	}
	t.Logf("%d pulses, each behind a flush; %d calls read", pulses, calls)
}

// Lines of strace: "PID call(fd</path>, …) = result", or in two parts,
// "PID call(fd</path> <unfinished ...>" and "PID <... call resumed>) = result".
var (
	walWrite = regexp.MustCompile(`^(\d+) +pwrite64\(\d+<[^>]*agent\.db-wal>`)
	flush    = regexp.MustCompile(`^(\d+) +f(?:data)?sync\(\d+<[^>]*agent\.db-wal>`)
	resumed  = regexp.MustCompile(`^(\d+) +<\.\.\. f(?:data)?sync resumed>.*= 0$`)
	onFrame  = `"\xa0\x01\x01\xa2"`
)

// traced walks the calls in order. It fails at a pulse that no completed flush
// of freshly written log precedes, and counts the pulses.
func traced(t *testing.T, log string) (pulses, calls int) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	dirty := false               // the log holds rows that no flush has covered
	flushed := 0                 // flushes that returned since the last pulse
	waiting := map[string]bool{} // threads inside a flush of the log
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		calls++
		switch {
		case walWrite.MatchString(line):
			dirty = true
		case flush.MatchString(line):
			if strings.Contains(line, "<unfinished") {
				waiting[flush.FindStringSubmatch(line)[1]] = true
			} else if strings.HasSuffix(line, "= 0") {
				dirty, flushed = false, flushed+1
			}
		case resumed.MatchString(line):
			if pid := resumed.FindStringSubmatch(line)[1]; waiting[pid] {
				delete(waiting, pid)
				dirty, flushed = false, flushed+1
			}
		case strings.Contains(line, onFrame):
			pulses++
			if dirty || flushed == 0 {
				t.Errorf("call %d: the pulse left before the journal was flushed (dirty %v, %d flushes since the last pulse)", calls, dirty, flushed)
			}
			flushed = 0
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return pulses, calls
}
