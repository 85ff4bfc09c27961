// Package armor turns bytes into the characters of a QR code's alphanumeric
// mode and back: base45 (RFC 9285) for codes that only our scanners read, and
// unpadded upper-case base32 (RFC 4648 section 6) for codes that are an address.
//
// Both decoders accept exactly what the encoders make, so a text has one
// meaning and bytes have one text: no lower case, no padding, no spaces or line
// ends around, pad bits zero. All functions append to the caller's slice and
// allocate nothing when it has room.
package armor

import "errors"

// ErrText is wrapped by every refusal to decode.
var ErrText = errors.New("malformed text")
