package cbor_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"campusgate/signing/cbor"
)

// appendixA is one example of RFC 8949 appendix A.
type appendixA struct {
	Hex        string          `json:"hex"`
	RoundTrip  bool            `json:"roundtrip"`
	Decoded    json.RawMessage `json:"decoded"`
	Diagnostic string          `json:"diagnostic"`
}

// notOurs says which feature of CBOR outside the profile an example shows; ""
// when it must be read. All of them must be refused.
func notOurs(b []byte) string {
	switch first := b[0]; {
	case first == 0x3b && b[1] >= 0x80:
		return "negative number below int64"
	case first&0x1f == 31:
		return "indefinite length"
	case first>>5 == 6:
		return "tag"
	case first == 0xf4 || first == 0xf5:
		return ""
	case first >= 0xf9 && first <= 0xfb:
		return "float"
	case first>>5 == 7:
		return "simple value other than true and false"
	case first>>5 == 4 && (bytes.IndexByte(b, 0x9f) > 0 || bytes.IndexByte(b, 0xbf) > 0):
		return "indefinite length inside"
	}
	return ""
}

func TestAppendixAIsReadOrRefusedAsTheProfileSays(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(vectorFolder(t), "cbor-appendix-a", "appendix_a.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []appendixA
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	ours, skipped := 0, map[string]int{}
	for _, c := range cases {
		b, err := hex.DecodeString(c.Hex)
		if err != nil {
			t.Fatal(err)
		}
		item, err := readAll(b)
		if why := notOurs(b); why != "" {
			skipped[why]++
			if !errors.Is(err, cbor.ErrNotCanonical) {
				t.Errorf("%s (%s): got %v, %v, want ErrNotCanonical", c.Hex, why, item, err)
			}
			continue
		}
		ours++
		if err != nil {
			t.Errorf("%s: %v", c.Hex, err)
			continue
		}
		if got := hex.EncodeToString(write(nil, item)); got != c.Hex {
			t.Errorf("%s: written again as %s", c.Hex, got)
		}
		if !c.RoundTrip {
			t.Errorf("%s: read, although it is not the one encoding", c.Hex)
		}
		if want, got := expected(t, c), plain(item); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", c.Hex, got, want)
		}
	}
	t.Logf("%d examples read and written; refused as not ours: %v", ours, skipped)
	if ours != 35 || len(cases) != 82 {
		t.Errorf("%d of %d examples were ours, want 35 of 82: the set or the rule has changed", ours, len(cases))
	}
}

// expected turns the example's JSON value into what plain gives.
func expected(t *testing.T, c appendixA) any {
	t.Helper()
	if c.Decoded == nil {
		return c.Diagnostic
	}
	d := json.NewDecoder(strings.NewReader(string(c.Decoded)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := new(big.Int).SetString(v.String(), 10)
		return n.String()
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
		return v
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
		return v
	}
	return v
}

// plain turns what walk gives into JSON's kinds of value, with numbers as text
// and what JSON lacks in diagnostic notation (RFC 8949 section 8).
func plain(item any) any {
	switch item := item.(type) {
	case uint64, int64:
		return fmt.Sprint(item)
	case []byte:
		return fmt.Sprintf("h'%x'", item)
	case []any:
		for i := range item {
			item[i] = plain(item[i])
		}
		return item
	case []pair:
		if len(item) > 0 {
			if _, ok := item[0].key.(string); !ok {
				var parts []string
				for _, p := range item {
					parts = append(parts, fmt.Sprintf("%v: %v", p.key, p.value))
				}
				return "{" + strings.Join(parts, ", ") + "}"
			}
		}
		m := map[string]any{}
		for _, p := range item {
			m[p.key.(string)] = plain(p.value)
		}
		return m
	}
	return item
}
