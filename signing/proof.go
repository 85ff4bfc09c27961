package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"io"
	"math"

	"campusgate/signing/cbor"
)

// Context says what a phone made its proof for, so that a proof shown at a gate
// cannot be used to pay. The numbers are in signed codes and never change.
type Context uint8

// The contexts of a proof.
const (
	ContextGate Context = 1
	ContextPay  Context = 2
	ContextPIN  Context = 3 // a payment confirmed with the PIN; reserved
)

// Fits reports whether a proof of this context belongs to a credential of kind.
func (c Context) Fits(kind Kind) bool {
	switch c {
	case ContextGate:
		return kind.OpensGates()
	case ContextPay, ContextPIN:
		return kind == Pay
	}
	return false
}

func (c Context) String() string {
	switch c {
	case ContextGate:
		return "gate"
	case ContextPay:
		return "pay"
	case ContextPIN:
		return "pin"
	}
	return fmt.Sprintf("context(%d)", uint8(c))
}

// MaxCounter is the largest counter of a proof, so that every store holds it
// as a signed number.
const MaxCounter = math.MaxInt64

// Proof is what a phone says each time it shows a live code.
type Proof struct {
	T       int64  // unix seconds by the phone's clock
	Counter uint64 // never twice the same for one phone key
	Nonce   [4]byte
	Context Context
}

// Live is a credential with the phone's proof, taken apart but not verified.
// Its slices belong to the bytes it was parsed from.
type Live struct {
	Credential
	Proof Proof

	signed, proof []byte
}

// ParseLive takes a live code apart. Errors wrap ErrMalformed.
func ParseLive(b []byte) (Live, error) {
	in := cbor.Read(b)
	var l Live
	in.Exactly("live code", "\x82")
	l.Credential = readEnvelope(&in, b)
	in.Exactly("proof: envelope", "\x84")
	in.Exactly("proof: protected header", "\x43"+phoneHeader)
	in.Exactly("proof: unprotected header", "\xa0")
	l.signed = in.Bytes("proof: payload", 1, maxPayload)
	l.proof = in.Bytes("proof: signature", signatureSize, signatureSize)
	err := in.End()
	if err != nil {
		return Live{}, malformed("live code", err)
	}
	if l.Credential, err = l.withClaims(); err != nil {
		return Live{}, err
	}
	if l.Proof, err = readProof(l.signed); err != nil {
		return Live{}, malformed("proof", err)
	}
	switch {
	case l.Phone.IsZero():
		return Live{}, fmt.Errorf("%w: proof: the credential names no phone key", ErrMalformed)
	case !l.Proof.Context.Fits(l.Kind):
		return Live{}, fmt.Errorf("%w: proof: ctx: %s does not go with %s", ErrMalformed, l.Proof.Context, l.Kind)
	}
	return l, nil
}

func readProof(signed []byte) (p Proof, err error) {
	in := cbor.Read(signed)
	in.Exactly("fields", "\x84")
	p.T = int64(in.Uint("t", MaxTime))
	p.Counter = in.Uint("ctr", MaxCounter)
	copy(p.Nonce[:], in.Bytes("nonce", len(p.Nonce), len(p.Nonce)))
	p.Context = Context(in.Uint("ctx", uint64(ContextPIN)))
	return p, in.End()
}

// VerifyProof checks the phone's signature; the error wraps ErrBadSignature.
func (l *Live) VerifyProof() error {
	public, err := publicKey(l.point)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	aad := sha256.Sum256(l.raw)
	var room [toBeSignedRoom]byte
	if !verifyES256(public, appendToBeSigned(room[:0], []byte(phoneHeader), aad[:], l.signed), l.proof) {
		return fmt.Errorf("%w: proof not by the phone key %s", ErrBadSignature, l.Phone)
	}
	return nil
}

// MakeProof signs a proof for a credential with the phone's P-256 key and gives
// the live code's bytes. random is passed to the signer; the standard library's
// keys sign deterministically (RFC 6979) when it is nil. That key and context
// go with the credential is not checked: the phone does not check it either, and
// a reader does. Errors wrap ErrMalformed, ErrKey or ErrClaim.
func MakeProof(phone crypto.Signer, random io.Reader, cred []byte, p Proof) ([]byte, error) {
	if _, err := ParseCredential(cred); err != nil {
		return nil, err
	}
	public, ok := phone.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: phone keys are P-256", ErrKey)
	}
	if _, err := PhoneKeyOf(public); err != nil {
		return nil, err
	}
	switch {
	case p.T < 0 || p.T > MaxTime:
		return nil, fmt.Errorf("%w: t: outside the years 1970 to 9999", ErrClaim)
	case p.Counter > MaxCounter:
		return nil, fmt.Errorf("%w: ctr: above %d", ErrClaim, uint64(MaxCounter))
	case p.Context < ContextGate || p.Context > ContextPIN:
		return nil, fmt.Errorf("%w: ctx: no context %d", ErrClaim, p.Context)
	}
	var payload []byte
	payload = cbor.AppendInt(cbor.AppendArray(payload, 4), p.T)
	payload = cbor.AppendBytes(cbor.AppendUint(payload, p.Counter), p.Nonce[:])
	payload = cbor.AppendUint(payload, uint64(p.Context))

	aad := sha256.Sum256(cred)
	digest := sha256.Sum256(appendToBeSigned(nil, []byte(phoneHeader), aad[:], payload))
	der, err := phone.Sign(random, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	signature, err := rawSignature(der)
	if err != nil {
		return nil, err
	}
	live := append(cbor.AppendArray(nil, 2), cred...)
	live = cbor.AppendBytes(cbor.AppendArray(live, 4), []byte(phoneHeader))
	live = cbor.AppendBytes(cbor.AppendMap(live, 0), payload)
	return cbor.AppendBytes(live, signature[:]), nil
}
