//go:build linux

package power_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"campusgate/cmd/internal/power"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// drive is a disk that is mounted for a test.
type drive struct {
	*power.Disk
	dir     string
	mounted *power.Mounted
}

func newDrive(t testing.TB) *drive {
	t.Helper()
	if err := power.Available(); err != nil {
		t.Skip(err)
	}
	d := &drive{Disk: power.New(), dir: t.TempDir()}
	d.mount(t)
	t.Cleanup(func() { check(t, d.mounted.Close()) })
	return d
}

func (d *drive) mount(t testing.TB) {
	t.Helper()
	m, err := d.Mount(d.dir)
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("this machine does not allow mounts: %v", err)
	}
	check(t, err)
	d.mounted = m
}

// cut takes the power away and brings it back.
func (d *drive) cut(t testing.TB, loss power.Loss, random *rand.Rand) {
	t.Helper()
	d.Cut()
	check(t, d.mounted.Close())
	check(t, d.Restore(loss, random))
	d.mount(t)
}

func (d *drive) path(name string) string { return filepath.Join(d.dir, name) }

// write writes into a new or existing file at an offset, and syncs it where asked.
func (d *drive) write(t testing.TB, name string, off int64, text string, sync bool) {
	t.Helper()
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_RDWR, 0o600)
	check(t, err)
	_, err = f.WriteAt([]byte(text), off)
	check(t, err)
	if sync {
		check(t, f.Sync())
	}
	check(t, f.Close())
}

func (d *drive) syncDir(t testing.TB, name string) {
	t.Helper()
	f, err := os.Open(d.path(name))
	check(t, err)
	check(t, f.Sync())
	check(t, f.Close())
}

func (d *drive) has(t testing.TB, name, want string) {
	t.Helper()
	if got, err := os.ReadFile(d.path(name)); err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
	}
}

func (d *drive) lacks(t testing.TB, name string) {
	t.Helper()
	if _, err := os.Lstat(d.path(name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there: %v", name, err)
	}
}

func TestDisk_BytesStayOnceTheyAreSynced(t *testing.T) {
	d := newDrive(t)
	d.write(t, "a", 0, "synced", true)
	d.syncDir(t, ".")
	d.write(t, "a", 0, "SYN", false)
	d.write(t, "a", 6, " and more", false)
	d.has(t, "a", "SYNced and more")
	d.cut(t, power.Everything, nil)
	d.has(t, "a", "synced")
	check(t, os.Truncate(d.path("a"), 3))
	d.cut(t, power.Everything, nil)
	d.has(t, "a", "synced")
	check(t, os.Truncate(d.path("a"), 3))
	d.write(t, "a", 5, "x", true)
	d.cut(t, power.Everything, nil)
	d.has(t, "a", "syn\x00\x00x")
}

func TestDisk_NamesStayOnceTheirFolderIsSynced(t *testing.T) {
	d := newDrive(t)
	check(t, os.Mkdir(d.path("f"), 0o700))
	d.syncDir(t, ".")
	d.write(t, "f/lost", 0, "x", true) // synced itself, but not its name
	d.cut(t, power.Everything, nil)
	d.lacks(t, "f/lost")

	d.write(t, "f/a", 0, "a", true)
	d.write(t, "f/b", 0, "b", true)
	check(t, os.Symlink("a", d.path("f/link")))
	check(t, os.Link(d.path("f/b"), d.path("f/same")))
	d.syncDir(t, "f")
	check(t, os.Remove(d.path("f/a")))
	check(t, os.Rename(d.path("f/b"), d.path("f/c")))
	d.lacks(t, "f/a")
	d.has(t, "f/c", "b")
	d.cut(t, power.Everything, nil)
	d.has(t, "f/a", "a")
	d.has(t, "f/b", "b")
	d.has(t, "f/same", "b")
	d.has(t, "f/link", "a")
	d.lacks(t, "f/c")

	check(t, os.Remove(d.path("f/link")))
	check(t, os.Rename(d.path("f/b"), d.path("f/a")))
	d.syncDir(t, "f")
	d.cut(t, power.Everything, nil)
	d.has(t, "f/a", "b")
	d.lacks(t, "f/b")
	d.lacks(t, "f/link")
}

func TestDisk_AFileThatWasNotSyncedIsEmptyUnderItsName(t *testing.T) {
	d := newDrive(t)
	d.write(t, "draft", 0, "contents", false)
	check(t, os.Rename(d.path("draft"), d.path("final")))
	d.syncDir(t, ".")
	d.cut(t, power.Everything, nil)
	d.has(t, "final", "")
	d.lacks(t, "draft")
}

func TestDisk_AFolderMovesAsAWhole(t *testing.T) {
	for seed := range uint64(20) {
		d := newDrive(t)
		for _, name := range []string{"from", "to"} {
			check(t, os.Mkdir(d.path(name), 0o700))
		}
		d.write(t, "from/x", 0, "x", true)
		d.Sync()
		check(t, os.Rename(d.path("from/x"), d.path("to/x")))
		d.cut(t, power.Some, rand.New(rand.NewPCG(seed, 0)))
		_, a := os.Stat(d.path("from/x"))
		_, b := os.Stat(d.path("to/x"))
		if (a == nil) == (b == nil) {
			t.Fatalf("seed %d: from: %v, to: %v", seed, a, b)
		}
	}
}

// Of writes that were never synced any may be left, whole or torn at a sector,
// whatever their order; all of that happens.
func TestDisk_ACutLosesReordersAndTears(t *testing.T) {
	d := newDrive(t)
	const size = 4096
	seen := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	d.write(t, "f", 0, strings.Repeat("0", 2*size), true)
	d.syncDir(t, ".")
	for range 60 {
		d.write(t, "f", 0, strings.Repeat("0", 2*size), true)
		d.write(t, "f", 0, strings.Repeat("1", size), false)
		d.write(t, "f", size, strings.Repeat("2", size), false)
		d.cut(t, power.Some, random)
		got, err := os.ReadFile(d.path("f"))
		check(t, err)
		if len(got) != 2*size {
			t.Fatalf("%d bytes", len(got))
		}
		for _, page := range []struct {
			text    []byte
			written byte
			name    string
		}{{got[:size], '1', "first "}, {got[size:], '2', "second "}} {
			n := 0
			for sector := range slices.Chunk(page.text, 512) {
				switch string(sector) {
				case strings.Repeat(string(page.written), 512):
					n++
				case strings.Repeat("0", 512):
				default:
					t.Fatalf("a sector is half written: %q", sector)
				}
			}
			switch n {
			case 0:
				seen[page.name+"lost"] = true
			case size / 512:
				seen[page.name+"kept"] = true
			default:
				seen[page.name+"torn"] = true
			}
		}
		if got[0] == '0' && got[size] == '2' {
			seen["reordered"] = true
		}
	}
	if len(seen) != 7 {
		t.Errorf("saw only %v", seen)
	}
}

// Somebody makes a namespace of mounts while a disk is mounted, and lives on: the disk
// can be taken away all the same.
func TestDisk_GoesFromOtherNamespacesToo(t *testing.T) {
	d := newDrive(t)
	d.write(t, "a", 0, "a", true)
	d.syncDir(t, ".")
	other := exec.Command("unshare", "--mount", "--propagation", "slave", "cat")
	in, err := other.StdinPipe()
	check(t, err)
	out, err := other.StdoutPipe()
	check(t, err)
	check(t, other.Start())
	defer func() { check(t, errors.Join(in.Close(), other.Wait())) }()
	_, err = in.Write([]byte("x"))
	check(t, err)
	_, err = io.ReadFull(out, make([]byte, 1)) // it is there
	check(t, err)
	gone := make(chan struct{})
	stuck := time.AfterFunc(patience, func() {
		select {
		case <-gone:
		default:
			t.Error("the disk is in use by another namespace")
			_ = other.Process.Kill()
		}
	})
	d.cut(t, power.Everything, nil)
	close(gone)
	stuck.Stop()
	d.has(t, "a", "a")
}

func TestDisk_WithoutPowerNothingIsDone(t *testing.T) {
	d := newDrive(t)
	d.write(t, "a", 0, "a", true)
	d.syncDir(t, ".")
	f, err := os.OpenFile(d.path("a"), os.O_RDWR, 0)
	check(t, err)
	failed := d.Failed()
	d.FailAfter(3)
	for _, text := range []string{"1", "2"} {
		_, err := f.WriteAt([]byte(text), 0)
		check(t, err)
	}
	select {
	case <-failed:
		t.Fatal("the power failed too early")
	default:
	}
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("the third step: %v", err)
	}
	<-failed
	if _, err := f.WriteAt([]byte("3"), 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("a write: %v", err)
	}
	if err := os.Remove(d.path("a")); !errors.Is(err, syscall.EIO) {
		t.Errorf("a removal: %v", err)
	}
	check(t, f.Close())
	if err := d.mounted.Close(); err != nil {
		t.Fatal(err)
	}
	check(t, d.Restore(power.Everything, nil))
	if err := d.Restore(power.Everything, nil); !errors.Is(err, power.ErrLive) {
		t.Errorf("restored twice: %v", err)
	}
	d.mount(t)
	d.has(t, "a", "a")

	out := t.TempDir()
	check(t, d.Export(out))
	if got, err := os.ReadFile(filepath.Join(out, "a")); err != nil || string(got) != "a" {
		t.Errorf("exported %q, %v", got, err)
	}
}
