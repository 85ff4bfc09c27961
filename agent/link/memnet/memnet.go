// Package memnet is a network in memory whose cables can be cut, for tests and
// simulations of the link. All that waits in it waits on channels and timers,
// so it runs in a testing/synctest bubble, in virtual time. A connection
// behaves like one of TCP: bytes arrive in order, the sender may be a buffer
// ahead of the receiver, and a silent loss shows only as silence.
package memnet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ErrRefused is what dialling over a cut cable gives, ErrReset what happens to
// connections on it.
var (
	ErrRefused = errors.New("connection refused")
	ErrReset   = errors.New("connection reset")
)

// Listener is the server's end of the network. It is a net.Listener.
type Listener struct {
	addr   net.Addr
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen makes a network with a server at addr, "127.0.0.1:80" for instance.
func Listen(addr string) *Listener {
	return &Listener{addr: tcp(addr), accept: make(chan net.Conn), closed: make(chan struct{})}
}

func tcp(addr string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)) }

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; connections live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the server's address.
func (l *Listener) Addr() net.Addr { return l.addr }

// Mode is the condition of a cable.
type Mode int

// The modes.
const (
	Up   Mode = iota
	Cut       // connections break at once, dialling is refused
	Dark      // everything vanishes silently, dialling hangs
	Deaf      // what the server sends vanishes silently
)

// Cable joins one dialling side to the server. Its methods may be called at
// once.
type Cable struct {
	l    *Listener
	from net.Addr

	mu      sync.Mutex
	mode    Mode
	changed chan struct{}
	rate    int // bytes a second each way; 0 = no limit
	delay   time.Duration
	conns   map[*Conn]struct{}
	dials   int
}

// Cable makes a cable from this address.
func (l *Listener) Cable(from string) *Cable {
	return &Cable{l: l, from: tcp(from), changed: make(chan struct{}), conns: make(map[*Conn]struct{})}
}

// Shape limits later connections to rate bytes a second (0 = no limit) and
// delays each byte.
func (c *Cable) Shape(rate int, delay time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate, c.delay = rate, delay
}

// Dials is how often Dial was called.
func (c *Cable) Dials() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dials
}

// Set changes the condition. A connection that has lost bytes breaks when the
// cable comes up again.
func (c *Cable) Set(mode Mode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mode = mode
	close(c.changed)
	c.changed = make(chan struct{})
	for conn := range c.conns {
		if mode == Cut || (mode == Up && conn.lossy()) {
			conn.sever()
			delete(c.conns, conn)
			continue
		}
		conn.lose(mode)
	}
}

// Dial connects to the server, whatever the address. It has the signature that
// the link takes.
func (c *Cable) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	c.mu.Lock()
	c.dials++
	c.mu.Unlock()
	for {
		c.mu.Lock()
		mode, changed := c.mode, c.changed
		if mode == Up || mode == Deaf {
			near := c.pair(mode)
			c.mu.Unlock()
			select {
			case c.l.accept <- near.far:
				return near, nil
			case <-c.l.closed:
				near.sever()
				return nil, ErrRefused
			case <-ctx.Done():
				near.sever()
				return nil, ctx.Err()
			}
		}
		c.mu.Unlock()
		if mode == Cut {
			return nil, ErrRefused
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pair makes the two ends of a connection, under the lock.
func (c *Cable) pair(mode Mode) *Conn {
	to, back := newStream(c.rate, c.delay), newStream(c.rate, c.delay)
	near := &Conn{in: back, out: to, local: c.from, remote: c.l.addr}
	near.far = &Conn{in: to, out: back, local: c.l.addr, remote: c.from, far: near}
	near.lose(mode)
	c.conns[near] = struct{}{}
	return near
}

// Conn is one end of a connection. It is a net.Conn.
type Conn struct {
	in, out       *stream
	local, remote net.Addr
	far           *Conn
}

func (c *Conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *Conn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close ends the connection: the other end reads what was sent before, and
// then io.EOF.
func (c *Conn) Close() error {
	c.in.closeReader(!c.out.loses())
	c.out.closeWriter()
	return nil
}

// LocalAddr and RemoteAddr are as given to Listen and Cable.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr see LocalAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline, SetReadDeadline and SetWriteDeadline are as for any net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.readBy(t)
	c.out.writeBy(t)
	return nil
}

// SetReadDeadline see SetDeadline.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.readBy(t)
	return nil
}

// SetWriteDeadline see SetDeadline.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy(t)
	return nil
}

// sever breaks both directions for both ends.
func (c *Conn) sever() {
	c.in.breakOff()
	c.out.breakOff()
}

func (c *Conn) lose(mode Mode) {
	c.in.lose(mode == Dark || mode == Deaf)
	c.out.lose(mode == Dark)
}

func (c *Conn) lossy() bool { return c.in.lossy() || c.out.lossy() }
