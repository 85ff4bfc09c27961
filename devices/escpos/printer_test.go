package escpos_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
	"campusgate/devices/escpos"
	"campusgate/devices/escpos/paper"
)

var ticket = devices.Slip{{Text: "一食堂", Align: devices.Center}, {QR: "HTTPS://GATE.EXAMPLE.EDU/V/ABC"}, {Cut: true}}

// wire is a port to a Device, with faults.
type wire struct {
	d      *paper.Device
	failAt int           // bytes of all writes after which a write fails; 0 = never
	err    error         // with which
	closes error         // of Close
	hold   chan struct{} // a write waits for it; nil = none does
	took   int
	back   chan byte
}

func (w *wire) Write(b []byte) (int, error) {
	if w.hold != nil {
		<-w.hold
	}
	if w.failAt > 0 && w.took+len(b) >= w.failAt {
		n := w.failAt - w.took - 1
		_ = w.d.Serve(&half{b[:n], w.back})
		return n, w.err
	}
	w.took += len(b)
	_ = w.d.Serve(&half{b, w.back})
	return len(b), nil
}

// half is what a device reads, and where its answers go.
type half struct {
	in   []byte
	back chan byte
}

func (h *half) Read(b []byte) (int, error) {
	if len(h.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, h.in)
	h.in = h.in[n:]
	return n, nil
}

func (h *half) Write(b []byte) (int, error) {
	for _, c := range b {
		h.back <- c
	}
	return len(b), nil
}

func (w *wire) Receive(b []byte, wait time.Duration) (int, error) {
	select {
	case b[0] = <-w.back:
		return 1, nil
	case <-time.After(wait):
		return 0, nil
	}
}

func (w *wire) Close() error { return w.closes }

func printer(t *testing.T, w *wire) *escpos.Printer {
	t.Helper()
	w.back = make(chan byte, 64)
	p, err := escpos.New(escpos.Config{Name: "P", Dial: func(context.Context) (escpos.Port, error) { return w, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPrint_APrinterThatCannotPrintIsSentNothing(t *testing.T) {
	for _, c := range []struct {
		state paper.State
		want  error
	}{
		{paper.State{PaperOut: true}, devices.ErrPaperOut},
		{paper.State{CoverOpen: true}, devices.ErrCoverOpen},
		{paper.State{Faulty: true}, devices.ErrOffline},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{d: &paper.Device{}}
			w.d.Set(c.state)
			p := printer(t, w)
			err := p.Print(t.Context(), ticket)
			if !errors.Is(err, c.want) || errors.Is(err, devices.ErrMaybePrinted) {
				t.Errorf("%+v: %v", c.state, err)
			}
			if slips, err := paper.Read(w.d.Bytes(), 32); err != nil || len(slips) != 0 {
				t.Errorf("%+v: %d slips, %v", c.state, len(slips), err)
			}
			if _, err := p.Probe(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("%+v: probe says %v", c.state, err)
			}
		})
	}
}

func TestPrint_PrintersThatAnswerLittleOrNothingPrint(t *testing.T) {
	for _, s := range []paper.State{{}, {Mute: true}, {Curt: true}} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{d: &paper.Device{}}
			w.d.Set(s)
			p := printer(t, w)
			for i, most := range []time.Duration{9 * time.Second, time.Second} { // the second time it is known
				began := time.Now()
				if err := p.Print(t.Context(), ticket); err != nil {
					t.Fatalf("%+v: %v", s, err)
				}
				if took := time.Since(began); took > most {
					t.Errorf("%+v: %v", s, took)
				}
				if slips, err := w.d.Slips(t.Context(), i+1, 32); err != nil || len(slips) != i+1 {
					t.Errorf("%+v: %d slips, %v", s, len(slips), err)
				}
			}
			found, err := p.Probe(t.Context())
			if err != nil || strings.Contains(found, "does not answer") != s.Mute {
				t.Errorf("%+v: %q, %v", s, found, err)
			}
		})
	}
}

func TestPrint_PaperThatRunsOutInTheMidstIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{d: &paper.Device{}}
		w.d.Set(paper.State{EmptyAfter: 60})
		err := printer(t, w).Print(t.Context(), ticket)
		if !errors.Is(err, devices.ErrMaybePrinted) || !errors.Is(err, devices.ErrPaperOut) {
			t.Errorf("%v", err)
		}
	})
}

// Whether something may be on the paper is said for a fault at every byte.
func TestPrint_AFaultSaysWhetherSomethingMayHaveBeenPrinted(t *testing.T) {
	data, err := escpos.Render(ticket, 32)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken pipe")
	for at := 1; at < len(data)+9; at++ {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{d: &paper.Device{}, failAt: at, err: broken}
			err := printer(t, w).Print(t.Context(), ticket)
			if !errors.Is(err, broken) {
				t.Fatalf("at %d: %v", at, err)
			}
			if maybe := at > 7; errors.Is(err, devices.ErrMaybePrinted) != maybe { // six bytes ask for the status
				t.Errorf("at %d: %v", at, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // one that timed out may arrive later
		w := &wire{d: &paper.Device{}, failAt: 7, err: os.ErrDeadlineExceeded}
		if err := printer(t, w).Print(t.Context(), ticket); !errors.Is(err, devices.ErrMaybePrinted) {
			t.Error(err)
		}
		w = &wire{d: &paper.Device{}, closes: broken}
		if err := printer(t, w).Print(t.Context(), ticket); !errors.Is(err, devices.ErrMaybePrinted) {
			t.Error(err)
		}
		if _, err := printer(t, w).Probe(t.Context()); errors.Is(err, devices.ErrMaybePrinted) {
			t.Error(err)
		}
	})
}

func TestPrint_OneAtATimeAndNothingAfterItWasGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{d: &paper.Device{}, hold: make(chan struct{})}
		p := printer(t, w)
		var first, second sync.WaitGroup
		first.Go(func() {
			if err := p.Print(t.Context(), ticket); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		second.Go(func() {
			err := p.Print(ctx, ticket)
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, devices.ErrMaybePrinted) {
				t.Error(err)
			}
		})
		second.Wait()
		close(w.hold)
		first.Wait()
		if slips, err := w.d.Slips(t.Context(), 1, 32); err != nil || len(slips) != 1 {
			t.Errorf("%d slips, %v", len(slips), err)
		}
	})
}

func TestNew_RefusesPaperOfNoWidth(t *testing.T) {
	for _, n := range []int{-1, 1, 31, 49, 1 << 30} {
		if p, err := escpos.New(escpos.Config{Columns: n}); err == nil || p != nil {
			t.Errorf("%d columns: %v", n, err)
		}
	}
}

func TestTCP_PrintsAndSaysWhenNobodyIsThere(t *testing.T) {
	var d paper.Device
	address, stop, err := d.Listen()
	if err != nil {
		t.Fatal(err)
	}
	p, err := escpos.New(escpos.Config{Name: address, Dial: escpos.TCP(address), Columns: 48})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := p.Print(t.Context(), ticket); err != nil {
			t.Fatal(err)
		}
	}
	slips, err := d.Slips(t.Context(), 20, 48)
	if err != nil || len(slips) != 20 {
		t.Fatalf("%d slips, %v", len(slips), err)
	}
	for _, s := range slips {
		if code, err := s.Code(); err != nil || code != ticket[1].QR {
			t.Fatalf("%q, %v", code, err)
		}
	}
	stop()
	if err := p.Print(t.Context(), ticket); err == nil || errors.Is(err, devices.ErrMaybePrinted) {
		t.Errorf("without a printer: %v", err)
	}
	if _, err := p.Probe(t.Context()); err == nil {
		t.Error("Probe found a printer that is gone")
	}
}

// A printer that goes away again and again leaves nothing behind here.
func TestTCP_AHundredFlapsLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		var d paper.Device
		address, stop, err := d.Listen()
		if err != nil {
			t.Fatal(err)
		}
		p, err := escpos.New(escpos.Config{Name: address, Dial: escpos.TCP(address)})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Print(t.Context(), ticket); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := p.Print(t.Context(), ticket); err == nil {
			t.Fatal("printed on no printer")
		}
	}
	if after := runtime.NumGoroutine(); after > before+2 {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

func TestFile_TakesTheBytesAsTheyAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lp0")
	p, err := escpos.New(escpos.Config{Name: path, Dial: escpos.File(path)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Print(t.Context(), ticket); !errors.Is(err, os.ErrNotExist) || errors.Is(err, devices.ErrMaybePrinted) {
		t.Fatalf("without the device: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file was made where the device should be")
	}
	for _, mode := range []os.FileMode{0o600, 0o200} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := p.Print(t.Context(), ticket); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		slips, err := paper.Read(data, 32)
		if err != nil || len(slips) != 1 || slips[0].Text() != "一食堂\n" {
			t.Fatalf("%d slips, %v", len(slips), err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
