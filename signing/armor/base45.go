package armor

import "fmt"

const alphabet45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// none marks characters outside an alphabet. It is above every digit.
const none = 0xff

var digits45 = digits(alphabet45)

func digits(alphabet string) (table [256]byte) {
	for i := range table {
		table[i] = none
	}
	for i := range len(alphabet) {
		table[alphabet[i]] = byte(i)
	}
	return table
}

// AppendBase45 appends the base45 text of src: three characters for two bytes,
// least significant first, two for a single last byte.
func AppendBase45(dst, src []byte) []byte {
	for ; len(src) >= 2; src = src[2:] {
		n := int(src[0])<<8 | int(src[1])
		dst = append(dst, alphabet45[n%45], alphabet45[n/45%45], alphabet45[n/2025])
	}
	if len(src) == 1 {
		dst = append(dst, alphabet45[src[0]%45], alphabet45[src[0]/45])
	}
	return dst
}

// DecodeBase45 appends the bytes of a base45 text. Groups whose value does not
// fit into two bytes (or the last into one) are refused, as RFC 9285 section 4
// demands; on an error dst is returned as it was.
func DecodeBase45(dst []byte, text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return dst, fmt.Errorf("%w: base45: %d characters: one left over", ErrText, len(text))
	}
	out := dst
	i := 0
	for ; i+3 <= len(text); i += 3 {
		a, b, c := digits45[text[i]], digits45[text[i+1]], digits45[text[i+2]]
		if a == none || b == none || c == none {
			return dst, strange("base45", &digits45, text, i)
		}
		n := int(a) + int(b)*45 + int(c)*2025
		if n > 0xffff {
			return dst, fmt.Errorf("%w: base45: group at %d is worth %d, more than two bytes hold", ErrText, i, n)
		}
		out = append(out, byte(n>>8), byte(n))
	}
	if i < len(text) {
		a, b := digits45[text[i]], digits45[text[i+1]]
		if a == none || b == none {
			return dst, strange("base45", &digits45, text, i)
		}
		n := int(a) + int(b)*45
		if n > 0xff {
			return dst, fmt.Errorf("%w: base45: last group is worth %d, more than a byte holds", ErrText, n)
		}
		out = append(out, byte(n))
	}
	return out, nil
}

// strange names the first character at or after i that is not in the alphabet.
func strange(what string, table *[256]byte, text string, i int) error {
	for i < len(text)-1 && table[text[i]] != none {
		i++
	}
	return fmt.Errorf("%w: %s: byte %#02x at %d is not in the alphabet", ErrText, what, text[i], i)
}
