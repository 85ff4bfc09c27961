package auth

import (
	"sync"
	"time"
)

const (
	failuresAllowed = 10          // of one address, within
	failureWindow   = time.Minute // and it is turned away for as long
	guardsKept      = 10_000      // addresses remembered; beyond that the oldest windows go
)

// guards counts failures by address. Safe for concurrent use.
type guards struct {
	mu     sync.Mutex
	counts map[string]window
}

type window struct {
	began    time.Time
	failures int
}

func newGuards() *guards { return &guards{counts: map[string]window{}} }

// shut reports whether an address has to wait.
func (g *guards) shut(remote string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.counts[remote]
	return w.failures >= failuresAllowed && now.Sub(w.began) < failureWindow
}

func (g *guards) failed(remote string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.counts[remote]
	if now.Sub(w.began) >= failureWindow {
		w = window{began: now}
	}
	w.failures++
	if len(g.counts) >= guardsKept {
		g.forget(now)
	}
	g.counts[remote] = w
}

// forget drops the windows that are over, and everything when that is not
// enough: remembering too little only lets somebody guess at 160 random bits.
func (g *guards) forget(now time.Time) {
	for remote, w := range g.counts {
		if now.Sub(w.began) >= failureWindow {
			delete(g.counts, remote)
		}
	}
	if len(g.counts) >= guardsKept {
		clear(g.counts)
	}
}
