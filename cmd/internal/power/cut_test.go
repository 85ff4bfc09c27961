//go:build linux

package power_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"campusgate/cmd/internal/power"
)

var (
	cuts = flag.Int("cuts", 15, "how often the power of a gate, and of a server, is cut")
	seed = flag.Uint64("cut-seed", 1, "seed of the cuts")
)

// built are programs that were built for these tests, in a folder that ends with them.
var built struct {
	dir  string
	mu   sync.Mutex
	done map[string]error
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "campusgate-power-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		built.dir, built.done = dir, map[string]error{}
		flag.Parse()
		// Most of what runs here waits, for a disk, for silence to be noticed, for a clock.
		if err := flag.Set("test.parallel", "12"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// program builds packages into a folder, once, and gives the folder. altered maps
// files of the module to the replacements that are made in the copy that is built:
// products have no hooks for this.
func program(t testing.TB, name string, altered map[string][]string, packages ...string) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	dir := filepath.Join(built.dir, name)
	err, done := built.done[name]
	if !done {
		err = build(dir, altered, packages)
		built.done[name] = err
	}
	check(t, err)
	return dir
}

func build(dir string, altered map[string][]string, packages []string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	args := []string{"build", "-ldflags=-s -w", "-o", dir + "/"}
	if altered != nil {
		overlay := struct{ Replace map[string]string }{map[string]string{}}
		for file, changes := range altered {
			path, err := filepath.Abs(filepath.Join("..", "..", "..", filepath.FromSlash(file)))
			if err != nil {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			changed := string(text)
			for i := 0; i < len(changes); i += 2 {
				if strings.Count(changed, changes[i]) != 1 {
					return fmt.Errorf("%s does not hold %q once", file, changes[i])
				}
				changed = strings.Replace(changed, changes[i], changes[i+1], 1)
			}
			name := filepath.Join(dir, strings.ReplaceAll(file, "/", "_")+".txt")
			if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
				return err
			}
			overlay.Replace[path] = name
		}
		list, err := json.Marshal(overlay)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
			return err
		}
		args = append(args, "-overlay", filepath.Join(dir, "overlay.json"))
	}
	cmd := exec.Command("go", append(args, packages...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return nil
}

const workerPackage = "campusgate/cmd/internal/power/worker"

func worker(t testing.TB) string {
	t.Helper()
	return filepath.Join(program(t, "worker", nil, workerPackage), "worker")
}

// careless is the worker with stores that do not wait for the disk.
func careless(t testing.TB) string {
	t.Helper()
	return filepath.Join(program(t, "careless", map[string][]string{
		"agent/disk/disk.go":      {"synchronous(FULL)", "synchronous(NORMAL)", "level < 2", "level < 1"},
		"server/store/dialect.go": {"synchronous(FULL)", "synchronous(NORMAL)", "level < 2", "level < 1"},
	}, workerPackage), "worker")
}

// victim is a worker, its disk, and what it promised.
type victim struct {
	*drive
	bin, name string
	random    *rand.Rand
	said      []power.Promise
}

func newVictim(t testing.TB, bin, name string) *victim {
	t.Helper()
	v := &victim{newDrive(t), bin, name, rand.New(rand.NewPCG(*seed, 0)), nil}
	found := exec.Command(bin, "found", name, v.dir, "0")
	if out, err := found.CombinedOutput(); err != nil {
		t.Fatalf("found: %v\n%s", err, out)
	}
	return v
}

// round has the worker work until the power fails at some step, and gives what it
// promised.
func (v *victim) round(t testing.TB, n, steps int) {
	t.Helper()
	work := exec.Command(v.bin, "work", v.name, v.dir, fmt.Sprint(n))
	work.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := work.StdoutPipe()
	check(t, err)
	var complaint bytes.Buffer
	work.Stderr = &complaint
	failed := v.Failed()
	v.FailAfter(steps)
	check(t, work.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if p, ok := power.ParsePromise(lines.Text()); ok {
				v.said = append(v.said, p)
			}
		}
	}()
	select {
	case <-failed:
	case <-read: // it ended
		select {
		case <-failed:
		default:
			_ = work.Wait()
			t.Fatalf("round %d: the worker ended with power: %s", n, complaint.Bytes())
		}
	case <-time.After(2 * time.Minute):
		t.Errorf("round %d: the worker hangs", n)
	}
	_ = work.Process.Kill() // it may have noticed and ended
	<-read
	_ = work.Wait()
}

// left looks at what a computer would find on the disk.
func (v *victim) left(t testing.TB) (lost int, err error) {
	t.Helper()
	dir, err := os.MkdirTemp(scratch(), "campusgate-cut-")
	check(t, err)
	defer func() { check(t, os.RemoveAll(dir)) }()
	check(t, v.Export(dir))
	return power.Loads[v.name].Check(dir, v.said)
}

// scratch is a folder in memory, where there is one: what is copied there is safe
// enough.
func scratch() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}

// The disk keeps what it was asked to keep, loses any of the rest, and the program
// comes back: whatever was promised is there, and nothing is damaged or done twice.
func TestCut_NothingThatWasPromisedIsLost(t *testing.T) {
	t.Parallel()
	for name := range power.Loads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			v := newVictim(t, worker(t), name)
			// Whoever was told that the store is made can rely on it.
			v.cut(t, power.Everything, nil)
			if _, err := v.left(t); err != nil {
				t.Fatalf("a new store did not survive: %v", err)
			}
			steps := 0
			for i := range *cuts {
				loss := power.Some
				if i%3 == 0 {
					loss = power.Everything
				}
				n := 1 + v.random.IntN(1500)
				if i%4 == 3 {
					n = 1 + v.random.IntN(40) // while it recovers from the cut before
				}
				steps += n
				v.round(t, i, n)
				v.cut(t, loss, v.random)
				lost, err := v.left(t)
				if lost > 0 || err != nil {
					t.Fatalf("-cut-seed=%d, cut %d after %d steps: %d of %d promises lost, %v", *seed, i, n, lost, len(v.said), err)
				}
			}
			t.Logf("%d cuts in %d steps: 0 of %d promises lost, in %v", *cuts, steps, len(v.said), time.Since(began).Round(time.Millisecond))
			if len(v.said) < 10**cuts {
				t.Errorf("only %d promises in %d cuts", len(v.said), *cuts)
			}
		})
	}
}

// The same with synchronous=NORMAL, which stores often have: it loses what it
// promised. Were it not so the test above would prove nothing.
func TestCut_AStoreThatDoesNotWaitForTheDiskLosesWhatItPromised(t *testing.T) {
	t.Parallel()
	for name := range power.Loads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost, said := 0, 0
			for i := range 3 {
				v := newVictim(t, careless(t), name)
				v.Sync()
				v.round(t, i, 300+v.random.IntN(300))
				v.cut(t, power.Everything, nil)
				n, err := v.left(t)
				check(t, err) // it forgets, but what is left is whole
				lost, said = lost+n, said+len(v.said)
			}
			t.Logf("3 cuts: %d of %d promises lost", lost, said)
			if lost == 0 {
				t.Error("nothing was lost")
			}
		})
	}
}
