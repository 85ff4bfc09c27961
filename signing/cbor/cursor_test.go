package cbor_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	peer "github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"campusgate/signing/cbor"
)

func TestWhatIsNotTheOneEncodingIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ in, says string }{
		"number in two bytes, not one":   {"\x18\x17", "shortest"},
		"number in three bytes, not two": {"\x19\x00\xff", "shortest"},
		"number in five bytes, not 3":    {"\x1a\x00\x00\xff\xff", "shortest"},
		"number in nine bytes, not 5":    {"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", "shortest"},
		"length in two bytes, not one":   {"\x58\x01a", "shortest"},
		"number cut short":               {"\x19\x01", "input ends"},
		"bytes cut short":                {"\x42a", "input ends"},
		"length near 2^64":               {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "input ends"},
		"array of 2^62":                  {"\x9b\x40\x00\x00\x00\x00\x00\x00\x00", "input ends"},
		"map of more than is left":       {"\xa2\x01\x02\x03", "input ends"},
		"indefinite bytes":               {"\x5f\x41a\xff", "indefinite"},
		"reserved head":                  {"\x1c", "reserved"},
		"text that is not UTF-8":         {"\x61\xff", "UTF-8"},
		"surrogate in text":              {"\x63\xed\xa0\x80", "UTF-8"},
		"trailing byte":                  {"\x01\x00", "trailing"},
		"null":                           {"\xf6", "another type"},
		"false in two bytes":             {"\xf8\x14", "another type"},
		"tag":                            {"\xc1\x01", "another type"},
		"below int64":                    {"\x3b\x80\x00\x00\x00\x00\x00\x00\x00", "out of range"},
		"map keys out of order":          {"\xa2\x02\x01\x01\x01", "order"},
		"map key twice":                  {"\xa2\x01\x01\x01\x02", "order"},
		"nothing":                        {"", "input ends"},
	} {
		t.Run(name, func(t *testing.T) {
			item, err := readAll([]byte(c.in))
			if !errors.Is(err, cbor.ErrNotCanonical) {
				t.Fatalf("got %v, %v, want ErrNotCanonical", item, err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: does not say %q", err, c.says)
			}
		})
	}
}

func TestFirstFailureSticksAndIsReportedWithItsPlace(t *testing.T) {
	c := cbor.Read([]byte("\x01\x18\x01\x02"))
	if got := c.Uint("one", 9); got != 1 {
		t.Fatalf("got %d", got)
	}
	if got := c.Uint("two", 9); got != 0 {
		t.Errorf("not in shortest form, yet read as %d", got)
	}
	c.Exactly("three", "\x18")
	_ = c.Bytes("four", 0, 1)
	_, _, _ = c.Int("five"), c.Bool("six"), c.Array("seven")
	if c.Next() != 0 {
		t.Error("a failed cursor offers more")
	}
	for _, err := range []error{c.Err(), c.End()} {
		if !errors.Is(err, cbor.ErrNotCanonical) || !strings.Contains(err.Error(), "two: not in its shortest form at offset 1") {
			t.Errorf("got %v", err)
		}
	}
}

func TestLimitsAreKept(t *testing.T) {
	for name, read := range map[string]func(c *cbor.Cursor){
		"number":      func(c *cbor.Cursor) { c.Uint("x", 99) },
		"bytes":       func(c *cbor.Cursor) { c.Bytes("x", 0, 99) },
		"short bytes": func(c *cbor.Cursor) { c.Bytes("x", 101, 200) },
		"text":        func(c *cbor.Cursor) { c.Text("x", 99) },
		"exactly":     func(c *cbor.Cursor) { c.Exactly("x", "\x01") },
		"bool":        func(c *cbor.Cursor) { c.Bool("x") },
	} {
		in := map[string][]byte{
			"number": cbor.AppendUint(nil, 100),
			"text":   cbor.AppendText(nil, strings.Repeat("a", 100)),
			"bool":   {0xf3},
		}[name]
		if in == nil {
			in = cbor.AppendBytes(nil, make([]byte, 100))
		}
		c := cbor.Read(in)
		if read(&c); !errors.Is(c.Err(), cbor.ErrNotCanonical) || c.Offset() != 0 {
			t.Errorf("%s: %v at %d, want a refusal at 0", name, c.Err(), c.Offset())
		}
	}
}

// anyItem draws an item of our profile.
func anyItem(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		top := 4
		if depth > 0 {
			top = 6
		}
		switch rapid.IntRange(0, top).Draw(t, "type") {
		case 0:
			return rapid.Uint64().Draw(t, "uint")
		case 1:
			return -1 - rapid.Int64Range(0, math.MaxInt64).Draw(t, "nint")
		case 2:
			return rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes")
		case 3:
			return strings.ToValidUTF8(rapid.String().Draw(t, "text"), "?")
		case 4:
			return rapid.Bool().Draw(t, "bool")
		case 5:
			return rapid.SliceOfN(anyItem(depth-1), 0, 5).Draw(t, "array")
		}
		return rapid.MapOfN(rapid.Int64(), anyItem(depth-1), 0, 5).Draw(t, "map")
	})
}

func TestWritingAgreesWithAPeer(t *testing.T) {
	mode, err := peer.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		want, err := mode.Marshal(anyItem(2).Draw(t, "item"))
		if err != nil {
			t.Fatal(err)
		}
		item, err := readAll(want)
		if err != nil {
			t.Fatalf("%x: %v", want, err)
		}
		if got := write(nil, item); !bytes.Equal(got, want) {
			t.Fatalf("wrote %x, the peer wrote %x", got, want)
		}
	})
}

// TestRefusalsAgreeWithAPeer damages good encodings: what we still accept, the
// peer must accept and write to the same bytes.
func TestRefusalsAgreeWithAPeer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := peer.Marshal(anyItem(2).Draw(t, "item"))
		if err != nil {
			t.Fatal(err)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		agree(t, b)
	})
}

type fataler interface{ Fatalf(string, ...any) }

// agree checks what must hold of any input.
func agree(t fataler, b []byte) {
	item, err := readAll(b)
	if err != nil {
		if !errors.Is(err, cbor.ErrNotCanonical) && !errors.Is(err, errDepth) {
			t.Fatalf("%x: %v", b, err)
		}
		return
	}
	if again := write(nil, item); !bytes.Equal(again, b) {
		t.Fatalf("%x written again as %x", b, again)
	}
	dec, err := peer.DecOptions{DupMapKey: peer.DupMapKeyEnforcedAPF, MaxNestedLevels: 2 * maxDepth, IntDec: peer.IntDecConvertNone}.DecMode()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := dec.Wellformed(b); err != nil {
		t.Fatalf("%x: read here, refused by the peer: %v", b, err)
	}
	var v any
	if err := dec.Unmarshal(b, &v); err != nil {
		// Arrays and maps as map keys are CBOR, but no Go map holds them.
		var unhashable *peer.InvalidMapKeyTypeError
		if errors.As(err, &unhashable) {
			return
		}
		t.Fatalf("%x: read here, refused by the peer: %v", b, err)
	}
	enc, err := peer.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if again, err := enc.Marshal(v); err != nil || !bytes.Equal(again, b) {
		t.Fatalf("%x: the peer writes %x (%v)", b, again, err)
	}
}

var seeds = []string{
	"\x00", "\x18\x18", "\x39\x01\x00", "\x43abc", "\x63\xe5\xbc\xa0", "\x82\x01\xf5",
	"\xa2\x01\x41a\x20\xf4", "\x84\x49\xa2\x01\x27\x04\x44abcd\xa0\x41a\x41b", "\xa1\x81\x01\x02", "\x18\x01",
}

func FuzzCBOR(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}

func TestSeedsExist(t *testing.T) {
	if len(seeds) < 8 {
		t.Errorf("%d seeds", len(seeds))
	}
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", "FuzzCBOR", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no committed corpus: %v", err)
	}
	for _, name := range files {
		if b, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(b, []byte("go test fuzz v1\n")) {
			t.Errorf("%s: %v: not a corpus file", name, err)
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	in := write(nil, []any{uint64(7), []byte("abc"), "名", true})
	var name []byte
	n := testing.AllocsPerRun(100, func() {
		c := cbor.Read(in)
		c.Array("list")
		c.Uint("n", 9)
		c.Bytes("b", 3, 3)
		name = c.Text("t", 9)
		c.Bool("ok")
		if c.End() != nil {
			panic("refused")
		}
	})
	if n != 0 || !reflect.DeepEqual(string(name), "名") {
		t.Errorf("%v allocations, text %q", n, name)
	}
}
