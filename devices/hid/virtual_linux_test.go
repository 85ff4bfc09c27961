package hid_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"campusgate/devices/hid"
)

// Devices of the kernel's own that programs make: uinput is a keyboard, uhid any
// HID device. Both go through the same drivers as real ones.

const (
	uinputSetType = 0x40045564 // UI_SET_EVBIT
	uinputSetKey  = 0x40045565
	uinputSetMsc  = 0x40045568
	uinputSetLED  = 0x40045569
	uinputSetup   = 0x405c5503
	uinputCreate  = 0x5501
	uinputSysname = 0x8040552c // UI_GET_SYSNAME(64)
	uhidCreate2   = 11
	uhidInput2    = 12
	uhidDestroy   = 1
)

// need skips a test on a machine without the file.
func need(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s here; make test-devices runs this on a machine that has it", path)
	}
}

// virtualKeyboard is a keyboard that types what a test wants.
type virtualKeyboard struct {
	t       testing.TB
	file    *os.File
	numbers string // VID:PID
	path    string // of its event device
}

func call(t testing.TB, f *os.File, request uint, argument int) {
	t.Helper()
	if err := unix.IoctlSetInt(int(f.Fd()), request, argument); err != nil {
		t.Fatalf("request %x: %v", request, err)
	}
}

// plugKeyboard makes a keyboard of that name, with every key of a keyboard.
func plugKeyboard(t testing.TB, name string, product uint16) *virtualKeyboard {
	t.Helper()
	return plugKeys(t, name, product, 1, 127)
}

// plugKeys makes an input device with the keys from first to last.
func plugKeys(t testing.TB, name string, product uint16, first, last int) *virtualKeyboard {
	t.Helper()
	f, err := os.OpenFile("/dev/uinput", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []int{evSyn, evKey, evMsc, evLED} {
		call(t, f, uinputSetType, kind)
	}
	for key := first; key <= last; key++ {
		call(t, f, uinputSetKey, key)
	}
	call(t, f, uinputSetMsc, 4)
	call(t, f, uinputSetLED, 1)
	setup := make([]byte, 92) // struct uinput_setup: bus, vendor, product, version, name
	binary.NativeEndian.PutUint16(setup, 3)
	binary.NativeEndian.PutUint16(setup[2:], 0x1D50)
	binary.NativeEndian.PutUint16(setup[4:], product)
	copy(setup[8:], name)
	request(t, f, uinputSetup, setup)
	call(t, f, uinputCreate, 0)
	sysname := make([]byte, 64)
	request(t, f, uinputSysname, sysname)
	k := &virtualKeyboard{t: t, file: f, numbers: fmt.Sprintf("1d50:%04x", product)}
	found, err := filepath.Glob(filepath.Join("/sys/devices/virtual/input", string(bytes.TrimRight(sysname, "\x00")), "event*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("event devices %v, %v", found, err)
	}
	k.path = "/dev/input/" + filepath.Base(found[0])
	t.Cleanup(func() { _ = f.Close() })
	return k
}

// play types a tape as fast as a device at full speed can, a report a millisecond.
// The kernel sets the times.
func (k *virtualKeyboard) play(p *tape) {
	k.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for rest := p.events; len(rest) > 0; {
		end := slices.IndexFunc(rest, func(e hid.Event) bool { return e.Type == evSyn }) + 1
		<-tick.C
		k.flood(&tape{events: rest[:end]})
		rest = rest[end:]
	}
}

// flood types a tape all at once.
func (k *virtualKeyboard) flood(p *tape) {
	k.t.Helper()
	if _, err := k.file.Write(p.bytes(true)); err != nil {
		k.t.Fatal(err)
	}
}

func (k *virtualKeyboard) text(s string) { k.t.Helper(); k.play((&tape{}).text(s)) }

func (k *virtualKeyboard) unplug() {
	k.t.Helper()
	if err := k.file.Close(); err != nil {
		k.t.Fatal(err)
	}
}

// virtualPOS is a HID POS scanner.
type virtualPOS struct {
	t       testing.TB
	file    *os.File
	numbers string // VID:PID:SERIAL
}

// plugHID makes a HID device with a report descriptor.
func plugHID(t testing.TB, name, serial string, descriptor []byte) *virtualPOS {
	t.Helper()
	f, err := os.OpenFile("/dev/uhid", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	// struct uhid_event: type, name, phys, uniq, size, bus, vendor, product, version, country, descriptor.
	e := make([]byte, 4+128+64+64+2+2+4*4, 4400)
	binary.NativeEndian.PutUint32(e, uhidCreate2)
	copy(e[4:], name)
	copy(e[4+128:], "virtual-"+serial+"/input0")
	copy(e[4+128+64:], serial)
	rest := e[4+128+64+64:]
	binary.NativeEndian.PutUint16(rest, uint16(len(descriptor)))
	binary.NativeEndian.PutUint16(rest[2:], 3)
	binary.NativeEndian.PutUint32(rest[4:], 0x1D50)
	binary.NativeEndian.PutUint32(rest[8:], 0x6001)
	if _, err := f.Write(append(e, descriptor...)); err != nil {
		t.Fatal(err)
	}
	return &virtualPOS{t: t, file: f, numbers: "1d50:6001:" + serial}
}

// send gives reports to whoever reads the device.
func (p *virtualPOS) send(reports ...[]byte) {
	p.t.Helper()
	for _, r := range reports {
		e := binary.NativeEndian.AppendUint32(nil, uhidInput2)
		e = binary.NativeEndian.AppendUint16(e, uint16(len(r)))
		if _, err := p.file.Write(append(e, r...)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *virtualPOS) unplug() {
	p.t.Helper()
	_, err := p.file.Write(binary.NativeEndian.AppendUint32(nil, uhidDestroy))
	if err := errors.Join(err, p.file.Close()); err != nil {
		p.t.Fatal(err)
	}
}

// found waits until a device can be opened: the kernel makes it in its own time.
func found(t testing.TB, s *hid.Scanner) string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		name, err := s.Probe(t.Context())
		if err == nil {
			return name
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(5 * time.Millisecond)
	}
}
