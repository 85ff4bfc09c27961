package lane

import (
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Stamp says when an input happened and whether the server could be reached.
// All the time that a Core knows comes in stamps.
type Stamp struct {
	Wall    int64 // unix ms, the computer's clock
	Mono    int64 // ms since some beginning, never going back
	Offline bool
}

func (s Stamp) stamp() Stamp { return s }

// Input is something that happened. The implementations are the types of this
// file.
type Input interface{ stamp() Stamp }

// Scan is a code presented at a lane, already read: Code and Err are what
// code.Read gave.
type Scan struct {
	Stamp
	ID     string // new, unique at this agent for ever
	Lane   string
	Source string // serial, wedge, camera, api
	Code   code.Code
	Err    error
	// Guideline is the one in force, here and with other inputs; nil = none is
	// known.
	Guideline *verdict.Guideline
}

// Answer is the guard's answer to a scan that waits for a document.
type Answer struct {
	Stamp
	ID        string
	Documents []string // the kinds that were shown
	Refuse    bool     // none was
	Guideline *verdict.Guideline
}

// Entry is somebody without a code, whom the guard lets in by a rule of the
// guideline, or does not; or who leaves by a rule that keeps a register.
type Entry struct {
	Stamp
	ID        string // new, as of a scan
	Lane      string // that opens
	Direction verdict.Direction
	Rule      string
	Documents []string       // the kinds that were shown; none = nothing was
	Register  *wire.Register // where the rule keeps one: who it is, or which entry ends
	Note      string         // the guard's own words
	Pass      signing.PassID // that was looked up; zero = none
	Guideline *verdict.Guideline
}

// BeginShift is a guard who comes on duty, after their PIN was checked.
type BeginShift struct {
	Stamp
	Number string
	Name   string
}

// EndShift is the guard who goes.
type EndShift struct{ Stamp }

// Annul takes back an admission after which nobody went through.
type Annul struct {
	Stamp
	ID string // of the scan
}

// ClaimReply is the decider's answer to a question of ours, or silence.
type ClaimReply struct {
	Stamp
	Answer wire.Answer
}

// ClaimAsked is another gate's question to us as owner.
type ClaimAsked struct {
	Stamp
	Claim wire.Claim
}

// Synced reports a comparison with the server's clock. Stamp is the moment of
// the comparison.
type Synced struct {
	Stamp
	OffsetMS int64 // the server's clock minus the computer's
}

// Tick lets time pass. It should come about once a second, and after a snapshot
// brought releases.
type Tick struct{ Stamp }

// Effect is something to do after the commit, and only then.
type Effect interface{ effect() }

// Open moves a lane's barrier.
type Open struct{ Lane string }

// Show publishes the state of an attempt.
type Show struct{ Result Result }

// Ask sends a question to the decider of a pass. A ClaimReply must follow.
type Ask struct{ Claim wire.Claim }

// Reply answers a ClaimAsked.
type Reply struct{ Answer wire.Answer }

// Shifted says who is on duty now.
type Shifted struct{ Shift Shift }

// Reject turns an input down. Nothing was changed. Err is one of the
// sentinels of this package.
type Reject struct {
	ID  string
	Err error
}

func (Open) effect()    {}
func (Show) effect()    {}
func (Ask) effect()     {}
func (Reply) effect()   {}
func (Reject) effect()  {}
func (Shifted) effect() {}
