package hid

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"campusgate/devices"
	"campusgate/devices/scanframe"
)

var (
	// ErrUnplugged is wrapped when the device went away.
	ErrUnplugged = errors.New("unplugged")
	// ErrNotFound is wrapped when no device is what the path asks for.
	ErrNotFound = errors.New("no such device")
	// ErrSeveral is wrapped when several devices are what the path asks for: a lane
	// must not take the scanner of another.
	ErrSeveral = errors.New("several such devices")
	// ErrSystem is wrapped on systems without these drivers.
	ErrSystem = errors.New("this driver needs Linux; set the scanner to its serial (USB CDC) mode and use the driver serial")
)

const (
	// TypingGap ends a code of a keyboard that presses no Enter. A slow keyboard
	// is asked every 10 ms and needs two answers for a character; the delays that
	// scanners can be set to end below 0.1 s.
	TypingGap = 100 * time.Millisecond
	// batches is how many reads may wait while a scan is being handled. Behind
	// them is the system's own queue, which holds some ten characters.
	batches = 256
)

// Config sets up a Scanner.
type Config struct {
	// Path is the device file or a link to it, or VID:PID or VID:PID:SERIAL in
	// hexadecimal, such as 0c2e:0b61, to take the device with these numbers.
	Path string
	// IdleGap ends a code that nothing else ends; 0 means TypingGap for a keyboard
	// and scanframe.IdleGap for a HID POS scanner.
	IdleGap time.Duration
	// Debounce is the window of devices.NewDebounce.
	Debounce time.Duration
	// Prefixes are the beginnings of codes, where a keyboard's codes are cut apart;
	// see scanframe.Config. The reports of a HID POS scanner are apart by themselves.
	Prefixes []string
	// Now is the wall clock of Scan.At; nil means time.Now.
	Now func() time.Time
}

// piece is some bytes of a code.
type piece struct {
	data []byte
	at   time.Duration // of the device's own clock, for gaps
}

// source is an open device.
type source interface {
	// read waits for the device. Its error ends the source.
	read() ([]piece, error)
	// Close gives the device back and ends a read.
	Close() error
}

// batch is what one read gave.
type batch struct {
	pieces []piece
	wall   time.Time
	err    error
}

// Scanner reads codes from a HID device.
type Scanner struct {
	c        Config
	debounce *devices.Debounce
	open     func(context.Context, Config) (source, error)
	probe    func(path string) (string, error)
}

var (
	_ devices.Scanner  = (*Scanner)(nil)
	_ devices.Notifier = (*Scanner)(nil)
	_ devices.Prober   = (*Scanner)(nil)
)

// NewKeyboard makes a Scanner that takes a keyboard for itself while it runs.
func NewKeyboard(c Config) (*Scanner, error) {
	if c.IdleGap <= 0 {
		c.IdleGap = TypingGap
	}
	return newScanner(c, openKeyboard, probeKeyboard)
}

// NewPOS makes a Scanner for a HID POS device.
func NewPOS(c Config) (*Scanner, error) {
	if c.IdleGap <= 0 {
		c.IdleGap = scanframe.IdleGap
	}
	c.Prefixes = nil
	return newScanner(c, openPOS, probePOS)
}

func newScanner(c Config, open func(context.Context, Config) (source, error), probe func(string) (string, error)) (*Scanner, error) {
	if !supported {
		return nil, ErrSystem
	}
	if c.Path == "" {
		return nil, errors.New("path is missing: a device file, or VID:PID")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Scanner{c: c, debounce: devices.NewDebounce(c.Debounce), open: open, probe: probe}, nil
}

// Suppressed is how many repeats of a code held in view were not emitted.
func (s *Scanner) Suppressed() uint64 { return s.debounce.Suppressed() }

// Probe names the device as it names itself. It takes nothing from a running
// Scanner.
func (s *Scanner) Probe(context.Context) (string, error) { return s.probe(s.c.Path) }

// Run opens the device and reads until ctx ends or the device is unplugged.
func (s *Scanner) Run(ctx context.Context, emit func(devices.Scan)) error {
	return s.RunNotify(ctx, emit, func() {})
}

// RunNotify is Run, and calls opened once the device is open.
func (s *Scanner) RunNotify(ctx context.Context, emit func(devices.Scan), opened func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	src, err := s.open(ctx, s.c)
	if err != nil {
		return err
	}
	in, stop, gone := make(chan batch, batches), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		s.read(src, in, stop)
	}()
	opened()
	err = s.frames(ctx, in, emit)
	close(stop)
	_ = src.Close() // the fault that ended the frames says more
	<-gone
	return err
}

// read passes on what the device gives until it fails, which a panic does too, or
// stop is closed.
func (s *Scanner) read(src source, in chan<- batch, stop <-chan struct{}) {
	for {
		b := batch{}
		b.err = devices.Catch(func() (err error) { b.pieces, err = src.read(); return err })
		b.wall = s.c.Now()
		select {
		case in <- b:
		case <-stop:
			return
		}
		if b.err != nil {
			return
		}
	}
}

// frames makes scans of the pieces. Between two of them the device's clock tells
// whether there was a pause; a timer tells that none followed the last.
func (s *Scanner) frames(ctx context.Context, in <-chan batch, emit func(devices.Scan)) error {
	framer, silence := scanframe.New(scanframe.Config{Prefixes: s.c.Prefixes}), scanframe.NewSilence(s.c.IdleGap)
	quiet := time.NewTimer(s.c.IdleGap)
	defer quiet.Stop()
	var last time.Duration
	var wall time.Time
	take := func(b batch) error {
		for _, p := range b.pieces {
			if framer.Pending() && p.at-last >= s.c.IdleGap {
				s.emit(framer.Idle(), wall, emit)
			}
			last, wall = p.at, b.wall
			s.emit(framer.Feed(p.data), wall, emit)
		}
		if b.err != nil {
			return b.err
		}
		silence.Heard()
		quiet.Reset(silence.Wait())
		return nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return err // also when pieces are ready: nothing is emitted any more
		}
		select {
		case <-ctx.Done():
		case b := <-in:
			if err := take(b); err != nil {
				return err
			}
		case <-quiet.C:
			select {
			case b := <-in: // read before the timer ran out
				if err := take(b); err != nil {
					return err
				}
			default:
				if silence.Over() {
					s.emit(framer.Idle(), wall, emit)
				} else {
					quiet.Reset(silence.Wait())
				}
			}
		}
	}
}

func (s *Scanner) emit(frames []scanframe.Frame, at time.Time, emit func(devices.Scan)) {
	for _, f := range frames {
		if !s.debounce.Repeat(f.Text, at) {
			emit(devices.Scan{Text: f.Text, At: at, Raw: f.Raw})
		}
	}
}

// unplugged is the error of a device that went away.
func unplugged(path string, cause error) error {
	var at *os.PathError
	if errors.As(cause, &at) {
		cause = at.Err
	}
	return fmt.Errorf("%s: %w: %w", path, ErrUnplugged, cause)
}
