package desk

import (
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Stamp says when an input happened and whether the server could be reached.
// All the time that a core knows comes in stamps.
type Stamp struct {
	Wall    int64 // unix ms, the computer's clock
	Mono    int64 // ms since some beginning, never going back
	Offline bool
}

// Stamped makes whatever has a Stamp an Input.
func (s Stamp) Stamped() Stamp { return s }

// Awaits is for inputs that no result answers.
func (Stamp) Awaits() string { return "" }

// Input is something that happened. Packages lane and till have more of them.
type Input interface {
	Stamped() Stamp
	// Awaits is the id of the attempt whose next result answers whoever waits
	// for the input; "" = another effect does.
	Awaits() string
}

// Scan is a code presented at a lane, already read: Code and Err are what
// code.Read gave.
type Scan struct {
	Stamp
	ID     string // new, unique at this agent for ever
	Lane   string
	Source string // serial, wedge, camera, api
	// Towards is the direction of the scanner, where a lane has one for each; "" =
	// the lane's own.
	Towards verdict.Direction
	Code    code.Code
	Err     error
	// Guideline and Till are those in force; nil = none is known.
	Guideline *verdict.Guideline
	Till      *wire.Till
}

// Awaits is the scan itself.
func (s *Scan) Awaits() string { return s.ID }

// BeginShift is somebody who comes on duty, after their PIN was checked.
type BeginShift struct {
	Stamp
	Number string
	Name   string
}

// EndShift is the one who goes.
type EndShift struct{ Stamp }

// ClaimReply is the answer to a question of ours, or silence.
type ClaimReply struct {
	Stamp
	From   uint16 // who was asked; 0 = the server
	Answer wire.Answer
}

// Waited says that the time of a Later is over.
type Waited struct {
	Stamp
	Claim string
}

// Synced reports a comparison with the server's clock. Stamp is the moment of
// the comparison.
type Synced struct {
	Stamp
	OffsetMS int64 // the server's clock minus the computer's
}

// Tick lets time pass. It should come about once a second, and after a snapshot
// brought something to look at.
type Tick struct{ Stamp }

// Effect is something to do after the commit, and only then: one of those
// below, or one that the core's own package performs.
type Effect any

// Show publishes the state of an attempt.
type Show struct{ Result Result }

// Ask puts a question to the server or another gate. A ClaimReply must follow.
type Ask struct{ Claim wire.Claim }

// Tell is an Ask to whose answer nobody listens.
type Tell struct{ Claim wire.Claim }

// Later asks for a Waited about a claim after so many ms.
type Later struct {
	Claim string
	MS    int64
}

// Pong answers a ping.
type Pong struct{ Pong wire.Pong }

// Reply answers another gate's question, or the server that wants a pass moved.
type Reply struct {
	Answer wire.Answer
	Moved  wire.Moved
}

// Shifted says who is on duty now.
type Shifted struct{ Shift Shift }

// Done answers an input that no result answers.
type Done struct{ Result Result }

// Reject turns an input down. Nothing was changed. Err is a sentinel of this
// package or of the core's.
type Reject struct {
	ID  string
	Err error
}
