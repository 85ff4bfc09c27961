package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrConfig is wrapped by every fault found in a configuration file.
var ErrConfig = errors.New("configuration")

// Doc is a decoded file that still knows its lines. The zero Doc names no
// file; its faults carry the key only.
type Doc struct {
	name string
	file *ast.File
}

// Decode reads one YAML document into a pointer to a struct. Name is for the
// messages. The error wraps ErrConfig and holds one line: file:line: what is
// wrong. An empty file leaves v as it is.
func Decode(name string, data []byte, v any) (_ *Doc, err error) {
	// The library panics on some texts that are no YAML anybody would write.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s: not understood: %v", ErrConfig, name, p)
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, explain(name, err)
	}
	doc := &Doc{name: name, file: file}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := dec.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return doc, nil
		}
		return nil, explain(name, err)
	}
	var second any
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %s: more than one document in the file", ErrConfig, name)
	}
	return doc, nil
}

// Fault makes the error for a key whose value cannot be used. Key is a path
// such as lanes[0].scanner.baud; a key that the file does not have is located
// by its nearest parent.
func (d *Doc) Fault(key, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if d == nil || d.file == nil {
		return fmt.Errorf("%w: %s: %s", ErrConfig, key, what)
	}
	for path := key; ; {
		if line, ok := d.line(path); ok {
			return fmt.Errorf("%w: %s:%d: %s: %s", ErrConfig, d.name, line, key, what)
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return fmt.Errorf("%w: %s: %s: %s", ErrConfig, d.name, key, what)
		}
		path = path[:cut]
	}
}

func (d *Doc) line(key string) (int, bool) {
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return 0, false
	}
	node, err := path.FilterFile(d.file)
	if err != nil || node == nil || node.GetToken() == nil {
		return 0, false
	}
	return node.GetToken().Position.Line, true
}

// explain turns the library's error into one line with a place.
func explain(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return fmt.Errorf("%w: %s: %s", ErrConfig, name, err)
	}
	pos := at.GetToken().Position
	return fmt.Errorf("%w: %s:%d:%d: %s", ErrConfig, name, pos.Line, pos.Column, at.GetMessage())
}
