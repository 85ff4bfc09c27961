package paper

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// Device is a printer at the end of a wire. The zero value prints, and answers
// like most.
type Device struct {
	mu      sync.Mutex
	raw     []byte
	state   State
	changed chan struct{}
}

// State is how a Device is.
type State struct {
	PaperOut, CoverOpen, Faulty bool
	Mute                        bool // answers nothing
	Curt                        bool // answers DLE EOT and not GS r
	// EmptyAfter is how many bytes it prints before its paper ends; 0 means that
	// it does not.
	EmptyAfter int
}

// Set changes how it is.
func (d *Device) Set(s State) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = s
}

// Bytes gives all that it was sent.
func (d *Device) Bytes() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]byte(nil), d.raw...)
}

// Clear forgets what it was sent.
func (d *Device) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raw = nil
}

// Slips waits until n slips were printed and cut, and gives all there are.
func (d *Device) Slips(ctx context.Context, n, columns int) ([]*Slip, error) {
	for {
		d.mu.Lock()
		raw := append([]byte(nil), d.raw...)
		if d.changed == nil {
			d.changed = make(chan struct{})
		}
		changed := d.changed
		d.mu.Unlock()
		slips, err := Read(raw, columns)
		if err == nil && len(slips) >= n && (n == 0 || slips[n-1].Cut) {
			return slips, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return slips, errors.Join(err, ctx.Err())
		}
	}
}

// Serve prints what comes until the wire ends.
func (d *Device) Serve(wire io.ReadWriter) error {
	buf := make([]byte, 512)
	var last [2]byte
	for {
		n, err := wire.Read(buf)
		for _, c := range buf[:n] {
			answer := d.print(last, c)
			last = [2]byte{last[1], c}
			if answer != nil {
				last = [2]byte{}
				if _, err := wire.Write(answer); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

// print takes one byte, and gives what is to be answered to it and the two
// before.
func (d *Device) print(last [2]byte, c byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.raw = append(d.raw, c)
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
	s := &d.state
	if s.EmptyAfter > 0 && len(d.raw) >= s.EmptyAfter {
		s.PaperOut = true
	}
	bit := func(on bool, bit byte) byte {
		if on {
			return bit
		}
		return 0
	}
	switch {
	case s.Mute:
	case last == [2]byte{0x10, 4} && c == 2:
		return []byte{0x12 | bit(s.CoverOpen, 4) | bit(s.PaperOut, 0x20) | bit(s.Faulty, 0x40)}
	case last == [2]byte{0x10, 4} && c == 4:
		return []byte{0x12 | bit(s.PaperOut, 0x60)}
	case last == [2]byte{0x1D, 'r'} && c == 1 && !s.Curt && !s.PaperOut: // one that is offline does not get to it
		return []byte{0}
	}
	return nil
}

// Listen puts it on the network, and gives its address and what takes it off.
func (d *Device) Listen() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				_ = d.Serve(conn) // until the other side has closed
				_ = conn.Close()
			})
		}
	})
	return l.Addr().String(), func() {
		cancel()
		_ = l.Close() // nobody can connect any more
		group.Wait()
	}, nil
}
