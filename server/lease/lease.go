// Package lease knows which gates of the policy first_seen have promised not to
// act on their own: those are current, all others are dark.
//
// It is kept in memory only: after a restart nobody has promised anything.
package lease

import (
	"slices"
	"sync"
	"time"

	"campusgate/signing/wire"
)

// word is for how long what is said about who is dark is good: a gate is current
// only while its lease lasts for that much longer. Whoever asked takes no answer
// after AskTimeoutMS, and clocks drift.
const word = (wire.AskTimeoutMS + wire.AskTimeoutMS/6) * time.Millisecond

const life = wire.LeaseMS * time.Millisecond

// Table holds the leases. Its zero value is ready; safe for concurrent use.
type Table struct {
	mu    sync.Mutex
	term  uint64 // of the lease that was proven last
	gates map[uint16]*lease
}

// lease is what is known of one gate on its present connection.
type lease struct {
	of     any                  // the connection
	nonce  uint64               // of the last ping
	heard  uint64               // of the latest that was answered
	pings  map[uint64]time.Time // sent and not answered, by nonce
	proven bool                 // its journal is held up to a pong, and the lease never ended since
	until  time.Time            // when the last promise ends
	term   uint64               // another one each time that it is proven anew
}

// Terms are the gates that are current, each with the term of its lease.
type Terms map[uint16]uint64

// Keep forgets all gates but these.
func (t *Table) Keep(gates []uint16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for gate := range t.gates {
		if !slices.Contains(gates, gate) {
			delete(t.gates, gate)
		}
	}
}

// Ping makes the next ping for a gate, to be sent now on a connection, which is
// told from others by ==.
func (t *Table) Ping(gate uint16, of any, now time.Time) wire.Ping {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gates == nil {
		t.gates = map[uint16]*lease{}
	}
	at := t.gates[gate]
	if at == nil || at.of != of {
		at = &lease{of: of, pings: map[uint64]time.Time{}}
		t.gates[gate] = at
	}
	for nonce, sent := range at.pings {
		if !before(now, sent.Add(life)) {
			delete(at.pings, nonce)
		}
	}
	at.nonce++
	at.pings[at.nonce] = now
	return wire.Ping{Nonce: at.nonce, Heard: at.heard}
}

// Pong takes a gate's promise. It counts from when the ping was sent. acked is up
// to where the gate's journal is held.
func (t *Table) Pong(gate uint16, of any, m wire.Pong, acked uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.gates[gate]
	if at == nil || at.of != of {
		return
	}
	sent, ok := at.pings[m.Nonce]
	if !ok {
		return
	}
	delete(at.pings, m.Nonce)
	if at.heard = max(at.heard, m.Nonce); !m.Promise {
		return
	}
	was := at.proven && before(now, at.until)
	at.proven = m.FirstSeen && (was || m.Last <= acked)
	if !at.proven {
		return
	}
	if !was {
		t.term++
		at.term = t.term
	}
	if until := sent.Add(life); until.After(at.until) {
		at.until = until
	}
}

// Current gives the gates that are known to act on nothing of their own now, and
// to have told everything they did before.
func (t *Table) Current(now time.Time) Terms {
	t.mu.Lock()
	defer t.mu.Unlock()
	terms := Terms{}
	for gate, at := range t.gates {
		if at.proven && before(now.Add(word), at.until) {
			terms[gate] = at.term
		}
	}
	return terms
}

// Dark gives those gates that were not current all the time between two moments,
// around a decision. A gate that was dark at first may have told something since
// that was not known to the decision; one that is dark now may be about to admit.
func Dark(gates []uint16, then, now Terms) (dark []uint16) {
	for _, gate := range gates {
		if then[gate] == 0 || then[gate] != now[gate] {
			dark = append(dark, gate)
		}
	}
	return dark
}

// before reports that t has not been reached yet, by the clock and by the time
// that passed: one of them stands still while a machine sleeps.
func before(now, t time.Time) bool { return now.Before(t) && now.Round(0).Before(t.Round(0)) }
