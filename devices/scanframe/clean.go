package scanframe

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	stx = 0x02
	etx = 0x03
	// inert stands for everything that cannot be part of a code.
	inert = utf8.RuneError
)

var (
	// ack is what Grow modules answer to the serial trigger command. It precedes
	// the code in the stream, without a mark between them.
	ack = []byte{0x02, 0x00, 0x00, 0x01, 0x00, '3', '1'}
	// noRead is what ZKTeco scanners send when a triggered read finds nothing.
	noRead = []byte("%%NoRead")
)

// clean strips what scanners put around and into a code and returns its text,
// empty when there was no code. In a frame that was cut in front of the next
// code, the wrapper of that next code stands at the end and goes too.
func clean(frame []byte, cut bool) string {
	b := bytes.ReplaceAll(frame, ack, nil)
	b = bytes.ReplaceAll(b, noRead, nil)
	if cut {
		b = trimWrapperRight(b)
	}
	b = bytes.Trim(b, "\x00\x02\x03")
	b, eci := trimAIM(b)
	return printable(trimECI(b, eci))
}

// aimLen is the length of an AIM symbology identifier: "]", the letter of the
// symbology, and a modifier digit (ISO/IEC 15424).
const aimLen = 3

func isAIM(b []byte) bool {
	return len(b) >= aimLen && b[0] == ']' &&
		(b[1] >= 'A' && b[1] <= 'Z' || b[1] >= 'a' && b[1] <= 'z') &&
		(b[2] >= '0' && b[2] <= '9' || b[2] >= 'A' && b[2] <= 'F')
}

// trimAIM strips the identifier at the beginning. eci tells that it announces
// the ECI protocol, where a backslash of the code itself is sent twice.
func trimAIM(b []byte) (rest []byte, eci bool) {
	for isAIM(b) {
		eci = b[1] == 'Q' && (b[2] == '2' || b[2] == '4' || b[2] == '6')
		b = b[aimLen:]
	}
	return b, eci
}

// eciLen is the length of an ECI escape: a backslash and six digits.
const eciLen = 7

func isECI(b []byte) bool {
	if len(b) < eciLen || b[0] != '\\' {
		return false
	}
	for _, d := range b[1:eciLen] {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

// trimECI strips the escapes that announce a change of character set. Scanners
// send them with and without an AIM identifier in front, so they go either way.
func trimECI(b []byte, doubled bool) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	var out []byte
	for len(b) > 0 {
		switch {
		case doubled && len(b) > 1 && b[0] == '\\' && b[1] == '\\':
			out = append(out, '\\')
			b = b[2:]
		case isECI(b):
			b = b[eciLen:]
		default:
			out = append(out, b[0])
			b = b[1:]
		}
	}
	return out
}

// trimWrapperRight strips the beginning of the next code's wrapper.
func trimWrapperRight(b []byte) []byte {
	for {
		n := len(b)
		b = bytes.TrimRight(b, "\x00\x02\x03")
		if len(b) >= aimLen && isAIM(b[len(b)-aimLen:]) {
			b = b[:len(b)-aimLen]
		}
		if len(b) >= eciLen && isECI(b[len(b)-eciLen:]) {
			b = b[:len(b)-eciLen]
		}
		if len(b) == n {
			return b
		}
	}
}

// printable makes valid UTF-8 without control characters. The information
// separators (FS, GS, RS, US) and EOT stay: they belong to the syntax of GS1 and
// ISO/IEC 15434 codes, which a lane should show as what they are.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x1C && r <= 0x1F, r == 0x04:
			return r
		case unicode.IsControl(r):
			return inert
		default:
			return r
		}
	}, string(b))
}
