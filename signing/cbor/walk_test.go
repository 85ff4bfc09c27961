package cbor_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"campusgate/signing/cbor"
)

// maxDepth bounds the recursion of walk.
const maxDepth = 64

var errDepth = errors.New("too deep")

// pair is one entry of a map; maps keep the order they were written in.
type pair struct{ key, value any }

// walk reads one item of any shape: what a general reader on top of a Cursor
// looks like. Values are uint64 or int64, []byte, string, bool, []any, []pair.
func walk(c *cbor.Cursor, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch c.Next() >> 5 {
	case 0:
		return c.Uint("item", math.MaxUint64), c.Err()
	case 1:
		return c.Int("item"), c.Err()
	case 2:
		return bytes.Clone(c.Bytes("item", 0, math.MaxInt)), c.Err()
	case 3:
		return string(c.Text("item", math.MaxInt)), c.Err()
	case 4:
		list := []any{}
		for range c.Array("item") {
			item, err := walk(c, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, c.Err()
	case 5:
		return walkMap(c, depth)
	}
	return c.Bool("item"), c.Err()
}

func walkMap(c *cbor.Cursor, depth int) (any, error) {
	pairs := []pair{}
	var last []byte
	for range c.Map("item") {
		key, err := walk(c, depth+1)
		if err != nil {
			return nil, err
		}
		encoded := write(nil, key)
		if last != nil && bytes.Compare(last, encoded) >= 0 {
			c.Fail("item", "keys out of order")
			return nil, c.Err()
		}
		last = encoded
		value, err := walk(c, depth+1)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{key, value})
	}
	return pairs, c.Err()
}

// write is the inverse of walk.
func write(dst []byte, item any) []byte {
	switch item := item.(type) {
	case uint64:
		return cbor.AppendUint(dst, item)
	case int64:
		return cbor.AppendInt(dst, item)
	case []byte:
		return cbor.AppendBytes(dst, item)
	case string:
		return cbor.AppendText(dst, item)
	case bool:
		return cbor.AppendBool(dst, item)
	case []any:
		dst = cbor.AppendArray(dst, len(item))
		for _, it := range item {
			dst = write(dst, it)
		}
		return dst
	case []pair:
		dst = cbor.AppendMap(dst, len(item))
		for _, p := range item {
			dst = write(write(dst, p.key), p.value)
		}
		return dst
	}
	panic(fmt.Sprintf("no such item: %T", item))
}

// readAll walks over the only item of b.
func readAll(b []byte) (any, error) {
	c := cbor.Read(b)
	item, err := walk(&c, 0)
	if err != nil {
		return nil, err
	}
	return item, c.End()
}

// vectorFolder finds the public test vectors: in CAMPUSGATE_VECTORS, or in
// shared/vectors beside one of the folders above. It skips the test without.
func vectorFolder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CAMPUSGATE_VECTORS"); dir != "" {
		return dir
	}
	up := ".."
	for range 8 {
		dir := filepath.Join(up, "shared", "vectors")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up = filepath.Join(up, "..")
	}
	t.Skip("no public test vectors: set CAMPUSGATE_VECTORS to their folder")
	return ""
}
