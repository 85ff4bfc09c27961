//go:build linux

package pty_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"campusgate/devices/pty"
	"campusgate/devices/serial"
)

const patience = 20 * time.Second

func cable(t *testing.T) *pty.Cable {
	t.Helper()
	c, err := pty.NewCable(t.TempDir(), "tty")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func send(t *testing.T, w io.Writer, data []byte) {
	t.Helper()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, f *os.File, n int) []byte {
	t.Helper()
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, n)
	if m, err := io.ReadFull(f, got); err != nil {
		t.Fatalf("%d of %d bytes: %v", m, n, err)
	}
	return got
}

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func TestEveryByteGoesThroughBothWaysAsItIs(t *testing.T) {
	c := cable(t)
	host, dev := open(t, c.Host), open(t, c.Device)
	for range 20 {
		for _, way := range [][2]*os.File{{host, dev}, {dev, host}} {
			send(t, way[0], everyByte())
			if got := receive(t, way[1], 256); !bytes.Equal(got, everyByte()) {
				t.Fatalf("%s to %s: % X", way[0].Name(), way[1].Name(), got)
			}
		}
	}
}

func TestBytesWaitForAnEndThatOpensLater(t *testing.T) {
	c := cable(t)
	host := open(t, c.Host)
	send(t, host, []byte("FIRST"))
	dev := open(t, c.Device)
	if got := receive(t, dev, 5); string(got) != "FIRST" {
		t.Errorf("got %q", got)
	}
}

func TestAnEndMayBeClosedAndOpenedAgain(t *testing.T) {
	c := cable(t)
	host := open(t, c.Host)
	for range 5 {
		dev := open(t, c.Device)
		send(t, dev, everyByte())
		if got := receive(t, host, 256); !bytes.Equal(got, everyByte()) {
			t.Fatalf("% X", got)
		}
		send(t, host, everyByte())
		if got := receive(t, dev, 256); !bytes.Equal(got, everyByte()) {
			t.Fatalf("% X", got)
		}
		if err := dev.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRawModeSurvivesTheSerialPortOpeningIt(t *testing.T) {
	c := cable(t)
	dev := open(t, c.Device)
	for range 3 {
		p, err := serial.Open(serial.Config{Path: c.Host})
		if err != nil {
			t.Fatal(err)
		}
		send(t, p, everyByte())
		if got := receive(t, dev, 256); !bytes.Equal(got, everyByte()) {
			t.Fatalf("to the device: % X", got)
		}
		send(t, dev, everyByte())
		var got []byte
		for len(got) < 256 {
			buf := make([]byte, 256)
			n, err := p.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if !bytes.Equal(got, everyByte()) {
			t.Fatalf("to the host: % X", got)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnEndThatNobodyReadsNeverStopsTheOther writes far more than any queue
// holds. Were the oldest bytes not dropped, the writer would wait for ever.
func TestAnEndThatNobodyReadsNeverStopsTheOther(t *testing.T) {
	c := cable(t)
	host := open(t, c.Host)
	if err := host.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	chunk := bytes.Repeat([]byte{'X'}, 1000)
	for range 1000 {
		send(t, host, chunk)
	}
	send(t, host, []byte("\nLAST\n"))
	// The newest bytes are there, behind at most what a queue holds.
	dev := open(t, c.Device)
	if err := dev.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 4096)
	for !bytes.HasSuffix(got, []byte("\nLAST\n")) {
		n, err := dev.Read(buf)
		if err != nil {
			t.Fatalf("after %d bytes: %v", len(got), err)
		}
		got = append(got, buf[:n]...)
	}
	if len(got) > 100_000 {
		t.Errorf("%d of a million bytes were kept", len(got))
	}
	// And the other way works as before.
	send(t, dev, []byte("SCAN"))
	if back := receive(t, host, 4); string(back) != "SCAN" {
		t.Errorf("got %q", back)
	}
}

func TestUnplugTakesThePathAwayAndReplugPutsItBack(t *testing.T) {
	c := cable(t)
	dev := open(t, c.Device)
	for range 3 {
		host := open(t, c.Host)
		for range 2 {
			if err := c.Unplug(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := host.Read(make([]byte, 1)); err == nil {
			t.Error("the open end did not hang up")
		}
		if _, err := os.Lstat(c.Host); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the path is still there: %v", err)
		}
		send(t, dev, []byte("LOST"))
		for range 2 {
			if err := c.Replug(); err != nil {
				t.Fatal(err)
			}
		}
		host = open(t, c.Host)
		send(t, host, []byte("HERE"))
		if got := receive(t, dev, 4); string(got) != "HERE" {
			t.Errorf("got %q", got)
		}
	}
}

func TestCloseTakesBothEndsAway(t *testing.T) {
	c := cable(t)
	dev := open(t, c.Device)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dev.Read(make([]byte, 1)); err == nil {
		t.Error("the device's end did not hang up")
	}
	if err := c.Replug(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Replug after Close: %v", err)
	}
}

func TestALinkLeftBehindIsReplacedButNothingElseIs(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/pts/no-such", filepath.Join(dir, "stale")); err != nil {
		t.Fatal(err)
	}
	c, err := pty.NewCable(dir, "stale")
	if err != nil {
		t.Fatal(err)
	}
	open(t, c.Host)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pty.NewCable(dir, "file"); !errors.Is(err, os.ErrExist) {
		t.Errorf("in place of a file: %v", err)
	}
	if _, err := pty.NewCable(filepath.Join(dir, "none"), "tty"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
}
