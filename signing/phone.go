package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"campusgate/signing/cbor"
)

// PhoneKey is the public key of a holder's phone: a point of P-256, kept as its
// x coordinate and the oddness of y. The zero value names no key.
type PhoneKey struct {
	X    [32]byte
	YOdd bool
}

// spkiP256 is everything in the SubjectPublicKeyInfo of a P-256 key (RFC 5480)
// before the uncompressed point.
const spkiP256 = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" +
	"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"

// PhoneKeyOf reduces a public key; it fails unless the key is on P-256.
func PhoneKeyOf(public *ecdsa.PublicKey) (PhoneKey, error) {
	if public == nil || public.Curve != elliptic.P256() {
		return PhoneKey{}, fmt.Errorf("%w: phone keys are P-256", ErrKey)
	}
	point, err := public.Bytes()
	if err != nil {
		return PhoneKey{}, fmt.Errorf("%w: phone key: %w", ErrKey, err)
	}
	return PhoneKey{X: [32]byte(point[1:33]), YOdd: point[64]&1 == 1}, nil
}

// ParsePhoneKey reads a public key in any form a browser or a tool hands out:
// SubjectPublicKeyInfo (91 bytes), uncompressed point (65) or compressed point
// (33). The point must be on the curve.
func ParsePhoneKey(b []byte) (PhoneKey, error) {
	if len(b) == len(spkiP256)+65 && string(b[:len(spkiP256)]) == spkiP256 {
		b = b[len(spkiP256):]
	}
	switch {
	case len(b) == 65:
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b)
		if err != nil {
			return PhoneKey{}, fmt.Errorf("%w: phone key: %w", ErrKey, err)
		}
		return PhoneKeyOf(public)
	case len(b) == 33 && (b[0] == 2 || b[0] == 3):
		k := PhoneKey{X: [32]byte(b[1:]), YOdd: b[0] == 3}
		if _, err := k.Public(); err != nil {
			return PhoneKey{}, err
		}
		return k, nil
	}
	return PhoneKey{}, fmt.Errorf("%w: phone key of %d bytes: want a P-256 public key as SPKI or point", ErrKey, len(b))
}

// Compressed gives the point in compressed form (SEC 1 section 2.3.3).
func (k PhoneKey) Compressed() (b [33]byte) {
	b[0] = 2
	if k.YOdd {
		b[0] = 3
	}
	copy(b[1:], k.X[:])
	return b
}

// ID names the key.
func (k PhoneKey) ID() PhoneID {
	b := k.Compressed()
	return sha256.Sum256(b[:])
}

// IsZero reports whether no key is named.
func (k PhoneKey) IsZero() bool { return k == PhoneKey{} }

// Public finds y. It fails when no point of the curve has this x.
func (k PhoneKey) Public() (*ecdsa.PublicKey, error) {
	point, err := k.uncompressed()
	if err != nil {
		return nil, err
	}
	return publicKey(point)
}

// uncompressed finds y and gives the point in uncompressed form.
func (k PhoneKey) uncompressed() (point [65]byte, err error) {
	b := k.Compressed()
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), b[:])
	if x == nil {
		return point, fmt.Errorf("%w: phone key is no point of P-256", ErrKey)
	}
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	return point, nil
}

func publicKey(point [65]byte) (*ecdsa.PublicKey, error) {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point[:])
	if err != nil {
		return nil, fmt.Errorf("%w: phone key: %w", ErrKey, err)
	}
	return public, nil
}

// String is the compressed point in lower-case hex; the zero key is "".
func (k PhoneKey) String() string {
	if k.IsZero() {
		return ""
	}
	b := k.Compressed()
	return hex.EncodeToString(b[:])
}

// MarshalText and UnmarshalText make PhoneKey a JSON string of the form that
// String gives; a point off the curve is refused.
func (k PhoneKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (k *PhoneKey) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*k = PhoneKey{}
		return nil
	}
	var point [33]byte
	if err := unhex(point[:], string(b), "phone key"); err != nil {
		return err
	}
	parsed, err := ParsePhoneKey(point[:])
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// cnfPrefix is the value of the cnf claim (RFC 8747 section 3.2) up to the
// bytes of x: a COSE_Key (RFC 9053 section 7.1.1) of type EC2 on P-256.
const cnfPrefix = "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"

func (k PhoneKey) appendCNF(dst []byte) []byte {
	dst = append(append(dst, cnfPrefix...), k.X[:]...)
	return cbor.AppendBool(append(dst, 0x22), k.YOdd)
}

func readCNF(c *cbor.Cursor) (k PhoneKey) {
	c.Exactly("cnf: type and curve", cnfPrefix[:len(cnfPrefix)-2])
	x := c.Bytes("cnf: x", len(k.X), len(k.X))
	c.Exactly("cnf: y label", "\x22")
	k.YOdd = c.Bool("cnf: y")
	copy(k.X[:], x)
	return k
}
