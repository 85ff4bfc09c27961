package signing

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// CheckWords says what is wrong with text that people read off a verdict: it must
// be UTF-8 of at most most bytes, in Unicode normalization form C, so that two
// names that look the same are the same, and without control characters,
// replacement characters and bidirectional overrides, so that the screen shows what was signed.
func CheckWords(s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("%d bytes: at most %d", len(s), most)
	}
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8")
	}
	for _, r := range s {
		// U+FFFD is what is left of a text that somebody has damaged.
		if unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return fmt.Errorf("character U+%04X cannot be shown", r)
		}
	}
	// The quick answer allocates nothing and is final for every usual name.
	if norm.NFC.QuickSpanString(s) != len(s) && !norm.NFC.IsNormalString(s) {
		return errors.New("not in Unicode normalization form C")
	}
	return nil
}
