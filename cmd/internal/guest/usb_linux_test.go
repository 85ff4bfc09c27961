package guest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"campusgate/cmd/internal/guest"
	"campusgate/devices"
	"campusgate/devices/drivers"
)

// patience is far above anything that is waited for; it only ends a broken test.
const patience = 30 * time.Second

// ask has something done outside the machine.
func ask(t *testing.T, l *guest.Line, order string) {
	t.Helper()
	if err := l.Ask(order); err != nil {
		t.Fatal(err)
	}
}

// byID keeps a link to the USB serial adapter that is there, as udev does, under
// a name that stays while the number of the device may change.
func byID(t *testing.T) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "usb-scanner")
	ctx, stopped := t.Context(), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			there, _ := filepath.Glob("/dev/ttyUSB*")
			now, _ := os.Readlink(link)
			switch {
			case len(there) == 0 && now != "":
				_ = os.Remove(link)
			case len(there) > 0 && now != there[0]:
				_ = os.Symlink(there[0], link+".new")
				_ = os.Rename(link+".new", link)
			}
		}
	}()
	t.Cleanup(func() { <-stopped })
	return link
}

// usb is a scanner that is pulled out and put back.
type usb struct {
	device  string // what to plug
	files   string // what its file is called
	verb    string // how to make it read codes
	burst   int    // how many at once
	code    string // the text of one, with its number and that of the cycle
	scanner devices.Scanner
}

// TestAUSBSerialScannerIsPulledOutAndPutBack has a scanner behind an FTDI adapter.
func TestAUSBSerialScannerIsPulledOutAndPutBack(t *testing.T) {
	s, err := drivers.NewScanner("serial", drivers.ScannerConfig{Path: byID(t), Baud: 115200, Debounce: -1})
	if err != nil {
		t.Fatal(err)
	}
	usb{"adapter", "/dev/ttyUSB*", "send", 20, "CODE %d OF %d", s}.flap(t, *flaps)
}

// TestAUSBKeyboardIsPulledOutAndPutBack has a scanner that types. An emulated
// machine may have to wait, and so its pauses mean nothing.
func TestAUSBKeyboardIsPulledOutAndPutBack(t *testing.T) {
	s, err := drivers.NewScanner("evdev", drivers.ScannerConfig{Path: "0627:0001", IdleGap: time.Minute, Debounce: -1})
	if err != nil {
		t.Fatal(err)
	}
	usb{"keyboard", "/dev/input/event*", "type", 1, "%d%03d", s}.flap(t, (*flaps+3)/4)
}

// flap pulls the scanner out and puts it back. Every code that is sent while it is
// open arrives, once and in its order; what is sent as it goes arrives whole or
// not at all.
func (u usb) flap(t *testing.T, cycles int) {
	if !inside() {
		t.Skip("not inside a guest machine; make test-devices starts one")
	}
	line, err := guest.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = line.Close() }() // the next one opens it again
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	scans, states, done := make(chan string, 1000), make(chan devices.Health, 1000), make(chan error, 1)
	go func() {
		done <- devices.Supervise(ctx, u.scanner, func(s devices.Scan) { scans <- s.Text }, func(h devices.Health) { states <- h })
	}()
	await := func(state string) {
		t.Helper()
		timeout := time.After(patience)
		for {
			select {
			case h := <-states:
				if h.State == state {
					return
				}
			case <-timeout:
				t.Fatalf("never %s", state)
			}
		}
	}
	var back, noticed time.Duration
	var first, end use
	var late int
	for i := range cycles {
		ask(t, line, "plug "+u.device)
		appears(t, u.files)
		start := time.Now()
		await(devices.OK)
		back = max(back, time.Since(start))
		var burst strings.Builder
		for j := range u.burst {
			fmt.Fprintf(&burst, u.code+"\r", j, i)
		}
		ask(t, line, u.verb+" "+strconv.Quote(burst.String()))
		for j := range u.burst {
			select {
			case got := <-scans:
				if got != fmt.Sprintf(u.code, j, i) {
					t.Fatalf("cycle %d: scan %q instead of the %dth", i, got, j)
				}
			case <-time.After(patience):
				t.Fatalf("cycle %d: the %dth code did not arrive", i, j)
			}
		}
		switch i {
		case 0:
			first = used(t)
		case cycles - 1:
			end = first.again(t)
		}
		last := fmt.Sprintf(u.code, u.burst, i)
		if i%2 == 0 { // a quiet device has to be noticed too
			ask(t, line, u.verb+" "+strconv.Quote(last+"\r"))
		}
		start = time.Now()
		ask(t, line, "unplug "+u.device)
		await(devices.Lost)
		noticed = max(noticed, time.Since(start))
		select {
		case got := <-scans:
			if late++; got != last {
				t.Errorf("cycle %d: as it went it gave %q", i, got)
			}
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Supervise: %v", err)
	}
	t.Logf("%d cycles: %d codes, each once and in its order; noticed within %v, open within %v of having a file; "+
		"%d of %d codes sent at the last moment arrived; %v, at the start %v",
		cycles, cycles*u.burst, noticed, back, late, (cycles+1)/2, end, first)
	if noticed > 2*time.Second+waits {
		t.Errorf("noticed after %v", noticed)
	}
	if back > 2*time.Second+waits {
		t.Errorf("open after %v", back)
	}
}

// waits is how long an emulated machine may have to wait for the real one.
const waits = 2 * time.Second

// appears returns when the kernel has made the file of a device.
func appears(t *testing.T, files string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if found, _ := filepath.Glob(files); len(found) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s", files)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// use is what a process has taken and not given back.
type use struct{ goroutines, files int }

func (u use) String() string { return fmt.Sprintf("%d goroutines and %d files", u.goroutines, u.files) }

func used(t *testing.T) use {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return use{runtime.NumGoroutine(), len(list)}
}

// again waits until no more is in use than there was: a closed port is given back
// in the background, and looking for devices opens folders.
func (u use) again(t *testing.T) use {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		now := used(t)
		if now.goroutines <= u.goroutines && now.files <= u.files {
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, at the start %v", now, u)
		}
		<-time.After(5 * time.Millisecond)
	}
}
