package signing

import (
	"errors"
	"fmt"
	"strings"

	"campusgate/signing/armor"
)

// Form is how a code is written and therefore shown.
type Form uint8

// The forms of a code.
const (
	FormStatic Form = 1 // an address: on paper, or a single-use pass on a screen
	FormLive   Form = 2 // CP1: text, made anew every few seconds
)

func (f Form) String() string {
	switch f {
	case FormStatic:
		return "static"
	case FormLive:
		return "live"
	}
	return fmt.Sprintf("form(%d)", uint8(f))
}

const (
	// MaxText is the length of the longest text that is looked at. Nothing that
	// can be issued comes near it.
	MaxText = 1024
	// MaxBytes is more than any text of MaxText characters decodes to.
	MaxBytes = 704

	urlScheme  = "HTTPS://"
	urlPath    = "/V/"
	livePrefix = "CP1:"
	maxHost    = 253 + len(":65535")
)

// StaticText is the address form of a credential. The host goes in upper case,
// so that the QR code stays alphanumeric; it is not signed. CheckHost says
// whether readers will accept it.
func StaticText(host string, cred []byte) string {
	text := make([]byte, 0, len(urlScheme)+len(host)+len(urlPath)+len(cred)*8/5+1)
	text = append(append(append(text, urlScheme...), strings.ToUpper(host)...), urlPath...)
	return string(armor.AppendBase32(text, cred))
}

// LiveText is the CP1: form of a live code, or of a credential that has yet to
// be proved.
func LiveText(live []byte) string {
	return string(armor.AppendBase45(append(make([]byte, 0, len(livePrefix)+len(live)*3/2+1), livePrefix...), live))
}

// ParseText recognises the form of a text and appends the bytes it carries to
// dst; a dst with room for MaxBytes is never outgrown. Only the texts that
// StaticText and LiveText make are accepted: upper case, nothing around. Errors
// wrap ErrMalformed.
func ParseText(dst []byte, text string) (Form, []byte, error) {
	if len(text) > MaxText {
		return 0, dst, fmt.Errorf("%w: %d characters: more than %d", ErrMalformed, len(text), MaxText)
	}
	if body, ok := strings.CutPrefix(text, livePrefix); ok {
		out, err := armor.DecodeBase45(dst, body)
		if err != nil {
			return 0, dst, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		return FormLive, out, nil
	}
	rest, ok := strings.CutPrefix(text, urlScheme)
	if !ok {
		return 0, dst, fmt.Errorf("%w: begins neither with %s nor with %s", ErrMalformed, livePrefix, urlScheme)
	}
	host, body, ok := strings.Cut(rest, urlPath)
	if !ok {
		return 0, dst, fmt.Errorf("%w: address without %s", ErrMalformed, urlPath)
	}
	if err := CheckHost(host); err != nil || hasLower(host) {
		return 0, dst, fmt.Errorf("%w: host of the address is not an upper-case name", ErrMalformed)
	}
	out, err := armor.DecodeBase32(dst, body)
	if err != nil {
		return 0, dst, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return FormStatic, out, nil
}

// CheckHost says whether a host, with a port or without, can stand in a code: a
// DNS name or an IPv4 address, in either case. IPv6 addresses cannot: brackets
// are not alphanumeric to a QR code.
func CheckHost(host string) error {
	if len(host) > maxHost {
		return errors.New("host is too long")
	}
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort {
		if len(port) < 1 || len(port) > 5 || port[0] == '0' {
			return fmt.Errorf("host: port %q: want 1 to 65535", port)
		}
		n := 0
		for i := range len(port) {
			if port[i] < '0' || port[i] > '9' {
				return fmt.Errorf("host: port %q: want digits", port)
			}
			n = n*10 + int(port[i]-'0')
		}
		if n > 65535 {
			return fmt.Errorf("host: port %q: want 1 to 65535", port)
		}
	}
	before := byte('.')
	for i := range len(name) {
		b := name[i]
		switch {
		case b >= '0' && b <= '9', b >= 'A' && b <= 'Z', b >= 'a' && b <= 'z':
		case b == '-' && before != '.':
		case b == '.' && before != '.' && before != '-':
		default:
			return fmt.Errorf("host: %q at %d does not belong in a name", b, i)
		}
		before = b
	}
	if before == '.' || before == '-' {
		return errors.New("host: the name is empty or ends in a dot or hyphen")
	}
	return nil
}

func hasLower(s string) bool {
	for i := range len(s) {
		if s[i] >= 'a' && s[i] <= 'z' {
			return true
		}
	}
	return false
}
