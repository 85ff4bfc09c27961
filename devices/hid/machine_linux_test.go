package hid_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"campusgate/devices"
	"campusgate/devices/hid"
)

// patience is far above anything that is waited for; it only ends a broken test.
const patience = 20 * time.Second

var flaps = flag.Int("flaps", 20, "how often a device is pulled out and put back")

func request(t testing.TB, f *os.File, number uint, buf []byte) {
	t.Helper()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(number), uintptr(unsafe.Pointer(&buf[0]))); errno != 0 {
		t.Fatalf("request %x: %v", number, errno)
	}
}

// rig is a running scanner.
type rig struct {
	t      testing.TB
	scans  chan devices.Scan
	done   chan error
	cancel context.CancelFunc
}

func run(t testing.TB, s *hid.Scanner) *rig {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &rig{t: t, scans: make(chan devices.Scan, 1000), done: make(chan error, 1), cancel: cancel}
	opened := make(chan struct{})
	go func() {
		r.done <- s.RunNotify(ctx, func(s devices.Scan) { r.scans <- s }, func() { close(opened) })
	}()
	select {
	case <-opened:
	case err := <-r.done:
		t.Fatalf("the device did not open: %v", err)
	}
	return r
}

func (r *rig) next() string {
	r.t.Helper()
	select {
	case s := <-r.scans:
		return s.Text
	case err := <-r.done:
		r.t.Fatalf("the scanner stopped: %v", err)
	case <-time.After(patience):
		r.t.Fatal("no scan")
	}
	return ""
}

func (r *rig) end() error {
	r.cancel()
	return <-r.done
}

// keyboardOn waits long for the next key: an emulated machine may have to wait
// itself, and a keyboard in it with it.
func keyboardOn(t testing.TB, path string) *hid.Scanner {
	t.Helper()
	return keyboard(t, hid.Config{Path: path, IdleGap: 5 * time.Second})
}

func keyboard(t testing.TB, c hid.Config) *hid.Scanner {
	t.Helper()
	c.Debounce, c.Prefixes = -1, []string{"HTTPS://", "CP1:"}
	s, err := hid.NewKeyboard(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func posOn(t testing.TB, path string) *hid.Scanner {
	t.Helper()
	s, err := hid.NewPOS(hid.Config{Path: path, Debounce: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onlooker reads an event device beside the scanner, as a desktop does.
func onlooker(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// seen is how many events an onlooker gets within the time.
func seen(t *testing.T, f *os.File, wait time.Duration) int {
	t.Helper()
	buf := make([]byte, 4096)
	if err := f.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	n, err := f.Read(buf)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return len(hid.ParseEvents(buf[:n], true))
}

func TestAKeyboardTypesForTheScannerAlone(t *testing.T) {
	need(t, "/dev/uinput")
	k := plugKeyboard(t, "Virtual scanner", 0x6011)
	other := onlooker(t, k.path)
	s := keyboardOn(t, k.numbers)
	if name := found(t, s); name != "Virtual scanner ("+k.path+")" {
		t.Errorf("Probe: %s", name)
	}
	k.text("x")
	if seen(t, other, patience) == 0 {
		t.Fatal("the onlooker sees nothing even before")
	}
	r := run(t, s)
	for seen(t, other, 10*time.Millisecond) > 0 { // what was typed before, and the light
	}
	for range 5 {
		k.text("]Q1" + static + "\r")
		if got := r.next(); got != static {
			t.Fatalf("scan %q", got)
		}
	}
	if n := seen(t, other, 50*time.Millisecond); n != 0 {
		t.Errorf("the onlooker got %d events", n)
	}
	if name, err := s.Probe(t.Context()); err != nil || !strings.HasPrefix(name, "Virtual scanner") {
		t.Errorf("Probe beside Run: %s, %v", name, err)
	}
	if err := keyboardOn(t, k.path).Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a second one: %v", err)
	}
	if err := r.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	k.text("x")
	if seen(t, other, patience) == 0 {
		t.Error("the keyboard was not given back")
	}
	// What was typed while nobody read is gone.
	r = run(t, s)
	k.text(static + "\r")
	if got := r.next(); got != static {
		t.Errorf("scan %q", got)
	}
	k.unplug()
	if err := <-r.done; !errors.Is(err, hid.ErrUnplugged) || !errors.Is(err, unix.ENODEV) {
		t.Errorf("after the unplug: %v", err)
	}
	if err := s.Run(t.Context(), nil); !errors.Is(err, hid.ErrNotFound) {
		t.Errorf("without the device: %v", err)
	}
}

func TestEveryCharacterComesThroughTheKernel(t *testing.T) {
	need(t, "/dev/uinput")
	k := plugKeyboard(t, "Virtual scanner", 0x6012)
	r := run(t, keyboardOn(t, k.path))
	var all strings.Builder
	for c := byte(' '); c < 0x7F; c++ {
		all.WriteByte(c)
	}
	k.text(all.String() + "\r")
	if got := r.next(); got != all.String() {
		t.Errorf("got %q", got)
	}
	k.play((&tape{}).tap(capsLock).text("https").tap(capsLock).alt("58").alt("0047").alt("47").text("A\t"))
	if got := r.next(); got != "HTTPS://A" {
		t.Errorf("got %q", got)
	}
	if err := r.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	r = run(t, keyboard(t, hid.Config{Path: k.path})) // with its usual pause
	start := time.Now()
	k.flood((&tape{}).text("1234"))
	if got := r.next(); got != "1234" || time.Since(start) < hid.TypingGap {
		t.Errorf("without Enter: %q after %v", got, time.Since(start))
	}
}

// TestAFloodOfKeysDamagesButNeverInvents writes more at once than the kernel's
// queue holds.
func TestAFloodOfKeysDamagesButNeverInvents(t *testing.T) {
	need(t, "/dev/uinput")
	k := plugKeyboard(t, "Virtual scanner", 0x6013)
	r := run(t, keyboardOn(t, k.path))
	flood := &tape{}
	for i := range 200 {
		flood.text(fmt.Sprintf("CODE %03d\r", i))
	}
	k.flood(flood)
	k.text("\rSENTINEL\r") // the last code may have lost its Enter
	whole, broken := map[string]bool{}, 0
	for {
		got := r.next()
		if got == "SENTINEL" {
			break
		}
		var i int
		if n, err := fmt.Sscanf(got, "CODE %03d", &i); err == nil && n == 1 && got == fmt.Sprintf("CODE %03d", i) {
			if whole[got] {
				t.Errorf("%s twice", got)
			}
			whole[got] = true
		} else if strings.ContainsRune(got, '\uFFFD') {
			broken++
		} else {
			t.Errorf("invented %q", got)
		}
	}
	t.Logf("%d codes whole, %d texts marked as damaged", len(whole), broken)
	if broken == 0 && len(whole) != 200 {
		t.Errorf("%d codes lost without a mark", 200-len(whole))
	}
}

func TestOnlyAKeyboardIsTaken(t *testing.T) {
	need(t, "/dev/uinput")
	button := plugKeys(t, "Virtual power button", 0x6014, 116, 116)
	for _, path := range []string{button.path, button.numbers} {
		if err := keyboardOn(t, path).Run(t.Context(), nil); !errors.Is(err, hid.ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := keyboardOn(t, "/dev/null").Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "no event device") {
		t.Errorf("/dev/null: %v", err)
	}
}

func TestReportsOfAHIDPOSScannerAreScans(t *testing.T) {
	need(t, "/dev/uhid")
	hundred := strings.Repeat("0123456789", 10)
	for i, c := range []struct {
		descriptor []byte
		reports    [][]byte
		want       []string
	}{
		{named, slices.Concat(access("]Q1", static), access("]Q1", hundred), access("]Q2", `\000026A\\B`)), []string{static, hundred, `A\B`}},
		{plain, slices.Concat(microscan(static), microscan(hundred)), []string{static, hundred}},
	} {
		p := plugHID(t, "Virtual POS", fmt.Sprintf("S%d", i), c.descriptor)
		s := posOn(t, p.numbers)
		if name := found(t, s); !strings.HasPrefix(name, "Virtual POS (/dev/hidraw") {
			t.Errorf("Probe: %s", name)
		}
		r := run(t, s)
		p.send(c.reports...)
		for _, want := range c.want {
			if got := r.next(); got != want {
				t.Errorf("scan %q, want %q", got, want)
			}
		}
		full := access("]Q1", strings.Repeat("A", 56))[0]
		full[63] = 1 // and nothing follows
		if i == 0 {
			p.send(full)
			if got := r.next(); got != strings.Repeat("A", 56) {
				t.Errorf("scan %q", got)
			}
		}
		p.unplug()
		if err := <-r.done; !errors.Is(err, hid.ErrUnplugged) || !errors.Is(err, unix.EIO) {
			t.Errorf("after the unplug: %v", err)
		}
		if err := s.Run(t.Context(), nil); !errors.Is(err, hid.ErrNotFound) {
			t.Errorf("without the device: %v", err)
		}
	}
	// A keyboard has a hidraw device too.
	plugHID(t, "Virtual keyboard", "K", bootKeyboard)
	deadline := time.Now().Add(patience)
	for {
		err := posOn(t, "/dev/hidraw0").Run(t.Context(), nil)
		if errors.Is(err, hid.ErrNoScanner) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// device is one that can be pulled out.
type device struct {
	send   func(text string)
	unplug func()
}

// TestAFlappingDeviceIsReadAgainEachTime pulls a device out in the middle of
// scans and puts it back, again and again.
func TestAFlappingDeviceIsReadAgainEachTime(t *testing.T) {
	need(t, "/dev/uinput")
	need(t, "/dev/uhid")
	for name, c := range map[string]struct {
		scanner *hid.Scanner
		plug    func() device
	}{
		"keyboard": {keyboardOn(t, "1d50:6020"), func() device {
			k := plugKeyboard(t, "Virtual scanner", 0x6020)
			return device{func(s string) { k.text(s + "\r") }, k.unplug}
		}},
		"HID POS": {posOn(t, "1d50:6001:FLAP"), func() device {
			p := plugHID(t, "Virtual POS", "FLAP", named)
			return device{func(s string) { p.send(access("]Q1", s)...) }, p.unplug}
		}},
	} {
		t.Run(name, func(t *testing.T) { flap(t, c.scanner, c.plug) })
	}
}

func flap(t *testing.T, s *hid.Scanner, plug func() device) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	scans, states, done := make(chan devices.Scan, 100), make(chan devices.Health, 100), make(chan error, 1)
	go func() {
		done <- devices.Supervise(ctx, s, func(s devices.Scan) { scans <- s }, func(h devices.Health) { states <- h })
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
	var slowest, noticed time.Duration
	var goroutines, files, stray int
	for i := range *flaps {
		d := plug()
		start := time.Now()
		await(devices.OK)
		slowest = max(slowest, time.Since(start))
		for j := range 3 {
			want := fmt.Sprintf("C%d OF %d", j, i)
			d.send(want)
			for {
				s := <-scans
				if s.Text == want {
					break
				}
				if s.Text != fmt.Sprintf("L%d", i-1) { // sent as the device went
					t.Fatalf("cycle %d: scan %q", i, s.Text)
				}
				stray++
			}
		}
		if i == 0 {
			goroutines, files = runtime.NumGoroutine(), open(t)
		}
		if i == *flaps-1 {
			if g, f := runtime.NumGoroutine(), open(t); g > goroutines || f > files {
				t.Errorf("%d goroutines and %d files, at the start %d and %d", g, f, goroutines, files)
			}
		}
		d.send(fmt.Sprintf("L%d", i))
		d.unplug()
		start = time.Now()
		await(devices.Lost)
		noticed = max(noticed, time.Since(start))
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Supervise: %v", err)
	}
	t.Logf("%d cycles: noticed within %v, back within %v; %d of the codes sent at the last moment arrived", *flaps, noticed, slowest, stray)
	if slowest > 2*time.Second {
		t.Errorf("back after %v", slowest)
	}
}

// open is how many descriptors this process has.
func open(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
