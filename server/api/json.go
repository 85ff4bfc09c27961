package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// strictJSON reads one JSON value and nothing after it. It refuses a name that
// comes twice in an object: what a proxy in front of us would take, and what we
// would, could differ. Nor does it take what is no text, which the library would
// change silently. Unknown names are refused by the schema.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if !utf8.Valid(data) || loneSurrogate(data) {
			return errors.New("not UTF-8")
		}
		if err := checkNames(json.NewDecoder(bytes.NewReader(data)), 0); err != nil {
			return err
		}
		return json.Unmarshal(data, v)
	},
}

// loneSurrogate finds half of a character that was written as two escapes.
func loneSurrogate(data []byte) bool {
	var high bool
	for i := 0; i < len(data); i++ {
		var r rune
		if data[i] == '\\' {
			if i++; i+4 < len(data) && data[i] == 'u' {
				if n, err := strconv.ParseUint(string(data[i+1:i+5]), 16, 16); err == nil {
					r = rune(n)
				}
				i += 4
			}
		}
		low := r >= 0xDC00 && r <= 0xDFFF
		if high != low {
			return true
		}
		high = r >= 0xD800 && r < 0xDC00
	}
	return false
}

// maxDepth is more than any request of ours has.
const maxDepth = 16

// checkNames walks over one value.
func checkNames(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	switch t {
	case json.Delim('['):
		for d.More() {
			if err := checkNames(d, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return err
			}
			key, _ := name.(string)
			if seen[key] {
				return fmt.Errorf("name %q comes twice", key)
			}
			seen[key] = true
			if err := checkNames(d, depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token() // the closing bracket
	return err
}
