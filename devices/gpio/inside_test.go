//go:build linux

package gpio

import (
	"bytes"
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestRequest_IsWhatTheKernelsHeaderMakes fills the same request in C, with the
// kernel's own header, and compares every byte. No chip is asked: see README.
func TestRequest_IsWhatTheKernelsHeaderMakes(t *testing.T) {
	program := filepath.Join(t.TempDir(), "request")
	if out, err := exec.Command("gcc", "-o", program, "testdata/request.c").CombinedOutput(); err != nil {
		t.Skipf("want gcc and the kernel's headers: %v %s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(out))
	got := []string{}
	for _, n := range []uint32{unix.GPIO_V2_GET_LINE_IOCTL, unix.GPIO_V2_LINE_GET_VALUES_IOCTL, unix.GPIO_V2_LINE_SET_VALUES_IOCTL} {
		got = append(got, hex.EncodeToString([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}))
	}
	for _, u := range []use{input, low, high} {
		r := request(Pin{Chip: "/dev/gpiochip0", Offset: 17}, u)
		got = append(got, dump(unsafe.Pointer(r), unsafe.Sizeof(*r)))
	}
	v := unix.GPIOV2LineValues{Mask: 1, Bits: bit(true)}
	got = append(got, dump(unsafe.Pointer(&v), unsafe.Sizeof(v)))
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("line %d:\n%s\nwant\n%s", i, got[i], want[i])
		}
	}
}

func dump(at unsafe.Pointer, n uintptr) string {
	return hex.EncodeToString(bytes.Clone(unsafe.Slice((*byte)(at), n)))
}

func TestOpen_WhatIsNoChipIsAnError(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "gpiochip0"), "/dev/null"} {
		if _, err := OpenRelay(Pin{Chip: path}, true); err == nil {
			t.Errorf("%s is a chip", path)
		}
		if err := (Contact{Pin{Chip: path}}).Run(t.Context(), func(bool) { t.Error("a state") }); err == nil {
			t.Errorf("%s has a contact", path)
		}
	}
}

func TestCheck_APinThatCannotBeIsRefused(t *testing.T) {
	for _, p := range []Pin{{}, {Chip: "/dev/gpiochip0", Offset: -1}, {Chip: "/dev/gpiochip0", Offset: MaxOffset + 1}} {
		if p.Check() == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}
