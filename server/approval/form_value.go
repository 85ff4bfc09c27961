package approval

import "unicode"

// forbidden characters are those that no text may hold: controls but line feed
// and tab, marks that turn the direction of what follows, and what stands for
// bytes that were not UTF-8.
func forbidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r), r == unicode.ReplacementChar:
		return true
	}
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}
