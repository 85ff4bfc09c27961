package signing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrBadID is wrapped by every failure to read an identifier from text.
var ErrBadID = errors.New("malformed identifier")

// KeyID names an issuer key: the first four bytes of SHA-256 over its raw
// public key. Its text form is eight lower-case hex digits.
type KeyID [4]byte

// KeyIDOf derives the id of a raw public key.
func KeyIDOf(public []byte) KeyID {
	sum := sha256.Sum256(public)
	return KeyID(sum[:4])
}

// ParseKeyID reads the text form of a key id.
func ParseKeyID(s string) (KeyID, error) {
	var id KeyID
	err := unhex(id[:], s, "key id")
	return id, err
}

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText and UnmarshalText make KeyID a JSON string.
func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *KeyID) UnmarshalText(b []byte) error { return unhex(id[:], string(b), "key id") }

// PassID is the token id (CWT claim cti, RFC 8392 section 3.1.7) of a pass or
// a payment credential. It survives renewal and a change of phone: uses and
// revocations count by it. Its text form is sixteen lower-case hex digits.
type PassID [8]byte

// ParsePassID reads the text form of a pass id.
func ParsePassID(s string) (PassID, error) {
	var id PassID
	err := unhex(id[:], s, "pass id")
	return id, err
}

func (id PassID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether no pass is named.
func (id PassID) IsZero() bool { return id == PassID{} }

// MarshalText and UnmarshalText make PassID a JSON string.
func (id PassID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *PassID) UnmarshalText(b []byte) error { return unhex(id[:], string(b), "pass id") }

// PhoneID names a phone key: SHA-256 over the 33-byte compressed P-256 point.
// Replays are counted by (PassID, PhoneID, counter).
type PhoneID [32]byte

func (id PhoneID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText and UnmarshalText make PhoneID a JSON string.
func (id PhoneID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *PhoneID) UnmarshalText(b []byte) error { return unhex(id[:], string(b), "phone id") }

// unhex fills dst from exactly len(dst) bytes of lower-case hex.
func unhex(dst []byte, s, what string) error {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(dst) || hex.EncodeToString(raw) != s {
		return fmt.Errorf("%w: %s %q: want %d lower-case hex digits", ErrBadID, what, s, 2*len(dst))
	}
	copy(dst, raw)
	return nil
}
