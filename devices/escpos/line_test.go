//go:build linux

package escpos_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/escpos"
	"campusgate/devices/escpos/paper"
	"campusgate/devices/pty"
	"campusgate/devices/serial"
)

// wired is a printer at a serial cable.
func wired(t *testing.T) (*pty.Cable, *paper.Device, *escpos.Printer) {
	t.Helper()
	c, err := pty.NewCable(t.TempDir(), "printer")
	if err != nil {
		t.Fatal(err)
	}
	far, err := os.OpenFile(c.Device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var d paper.Device
	var serving sync.WaitGroup
	serving.Go(func() { _ = d.Serve(far) })
	t.Cleanup(func() {
		_ = errors.Join(far.Close(), c.Close())
		serving.Wait()
	})
	p, err := escpos.New(escpos.Config{Name: c.Host, Dial: escpos.Serial(serial.Config{Path: c.Host, Baud: 19200})})
	if err != nil {
		t.Fatal(err)
	}
	return c, &d, p
}

func TestSerial_PrintsAndIsAsked(t *testing.T) {
	c, d, p := wired(t)
	if found, err := p.Probe(t.Context()); err != nil || found != c.Host {
		t.Fatalf("%q, %v", found, err)
	}
	if err := p.Print(t.Context(), ticket); err != nil {
		t.Fatal(err)
	}
	slips, err := d.Slips(t.Context(), 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := slips[0].Code(); err != nil || code != ticket[1].QR || slips[0].Text() != "一食堂\n" {
		t.Errorf("%q %q, %v", slips[0].Text(), code, err)
	}
	d.Set(paper.State{PaperOut: true})
	if err := p.Print(t.Context(), ticket); !errors.Is(err, devices.ErrPaperOut) || errors.Is(err, devices.ErrMaybePrinted) {
		t.Errorf("without paper: %v", err)
	}
	d.Set(paper.State{})
	if err := c.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := p.Print(t.Context(), ticket); err == nil || errors.Is(err, devices.ErrMaybePrinted) {
		t.Errorf("unplugged: %v", err)
	}
	if err := c.Replug(); err != nil {
		t.Fatal(err)
	}
	if err := p.Print(t.Context(), ticket); err != nil {
		t.Errorf("back again: %v", err)
	}
	if slips, err := d.Slips(t.Context(), 2, 32); err != nil || len(slips) != 2 {
		t.Errorf("%d slips, %v", len(slips), err)
	}
}

// A device that takes nothing is given up in time, and the next one is served.
func TestFile_ADeviceThatTakesNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lp0")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	far, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	if err := far.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for n, err := 1, error(nil); n > 0 && err == nil; {
		n, err = far.Write(make([]byte, 4096)) // until the queue is full
	}
	p, err := escpos.New(escpos.Config{Name: path, Dial: escpos.File(path)})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = p.Print(t.Context(), ticket)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("given up after %v", took)
	}
}
