package armor

import "fmt"

const alphabet32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

var digits32 = digits(alphabet32)

// AppendBase32 appends the unpadded upper-case base32 text of src: eight
// characters for five bytes.
func AppendBase32(dst, src []byte) []byte {
	var hold uint32
	bits := 0
	for _, b := range src {
		hold = hold<<8 | uint32(b)
		for bits += 8; bits >= 5; {
			bits -= 5
			dst = append(dst, alphabet32[hold>>bits&31])
		}
	}
	if bits > 0 {
		dst = append(dst, alphabet32[hold<<(5-bits)&31])
	}
	return dst
}

// DecodeBase32 appends the bytes of an unpadded upper-case base32 text. A
// length that no byte count makes, and pad bits other than zero, are refused;
// on an error dst is returned as it was.
func DecodeBase32(dst []byte, text string) ([]byte, error) {
	switch len(text) % 8 {
	case 1, 3, 6:
		return dst, fmt.Errorf("%w: base32: %d characters are no whole number of bytes", ErrText, len(text))
	}
	out := dst
	var hold uint32
	bits := 0
	for i := range len(text) {
		d := digits32[text[i]]
		if d == none {
			return dst, strange("base32", &digits32, text, i)
		}
		hold = hold<<5 | uint32(d)
		if bits += 5; bits >= 8 {
			bits -= 8
			out = append(out, byte(hold>>bits))
		}
	}
	if hold&(1<<bits-1) != 0 {
		return dst, fmt.Errorf("%w: base32: pad bits are not zero", ErrText)
	}
	return out, nil
}
