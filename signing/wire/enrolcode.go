package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"campusgate/signing/armor"
)

// ErrEnrolCode is wrapped by every refusal to read an enrolment code.
var ErrEnrolCode = errors.New("malformed enrolment code")

const (
	codeHalf  = 10             // bytes of the secret, and of the fingerprint
	codeBytes = 2*codeHalf + 1 // and a check byte
	codeChars = (codeBytes*8 + 4) / 5
	codeGroup = 4
)

// EnrolCode is what an administrator reads off the console and types at a gate
// PC: a secret that can be used once, and the beginning of SHA-256 over the
// site root's public key, so that the agent knows the site before it has
// spoken to anybody. Eighty bits of each: guessing the secret, or making
// another root that fits, is out of reach.
type EnrolCode struct {
	Secret      [codeHalf]byte
	Fingerprint [codeHalf]byte
}

// FormatEnrolCode gives the text of a code for the site with this root:
// base32 in groups, ABCD-EFGH-….
func FormatEnrolCode(secret [codeHalf]byte, root ed25519.PublicKey) string {
	return EnrolCode{Secret: secret, Fingerprint: fingerprint(root)}.String()
}

func fingerprint(root ed25519.PublicKey) (f [codeHalf]byte) {
	sum := sha256.Sum256(root)
	copy(f[:], sum[:])
	return f
}

// Names reports whether root is the site root that the code speaks of.
func (c EnrolCode) Names(root ed25519.PublicKey) bool {
	return len(root) == ed25519.PublicKeySize && fingerprint(root) == c.Fingerprint
}

func (c EnrolCode) String() string {
	raw := append(c.Secret[:], c.Fingerprint[:]...)
	text := armor.AppendBase32(nil, append(raw, check8(raw)))
	var b strings.Builder
	for i := 0; i < len(text); i += codeGroup {
		if i > 0 {
			b.WriteByte('-')
		}
		b.Write(text[i:min(i+codeGroup, len(text))])
	}
	return b.String()
}

// ParseEnrolCode reads a code as people type it: any case, full-width letters
// of a Chinese keyboard, groups apart or not, and 0, 1, 8 for O, I, B. A wrong
// character, or two neighbours exchanged, is always found. Errors wrap
// ErrEnrolCode and do not repeat the code, which is a secret.
func ParseEnrolCode(text string) (EnrolCode, error) {
	if len(text) > 8*codeChars {
		return EnrolCode{}, fmt.Errorf("%w: %d bytes long", ErrEnrolCode, len(text))
	}
	var chars []byte
	for _, r := range text {
		c, err := typed(r)
		if err != nil {
			return EnrolCode{}, fmt.Errorf("%w: %w", ErrEnrolCode, err)
		}
		if c != 0 {
			chars = append(chars, c)
		}
	}
	if len(chars) != codeChars {
		return EnrolCode{}, fmt.Errorf("%w: %d letters and digits, want %d", ErrEnrolCode, len(chars), codeChars)
	}
	raw, err := armor.DecodeBase32(nil, string(chars))
	if err != nil {
		return EnrolCode{}, fmt.Errorf("%w: the last character is wrong", ErrEnrolCode)
	}
	if check8(raw[:codeBytes-1]) != raw[codeBytes-1] {
		return EnrolCode{}, fmt.Errorf("%w: a character is wrong or two are exchanged", ErrEnrolCode)
	}
	var c EnrolCode
	copy(c.Secret[:], raw)
	copy(c.Fingerprint[:], raw[codeHalf:])
	return c, nil
}

// typed gives the base32 character that was meant, or 0 for one that only
// separates.
func typed(r rune) (byte, error) {
	if r >= '！' && r <= '～' { // full-width forms of ASCII
		r -= '！' - '!'
	}
	switch {
	case r >= 'a' && r <= 'z':
		return byte(r - 'a' + 'A'), nil
	case r >= 'A' && r <= 'Z', r >= '2' && r <= '7':
		return byte(r), nil
	}
	switch r {
	case '0':
		return 'O', nil
	case '1':
		return 'I', nil
	case '8':
		return 'B', nil
	case ' ', '\t', '\r', '\n', '\u3000', '-', '‐', '–', '—', '−', '_':
		return 0, nil
	}
	return 0, fmt.Errorf("%q is in no code", r)
}

// check8 is the CRC with the polynomial x⁸+x²+x+1. It finds every error within
// eight bits, so every wrong character, and every exchange of two neighbours,
// which is a multiple of x⁵+1.
func check8(raw []byte) byte {
	var crc byte
	for _, b := range raw {
		crc ^= b
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x07
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
