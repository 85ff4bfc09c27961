package signing

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"campusgate/signing/armor"
)

// maxSite bounds the name of a site, in bytes.
const maxSite = 64

// Key is the public half of an issuer key, with what its id pins: algorithm
// (always Ed25519), site and the kinds it may sign.
type Key struct {
	ID        KeyID             `json:"id"`
	Site      string            `json:"site"`
	Purpose   Purpose           `json:"purpose"`
	Kinds     KindSet           `json:"kinds"`
	State     KeyState          `json:"state"`
	Public    ed25519.PublicKey `json:"public"`
	NotBefore int64             `json:"not_before"` // unix seconds of the first use planned, 0 = any time
}

// NewKey describes an active key that may sign every kind of its purpose.
func NewKey(site string, purpose Purpose, public ed25519.PublicKey) (Key, error) {
	k := Key{
		ID: KeyIDOf(public), Site: site, Purpose: purpose, Kinds: purpose.Kinds(),
		State: KeyActive, Public: public,
	}
	return k, k.check()
}

// check wraps ErrKey.
func (k *Key) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: "+format, append([]any{ErrKey, k.ID}, args...)...)
	}
	switch k.State {
	case KeyNext, KeyActive, KeyRetired, KeyCompromised:
	default:
		return wrong("no such state %q", k.State)
	}
	switch {
	case len(k.Public) != ed25519.PublicKeySize:
		return wrong("public key of %d bytes: want %d", len(k.Public), ed25519.PublicKeySize)
	case k.ID != KeyIDOf(k.Public):
		return wrong("the id of this public key is %s", KeyIDOf(k.Public))
	case k.Purpose.Kinds() == 0:
		return wrong("purpose %q is not an issuer's", k.Purpose)
	case k.Kinds == 0 || k.Kinds&^k.Purpose.Kinds() != 0:
		return wrong("kinds %q are not of purpose %s", k.Kinds, k.Purpose)
	case k.NotBefore < 0 || k.NotBefore > MaxTime:
		return wrong("not_before: outside the years 1970 to 9999")
	}
	if err := checkSite(k.Site); err != nil {
		return wrong("%w", err)
	}
	return nil
}

func checkSite(site string) error {
	if site == "" {
		return fmt.Errorf("site: empty")
	}
	if err := CheckWords(site, maxSite); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	return nil
}

// Fingerprint names a site root key in an enrolment code: the first 128 bits of
// a hash over it, as 26 characters of upper-case base32.
func Fingerprint(root ed25519.PublicKey) string {
	sum := sha256.Sum256(append([]byte("campusgate site root 1\x00"), root...))
	return string(armor.AppendBase32(nil, sum[:16]))
}
