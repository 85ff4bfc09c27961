package lane

import (
	"errors"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
)

// Config is what a Core knows of its gate apart from the book.
type Config struct {
	Gate        uint16
	Site        string
	Lanes       []Lane
	Documents   bool  // the guard asks for a document at every entry
	ClockMaxAge int64 // ms without a comparison of clocks; 0 = no limit
	// PolicyMaxAge is how old the snapshot may be, in ms; 0 = no limit.
	PolicyMaxAge int64
}

// Lane is one way through the gate.
type Lane struct {
	Name      string
	Direction verdict.Direction
	Kinds     signing.KindSet // zero = everything that opens gates
}

// DefaultClockMaxAge is seven days.
const DefaultClockMaxAge int64 = 7 * 24 * 3600 * 1000

// readReason turns an error of code.Read into what Judge wants to know. An
// error of no known kind becomes Internal, which Judge refuses.
func readReason(err error) verdict.Reason {
	switch {
	case err == nil, errors.Is(err, signing.ErrCompromised):
		return 0
	case errors.Is(err, signing.ErrMalformed):
		return verdict.Malformed
	case errors.Is(err, signing.ErrUnknownKey):
		return verdict.UnknownKey
	case errors.Is(err, signing.ErrBadSignature):
		return verdict.BadSignature
	}
	return verdict.Internal
}

// codeFacts takes from a code what decides.
func codeFacts(c *code.Code, err error) verdict.Code {
	f := verdict.Code{
		Kind: c.Kind(), ID: c.ID(), Compromised: errors.Is(err, signing.ErrCompromised),
		Bound: c.Phone != signing.PhoneID{},
	}
	if c.Key != nil {
		f.Key, f.Site = c.Key.ID, c.Key.Site
	}
	switch {
	case c.Pass != nil:
		p := c.Pass
		f.NotBefore, f.Expires, f.IssuedAt = p.NotBefore, p.Expires, p.IssuedAt
		f.Uses, f.Zones, f.Owner = p.Uses, p.Zones, p.Owner
	case c.Pay != nil:
		p := c.Pay
		f.Expires, f.IssuedAt = p.Expires, p.IssuedAt
		f.Pay = &verdict.Pay{
			Account: p.Account, Epoch: p.Epoch, PerTxFen: p.PerTxFen,
			PerDayOfflineFen: p.PerDayOfflineFen, MaxOfflineTx: p.MaxOfflineTx,
		}
	}
	if c.Proof != nil {
		f.Proof = &verdict.Proof{
			T: c.Proof.T, Counter: c.Proof.Counter, Phone: c.Phone, Context: uint8(c.Proof.Context),
		}
	}
	return f
}

// apply puts what the book holds into a case.
func (s *Standing) apply(k *verdict.Case, cfg *Config) {
	p := &s.Policy
	k.Record = s.Record
	k.Lane.Zone, k.Lane.OwnsFrom = p.Zone, p.OwnsFrom
	k.Policy = verdict.Policy{Revision: p.Revision, Mode: p.Mode, Fresh: p.Fresh, MaxAgeMS: cfg.PolicyMaxAge}
	k.Document.Required = k.Lane.Direction == verdict.Entry && (cfg.Documents || p.Documents)
	if !p.Known {
		// Without its entry in the snapshot a gate knows neither its zone nor who
		// decides, and would admit too much.
		k.Policy.Fresh, k.Policy.MaxAgeMS = 0, 1
	}
}
