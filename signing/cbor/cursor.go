package cbor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// ErrNotCanonical is wrapped by every refusal. The message names the item that
// the caller was asking for, what is wrong with it, and its offset.
var ErrNotCanonical = errors.New("not canonical CBOR")

// Cursor walks over encoded items. The first failure sticks: from then on every
// method answers with a zero value and End reports that failure, so a caller
// reads a whole shape and checks once. The zero Cursor is at the end of nothing.
// A Cursor is for one goroutine.
type Cursor struct {
	in     []byte
	at     int
	failed bool
	// The first failure, in words that become an error only when it is asked for.
	// An error kept here would make the compiler believe that in outlives the
	// Cursor, and cost every caller an allocation.
	what, why string
}

// Read starts at the first byte of in. Byte and text strings that it hands out
// are slices of in, not copies.
func Read(in []byte) Cursor { return Cursor{in: in} }

// Offset is the number of bytes read so far.
func (c *Cursor) Offset() int { return c.at }

// Err is the first failure so far, wrapping ErrNotCanonical.
func (c *Cursor) Err() error {
	if !c.failed {
		return nil
	}
	return fmt.Errorf("%w: %s: %s at offset %d", ErrNotCanonical, strings.Clone(c.what), strings.Clone(c.why), c.at)
}

// End reports the first failure, or that bytes are left over.
func (c *Cursor) End() error {
	if c.at != len(c.in) {
		c.Fail("end", "trailing bytes")
	}
	return c.Err()
}

// Fail records that what is wrong; it does nothing after an earlier failure.
func (c *Cursor) Fail(what, why string) {
	if !c.failed {
		c.failed, c.what, c.why = true, what, why
	}
}

// head reads one head of the given major type.
func (c *Cursor) head(what string, major byte) uint64 {
	if c.failed {
		return 0
	}
	if c.at >= len(c.in) {
		c.Fail(what, "input ends")
		return 0
	}
	first := c.in[c.at]
	if first&0xe0 != major {
		c.Fail(what, "another type of item")
		return 0
	}
	info := first & 0x1f
	if info < 24 {
		c.at++
		return uint64(info)
	}
	if info > 27 {
		c.Fail(what, "indefinite length or reserved head")
		return 0
	}
	size := 1 << (info - 24)
	rest := c.in[c.at+1:]
	if len(rest) < size {
		c.Fail(what, "input ends")
		return 0
	}
	var n, least uint64
	switch size {
	case 1:
		n, least = uint64(rest[0]), 24
	case 2:
		n, least = uint64(binary.BigEndian.Uint16(rest)), 1<<8
	case 4:
		n, least = uint64(binary.BigEndian.Uint32(rest)), 1<<16
	default:
		n, least = binary.BigEndian.Uint64(rest), 1<<32
	}
	if n < least {
		c.Fail(what, "not in its shortest form")
		return 0
	}
	c.at += 1 + size
	return n
}

// Uint reads an unsigned integer of at most limit.
func (c *Cursor) Uint(what string, limit uint64) uint64 {
	start := c.at
	n := c.head(what, majorUint)
	if n > limit {
		c.at = start
		c.Fail(what, "number out of range")
		return 0
	}
	return n
}

// Int reads a signed integer; one that int64 cannot hold is refused.
func (c *Cursor) Int(what string) int64 {
	start := c.at
	if !c.failed && c.at < len(c.in) && c.in[c.at]&0xe0 == majorNint {
		n := c.head(what, majorNint)
		if n > math.MaxInt64 {
			c.at = start
			c.Fail(what, "number out of range")
			return 0
		}
		if c.failed {
			return 0
		}
		return -1 - int64(n)
	}
	return int64(c.Uint(what, math.MaxInt64))
}

// Bytes reads a byte string of least to most bytes.
func (c *Cursor) Bytes(what string, least, most int) []byte {
	return c.str(what, majorBytes, least, most)
}

// Text reads a text string of at most most bytes and checks that it is UTF-8.
func (c *Cursor) Text(what string, most int) []byte {
	start := c.at
	b := c.str(what, majorText, 0, most)
	if !utf8.Valid(b) {
		c.at = start
		c.Fail(what, "text is not UTF-8")
		return nil
	}
	return b
}

func (c *Cursor) str(what string, major byte, least, most int) []byte {
	start := c.at
	n := c.head(what, major)
	if c.failed {
		return nil
	}
	if n > uint64(len(c.in)-c.at) {
		c.at = start
		c.Fail(what, "input ends")
		return nil
	}
	if n < uint64(least) || n > uint64(most) {
		c.at = start
		c.Fail(what, "wrong length")
		return nil
	}
	b := c.in[c.at : c.at+int(n) : c.at+int(n)]
	c.at += int(n)
	return b
}

// Array reads the head of an array and gives the number of its items. A number
// larger than the bytes left is refused, since each item takes at least one.
func (c *Cursor) Array(what string) int { return c.count(what, majorArray, 1) }

// Map reads the head of a map and gives the number of its pairs.
func (c *Cursor) Map(what string) int { return c.count(what, majorMap, 2) }

func (c *Cursor) count(what string, major byte, each int) int {
	start := c.at
	n := c.head(what, major)
	if n > uint64((len(c.in)-c.at)/each) {
		c.at = start
		c.Fail(what, "input ends")
		return 0
	}
	return int(n)
}

// Bool reads a boolean.
func (c *Cursor) Bool(what string) bool {
	if c.failed {
		return false
	}
	if c.at >= len(c.in) {
		c.Fail(what, "input ends")
		return false
	}
	switch c.in[c.at] {
	case simpleFalse, simpleTrue:
		c.at++
		return c.in[c.at-1] == simpleTrue
	}
	c.Fail(what, "another type of item")
	return false
}

// Exactly reads the given encoded bytes and nothing else: for the parts of a
// shape that never vary.
func (c *Cursor) Exactly(what, encoded string) {
	if c.failed {
		return
	}
	rest := c.in[c.at:]
	if len(rest) < len(encoded) || string(rest[:len(encoded)]) != encoded {
		c.Fail(what, "not the bytes that belong here")
		return
	}
	c.at += len(encoded)
}

// Next gives the first byte of the next item without reading it, or zero at
// the end or after a failure.
func (c *Cursor) Next() byte {
	if c.failed || c.at >= len(c.in) {
		return 0
	}
	return c.in[c.at]
}
