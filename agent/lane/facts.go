package lane

import (
	"time"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Config is what a Core knows of its gate apart from the book.
type Config struct {
	Gate        uint16
	Site        string
	Lanes       []Lane
	Documents   bool           // the guard asks for a document at every entry
	DocumentMS  int64          // how long a document may be looked for; 0 = DocumentMS
	Unstaffed   bool           // while nobody is on duty a document counts as not shown, and nobody agrees, at once
	Shift       bool           // nothing that a guard answers for happens while nobody is on duty
	ClockMaxAge int64          // ms without a comparison of clocks; 0 = no limit
	Zone        *time.Location // of the campus; nil = UTC
	// PolicyMaxAge is how old the snapshot may be, in ms; 0 = no limit.
	PolicyMaxAge int64
}

// Lane is one way through the gate.
type Lane struct {
	Name      string
	Direction verdict.Direction
	Kinds     signing.KindSet // zero = everything that opens gates
}

// apply puts what the book holds into a case.
func (s *Standing) apply(k *verdict.Case, cfg *Config) {
	p := &s.Policy
	k.Record = s.Record
	if p := k.Code.Proof; p != nil {
		k.Record.Replaced = s.Phone.Replaced(p.Phone, k.Code.Expires)
	}
	k.Lane.Zone, k.Lane.OwnsFrom = p.Zone, p.OwnsFrom
	k.Policy = verdict.Policy{Revision: p.Revision, Mode: p.Mode, Fresh: p.Fresh, MaxAgeMS: cfg.PolicyMaxAge}
	// Who was asked and said no has said no, whatever the gate asks for since.
	entry := k.Lane.Direction == verdict.Entry && (cfg.Documents || p.Documents)
	if k.Document.Required = entry || k.Document.Refused; !k.Document.Required {
		k.Document = verdict.Documents{}
	}
	if !p.Known {
		// Without its entry in the snapshot a gate knows neither its zone nor who
		// decides, and would admit too much.
		k.Policy.Fresh, k.Policy.MaxAgeMS = 0, 1
	}
}
