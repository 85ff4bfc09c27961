package signing

import "fmt"

// derRoom is the largest DER form of a P-256 signature.
const derRoom = 2 + 2*(2+33)

// appendDER turns r and s of 32 bytes each into an ECDSA-Sig-Value (RFC 3279
// section 2.2.3): what the standard library verifies.
func appendDER(dst []byte, raw [signatureSize]byte) []byte {
	start := len(dst)
	dst = append(dst, 0x30, 0)
	for _, part := range [2][]byte{raw[:32], raw[32:]} {
		for len(part) > 1 && part[0] == 0 {
			part = part[1:]
		}
		if part[0] >= 0x80 {
			dst = append(dst, 0x02, byte(len(part)+1), 0)
		} else {
			dst = append(dst, 0x02, byte(len(part)))
		}
		dst = append(dst, part...)
	}
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

// rawSignature turns the ECDSA-Sig-Value that a crypto.Signer of P-256 makes
// into r and s of 32 bytes each. Anything but strict DER is refused.
func rawSignature(der []byte) (raw [signatureSize]byte, err error) {
	bad := fmt.Errorf("%w: signer made no P-256 signature", ErrKey)
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 || der[1] >= 0x80 {
		return raw, bad
	}
	rest := der[2:]
	for _, part := range [2][]byte{raw[:32], raw[32:]} {
		if len(rest) < 3 || rest[0] != 0x02 || rest[1] == 0 || int(rest[1]) > len(rest)-2 {
			return raw, bad
		}
		n := rest[2 : 2+int(rest[1])]
		rest = rest[2+len(n):]
		if n[0] == 0 && len(n) > 1 {
			if n = n[1:]; n[0] < 0x80 {
				return raw, bad
			}
		} else if n[0] >= 0x80 {
			return raw, bad
		}
		if len(n) > len(part) {
			return raw, bad
		}
		copy(part[len(part)-len(n):], n)
	}
	if len(rest) != 0 {
		return raw, bad
	}
	return raw, nil
}
