package paycode

import (
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/cbor"
)

// MaxFen is the largest amount a limit can name. It is the largest whole number
// that JavaScript holds, so every page shows what was signed.
const MaxFen = 1<<53 - 1

const fields = 6 // kind, account, epoch, perTxFen, perDayOfflineFen, maxOfflineTx

// Pay is what a payment credential says. It has no first day: it is valid until
// now reaches Expires. Times are unix seconds, amounts fen.
type Pay struct {
	Key              signing.KeyID // of the issuer; set by Parse, not looked at by Sign
	ID               signing.PassID
	Account          uint64 // pseudonym of the card account
	Epoch            uint32 // of the credential; a later one replaces it
	PerTxFen         int64  // largest single payment offline
	PerDayOfflineFen int64
	MaxOfflineTx     uint32
	Expires          int64
	IssuedAt         int64
	Phone            signing.PhoneKey
}

// Parse reads the payment credential in c. It verifies no signature. Errors
// wrap signing.ErrMalformed.
func Parse(c *signing.Credential) (*Pay, error) {
	if c.Kind != signing.Pay {
		return nil, fmt.Errorf("%w: pay: %s does not pay", signing.ErrMalformed, c.Kind)
	}
	p := &Pay{Key: c.Key, ID: c.ID, Expires: c.Expires, IssuedAt: c.IssuedAt, Phone: c.Phone}
	in := cbor.Read(c.Fields)
	if c.Count != fields {
		in.Fail("fields", "wrong number of fields")
	}
	if c.HasNotBefore {
		in.Fail("nbf", "a payment credential has none")
	}
	if c.Phone.IsZero() {
		in.Fail("cnf", "a payment credential has one")
	}
	p.Account = in.Uint("account", 1<<64-1)
	p.Epoch = uint32(in.Uint("epoch", 1<<32-1))
	p.PerTxFen = int64(in.Uint("perTxFen", MaxFen))
	p.PerDayOfflineFen = int64(in.Uint("perDayOfflineFen", MaxFen))
	p.MaxOfflineTx = uint32(in.Uint("maxOfflineTx", 1<<32-1))
	if err := in.End(); err != nil {
		return nil, fmt.Errorf("%w: pay: %w", signing.ErrMalformed, err)
	}
	return p, nil
}

// Sign makes the credential. The error wraps signing.ErrClaim and names the
// value that cannot be signed, or signing.ErrKey when the issuer cannot sign
// payment credentials. What Sign makes, Parse reads back to the same Pay.
func (p *Pay) Sign(iss signing.Issuer) ([]byte, error) {
	claims := signing.Claims{ID: p.ID, Expires: p.Expires, IssuedAt: p.IssuedAt, Phone: p.Phone}
	if err := p.check(&claims); err != nil {
		return nil, fmt.Errorf("%w: pay: %w", signing.ErrClaim, err)
	}
	payload := claims.AppendPayload(nil, signing.Pay, fields)
	payload = cbor.AppendUint(payload, p.Account)
	payload = cbor.AppendUint(payload, uint64(p.Epoch))
	payload = cbor.AppendInt(payload, p.PerTxFen)
	payload = cbor.AppendInt(payload, p.PerDayOfflineFen)
	payload = cbor.AppendUint(payload, uint64(p.MaxOfflineTx))
	return iss.SignPayload(signing.Pay, payload)
}

func (p *Pay) check(c *signing.Claims) error {
	switch {
	case p.Phone.IsZero():
		return errors.New("phone: no key")
	case p.PerTxFen < 0 || p.PerTxFen > MaxFen:
		return fmt.Errorf("perTxFen: %d: want 0 to %d", p.PerTxFen, int64(MaxFen))
	case p.PerDayOfflineFen < 0 || p.PerDayOfflineFen > MaxFen:
		return fmt.Errorf("perDayOfflineFen: %d: want 0 to %d", p.PerDayOfflineFen, int64(MaxFen))
	}
	if _, err := p.Phone.Public(); err != nil {
		return fmt.Errorf("phone: %w", err)
	}
	return c.Check()
}

// LiveText is the text of a live code, or of a credential shown by itself.
func LiveText(live []byte) string { return signing.LiveText(live) }
