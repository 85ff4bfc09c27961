// Package escpos prints slips on receipt printers that speak ESC/POS, as nearly
// all do: at a serial port, at USB (/dev/usb/lp0), or on the network (port 9100).
//
// Printers differ most in what they answer. One that answers its status is asked
// before each slip, so that nothing is sent to one without paper, and after it;
// one that answers nothing is believed.
package escpos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"campusgate/devices"
	"campusgate/devices/serial"
)

const (
	// statusWait is how long a printer may take to answer its status. It does so
	// at once, or never.
	statusWait = 300 * time.Millisecond
	// doneWait is how long a printer that answers may take to print what it got.
	doneWait = 8 * time.Second
	// askEvery is how often it is asked meanwhile whether it still can.
	askEvery = 500 * time.Millisecond
	// piece is how much is written at once: on a line of 9600 baud a quarter of a
	// second, far within the time that one write may take.
	piece = 256
)

// Port is an open way to a printer. It is used by one goroutine.
type Port interface {
	// Write returns in bounded time, with how many bytes may have arrived.
	Write(b []byte) (int, error)
	// Receive waits for bytes for about so long, and gives 0 and nil when none
	// came, or when this way carries none back.
	Receive(b []byte, wait time.Duration) (int, error)
	Close() error
}

// Config sets up a Printer.
type Config struct {
	// Dial opens the port, for each slip anew: others may print between.
	Dial func(ctx context.Context) (Port, error)
	// Name is what messages call the printer, its path.
	Name string
	// Columns is the width of the paper; 0 means Columns58.
	Columns int
}

// Printer is a devices.Printer.
type Printer struct {
	c    Config
	turn chan struct{} // one token: whoever has it may open the port
	curt bool          // it answers its status, and not GS r; who has the turn may look
}

var (
	_ devices.Printer = (*Printer)(nil)
	_ devices.Prober  = (*Printer)(nil)
)

// New makes a printer, and opens nothing.
func New(c Config) (*Printer, error) {
	if c.Columns == 0 {
		c.Columns = Columns58
	}
	if c.Columns != Columns58 && c.Columns != Columns80 {
		return nil, fmt.Errorf("printer %s: columns %d: want %d for 58 mm or %d for 80 mm", c.Name, c.Columns, Columns58, Columns80)
	}
	return &Printer{c: c, turn: make(chan struct{}, 1)}, nil
}

// Print implements devices.Printer. Its errors wrap those of package devices.
func (p *Printer) Print(ctx context.Context, s devices.Slip) error {
	data, err := Render(s, p.c.Columns)
	if err != nil {
		return p.named(err)
	}
	printed := false
	err = p.with(ctx, func(port Port) error {
		err := p.send(port, data)
		printed = err == nil
		return err
	})
	if err != nil && printed {
		err = fmt.Errorf("%w: %w", devices.ErrMaybePrinted, err) // what was queued may be lost
	}
	return err
}

// Probe implements devices.Prober: it asks the printer how it is, and prints
// nothing. One that answers nothing is there if its port opens.
func (p *Printer) Probe(ctx context.Context) (string, error) {
	found := p.c.Name
	err := p.with(ctx, func(port Port) error {
		answers, err := status(port)
		if !answers && err == nil {
			found += " (does not answer)"
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return found, nil
}

// with opens the port for one piece of work.
func (p *Printer) with(ctx context.Context, work func(Port) error) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return p.named(ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return p.named(err) // both were ready
	}
	port, err := p.c.Dial(ctx)
	if err != nil {
		return p.named(err)
	}
	err = work(port)
	if closeErr := port.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return p.named(err)
	}
	return nil
}

func (p *Printer) named(err error) error { return fmt.Errorf("printer %s: %w", p.c.Name, err) }

// send prints data, unless the printer says that it cannot.
func (p *Printer) send(port Port, data []byte) error {
	answers, err := status(port)
	if err != nil {
		return err
	}
	for sent := 0; sent < len(data); {
		n, err := port.Write(data[sent:min(sent+piece, len(data))])
		if err != nil {
			// A write that timed out may arrive all the same.
			late := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, serial.ErrWriteTimeout)
			if sent+n > 0 || late {
				err = fmt.Errorf("%w: %w", devices.ErrMaybePrinted, err)
			}
			return err
		}
		sent += n
	}
	if !answers {
		return nil
	}
	if err := p.settle(port); err != nil {
		return fmt.Errorf("%w: %w", devices.ErrMaybePrinted, err)
	}
	return nil
}

// settle waits until the printer has worked through what it was sent: GS r is
// answered in its turn. One that has run out of paper does not get that far and
// answers only DLE EOT; some know nothing else.
func (p *Printer) settle(port Port) error {
	if p.curt {
		_, err := status(port)
		return err
	}
	if _, err := port.Write([]byte{0x1D, 'r', 1}); err != nil {
		return err
	}
	end := time.Now().Add(doneWait)
	for time.Until(end) > 0 {
		var b [1]byte
		n, err := port.Receive(b[:], askEvery)
		switch {
		case err != nil:
			return err
		case n == 0:
			_, err = port.Write([]byte{0x10, 0x04, 2})
		case b[0]&0x93 == 0x12:
			err = offline(b[0])
		case b[0]&0x90 == 0 && b[0]&0x0C != 0:
			return devices.ErrPaperOut
		case b[0]&0x90 == 0:
			return nil
		}
		if err != nil {
			return err
		}
	}
	p.curt = true
	return nil
}

// status asks why the printer might be offline and whether it has paper (DLE EOT
// 2 and 4), and reports whether it answers at all.
func status(port Port) (answers bool, err error) {
	cause, answers, err := ask(port, 2)
	if err != nil || !answers {
		return answers, err
	}
	if err := offline(cause); err != nil {
		return true, err
	}
	paper, answered, err := ask(port, 4)
	if err == nil && answered && paper&0x60 != 0 {
		err = devices.ErrPaperOut
	}
	return true, err
}

// offline reads the answer to DLE EOT 2.
func offline(cause byte) error {
	switch {
	case cause&0x04 != 0:
		return devices.ErrCoverOpen
	case cause&0x20 != 0:
		return devices.ErrPaperOut
	case cause&0x40 != 0:
		return devices.ErrOffline
	}
	return nil
}

// ask gives the answer to DLE EOT n. What is none is passed over: printers that
// report by themselves send other bytes between.
func ask(port Port, n byte) (answer byte, ok bool, err error) {
	if _, err := port.Write([]byte{0x10, 0x04, n}); err != nil {
		return 0, false, err
	}
	end := time.Now().Add(statusWait)
	for {
		var b [1]byte
		got, err := port.Receive(b[:], max(time.Until(end), 0))
		if err != nil || got == 0 {
			return 0, false, err
		}
		if b[0]&0x93 == 0x12 {
			return b[0], true, nil
		}
	}
}
