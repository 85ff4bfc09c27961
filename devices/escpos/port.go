package escpos

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"campusgate/devices/serial"
)

const (
	dialWait  = 3 * time.Second
	writeWait = 3 * time.Second
	// lingerWait is how long a printer on the network may take to say that it has
	// got everything.
	lingerWait = 500 * time.Millisecond
)

// Serial opens a printer at a serial port.
func Serial(c serial.Config) func(context.Context) (Port, error) {
	c.WriteTimeout = writeWait
	return func(context.Context) (Port, error) {
		p, err := serial.Open(c)
		if err != nil {
			return nil, err // not p: a nil *serial.Port would be a Port
		}
		return serialPort{p}, nil
	}
}

type serialPort struct{ *serial.Port }

// Receive reads in steps of the port's own timeout.
func (p serialPort) Receive(b []byte, wait time.Duration) (int, error) {
	end := time.Now().Add(wait)
	for {
		n, err := p.Read(b)
		if n > 0 || err != nil || time.Until(end) <= 0 {
			return n, err
		}
	}
}

// TCP opens a printer on the network, at host:port.
func TCP(address string) func(context.Context) (Port, error) {
	return func(ctx context.Context) (Port, error) {
		d := net.Dialer{Timeout: dialWait}
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return tcpPort{conn.(*net.TCPConn)}, nil
	}
}

type tcpPort struct{ conn *net.TCPConn }

func (p tcpPort) Write(b []byte) (int, error) {
	if err := p.conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return 0, err
	}
	return p.conn.Write(b)
}

func (p tcpPort) Receive(b []byte, wait time.Duration) (int, error) {
	return within(p.conn, b, wait)
}

// Close ends the job and gives the printer a moment to take it: closing with an
// answer unread would take back what is still on its way.
func (p tcpPort) Close() error {
	err := p.conn.CloseWrite()
	if err == nil && p.conn.SetReadDeadline(time.Now().Add(lingerWait)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(p.conn, 1<<10)) // until its end, or the deadline
	}
	return errors.Join(err, p.conn.Close())
}

// File opens a printer that is a file: /dev/usb/lp0, or a printer's share.
func File(path string) func(context.Context) (Port, error) {
	return func(context.Context) (Port, error) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			f, err = os.OpenFile(path, os.O_WRONLY, 0) // some take and give nothing
		}
		if err != nil {
			return nil, err
		}
		// A device can be waited for with a deadline. What cannot is a file on a
		// disk, which answers nothing.
		return &filePort{f: f, waits: f.SetDeadline(time.Time{}) == nil}, nil
	}
}

type filePort struct {
	f     *os.File
	waits bool
	stuck bool // a write has failed
}

func (p *filePort) Write(b []byte) (int, error) {
	if p.waits {
		if err := p.f.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
			return 0, err
		}
	}
	n, err := p.f.Write(b)
	p.stuck = err != nil
	return n, err
}

func (p *filePort) Receive(b []byte, wait time.Duration) (int, error) {
	if !p.waits {
		return 0, nil
	}
	return within(p.f, b, wait)
}

// Close writes once more before it closes: the driver of a USB printer drops
// the last piece that it was given and has not sent, so that has to be one that
// says nothing.
func (p *filePort) Close() error {
	var err error
	if !p.stuck {
		_, err = p.Write(initialise)
	}
	return errors.Join(err, p.f.Close())
}

// within reads with a deadline. A read that came to nothing is none.
func within(r interface {
	io.Reader
	SetReadDeadline(time.Time) error
}, b []byte, wait time.Duration,
) (int, error) {
	if err := r.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return 0, err
	}
	n, err := r.Read(b)
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) {
		return n, nil
	}
	return n, err
}
