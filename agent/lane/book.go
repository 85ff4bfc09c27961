package lane

import (
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Book is the open write transaction in which a Core decides. Everything read
// is as of this transaction, its own writes included. An error of any method
// fails the whole transaction.
type Book interface {
	// Standing is what the store holds about a pass shown with a phone key (zero
	// without one), and this gate's policy.
	Standing(pass signing.PassID, phone signing.PhoneID) (Standing, error)
	desk.Book
	// Use records an admission or a grant.
	Use(u Use) error
	// Unuse takes u back and marks the event u.Seq as annulled by the event
	// that was appended last.
	Unuse(u Use) error
	// Counter sets the highest proof counter of a phone.
	Counter(pass signing.PassID, phone signing.PhoneID, counter uint64, at int64) error
	// Admission finds the event that opened a lane for this scan.
	Admission(scan string) (desk.Past, bool, error)

	// Answered finds what this gate answered as owner.
	Answered(claim string) (Answered, bool, error)
	// Answer keeps an answer, in place of any earlier one with the same id.
	Answer(a Answered) error
	// Releases lists the claims that the server released, for Released to tick
	// off.
	Releases() ([]Answered, error)
	Released(claim string) error

	// Group lists the other gates of the policy first_seen that a pass of these
	// zones may be shown at, in order, and whether the pass's owner (0 = none) is
	// one of them or this gate.
	Group(zones signing.Zones, owner uint16) (gates []uint16, shared bool, err error)
	// Unconfirmed counts the admissions of this gate without everybody having
	// been asked that the server has not acknowledged.
	Unconfirmed() (uint32, error)
	// End is the last seq of the journal, and the policy of this gate.
	End() (last uint64, mode verdict.Mode, err error)

	// Given finds the move by which this gate gave a pass up last.
	Given(pass signing.PassID) (wire.Move, bool, error)
	// Give keeps that a pass was given up, by an event; Heard that another gate
	// said so of itself. Only a later epoch replaces an earlier one.
	Give(m wire.Move, e wire.EventID) error
	Heard(pass signing.PassID, gate uint16, epoch uint32, expires int64) error

	// Registered finds an entry of a register that has not ended. Only entries
	// that began here are known.
	Registered(id wire.EventID) (Registered, bool, error)
	// Register keeps what an event of that type began, or that it ended another.
	Register(e *wire.Event) error
	// Unregister takes that back.
	Unregister(e *wire.Event) error

	// Presence is the latest word on a pass in an area; zero = there is none.
	Presence(area string, pass signing.PassID) (Presence, error)
	// PresenceBy lists the words that an own event gave and that still stand.
	PresenceBy(pass signing.PassID, seq uint64) ([]Presence, error)
	SetPresence(p Presence) error
	// Occupied counts who came into an area since a moment and is inside, up to
	// a limit.
	Occupied(area string, since int64, limit uint32) (uint32, error)

	// Alarms lists the alarms that are about this gate.
	Alarms() ([]wire.AlarmMove, error)
	// SetOwnAlarm keeps the one of a source of this gate's own.
	SetOwnAlarm(source wire.AlarmSource, a wire.Alarm) error
	// Held and SetHeld keep the alarms that the journal says are in force.
	Held() ([]wire.AlarmMove, error)
	SetHeld(held []wire.AlarmMove) error
}

// Standing is what bears on a pass at this gate.
type Standing struct {
	Record verdict.Record
	Policy Policy
	Rules  *wire.Policy // of the lanes; nil = none. Shared.
	Phone  desk.PhoneKey
	Asked  *desk.Question // the last question about the pass
	Moves  uint32         // how often the pass was moved, as far as this gate knows
}

// Policy is this gate's entry in the snapshot.
type Policy struct {
	Known     bool // false until a snapshot named this gate
	Revision  uint64
	Fresh     int64 // unix ms
	Zone      int
	Mode      verdict.Mode
	Offline   wire.Offline // what the gate may do on its own
	OwnsFrom  int64        // unix s
	Documents bool
}

// Use is one admission of a pass by this gate, or a grant to another.
type Use struct {
	Pass    signing.PassID
	Seq     uint64 // of its event
	At      int64
	Gate    uint16 // where the person went through
	Reason  verdict.Reason
	Own     bool  // an admission here: repeats refer to it
	Counts  bool  // decided here
	Claimed bool  // decided by another, opened here
	Expires int64 // unix s, of the credential
}

// The states of an Answered claim.
const (
	AnswerGranted = "granted"
	AnswerUsed    = "used"
	AnswerDead    = "dead" // released: a question that is still on its way gets no answer
)

// Answered is what this gate, as owner, answered to a claim.
type Answered struct {
	ID      string
	Pass    signing.PassID
	State   string
	Event   wire.EventID // the grant; zero = none
	First   *verdict.Use
	Expires int64 // unix s
}

// Registered is an entry of a register that began at this gate.
type Registered struct {
	Event    wire.EventID  `json:"event"` // with which it began
	Rule     string        `json:"rule"`
	At       int64         `json:"at"` // unix ms
	EndedAt  int64         `json:"ended_at,omitempty"`
	Register wire.Register `json:"register"`
}
