package serial

import (
	"context"
	"errors"
	"time"

	"campusgate/devices"
	"campusgate/devices/scanframe"
)

// chunks is how many reads may wait while a scan is being handled; behind them
// the system's own queue fills.
const chunks = 64

// ScannerConfig sets up a Scanner.
type ScannerConfig struct {
	Config
	// Preset names the make; "" presumes nothing.
	Preset string
	// Prefix and Suffix are what the scanner was set up to add; see
	// scanframe.Config.
	Prefix, Suffix string
	// IdleGap ends a frame that has no terminator; 0 means scanframe.IdleGap.
	IdleGap time.Duration
	// Debounce is the window of devices.NewDebounce.
	Debounce time.Duration
	// Prefixes are the beginnings of codes; see scanframe.Config.
	Prefixes []string
	// Now is the wall clock of Scan.At; nil means time.Now.
	Now func() time.Time
}

// Scanner reads codes from a serial port.
type Scanner struct {
	c        ScannerConfig
	framing  scanframe.Config
	debounce *devices.Debounce
	mouth    mouth
	// reader is closed when the reader of the last run is gone; of Run alone.
	reader chan struct{}
}

var (
	_ devices.Scanner  = (*Scanner)(nil)
	_ devices.Notifier = (*Scanner)(nil)
	_ devices.Prober   = (*Scanner)(nil)
)

// NewScanner makes a Scanner, which opens its port when it runs.
func NewScanner(c ScannerConfig) (*Scanner, error) {
	preset, err := LookupPreset(c.Preset)
	if err != nil {
		return nil, err
	}
	if c.Baud == 0 {
		c.Baud = preset.Baud
	}
	framing := scanframe.Config{
		Prefixes: c.Prefixes, Answers: preset.Answers, Nothing: preset.Nothing, Prefix: c.Prefix, Suffix: c.Suffix,
	}
	if err := errors.Join(c.Check(), framing.Check()); err != nil {
		return nil, err
	}
	if c.IdleGap <= 0 {
		c.IdleGap = scanframe.IdleGap
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Scanner{c: c, framing: framing, debounce: devices.NewDebounce(c.Debounce), mouth: mouth{preset: preset}}, nil
}

// Suppressed is how many repeats of a code held in view were not emitted.
func (s *Scanner) Suppressed() uint64 { return s.debounce.Suppressed() }

// Probe opens the port and closes it again.
func (s *Scanner) Probe(context.Context) (string, error) {
	p, err := Open(s.c.Config)
	if err != nil {
		return "", err
	}
	return s.c.Path, p.Close()
}

// Run opens the port and reads until ctx ends or the device is unplugged.
func (s *Scanner) Run(ctx context.Context, emit func(devices.Scan)) error {
	return s.RunNotify(ctx, emit, func() {})
}

// chunk is what one read gave.
type chunk struct {
	data []byte
	at   time.Time // for the timer
	wall time.Time // for Scan.At
	err  error
}

// RunNotify is Run, and calls opened once the port is open.
func (s *Scanner) RunNotify(ctx context.Context, emit func(devices.Scan), opened func()) error {
	if err := s.alone(ctx); err != nil {
		return err
	}
	port, err := Open(s.c.Config)
	if err != nil {
		return err
	}
	defer func() { _ = port.Close() }() // the fault that ended Run says more
	defer s.mouth.use(port)()
	opened()
	stop := make(chan struct{})
	defer close(stop)
	in := make(chan chunk, chunks)
	reader := make(chan struct{})
	s.reader = reader
	go func() {
		defer close(reader)
		if err := devices.Catch(func() error { s.read(port, in, stop); return nil }); err != nil {
			select {
			case in <- chunk{err: err}:
			case <-stop:
			}
		}
	}()
	return s.frames(ctx, in, emit)
}

// alone waits until the reader of the last run is gone: in the last moments of
// its read it would take bytes that belong to this run. One that outlasts
// several timeouts hangs in the driver of a dead device and takes nothing.
func (s *Scanner) alone(ctx context.Context) error {
	if s.reader != nil {
		select {
		case <-s.reader:
		case <-ctx.Done():
		case <-time.After(3 * readTimeout):
		}
	}
	return ctx.Err()
}

// read passes on what the port gives until it fails or stop is closed. It may
// outlive Run by one read timeout.
func (s *Scanner) read(port *Port, in chan<- chunk, stop <-chan struct{}) {
	buf := make([]byte, 1024)
	for {
		n, err := port.Read(buf)
		if n == 0 && err == nil {
			continue
		}
		c := chunk{data: append([]byte(nil), buf[:n]...), at: time.Now(), wall: s.c.Now(), err: err}
		select {
		case in <- c:
		case <-stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// frames cuts the chunks into scans. A timer is all that ends a frame without a
// terminator, because a read cannot wait for less than 0.1 s. When a chunk was read
// says nothing of a silence: it may have been here for long.
func (s *Scanner) frames(ctx context.Context, in <-chan chunk, emit func(devices.Scan)) error {
	framer, silence := scanframe.New(s.framing), scanframe.NewSilence(s.c.IdleGap)
	quiet := time.NewTimer(s.c.IdleGap)
	defer quiet.Stop()
	var last chunk
	// take returns whether a chunk of an error came, which ends the frames.
	take := func(c chunk) error {
		if c.err != nil {
			return c.err
		}
		last = c
		silence.Heard()
		s.emit(framer.Feed(c.data), c.wall, emit)
		if framer.Pending() {
			quiet.Reset(silence.Wait() - time.Since(c.at))
		} else {
			quiet.Stop()
		}
		return nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return err // also when chunks are ready: nothing is emitted any more
		}
		select {
		case <-ctx.Done():
		case c := <-in:
			if err := take(c); err != nil {
				return err
			}
		case <-quiet.C:
			select {
			case c := <-in: // read before the timer ran out, or a frame ago
				if err := take(c); err != nil {
					return err
				}
			default:
				if silence.Over() {
					s.emit(framer.Idle(), last.wall, emit)
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
