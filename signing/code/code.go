package code

import (
	"fmt"

	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
)

// ServerLife is the longest life, in seconds, of a pass that the server signed
// for a phone without a key store.
const ServerLife = 120

// Code is what a text said. Exactly one of Pass and Pay is set.
type Code struct {
	Form  signing.Form
	Key   *signing.Key // whose signature it is; nil from Inspect
	Pass  *pass.Pass
	Pay   *paycode.Pay
	Proof *signing.Proof  // nil when nothing was proved: see Unproved
	Phone signing.PhoneID // of the phone key; zero without one

	// Server is set on a bearer pass shown as CP1: text. Such a pass lives at most
	// ServerLife; the server signs it, online, for a phone without a key store.
	Server bool
}

// ID is the pass id of either kind of credential.
func (c *Code) ID() signing.PassID {
	switch {
	case c.Pass != nil:
		return c.Pass.ID
	case c.Pay != nil:
		return c.Pay.ID
	}
	return signing.PassID{}
}

// Kind is the kind of either kind of credential; zero of an empty Code.
func (c *Code) Kind() signing.Kind {
	switch {
	case c.Pass != nil:
		return c.Pass.Kind
	case c.Pay != nil:
		return signing.Pay
	}
	return 0
}

// Unproved reports that the credential belongs to a phone and that the phone
// did not sign. Such a code is genuine, and must not be accepted.
func (c *Code) Unproved() bool { return c.Proof == nil && c.Phone != signing.PhoneID{} }

// Read reads a text and verifies every signature in it against ring. Errors wrap
// one of signing.ErrMalformed, ErrUnknownKey, ErrBadSignature and
// ErrCompromised and say what is wrong; with ErrCompromised, and only then, the
// Code is filled, so that it can be shown. A credential with a phone key but no
// proof is read without error: see Code.Unproved.
func Read(ring *signing.Keyring, text string) (Code, error) {
	var room [signing.MaxBytes]byte
	c, l, err := parse(room[:0], text)
	if err != nil {
		return Code{}, err
	}
	key, err := ring.Verify(&l.Credential)
	if key == nil {
		return Code{}, err
	}
	if c.Proof != nil {
		if err := l.VerifyProof(); err != nil {
			return Code{}, err
		}
	}
	c.Key = key
	return c, err
}

// ReadSegment reads the last part of a static code's address, as a server finds
// it in the path of a request.
func ReadSegment(ring *signing.Keyring, segment string) (Code, error) {
	return Read(ring, "HTTPS://X/V/"+segment)
}

// Inspect reads a text without verifying anything in it. The error wraps
// signing.ErrMalformed.
func Inspect(text string) (Code, error) {
	c, _, err := parse(nil, text)
	return c, err
}

// Credential gives the bytes of the credential in a text, with or without a
// proof around it, for a phone to prove or a server to renew. Nothing is
// verified; the error wraps signing.ErrMalformed.
func Credential(text string) ([]byte, error) {
	_, l, err := parse(nil, text)
	return l.Raw(), err
}

// parse does everything that needs no key. Of a credential without a proof, the
// Live has only the Credential.
func parse(room []byte, text string) (Code, signing.Live, error) {
	form, data, err := signing.ParseText(room, text)
	if err != nil {
		return Code{}, signing.Live{}, err
	}
	c := Code{Form: form}
	var l signing.Live
	// A live code is an array of two, a credential one of four.
	if form == signing.FormLive && len(data) > 0 && data[0] == 0x82 {
		l, err = signing.ParseLive(data)
		if err == nil {
			proof := l.Proof
			c.Proof = &proof
		}
	} else {
		l.Credential, err = signing.ParseCredential(data)
	}
	if err == nil {
		err = c.fill(&l.Credential)
	}
	if err != nil {
		return Code{}, signing.Live{}, err
	}
	return c, l, nil
}

// fill reads what is particular to the kind, and checks that the credential may
// be written in this form.
func (c *Code) fill(cred *signing.Credential) (err error) {
	switch {
	case cred.Kind == signing.Pay:
		c.Pay, err = paycode.Parse(cred)
	case cred.Kind.OpensGates():
		c.Pass, err = pass.Parse(cred)
	default:
		err = fmt.Errorf("%w: kind %d", signing.ErrMalformed, uint8(cred.Kind))
	}
	switch {
	case err != nil:
		return err
	case cred.Phone.IsZero() && c.Form == signing.FormLive:
		if cred.Expires-cred.NotBefore > ServerLife {
			return fmt.Errorf("%w: no phone key, and a life above %d seconds", signing.ErrMalformed, ServerLife)
		}
		c.Server = true
	case !cred.Phone.IsZero() && c.Form == signing.FormStatic:
		return fmt.Errorf("%w: a credential with a phone key is not shown as an address", signing.ErrMalformed)
	case !cred.Phone.IsZero():
		c.Phone = cred.Phone.ID()
	}
	return nil
}
