package campus

import (
	"net"
	"sync"
	"time"
)

// Network is the line between the agents and the server: a TCP relay on
// loopback that can be cut, silenced and slowed down. While it is cut,
// connections break and new ones are closed at once. Safe for concurrent use.
type Network struct {
	target string
	ln     net.Listener

	mu     sync.Mutex
	cut    bool
	silent map[Way]bool
	lag    time.Duration
	moved  *sync.Cond // what is silent has changed, or a connection is gone
	conns  map[net.Conn]struct{}
	wg     sync.WaitGroup
}

// Way is one of the two directions of a Network.
type Way int

// The ways.
const (
	Up   Way = iota // to the server
	Down            // to the agents
)

// NewNetwork relays a port of its own to target (host:port).
func NewNetwork(target string) (*Network, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &Network{target: target, ln: ln, silent: map[Way]bool{}, conns: map[net.Conn]struct{}{}}
	n.moved = sync.NewCond(&n.mu)
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

// Silence has nothing come through one way any more, with no sign of it at either
// end, until it is ended; then everything comes through.
func (n *Network) Silence(way Way, silent bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent[way] = silent
	n.moved.Broadcast()
}

// Delay has whatever comes through wait a moment, each way.
func (n *Network) Delay(lag time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lag = lag
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
	pair.Go(func() { n.pipe(far, near, Up) })
	pair.Go(func() { n.pipe(near, far, Down) })
	pair.Wait()
}

// pipe carries bytes one way, and closes both ends when one is closed: a relay
// that half-closes would hide a dead server from its agent.
func (n *Network) pipe(to, from net.Conn, way Way) {
	defer func() {
		n.drop(to)
		n.drop(from)
	}()
	buf := make([]byte, 32<<10)
	for {
		got, err := from.Read(buf)
		if lag, through := n.pass(from, way); got > 0 && through {
			if lag > 0 {
				<-time.After(lag)
			}
			if _, err := to.Write(buf[:got]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits while the way is silent. Not through = the connection is gone.
func (n *Network) pass(c net.Conn, way Way) (lag time.Duration, through bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		if _, through = n.conns[c]; !through || !n.silent[way] {
			return n.lag, through
		}
		n.moved.Wait()
	}
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
	n.close(c)
}

// hangUp is called with mu held.
func (n *Network) hangUp() {
	for c := range n.conns {
		n.close(c)
	}
}

// close is called with mu held.
func (n *Network) close(c net.Conn) {
	delete(n.conns, c)
	_ = c.Close()
	n.moved.Broadcast()
}
