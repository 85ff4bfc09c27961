package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"campusgate/devices"
	"campusgate/devices/drivers"
	"campusgate/devices/pty"
)

// relayOn is what switches relay 1 of an LCUS board on.
const relayOn = "\xA0\x01\x01\xA2"

// scan measures from the write at the far end of the scanner's tty to the
// relay's frame at the far end of another, against one verification and one
// floor.
func (r *run) scan(ctx context.Context, c *campus, a *gatePC, f *floor) (err error) {
	e := r.effort(5000, 25)
	texts, err := c.bearers(1, e.turns+1)
	if err != nil {
		return err
	}
	verify, err := issuerPart(c, texts[0])
	if err != nil {
		return err
	}
	w, err := r.wire(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	peer := func() error { return errors.Join(verify(), f.append()) }
	ours := func() error {
		text := texts[0]
		texts = texts[1:]
		return w.admit(text)
	}
	p, o, err := turns(ctx, e, peer, ours)
	if err != nil {
		return err
	}
	return r.print(
		Figure{Name: "scan_to_relay_p50", Value: Number(o.median() * milli), Unit: "ms"}.
			against("ed25519.Verify, an append of 4 KiB and fdatasync", p.median()*milli, 2),
		Figure{Name: "scan_to_relay_p99", Value: Number(o.at(0.99) * milli), Unit: "ms"}.atMost(10),
	)
}

// wired is a lane with both its ttys, and what plays the devices at their far
// ends. A pty.Cable would add two goroutines that no gate PC has.
type wired struct {
	scanner io.Writer
	frames  chan struct{} // one for every pulse that arrived
	closers []func() error
}

func (r *run) wire(ctx context.Context, a *gatePC) (w *wired, err error) {
	const name = "main"
	w = &wired{frames: make(chan struct{}, 16)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	in, err := w.tty()
	if err != nil {
		return w, err
	}
	out, err := w.tty()
	if err != nil {
		return w, err
	}
	w.scanner = in
	w.playRelay(out)
	barrier, err := drivers.NewBarrier("lcus", drivers.BarrierConfig{Path: out.Path})
	if err != nil {
		return w, err
	}
	w.closers = append(w.closers, barrier.Close)
	d, err := a.open(r.o, []string{name}, map[string]func(context.Context) error{name: barrier.Open})
	if err != nil {
		return w, err
	}
	w.closers = append(w.closers, d.stop)
	scanner, err := drivers.NewScanner("serial", drivers.ScannerConfig{Path: in.Path})
	if err != nil {
		return w, err
	}
	return w, w.supervise(ctx, scanner, func(text string) { _ = d.Scan(name, "serial", text) })
}

func (w *wired) tty() (*pty.Terminal, error) {
	t, err := pty.Open()
	if err == nil {
		w.closers = append(w.closers, t.Close)
	}
	return t, err
}

// playRelay reads the relay's frames; both kinds have four bytes.
func (w *wired) playRelay(tty io.Reader) {
	go func() {
		in := bufio.NewReader(tty)
		frame := make([]byte, len(relayOn))
		for {
			if _, err := io.ReadFull(in, frame); err != nil {
				return
			}
			if string(frame) == relayOn {
				w.frames <- struct{}{}
			}
		}
	}()
}

// supervise runs the scanner and returns when it is open.
func (w *wired) supervise(ctx context.Context, s devices.Scanner, emit func(text string)) error {
	ctx, cancel := context.WithCancel(ctx)
	opened, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		once := opened
		_ = devices.Supervise(ctx, s, func(scan devices.Scan) { emit(scan.Text) }, func(h devices.Health) {
			if h.State == devices.OK && once != nil {
				close(once)
				once = nil
			}
		})
	}()
	w.closers = append(w.closers, func() error {
		cancel()
		<-ended
		return nil
	})
	select {
	case <-opened:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the scanner did not open in %v", patience)
	}
}

// admit presents a code and waits for the pulse.
func (w *wired) admit(text string) error {
	if _, err := io.WriteString(w.scanner, text+"\r"); err != nil {
		return err
	}
	select {
	case <-w.frames:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("no pulse in %v", patience)
	}
}

// close takes down in the opposite order.
func (w *wired) close() error {
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	w.closers = nil
	return errors.Join(errs...)
}
