//go:build linux

package serial_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/pty"
	"campusgate/devices/serial"
)

// udev plays /dev/serial/by-id: names that stay with a device, whatever tty it
// has.
type udev struct {
	t   *testing.T
	dir string
}

func (u *udev) path(name string) string { return filepath.Join(u.dir, name) }

// point lets a name lead to a tty, as udev does: by renaming a new link over it.
func (u *udev) point(name string, tty *pty.Terminal) {
	u.t.Helper()
	fresh := u.path(name) + ".new"
	if err := os.Symlink(tty.Path, fresh); err != nil {
		u.t.Fatal(err)
	}
	if err := os.Rename(fresh, u.path(name)); err != nil {
		u.t.Fatal(err)
	}
}

// TestAScannerFollowsItsStableName swaps the ttys of two scanners under their
// names, and moves one to a tty that was never there. The names are all that the
// configuration knows.
func TestAScannerFollowsItsStableName(t *testing.T) { bothPorts(t, aScannerFollowsItsStableName) }

func aScannerFollowsItsStableName(t *testing.T, on func(string) serial.ScannerConfig) {
	t.Parallel() // with the other opener only: it is all waiting
	u := &udev{t, t.TempDir()}
	names := []string{"usb-Grow_GM65-if00", "usb-Newland_FM430-if00"}
	ttys := []*pty.Terminal{terminal(t), terminal(t)}
	type opened struct {
		scans  chan string
		states chan devices.Health
	}
	var scanners []opened
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i, name := range names {
		u.point(name, ttys[i])
		s, err := serial.NewScanner(on(u.path(name)))
		if err != nil {
			t.Fatal(err)
		}
		o := opened{make(chan string, 100), make(chan devices.Health, 1000)}
		scanners = append(scanners, o)
		running.Go(func() {
			_ = devices.Supervise(ctx, s, func(s devices.Scan) { o.scans <- s.Text }, func(h devices.Health) { o.states <- h })
		})
	}
	defer running.Wait()
	defer cancel()
	await := func(i int, state string) {
		t.Helper()
		timeout := time.After(patience)
		for {
			select {
			case h := <-scanners[i].states:
				if h.State == state {
					return
				}
			case <-timeout:
				t.Fatalf("%s was never %s", names[i], state)
			}
		}
	}
	scan := func(what string) {
		t.Helper()
		for i := range names {
			text := fmt.Sprintf("%s: CODE OF %d", what, i)
			send(t, ttys[i], text+"\r")
			select {
			case got := <-scanners[i].scans:
				if got != text {
					t.Fatalf("%s read %q, want %q", names[i], got, text)
				}
			case <-time.After(patience):
				t.Fatalf("%s: %s read nothing", what, names[i])
			}
		}
	}
	await(0, devices.OK)
	await(1, devices.OK)
	scan("first")
	var slowest time.Duration
	for i := range 2 {
		var moved []int
		if i%2 == 0 { // the two change places on the hub
			ttys[0], ttys[1] = ttys[1], ttys[0]
			moved = []int{0, 1}
		} else { // one comes back under a number that nobody had
			ttys[0] = terminal(t)
			moved = []int{0}
		}
		for _, n := range moved {
			u.point(names[n], ttys[n])
		}
		start := time.Now()
		for _, n := range moved {
			await(n, devices.Lost)
			await(n, devices.OK)
		}
		slowest = max(slowest, time.Since(start))
		scan(fmt.Sprint("move ", i))
	}
	t.Logf("slowest recovery %v", slowest)
	if slowest > 2*time.Second {
		t.Errorf("slowest recovery %v", slowest)
	}
}
