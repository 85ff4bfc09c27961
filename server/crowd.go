package server

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// maxConns is how many connections are held that are not an agent's. Tens of
// thousands of phones share them: one that asks for nothing may be cut at any
// time, and connects again.
const maxConns = 2048

// crowd bounds the connections of an HTTP server. To a new one it makes room by
// cutting the one that has asked for nothing for longest, and where all are being
// answered the one that has been at it longest, so that those who take their
// time keep nobody out. Its method note is for http.Server.ConnState; what is
// hijacked is no longer its concern.
type crowd struct {
	log *slog.Logger

	mu      sync.Mutex
	places  map[net.Conn]place
	waiting list.List // of net.Conn, the longest wait first
	busy    list.List
	full    bool // and it was said
}

// place is where a connection stands.
type place struct {
	in *list.List
	at *list.Element
}

func newCrowd(log *slog.Logger) *crowd {
	return &crowd{log: log, places: map[net.Conn]place{}}
}

func (c *crowd) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, here := c.places[conn]
	switch {
	case state == http.StateNew:
		if len(c.places) >= maxConns {
			c.cut()
		}
		c.put(conn, &c.waiting)
	case !here: // it was cut
	case state == http.StateActive:
		c.put(conn, &c.busy)
	case state == http.StateIdle:
		c.put(conn, &c.waiting)
	default:
		c.leave(conn)
		c.full = c.full && len(c.places) > maxConns/2
	}
}

// put puts a connection at the end of a list.
func (c *crowd) put(conn net.Conn, in *list.List) {
	c.leave(conn)
	c.places[conn] = place{in, in.PushBack(conn)}
}

func (c *crowd) leave(conn net.Conn) {
	if p, here := c.places[conn]; here {
		p.in.Remove(p.at)
		delete(c.places, conn)
	}
}

func (c *crowd) cut() {
	first := c.waiting.Front()
	if first == nil {
		first = c.busy.Front()
	}
	conn := first.Value.(net.Conn)
	c.leave(conn)
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // TLS would take its leave, and wait for that
	}
	_ = conn.Close() // nobody is told
	if !c.full {
		c.full = true
		c.log.Warn("too many connections: those that ask for nothing are cut", "connections", maxConns)
	}
}
