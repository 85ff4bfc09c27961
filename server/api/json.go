package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"
)

// strictJSON reads one JSON value and nothing after it, and refuses a name
// that comes twice in an object: what a proxy in front of us would take, and
// what we would, could differ. Unknown names are refused by the schema.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if err := checkNames(json.NewDecoder(bytes.NewReader(data)), 0); err != nil {
			return err
		}
		return json.Unmarshal(data, v)
	},
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
