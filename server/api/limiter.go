package api

import (
	"net/netip"
	"sync"
	"time"
)

// limiter makes addresses wait that fail again and again: one IPv4 address, or
// one /64 of IPv6. Safe for concurrent use.
type limiter struct {
	burst  int           // failures that are free
	refill time.Duration // after which one failure is forgotten
	now    func() time.Time

	mu    sync.Mutex
	debts map[netip.Prefix]debt
}

// A debt is a number of failures at a time; it shrinks by one each refill.
type debt struct {
	failures int
	since    time.Time
}

// Addresses remembered at most. When all are in debt, new ones are let in: a
// flood from everywhere must not lock everybody out.
const maxDebts = 10_000

// shut reports whether an address has to wait.
func (l *limiter) shut(remote string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current(network(remote)).failures >= l.burst
}

func (l *limiter) failed(remote string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := network(remote)
	d := l.current(key)
	if _, known := l.debts[key]; !known && len(l.debts) >= maxDebts {
		for old := range l.debts {
			l.current(old)
		}
		if len(l.debts) >= maxDebts {
			return
		}
	}
	if l.debts == nil {
		l.debts = map[netip.Prefix]debt{}
	}
	d.failures = min(d.failures+1, l.burst)
	l.debts[key] = d
}

// current gives the debt of an address, less what time has forgiven.
func (l *limiter) current(key netip.Prefix) debt {
	now := l.now()
	d, known := l.debts[key]
	if !known {
		return debt{since: now}
	}
	n := max(0, int(now.Sub(d.since)/l.refill)) // the clock may have been set back
	d.failures -= n
	d.since = d.since.Add(time.Duration(n) * l.refill)
	if d.failures <= 0 {
		delete(l.debts, key)
		return debt{since: now}
	}
	l.debts[key] = d
	return d
}

// network gives the address that a failure is charged to.
func network(remote string) netip.Prefix {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
