package campus

import (
	"io"
	"net"
	"sync"
)

// Network is the line between the agents and the server: a TCP relay on
// loopback that can be cut. While it is cut, connections break and new ones
// are closed at once. Safe for concurrent use.
type Network struct {
	target string
	ln     net.Listener

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

// NewNetwork relays a port of its own to target (host:port).
func NewNetwork(target string) (*Network, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &Network{target: target, ln: ln, conns: map[net.Conn]struct{}{}}
	n.wg.Go(n.accept)
	return n, nil
}

// Addr is where agents connect.
func (n *Network) Addr() string { return n.ln.Addr().String() }

// Cut breaks or mends the line.
func (n *Network) Cut(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
	if cut {
		n.hangUp()
	}
}

// IsCut reports the state of the line.
func (n *Network) IsCut() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut
}

// Close ends the relay and waits for its goroutines.
func (n *Network) Close() error {
	err := n.ln.Close()
	n.Cut(true)
	n.wg.Wait()
	return err
}

func (n *Network) accept() {
	for {
		conn, err := n.ln.Accept()
		if err != nil {
			return
		}
		n.wg.Go(func() { n.relay(conn) })
	}
}

func (n *Network) relay(near net.Conn) {
	if !n.hold(near) {
		_ = near.Close()
		return
	}
	defer n.drop(near)
	far, err := net.Dial("tcp", n.target)
	if err != nil {
		return
	}
	if !n.hold(far) {
		_ = far.Close()
		return
	}
	defer n.drop(far)
	var pair sync.WaitGroup
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.Close() // a relay that half-closes would hide a dead server from its agent
		_ = from.Close()
	}
	pair.Go(func() { pipe(far, near) })
	pair.Go(func() { pipe(near, far) })
	pair.Wait()
}

func (n *Network) hold(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut {
		return false
	}
	n.conns[c] = struct{}{}
	return true
}

func (n *Network) drop(c net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
	_ = c.Close()
}

// hangUp is called with mu held.
func (n *Network) hangUp() {
	for c := range n.conns {
		_ = c.Close()
	}
}
