package signing

import (
	"crypto/ed25519"
	"fmt"

	"campusgate/signing/cbor"
)

// Credential is a COSE_Sign1 of the issuer profile, taken apart but not
// verified. Its slices belong to the bytes it was parsed from.
type Credential struct {
	Claims
	Key  KeyID
	Kind Kind
	// Fields are the encoded items that follow the kind, Count of them.
	Fields []byte
	Count  int

	raw, protected, payload, signature []byte

	point [65]byte // Claims.Phone, found on the curve; all zero without one
}

// ParseCredential takes a whole credential apart. Errors wrap ErrMalformed.
// That the fields after the kind are right is for the kind's own package.
//
// Here and below, what is parsed is returned and not stored through a pointer:
// that is what lets a caller keep the bytes of a code on its stack.
func ParseCredential(b []byte) (Credential, error) {
	in := cbor.Read(b)
	c := readEnvelope(&in, b)
	if err := in.End(); err != nil {
		return Credential{}, malformed("credential", err)
	}
	return c.withClaims()
}

// readEnvelope takes the envelope at the cursor, which walks over all.
func readEnvelope(in *cbor.Cursor, all []byte) (c Credential) {
	start := in.Offset()
	in.Exactly("envelope", "\x84")
	c.protected = in.Bytes("protected header", issuerHeaderSize, issuerHeaderSize)
	if len(c.protected) == issuerHeaderSize {
		if string(c.protected[:len(issuerHeader)]) != issuerHeader {
			in.Fail("protected header", "not EdDSA with a key id of 4 bytes")
		}
		copy(c.Key[:], c.protected[len(issuerHeader):])
	}
	in.Exactly("unprotected header", "\xa0")
	c.payload = in.Bytes("payload", 1, maxPayload)
	c.signature = in.Bytes("signature", signatureSize, signatureSize)
	c.raw = all[start:in.Offset()]
	return c
}

// withClaims is c with what its payload says.
func (c Credential) withClaims() (Credential, error) {
	in := cbor.Read(c.payload)
	c.Claims, c.Kind, c.Count = readPayload(&in)
	if err := in.Err(); err != nil {
		return Credential{}, malformed("payload", err)
	}
	if err := c.Check(); err != nil {
		return Credential{}, malformed("payload", err)
	}
	if !c.Phone.IsZero() {
		point, err := c.Phone.uncompressed()
		if err != nil {
			return Credential{}, malformed("payload: cnf", err)
		}
		c.point = point
	}
	c.Fields = c.payload[in.Offset():]
	return c, nil
}

// Raw is the whole credential as it was parsed.
func (c *Credential) Raw() []byte { return c.raw }

// Verify finds the key that a credential names and checks the signature with
// it. The error wraps ErrUnknownKey, ErrBadSignature (also when the key may not
// sign this kind) or, last and together with the key, ErrCompromised. A key of
// another site verifies; its Site says so.
func (r *Keyring) Verify(c *Credential) (*Key, error) {
	key, ok := r.Lookup(c.Key)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrUnknownKey, c.Key)
	}
	if !key.Kinds.Has(c.Kind) {
		return nil, fmt.Errorf("%w: key %s may not sign %s", ErrBadSignature, c.Key, c.Kind)
	}
	var room [toBeSignedRoom]byte
	if !verifyEd25519(key.Public, appendToBeSigned(room[:0], c.protected, nil, c.payload), c.signature) {
		return nil, fmt.Errorf("%w: not by key %s", ErrBadSignature, c.Key)
	}
	if key.State == KeyCompromised {
		return key, fmt.Errorf("%w: %s", ErrCompromised, c.Key)
	}
	return key, nil
}

// Issuer is an issuer key that can sign.
type Issuer struct {
	Key     Key
	Private ed25519.PrivateKey
}

// SignPayload wraps a finished payload into a credential. It refuses a kind
// that the key may not sign, a private key that is not the key's own, and a key
// that is retired or compromised. Whether a key that is next may sign yet is the
// server's rule. Ed25519 is deterministic: the same payload gives the same bytes.
func (iss Issuer) SignPayload(kind Kind, payload []byte) ([]byte, error) {
	switch {
	case len(iss.Private) != ed25519.PrivateKeySize:
		return nil, fmt.Errorf("%w: no Ed25519 private key", ErrKey)
	case !iss.Private.Public().(ed25519.PublicKey).Equal(iss.Key.Public):
		return nil, fmt.Errorf("%w: private key is not that of key %s", ErrKey, iss.Key.ID)
	case iss.Key.ID != KeyIDOf(iss.Key.Public):
		return nil, fmt.Errorf("%w: id %s is not that of the key", ErrKey, iss.Key.ID)
	case iss.Key.State == KeyRetired || iss.Key.State == KeyCompromised:
		return nil, fmt.Errorf("%w: key %s is %s", ErrKey, iss.Key.ID, iss.Key.State)
	case !iss.Key.Kinds.Has(kind):
		return nil, fmt.Errorf("%w: key %s may not sign %s", ErrKey, iss.Key.ID, kind)
	case len(payload) == 0 || len(payload) > maxPayload:
		return nil, fmt.Errorf("%w: payload of %d bytes: want 1 to %d", ErrClaim, len(payload), maxPayload)
	}
	protected := append([]byte(issuerHeader), iss.Key.ID[:]...)
	signature := ed25519.Sign(iss.Private, appendToBeSigned(nil, protected, nil, payload))
	cred := make([]byte, 0, 1+1+len(protected)+1+3+len(payload)+2+signatureSize)
	cred = cbor.AppendBytes(cbor.AppendArray(cred, 4), protected)
	cred = cbor.AppendBytes(cbor.AppendMap(cred, 0), payload)
	return cbor.AppendBytes(cred, signature), nil
}

// malformed puts what was being read, and the sentinel, before an error.
func malformed(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
}
