//go:build unix

package update_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"campusgate/agent/update"
	"campusgate/signing/release"
)

var root = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

const now = 1_790_000_000

func clock() time.Time { return time.Unix(now, 0) }

// Programs are this test with a word at the end, which is what they do.
const mark = "\nBEHAVES AS "

func TestMain(m *testing.M) {
	switch {
	case os.Getenv("ACT") != "":
		os.Exit(act(os.Getenv("ACT"), os.Getenv("DIR")))
	case os.Getenv(update.Variable) != "" || len(os.Args) > 1 && os.Args[1] == "selftest":
		os.Exit(behave())
	}
	// The race detector has a program wait for a second when it ends, and many do here.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// behave is what an update does.
func behave() int {
	self, _ := os.Executable()
	data, err := os.ReadFile(self)
	if err != nil {
		return 9
	}
	word := string(data[strings.LastIndex(string(data), mark)+len(mark):])
	if len(os.Args) > 1 && os.Args[1] == "selftest" {
		if word == "unfit" {
			return 1
		}
		return 0
	}
	dir := filepath.Dir(filepath.Dir(self))
	_ = os.WriteFile(filepath.Join(dir, "..", "ran"), []byte(word), 0o600)
	switch word {
	case "crash":
		return 3
	case "hang":
		if silent, held, err := os.Pipe(); err == nil {
			_, _ = io.Copy(io.Discard, silent) // nothing ever comes
			_ = held.Close()
		}
	case "wait":
	default:
		if err := (update.Book{Dir: dir, Now: clock}).Confirm(os.Getenv(update.Variable)); err != nil {
			return 4
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// act does what is killed: it stages or launches in a process of its own, which
// ends at the step of that number by SIGKILL.
func act(what, dir string) int {
	at, _ := strconv.Atoi(os.Getenv("AT"))
	b := update.Book{Dir: filepath.Join(dir, "update"), Now: clock, Step: func(string) {
		if at--; at < 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}}
	_ = os.Unsetenv("ACT") // its children are programs
	if what == "stage" {
		if _, err := b.Stage(context.Background(), filepath.Join(dir, "from"), here(dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	_ = launcher(b, dir, func() {}).Run(context.Background())
	return 0
}

func here(dir string) update.Here {
	return update.Here{
		Root: root.Public().(ed25519.PublicKey), Site: "campus", OS: runtime.GOOS, Arch: runtime.GOARCH,
		Installed: filepath.Join(dir, "installed"),
		Test: func(ctx context.Context, path string, _ release.Manifest) error {
			return exec.CommandContext(ctx, path, "selftest").Run()
		},
	}
}

// launcher runs until the installed program would; own is told of that.
func launcher(b update.Book, dir string, own func()) *update.Launcher {
	return &update.Launcher{
		Book: b, Installed: filepath.Join(dir, "installed"), Stdout: io.Discard, Stderr: os.Stderr,
		Log: slog.New(slog.DiscardHandler), Chance: 30 * time.Second,
		Own: func(context.Context) error { own(); return nil },
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pc is a folder with an installed program.
func pc(t *testing.T) (dir string, b update.Book) {
	t.Helper()
	dir = t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "installed"), []byte("the installed program"), 0o700))
	return dir, update.Book{Dir: filepath.Join(dir, "update"), Now: clock}
}

// put puts a release into dir/from.
func put(t *testing.T, dir, word string, serial uint64, change ...func(*release.Manifest)) release.Manifest {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	data, err := os.ReadFile(self)
	check(t, err)
	data = append(data, mark+word...)
	m := release.Manifest{Site: "campus", Version: "1." + strconv.FormatUint(serial, 10), OS: runtime.GOOS, Arch: runtime.GOARCH, Serial: serial}.Of(data)
	for _, c := range change {
		c(&m)
	}
	signed, err := release.Sign(root, m)
	check(t, err)
	from := filepath.Join(dir, "from")
	check(t, os.MkdirAll(from, 0o700))
	check(t, os.WriteFile(filepath.Join(from, release.ManifestFile), signed, 0o600))
	check(t, os.WriteFile(filepath.Join(from, release.ProgramFile), data, 0o600))
	return m
}

func load(t *testing.T, b update.Book) update.State {
	t.Helper()
	s, err := b.Load()
	check(t, err)
	return s
}

func TestAttack_OnlyAReleaseForThisPCIsStaged(t *testing.T) {
	dir, b := pc(t)
	from := filepath.Join(dir, "from")
	put(t, dir, "good", 5)
	_, err := b.Stage(t.Context(), from, here(dir))
	check(t, err)
	if _, err := b.Stage(t.Context(), from, here(dir)); !errors.Is(err, update.ErrTrial) {
		t.Errorf("while another waits: %v", err)
	}
	_, err = b.Back()
	check(t, err)
	before := load(t, b)
	if before.Trial != nil || before.Serial != 5 {
		t.Fatalf("%+v", before)
	}
	edit := func(file string, change func([]byte) []byte) func() {
		return func() {
			path := filepath.Join(from, file)
			data, err := os.ReadFile(path)
			check(t, err)
			check(t, os.WriteFile(path, change(data), 0o600))
		}
	}
	for _, c := range []struct {
		what   string
		change func(*release.Manifest)
		after  func()
		want   error
	}{
		{"a lower serial", func(m *release.Manifest) { m.Serial = 4 }, nil, update.ErrSerial},
		{"another site", func(m *release.Manifest) { m.Site = "other" }, nil, update.ErrSite},
		{"another arch", func(m *release.Manifest) { m.Arch = "mips" }, nil, update.ErrSystem},
		{"another system", func(m *release.Manifest) { m.OS = "plan9" }, nil, update.ErrSystem},
		{"too early", func(m *release.Manifest) { m.NotBefore = now + 1 }, nil, update.ErrEarly},
		{"an altered manifest", nil, edit(release.ManifestFile, func(d []byte) []byte { d[len(d)-9] ^= 1; return d }), release.ErrSignature},
		{"an altered program", nil, edit(release.ProgramFile, func(d []byte) []byte { d[len(d)/2] ^= 1; return d }), release.ErrProgram},
		{"a truncated program", nil, edit(release.ProgramFile, func(d []byte) []byte { return d[:len(d)-1] }), release.ErrProgram},
		{"a longer program", nil, edit(release.ProgramFile, func(d []byte) []byte { return append(d, 0) }), nil},
		{"no program", nil, func() { check(t, os.Remove(filepath.Join(from, release.ProgramFile))) }, os.ErrNotExist},
	} {
		change := c.change
		if change == nil {
			change = func(*release.Manifest) {}
		}
		put(t, dir, "good", 6, change)
		if c.after != nil {
			c.after()
		}
		if _, err := b.Stage(t.Context(), from, here(dir)); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	put(t, dir, "unfit", 6)
	if _, err := b.Stage(t.Context(), from, here(dir)); !errors.Is(err, update.ErrSelfTest) {
		t.Errorf("an unfit one: %v", err)
	}
	h := here(dir)
	h.Root = ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize))).Public().(ed25519.PublicKey)
	put(t, dir, "good", 6)
	if _, err := b.Stage(t.Context(), from, h); !errors.Is(err, release.ErrSignature) {
		t.Errorf("forged: %v", err)
	}
	if after := load(t, b); after.Trial != nil || after.Current != nil || after.Serial != before.Serial {
		t.Errorf("something changed: %+v", after)
	}
}

// staged gives a PC with a confirmed program, 1.1, and a release 1.2 staged.
func staged(t *testing.T, word string) (dir string, b update.Book, first, second release.Manifest) {
	t.Helper()
	dir, b = pc(t)
	first = put(t, dir, "good", 1)
	_, err := b.Stage(t.Context(), filepath.Join(dir, "from"), here(dir))
	check(t, err)
	runUntil(t, b, dir, func(s update.State) bool { return s.Current != nil && s.Current.Version == "1.1" })
	second = put(t, dir, word, 2)
	_, err = b.Stage(t.Context(), filepath.Join(dir, "from"), here(dir))
	check(t, err)
	return dir, b, first, second
}

// runUntil launches until the state is as it should be.
func runUntil(t *testing.T, b update.Book, dir string, wanted func(update.State) bool, change ...func(*update.Launcher)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	l := launcher(b, dir, func() {})
	for _, c := range change {
		c(l)
	}
	go func() { ended <- l.Run(ctx) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !wanted(load(t, b)) {
		select {
		case err := <-ended:
			if !wanted(load(t, b)) {
				t.Fatalf("ended before: %v %+v", err, load(t, b))
			}
			return
		case <-ctx.Done():
			t.Fatalf("never: %+v", load(t, b))
		case <-tick.C:
		}
	}
	cancel()
	t.Log("it was cancelled:", <-ended)
}

func TestTrial_ConfirmsItselfAndTheOneBeforeIsKept(t *testing.T) {
	dir, b, first, second := staged(t, "good")
	runUntil(t, b, dir, func(s update.State) bool { return s.Trial == nil })
	s := load(t, b)
	if s.Current == nil || *s.Current != second || s.Previous == nil || *s.Previous != first || s.Last.Outcome != update.Confirmed {
		t.Fatalf("%+v", s)
	}
	s, err := b.Back()
	check(t, err)
	if *s.Current != first || s.Serial != 2 || s.Last.Outcome != update.TakenBack {
		t.Fatalf("by hand: %+v", s)
	}
	if s, err = b.Back(); err != nil || s.Current != nil {
		t.Fatalf("to the installed one: %+v, %v", s, err)
	}
	if _, err := b.Back(); !errors.Is(err, update.ErrNoPrevious) {
		t.Fatal(err)
	}
}

func TestTrial_ThatCrashesOrHangsIsRolledBack(t *testing.T) {
	for _, word := range []string{"crash", "hang"} {
		t.Run(word, func(t *testing.T) {
			dir, b, first, _ := staged(t, word)
			// A program that hangs gives no sign; it is made to end.
			runUntil(t, b, dir, func(s update.State) bool { return s.Trial == nil }, func(l *update.Launcher) {
				if word == "hang" {
					l.Chance, l.Parting = time.Second, time.Second
				}
			})
			s := load(t, b)
			if s.Current == nil || *s.Current != first || s.Last.Outcome != update.RolledBack || s.Last.Version != "1.2" || s.Last.Why == "" {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestInstalledProgram_ThatWasReplacedCountsAsNewer(t *testing.T) {
	dir, b, _, _ := staged(t, "good")
	check(t, os.WriteFile(filepath.Join(dir, "installed"), []byte("a package brought this"), 0o700))
	owns := 0
	check(t, launcher(b, dir, func() { owns++ }).Run(t.Context()))
	if s := load(t, b); owns != 1 || s.Current != nil || s.Trial != nil || s.Serial != 2 || s.Last.Outcome != update.Replaced {
		t.Fatalf("%d %+v", owns, s)
	}
}

func TestDamagedProgram_IsNotStarted(t *testing.T) {
	dir, b, first, second := staged(t, "good")
	for _, m := range []release.Manifest{first, second} {
		check(t, os.WriteFile(b.Path(m), []byte("#!/bin/sh\n"), 0o700))
	}
	owns := 0
	check(t, launcher(b, dir, func() { owns++ }).Run(t.Context()))
	if s := load(t, b); owns != 1 || s.Current != nil || s.Trial != nil || s.Last.Outcome != update.RolledBack {
		t.Fatalf("%d %+v", owns, s)
	}
}

// killed runs act in a process of its own that is killed at a step, and reports
// whether it was.
func killed(t *testing.T, what, dir string, at int) bool {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), "ACT="+what, "DIR="+dir, "AT="+strconv.Itoa(at))
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		check(t, ctx.Err())
		return true
	}
	check(t, err)
	return false
}

func TestKill_AtEveryStepLeavesAWholeProgramThatStarts(t *testing.T) {
	dir, b, first, _ := staged(t, "good")
	_, err := b.Back() // nothing waits
	check(t, err)
	stagedAt := -1
	for at := 0; ; at++ {
		more := killed(t, "stage", dir, at)
		s := load(t, b)
		if s.Current == nil || *s.Current != first {
			t.Fatalf("step %d: %+v", at, s)
		}
		if s.Trial != nil {
			data, err := os.ReadFile(b.Path(*s.Trial))
			check(t, err)
			check(t, s.Trial.Check(data))
			if stagedAt < 0 {
				stagedAt = at
			}
			if !more {
				break
			}
			_, err = b.Back()
			check(t, err)
		} else if !more {
			t.Fatalf("staged nothing: %+v", s)
		}
	}
	if stagedAt < 5 {
		t.Errorf("staged by step %d: are the steps still told?", stagedAt)
	}
	// The launcher is killed while it notes the chance: before, the trial still has
	// it; afterwards it is over.
	for at := range 4 {
		if !killed(t, "launch", dir, at) {
			t.Fatalf("the launcher ended before step %d", at)
		}
		s := load(t, b)
		if s.Trial == nil || *s.Current != first {
			t.Fatalf("launch, step %d: %+v", at, s)
		}
	}
	if !load(t, b).Tried {
		t.Fatal("the chance was not noted")
	}
	runUntil(t, b, dir, func(s update.State) bool { return s.Trial == nil })
	if s := load(t, b); *s.Current != first || s.Last.Outcome != update.RolledBack {
		t.Fatalf("%+v", s)
	}
	left, err := filepath.Glob(filepath.Join(b.Dir, "*"))
	check(t, err)
	drafts, err := filepath.Glob(filepath.Join(b.Dir, ".draft-*"))
	check(t, err)
	if left = slices.Concat(left, drafts); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}

func TestChild_EndsWithItsLauncher(t *testing.T) {
	dir, b, _, _ := staged(t, "wait") // never confirms itself
	self, err := os.Executable()
	check(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	held, write, err := os.Pipe() // the child holds it as long as it lives
	check(t, err)
	cmd.Env, cmd.Stderr = append(os.Environ(), "ACT=launch", "AT=1000", "DIR="+dir), write
	check(t, os.RemoveAll(filepath.Join(dir, "ran")))
	check(t, cmd.Start())
	check(t, write.Close())
	deadline := time.Now().Add(30 * time.Second)
	for word := ""; word != "wait"; {
		data, _ := os.ReadFile(filepath.Join(dir, "ran"))
		if word = string(data); time.Now().After(deadline) {
			t.Fatal("the trial never ran")
		}
		runtime.Gosched()
	}
	check(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	check(t, held.SetReadDeadline(time.Now().Add(30*time.Second)))
	_, err = io.ReadAll(held)
	check(t, err)
	if s := load(t, b); s.Trial == nil || !s.Tried {
		t.Fatalf("%+v", s)
	}
}
