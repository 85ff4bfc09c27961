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

// answers are what scanners send that no code can hold, of whatever make, so
// that a scanner without a preset is understood too.
var answers = [][]byte{
	// What Grow modules answer to the serial trigger command. It precedes the code
	// in the stream, without a mark between them.
	{0x02, 0x00, 0x00, 0x01, 0x00, '3', '1'},
	// What ZKTeco scanners send when a triggered read finds nothing.
	[]byte("%%NoRead"),
}

// reply begins what Newland scanners answer to a command: STX, SOH, the command,
// ACK or NAK, a semicolon; then ETX, which ends the frame.
var reply = []byte{stx, 0x01}

// around is what stands around the codes of one scanner.
type around struct {
	answers        [][]byte
	nothing        map[string]bool
	prefix, suffix []byte
}

func newAround(c Config) around {
	a := around{nothing: map[string]bool{}, prefix: []byte(trimEnds(c.Prefix)), suffix: []byte(trimEnds(c.Suffix))}
	a.answers = append(a.answers, answers...)
	for _, s := range c.Answers {
		if s != "" {
			a.answers = append(a.answers, []byte(s))
		}
	}
	for _, s := range c.Nothing {
		a.nothing[s] = true
	}
	return a
}

// trimEnds strips the terminators around a prefix or suffix: frames are cut there
// before anything is stripped. Controls are what every frame is trimmed of.
func trimEnds(s string) string { return strings.Trim(s, "\r\n\t"+controls) }

// controls may stand around a code.
const controls = "\x00\x02\x03"

// clean strips what scanners put around and into a code and returns its text,
// empty when there was no code. In a frame that was cut in front of the next
// code, the wrapper of that next code stands at the end and goes too.
func (a *around) clean(frame []byte, cut bool) string {
	b := frame
	for _, answer := range a.answers {
		b = bytes.ReplaceAll(b, answer, nil)
	}
	if i := bytes.Index(b, reply); i >= 0 {
		b = b[:i]
	}
	if cut {
		b = a.trimWrapperRight(b)
	}
	b = bytes.Trim(b, controls)
	b = bytes.TrimSuffix(b, a.suffix)
	b, eci := trimAIM(b)
	if rest, had := bytes.CutPrefix(b, a.prefix); had {
		var behind bool
		b, behind = trimAIM(rest)
		eci = eci || behind
	}
	text := printable(trimECI(b, eci))
	if a.nothing[text] {
		return ""
	}
	return text
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
func (a *around) trimWrapperRight(b []byte) []byte {
	for {
		n := len(b)
		b = bytes.TrimRight(b, controls)
		b = bytes.TrimSuffix(b, a.prefix)
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
