package signing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// strictJSON decodes one JSON object into a struct whose field names are lower
// case. encoding/json alone lets names differ in case, repeat, and be followed
// by more input; here each of these is an error, so that two readers of one file
// cannot see different keys in it.
func strictJSON(data []byte, most int, into any) error {
	if len(data) > most {
		return fmt.Errorf("%d bytes: at most %d", len(data), most)
	}
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	if err := checkNames(data); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more input after the end")
	}
	return nil
}

// level is an object or array that is being read.
type level struct {
	names map[string]bool // nil for an array
	value bool            // in an object: the name was read, its value is next
}

// checkNames refuses null, and names that repeat or have characters other than
// a to z and underscore.
func checkNames(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	var open []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		top := len(open) - 1
		if name, ok := token.(string); ok && top >= 0 && open[top].names != nil && !open[top].value {
			if err := checkName(open[top].names, name); err != nil {
				return err
			}
			open[top].value = true
			continue
		}
		if top >= 0 {
			open[top].value = false
		}
		switch token {
		case nil:
			return errors.New("null where a value belongs")
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, level{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
		}
	}
}

func checkName(seen map[string]bool, name string) error {
	for i := range len(name) {
		if (name[i] < 'a' || name[i] > 'z') && name[i] != '_' {
			return fmt.Errorf("unknown field %q", name)
		}
	}
	if seen[name] {
		return fmt.Errorf("field %q twice", name)
	}
	seen[name] = true
	return nil
}
