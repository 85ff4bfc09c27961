// Package serial opens serial ports (8N1) and runs scanners on them. The ports
// come from github.com/tarm/serial, whose reads on Linux return io.EOF both when
// nothing came in time and, for ever and at once, when the device was unplugged,
// and whose Close waits for a read in progress. Port hides both, and that
// go.bug.st/serial, which may be asked for instead, has other flaws.
package serial

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"campusgate/devices"
)

var (
	// ErrUnplugged is wrapped by the error of a port whose device went away.
	ErrUnplugged = errors.New("unplugged")
	// ErrClosed is returned by a port after Close.
	ErrClosed = errors.New("port closed")
	// ErrWriteTimeout is wrapped when a device takes no bytes. What is queued is
	// discarded as far as the driver can; some may have arrived. The port is of no
	// further use.
	ErrWriteTimeout = errors.New("write timed out")
	// ErrBaud is wrapped for a rate that no serial port here can be set to.
	ErrBaud = errors.New("unsupported baud rate")
)

// DefaultBaud is the factory setting of most scanners and of LCUS relays.
const DefaultBaud = 9600

const (
	// readTimeout is how long one read waits; tarm can set 0.1 to 25.5 s in steps
	// of 0.1 s. It bounds how long a reader lingers after Close.
	readTimeout = 200 * time.Millisecond
	// aliveEvery is the pause between two looks at a quiet device: the
	// modem-status call is a message on the USB bus.
	aliveEvery = time.Second
	// writeTimeout is far above the 4 ms that a relay frame takes at 9600 baud.
	writeTimeout = 500 * time.Millisecond
	// earlyEnds is how many empty reads far before the timeout, one after the
	// other, mean that the device is gone.
	earlyEnds = 2
)

// Device is an open serial port as a driver package gives it.
type Device interface {
	io.ReadWriteCloser
	// Flush discards what is queued in both directions.
	Flush() error
}

// Config says which port to open and how.
type Config struct {
	// Path is the device file, on Windows the COM port.
	Path string
	// Baud is the rate; 0 means DefaultBaud.
	Baud int
	// WriteTimeout bounds one Write; 0 means 500 ms.
	WriteTimeout time.Duration
	// Port is the package that opens it, Tarm or Bugst; "" means Tarm.
	Port string
	// Dial opens the device instead. A read must return within about timeout with
	// no bytes, and io.EOF or no error, when nothing came.
	Dial func(path string, baud int, timeout time.Duration) (Device, error)
}

// Check returns what is wrong with c, and nil when nothing is.
func (c Config) Check() error {
	if c.Path == "" {
		return errors.New("serial port: path is missing")
	}
	if dials[c.Port] == nil {
		return fmt.Errorf("serial port %s: port %q: want %s or %s", c.Path, c.Port, Tarm, Bugst)
	}
	switch {
	case c.Baud == 0 || slices.Contains(bauds, c.Baud):
		return nil
	case c.Port != Bugst:
		return fmt.Errorf("serial port %s: %w: %d is none of %v; port %s knows more", c.Path, ErrBaud, c.Baud, bauds, Bugst)
	case c.Baud < bauds[0] || c.Baud > maxBaud:
		return fmt.Errorf("serial port %s: %w: %d is not in %d to %d", c.Path, ErrBaud, c.Baud, bauds[0], maxBaud)
	}
	return nil
}

// Port is an open serial port. One goroutine may read while another writes, and
// any may close.
type Port struct {
	path         string
	writeTimeout time.Duration
	dev          Device
	opened       os.FileInfo // nil where the path is no file
	line         *line

	// Of the reader alone.
	early     int
	lastAlive time.Time

	mu     sync.Mutex
	users  int
	closed bool
	broken error
}

// Open opens the port of c. Bytes that came before are discarded: a code that
// was scanned while nobody read must not open a gate later.
func Open(c Config) (*Port, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Baud == 0 {
		c.Baud = DefaultBaud
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = writeTimeout
	}
	if c.Dial == nil {
		c.Dial = dials[c.Port]
	}
	dev, err := c.Dial(c.Path, c.Baud, readTimeout)
	if err != nil {
		return nil, fmt.Errorf("open serial port %s: %w", c.Path, err)
	}
	if err := dev.Flush(); err != nil {
		return nil, errors.Join(fmt.Errorf("open serial port %s: flush: %w", c.Path, err), dev.Close())
	}
	p := &Port{path: c.Path, writeTimeout: c.WriteTimeout, dev: dev, line: openLine(c.Path)}
	p.opened, _ = os.Stat(c.Path) // a COM port has none
	p.lastAlive = time.Now()
	return p, nil
}

// Read waits for bytes for about 0.2 s. It returns 0 and nil when none came, an
// error wrapping ErrUnplugged when the device is gone, ErrClosed after Close.
func (p *Port) Read(b []byte) (int, error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.leave()
	start := time.Now()
	n, err := p.dev.Read(b)
	now := time.Now()
	if n > 0 {
		p.early = 0
		return n, nil
	}
	if p.isClosed() {
		return 0, ErrClosed
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, p.gone(err)
	}
	if now.Sub(start) < readTimeout/2 {
		if p.early++; p.early >= earlyEnds {
			return 0, p.gone(errors.New("reads end at once"))
		}
		return 0, nil
	}
	p.early = 0
	if now.Sub(p.lastAlive) >= aliveEvery {
		p.lastAlive = now
		return 0, p.Alive()
	}
	return 0, nil
}

// Alive returns an error wrapping ErrUnplugged when the device file vanished or
// is another one, or when the device does not answer a modem-status call.
func (p *Port) Alive() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	if p.opened != nil {
		now, err := os.Stat(p.path)
		if err != nil {
			return p.gone(err)
		}
		if !os.SameFile(p.opened, now) {
			return p.gone(errors.New("another device took its place"))
		}
	}
	if err := p.line.status(); err != nil {
		return p.gone(err)
	}
	return nil
}

// result is what a device's Write returned.
type result struct {
	n   int
	err error
}

// Write writes b and returns when the system took it, at the latest after three
// times the write timeout. One goroutine writes at a time.
func (p *Port) Write(b []byte) (int, error) {
	if err := p.enter(); err != nil {
		return 0, err
	}
	defer p.leave()
	if err := p.line.writable(p.writeTimeout); err != nil {
		return 0, p.spoil(fmt.Errorf("serial port %s: %w", p.path, err))
	}
	if err := p.enter(); err != nil { // once more for the writer, which may stay longer
		return 0, err
	}
	data := append([]byte(nil), b...)
	done := make(chan result, 1)
	go func() {
		defer p.leave()
		var r result
		r.err = devices.Catch(func() (err error) { r.n, err = p.dev.Write(data); return err })
		done <- r
	}()
	timer := time.NewTimer(p.writeTimeout)
	defer timer.Stop()
	var r result
	select {
	case r = <-done:
	case <-timer.C:
		select {
		case r = <-done: // it was this goroutine that was late
		default:
			return 0, p.giveUp(done, timer)
		}
	}
	if r.err != nil {
		return r.n, p.spoil(p.gone(r.err))
	}
	return r.n, nil
}

// giveUp discards a write that does not end: what is still queued must not reach
// a barrier minutes later. The first flush makes room for the writer, which ends
// it; the second discards what it then wrote.
func (p *Port) giveUp(done <-chan result, timer *time.Timer) error {
	err := p.spoil(fmt.Errorf("serial port %s: %w after %v", p.path, ErrWriteTimeout, p.writeTimeout))
	flushErr := p.dev.Flush()
	timer.Reset(p.writeTimeout)
	select {
	case <-done:
	case <-timer.C:
	}
	return errors.Join(err, flushErr, p.dev.Flush())
}

// Close gives the port back. It never waits: a read in progress ends within its
// timeout, returns ErrClosed, and then the device is closed. So is one that
// failed, in the background, because a driver may try to send what is queued for
// half a minute.
func (p *Port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	switch {
	case p.users > 0: // the last one releases
	case p.broken != nil:
		go func() { _ = p.release() }()
	default:
		return p.release()
	}
	return nil
}

func (p *Port) release() error {
	return errors.Join(p.line.close(), p.dev.Close())
}

// enter counts a user of the device, which keeps it open.
func (p *Port) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.broken != nil {
		return p.broken
	}
	p.users++
	return nil
}

func (p *Port) leave() {
	p.mu.Lock()
	p.users--
	last := p.closed && p.users == 0
	p.mu.Unlock()
	if last {
		_ = p.release() // Close has returned: there is nobody to tell
	}
}

func (p *Port) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// spoil makes every later call return err.
func (p *Port) spoil(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.broken = err
	}
	return err
}

func (p *Port) gone(cause error) error {
	return fmt.Errorf("serial port %s: %w: %w", p.path, ErrUnplugged, cause)
}
