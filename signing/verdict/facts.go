package verdict

import (
	"errors"

	"campusgate/signing"
	"campusgate/signing/code"
)

// FactsOf turns what code.Read gave, both values as they came, into the Code and
// Read of a Case, so that every caller judges a text alike. The Reason is zero
// when the code is genuine, and also when its key is compromised: that code can
// be read, and Judge refuses it as Revoked. An error that is not one of
// code.Read's gives Internal.
func FactsOf(c code.Code, err error) (Code, Reason) {
	compromised := errors.Is(err, signing.ErrCompromised)
	switch {
	case err == nil || compromised:
	case errors.Is(err, signing.ErrMalformed):
		return Code{}, Malformed
	case errors.Is(err, signing.ErrUnknownKey):
		return Code{}, UnknownKey
	case errors.Is(err, signing.ErrBadSignature):
		return Code{}, BadSignature
	default:
		return Code{}, Internal
	}
	if c.Key == nil {
		return Code{}, Internal // never verified: it came from code.Inspect
	}
	facts := Code{
		Kind: c.Kind(), ID: c.ID(), Key: c.Key.ID, Site: c.Key.Site, Compromised: compromised,
		Bound: c.Phone != signing.PhoneID{},
	}
	if p := c.Pass; p != nil {
		facts.NotBefore, facts.Expires, facts.IssuedAt = p.NotBefore, p.Expires, p.IssuedAt
		facts.Uses, facts.Zones, facts.Owner = p.Uses, p.Zones, p.Owner
	}
	if p := c.Pay; p != nil {
		facts.Expires, facts.IssuedAt = p.Expires, p.IssuedAt
		facts.Pay = &Pay{
			Account: p.Account, Epoch: p.Epoch,
			PerTxFen: p.PerTxFen, PerDayOfflineFen: p.PerDayOfflineFen, MaxOfflineTx: p.MaxOfflineTx,
		}
	}
	if p := c.Proof; p != nil {
		facts.Proof = &Proof{T: p.T, Counter: p.Counter, Phone: c.Phone, Context: uint8(p.Context)}
	}
	return facts, 0
}
