package wire

import (
	"fmt"

	"campusgate/signing/verdict"
)

// Leases, for gates of the policy first_seen. A gate that answers pings does
// not act on its own; the server may count on that until LeaseMS after it sent
// the last ping that was answered, and the gate waits LeaseGateMS after it took
// that ping. The difference is what two clocks may drift apart, 5 %.
const (
	LeasePingMS = 300
	LeaseMS     = 1000
	LeaseGateMS = 1050

	// ReserveMS is for how long a gate that called a pass free does not admit it
	// itself on its own. AttemptMS is how long after it began to ask a gate may
	// still admit by the answers: less, by more than clocks drift.
	ReserveMS = 3000
	AttemptMS = 2500

	// MaxDark bounds the gates that an answer names.
	MaxDark = 256
)

// Message types of leases.
const (
	TypePing = "ping" // link, Ping
	TypePong = "pong" // link, Pong
)

// Ping asks a gate not to act on its own: server to agent.
type Ping struct {
	Nonce uint64 `json:"nonce"` // counts on each connection
	// Heard is the nonce of the latest pong that came. A gate that is not heard
	// promises nothing: it could neither ask the server nor act on its own.
	Heard uint64 `json:"heard,omitempty"`
}

// Reaches reports that the gate's pongs have been coming lately.
func (m *Ping) Reaches() bool { return m.Heard != 0 && m.Nonce-m.Heard <= 3 }

// Pong promises it, with Promise: agent to server. What the gate admitted on its own is in its
// journal up to Last.
type Pong struct {
	Nonce uint64 `json:"nonce"`
	Last  uint64 `json:"last"`
	// Promise is left out while the gate does not know that it is heard.
	Promise bool `json:"promise,omitempty"`
	// FirstSeen: the gate goes by that policy already. Before, it may be deciding
	// passes for itself.
	FirstSeen bool `json:"first_seen,omitempty"`
}

// Reserve says what a Claim wants of a gate that may itself have admitted, or be
// about to.
type Reserve string

// The wishes. A question is answered granted (it is free, and now reserved),
// used, reserved, or silent. After ReserveFree the reservation is gone.
const (
	ReserveNone Reserve = ""
	ReserveTake Reserve = "take"
	ReserveFree Reserve = "free"
)

func (r Reserve) check() error {
	switch r {
	case ReserveNone, ReserveTake, ReserveFree:
		return nil
	}
	return fmt.Errorf("reserve %.32q", string(r))
}

// Offline is what a gate of the policy first_seen may do on its own.
type Offline struct {
	Max      uint32 `json:"max"`        // admissions that the server has not acknowledged
	MaxAgeMS int64  `json:"max_age_ms"` // since the gate last knew that it was current
	Confirm  bool   `json:"confirm,omitempty"`
}

// Caps puts the limits into a case. No limits are none: silence refuses.
func (o *Offline) Caps() verdict.Offline {
	if o == nil {
		return verdict.Offline{}
	}
	return verdict.Offline{Max: o.Max, MaxAgeMS: o.MaxAgeMS, Confirm: o.Confirm}
}

// Answer begins an answer to the claim.
func (m *Claim) Answer(state verdict.ClaimState) Answer {
	a := Answer{ID: m.ID, State: state, Try: m.Try}
	if m.Reserve != ReserveNone {
		a.From = m.Owner
	}
	return a
}

// Asked tells apart the questions that are under way with one id.
func (m *Claim) Asked() string {
	a := m.Answer("")
	return a.Answers()
}

// Answers is Asked of the claim that it is the answer to.
func (m *Answer) Answers() string { return fmt.Sprintf("%s/%d/%d", m.ID, m.From, m.Try) }
