package hid_test

import (
	"os"
	"path/filepath"
	"testing"

	"campusgate/devices/hid"
)

// FuzzKeyboard gives any bytes to a keyboard, as both kinds of events.
func FuzzKeyboard(f *testing.F) {
	for _, p := range []*tape{
		(&tape{}).text(static + "\r"),
		(&tape{}).tap(capsLock).text("ab").alt("65").turn(leftCtrl, 1).tap(27),
		(&tape{}).text("A").add(evSyn, 3, 0).add(evKey, 30, 1).add(evSyn, 0, 0).text("B"),
	} {
		f.Add(p.bytes(true), true)
		f.Add(p.bytes(false), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, wide bool) {
		events := hid.ParseEvents(data, wide)
		var k hid.Keyboard
		for _, e := range events {
			text := k.Take(e)
			if len(text) > 1 && string(text) != "\uFFFD" || len(text) == 1 && text[0] > 0x7F {
				t.Errorf("%+v typed %q", e, text)
			}
			if k.Stale() {
				k.Sync(func(uint16) bool { return false }, false)
			}
		}
		// Whatever came before, the next code after a look at the keys is read.
		k.Take(hid.Event{Type: evSyn, Code: 3})
		k.Take(hid.Event{Type: evSyn})
		k.Sync(func(uint16) bool { return false }, false)
		var got []byte
		for _, e := range (&tape{}).text("X1\r").events {
			got = append(got, k.Take(e)...)
		}
		if string(got) != "X1\r" {
			t.Errorf("then got %q", got)
		}
	})
}

// FuzzReports gives any report to a scanner of any descriptor.
func FuzzReports(f *testing.F) {
	for _, d := range [][]byte{named, unnamed, plain, bare, bootKeyboard} {
		for _, reports := range [][][]byte{access("]Q1", static), microscan(static)} {
			f.Add(d, reports[0])
		}
	}
	f.Fuzz(func(t *testing.T, descriptor, report []byte) {
		r, err := hid.NewReports(descriptor)
		if err != nil {
			return
		}
		for range 2 {
			got := r.Take(report)
			if len(got) > len(report)+len("]Q1\r") {
				t.Errorf("%d bytes of a report of %d", len(got), len(report))
			}
		}
	})
}

func TestTheFuzzCorpusIsThere(t *testing.T) {
	for _, target := range []string{"FuzzKeyboard", "FuzzReports"} {
		files, err := os.ReadDir(filepath.Join("testdata", "fuzz", target))
		if err != nil || len(files) < 4 {
			t.Errorf("%s: %d corpus files, error %v", target, len(files), err)
		}
	}
}
