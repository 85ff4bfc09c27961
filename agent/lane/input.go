package lane

import (
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Answer is the guard's answer to a scan that waits for a document.
type Answer struct {
	desk.Stamp
	ID        string
	Documents []string // the kinds that were shown
	Refuse    bool     // none was, or nobody comes in unconfirmed
	Confirm   bool     // they come in although nobody can confirm it
	Guard     string   // number of a guard elsewhere who answers for it; "" = whoever is on duty here
	// Guideline is the one in force; nil = none is known.
	Guideline *verdict.Guideline
}

// Awaits is the scan.
func (in Answer) Awaits() string { return in.ID }

// says counts what the answer says.
func (in Answer) says() (n int) {
	for _, yes := range []bool{in.Refuse, in.Confirm, len(in.Documents) > 0} {
		if yes {
			n++
		}
	}
	return n
}

// Entry is somebody without a code, whom the guard lets in by a rule of the
// guideline, or does not; or who leaves by a rule that keeps a register.
type Entry struct {
	desk.Stamp
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

// Awaits is the entry itself.
func (in Entry) Awaits() string { return in.ID }

// Annul takes back an admission after which nobody went through.
type Annul struct {
	desk.Stamp
	ID string // of the scan
	// Sensor: the lane's sensor says so, and not a guard, who would have to be on
	// duty.
	Sensor bool
}

// Awaits is the scan.
func (in Annul) Awaits() string { return in.ID }

// ClaimAsked is another gate's question to us as owner.
type ClaimAsked struct {
	desk.Stamp
	Claim wire.Claim
}

// Pinged is the server's request not to act alone for a while. A desk.Pong
// answers it.
type Pinged struct {
	desk.Stamp
	Ping wire.Ping
}

// MoveAsked is the server's wish that this gate give a pass up to another.
type MoveAsked struct {
	desk.Stamp
	Move wire.Move
}

// Open is the effect that moves a lane's barrier.
type Open struct{ Lane, Scan string }
