package signing

import (
	"errors"

	"campusgate/signing/cbor"
)

// MaxTime is the last moment a code can name, in unix seconds: the end of the
// year 9999, so that every time prints and fits a millisecond count.
const MaxTime = 253402300799

// Claims is what every credential says, whatever its kind (RFC 8392 section
// 3.1). Times are unix seconds.
type Claims struct {
	ID        PassID
	NotBefore int64 // meaningful when HasNotBefore
	Expires   int64
	IssuedAt  int64
	Phone     PhoneKey // zero without cnf

	HasNotBefore bool // passes have it, payment credentials do not
}

// The claim keys (RFC 8392 section 4, RFC 8747 section 3.1), encoded. The order
// here is the order in the map.
const (
	keyExp    = "\x04"
	keyNbf    = "\x05"
	keyIat    = "\x06"
	keyCti    = "\x07"
	keyCnf    = "\x08"
	keyFields = "\x3a\x00\x01\x00\x00" // -65537, private use
)

// Check says what is wrong with the values, in words and without a sentinel.
// It does not look whether Phone is a point of its curve.
func (c *Claims) Check() error {
	switch {
	case c.ID.IsZero():
		return errors.New("id: all zero")
	case c.Expires < 0 || c.Expires > MaxTime:
		return errors.New("exp: outside the years 1970 to 9999")
	case c.NotBefore < 0 || c.NotBefore > MaxTime:
		return errors.New("nbf: outside the years 1970 to 9999")
	case c.IssuedAt < 0 || c.IssuedAt > MaxTime:
		return errors.New("iat: outside the years 1970 to 9999")
	case c.HasNotBefore && c.NotBefore >= c.Expires:
		return errors.New("nbf: not before exp")
	case !c.HasNotBefore && c.NotBefore != 0:
		return errors.New("nbf: not part of this kind")
	}
	return nil
}

// AppendPayload appends the claim map up to the kind. The caller appends the
// other fields-1 items of the private array.
func (c *Claims) AppendPayload(dst []byte, kind Kind, fields int) []byte {
	pairs := 4
	if c.HasNotBefore {
		pairs++
	}
	if !c.Phone.IsZero() {
		pairs++
	}
	dst = cbor.AppendMap(dst, pairs)
	dst = cbor.AppendInt(append(dst, keyExp...), c.Expires)
	if c.HasNotBefore {
		dst = cbor.AppendInt(append(dst, keyNbf...), c.NotBefore)
	}
	dst = cbor.AppendInt(append(dst, keyIat...), c.IssuedAt)
	dst = cbor.AppendBytes(append(dst, keyCti...), c.ID[:])
	if !c.Phone.IsZero() {
		dst = c.Phone.appendCNF(append(dst, keyCnf...))
	}
	dst = cbor.AppendArray(append(dst, keyFields...), fields)
	return cbor.AppendUint(dst, uint64(kind))
}

// readPayload reads what AppendPayload writes and leaves the cursor before the
// fields after the kind.
func readPayload(in *cbor.Cursor) (c Claims, kind Kind, fields int) {
	pairs := in.Map("claims")
	present := 4
	in.Exactly("claim key exp", keyExp)
	c.Expires = int64(in.Uint("exp", MaxTime))
	if in.Next() == keyNbf[0] {
		present++
		c.HasNotBefore = true
		in.Exactly("claim key nbf", keyNbf)
		c.NotBefore = int64(in.Uint("nbf", MaxTime))
	}
	in.Exactly("claim key iat", keyIat)
	c.IssuedAt = int64(in.Uint("iat", MaxTime))
	in.Exactly("claim key cti", keyCti)
	copy(c.ID[:], in.Bytes("cti", len(c.ID), len(c.ID)))
	if in.Next() == keyCnf[0] {
		present++
		in.Exactly("claim key cnf", keyCnf)
		if c.Phone = readCNF(in); c.Phone.IsZero() {
			in.Fail("cnf", "no key")
		}
	}
	in.Exactly("claim key -65537", keyFields)
	if pairs != present {
		in.Fail("claims", "wrong number of claims")
	}
	fields = in.Array("fields")
	return c, Kind(in.Uint("kind", 0xff)), fields
}
