package wire

import (
	"fmt"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Messages of the ask stream that move a pass from the gate that decides it to
// another one.
const (
	TypeMove  = "move"  // ask, Move: server to the owner
	TypeMoved = "moved" // ask, Moved: the owner to the server
)

// EventRelease records that an owner gave a pass up, durably and for good.
const EventRelease EventType = "release"

// MoveWaitMS is how long the server waits for a Moved; MaxMoves how many may be
// under way on a connection.
const (
	MoveWaitMS = 3_000
	MaxMoves   = 16
)

// Move asks the owner of a pass to give it up to another gate, and stands in
// the event and the record of that. The same id asked again gets the same
// answer once it was released.
type Move struct {
	ID         string         `json:"id"` // of the server's: 8 to 64 letters, digits and hyphens
	Pass       signing.PassID `json:"pass"`
	From       uint16         `json:"from"` // owns it now
	To         uint16         `json:"to"`
	Epoch      uint32         `json:"epoch"`       // of the ownership, after the move: one more than before
	AgentEpoch uint32         `json:"agent_epoch"` // of the agent that stands for To: no later one owns the pass by this
	Issued     int64          `json:"iat"`         // unix s, of the pass
	Expires    int64          `json:"exp"`
}

// Check refuses a move that moves nothing, or nowhere.
func (m *Move) Check() error {
	if err := checkToken("move id", m.ID); err != nil {
		return err
	}
	if m.Pass.IsZero() || m.From == 0 || m.To == 0 || m.From == m.To {
		return fmt.Errorf("move %.64q: want a pass and two gates", m.ID)
	}
	if m.Epoch == 0 || m.AgentEpoch == 0 {
		return fmt.Errorf("move %.64q: epochs start at 1", m.ID)
	}
	return nil
}

// MoveState is what came of a Move.
type MoveState string

// The states. Only Released is for good: after another one the same Move may be
// asked again.
const (
	MoveReleased MoveState = "released" // on the owner's disk: it decides the pass no more
	MoveUsed     MoveState = "used"     // the pass was used, or claimed
	MoveRefused  MoveState = "refused"  // the gate does not decide the pass, or not at that epoch
	MoveSilent   MoveState = "silent"   // no answer came; it may have been released
)

// Moved answers a Move.
type Moved struct {
	ID    string    `json:"id"`
	State MoveState `json:"state"`
	// Stands is the move by which the pass was given up: with Released the one that
	// was asked for, with Refused another one, of which the server has yet to hear.
	Stands *Move        `json:"stands,omitempty"`
	First  *verdict.Use `json:"first,omitempty"` // with Used, where it is known
}

// Check refuses an answer that says nothing.
func (m *Moved) Check() error {
	if err := checkToken("move id", m.ID); err != nil {
		return err
	}
	if m.Stands != nil {
		if err := m.Stands.Check(); err != nil {
			return err
		}
	}
	switch m.State {
	case MoveReleased:
		if m.Stands == nil || m.Stands.ID != m.ID {
			return fmt.Errorf("released by another move")
		}
		return nil
	case MoveUsed, MoveRefused, MoveSilent:
		return nil
	}
	return fmt.Errorf("state %.32q is none of a move", m.State)
}
