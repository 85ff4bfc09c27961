package approval

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file, kept before it is parsed: the parser calls itself for every
// level, the lexer goes over the empty lines of a text again with each of them,
// and neither has limits of its own.
const (
	maxFile   = 256 << 10 // bytes
	maxLevels = 24        // brackets within brackets
	maxColumn = 80        // where a block structure may begin
	maxEmpty  = 50        // lines without anything, in a row
	maxTokens = 40_000    // the parser's time grows with their square
)

// parse reads one YAML document. What it refuses is told with its line.
func parse(data []byte, f *faults) (root ast.Node) {
	defer func() {
		if r := recover(); r != nil {
			root = nil
			f.add(place{}, "cannot be read: %v", r)
		}
	}()
	switch {
	case len(data) > maxFile:
		f.add(place{}, "more than %d KiB", maxFile>>10)
		return nil
	case !utf8.Valid(data):
		f.add(place{line: badLine(data)}, "not in UTF-8")
		return nil
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if line, what := unfit(data); what != "" {
		f.add(place{line: line}, "%s", what)
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if line, what := excess(tokens); what != "" {
		f.add(place{line: line}, "%s", what)
		return nil
	}
	file, err := parser.Parse(rejoin(tokens), 0)
	if err != nil {
		line, what := explain(err)
		f.add(place{line: line}, "%s", what)
		return nil
	}
	docs := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch len(docs) {
	case 0:
		f.add(place{}, "there is nothing in it")
		return nil
	case 1:
		return docs[0].Body
	}
	f.add(place{line: docs[1].Body.GetToken().Position.Line}, "more than one document in the file")
	return nil
}

// badLine is where the first bytes stand that are not UTF-8.
func badLine(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return 1 + bytes.Count(data[:i], []byte("\n"))
		}
		i += size
	}
	return 0
}

// unfit finds what the lexer must not see: control characters, and too many
// lines without anything.
func unfit(data []byte) (line int, what string) {
	n, empty := 0, 0
	for text := range bytes.Lines(data) {
		n++
		if bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			return n, "holds a control character"
		}
		if empty++; len(bytes.TrimSpace(text)) > 0 {
			empty = 0
		}
		if empty > maxEmpty {
			return n, fmt.Sprintf("more than %d empty lines", maxEmpty)
		}
	}
	return 0, ""
}

// excess finds what a file of flows has no use for: anchors and tags, and nesting
// beyond any need.
func excess(tokens token.Tokens) (line int, what string) {
	level := 0
	for i, t := range tokens {
		if i == maxTokens {
			return t.Position.Line, "too much for one file"
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.TagType, token.DirectiveType, token.MergeKeyType:
			return t.Position.Line, "anchors, aliases, tags, directives and merges are not used in files of flows"
		case token.MappingStartType, token.SequenceStartType:
			level++
		case token.MappingEndType, token.SequenceEndType:
			level--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if level == 0 && t.Type != token.MappingValueType && t.Position.Column > maxColumn {
				return t.Position.Line, "nested too deeply"
			}
		default:
		}
		if level > maxLevels {
			return t.Position.Line, "nested too deeply"
		}
	}
	return 0, ""
}

// rejoin puts together what the lexer cuts apart: inside braces it takes every
// colon for the end of a key, while in YAML 1.2 only one with a space behind it
// is, so that {who: [role:finance]} holds the text role:finance.
func rejoin(tokens token.Tokens) token.Tokens {
	var all token.Tokens
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.Type == token.MappingValueType && len(all) > 0 && i+1 < len(tokens) {
			before, after := all[len(all)-1], tokens[i+1]
			if plainScalar(before) && plainScalar(after) && touches(before, t) && touches(t, after) {
				all[len(all)-1] = token.String(before.Value+":"+after.Value, before.Origin+":"+after.Origin, before.Position)
				i++
				continue
			}
		}
		all = append(all, t)
	}
	for i, t := range all {
		t.Prev, t.Next = nil, nil
		if i > 0 {
			t.Prev, all[i-1].Next = all[i-1], t
		}
	}
	return all
}

func plainScalar(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType:
		return t.Value != ""
	default:
		return false
	}
}

// touches says whether b begins where a ends.
func touches(a, b *token.Token) bool {
	return a.Position.Line == b.Position.Line && a.Position.Column+utf8.RuneCountInString(a.Value) == b.Position.Column
}

// explain turns the library's error into a line and one line of text. Its own
// Error draws the place, at a cost that grows with the file.
func explain(err error) (line int, what string) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return at.GetToken().Position.Line, at.GetMessage()
	}
	what, _, _ = strings.Cut(err.Error(), "\n")
	return 0, what
}

// value is a node of the file with its place. Its methods tell what is not as
// they want it, once, and answer ok = false.
type value struct {
	place
	node  ast.Node
	items []value // of a list that was put together
	f     *faults
}

func newValue(f *faults, key string, n ast.Node) value {
	v := value{place: place{key: key}, node: n, f: f}
	if n != nil && n.GetToken() != nil {
		v.line = n.GetToken().Position.Line
	}
	return v
}

func (v value) fault(format string, args ...any) { v.f.add(v.place, format, args...) }

// text is a value that is text in YAML too: 001, true and null must be quoted.
func (v value) text() (string, bool) {
	text := ""
	switch n := v.node.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = strings.TrimSuffix(n.Value.Value, "\n")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		v.fault("want text: put it in quotes, %q", v.node.GetToken().Value)
		return "", false
	default:
		v.fault("want text")
		return "", false
	}
	if text == "" {
		v.fault("is empty")
		return "", false
	}
	return text, true
}

// words is text that people read: one line, not too long.
func (v value) words(most int) string {
	text, ok := v.text()
	if !ok {
		return ""
	}
	if utf8.RuneCountInString(text) > most {
		v.fault("longer than %d characters", most)
		return ""
	}
	if i := strings.IndexFunc(text, forbidden); i >= 0 || strings.ContainsAny(text, "\n\t") {
		v.fault("holds a control character")
		return ""
	}
	return text
}

func (v value) flag() bool {
	if n, ok := v.node.(*ast.BoolNode); ok {
		return n.Value
	}
	v.fault("want true or false")
	return false
}

// whole is a whole number from 1 to most.
func (v value) whole(most int) int {
	if n, ok := v.node.(*ast.IntegerNode); ok {
		// The parser gives uint64 to what is not negative.
		if u, ok := n.Value.(uint64); ok && u >= 1 && u <= uint64(most) {
			return int(u)
		}
	}
	v.fault("want a whole number from 1 to %d", most)
	return 0
}

// list is nil when it is none.
func (v value) list() []value {
	if v.items != nil {
		return v.items
	}
	n, ok := v.node.(*ast.SequenceNode)
	if !ok {
		v.fault("want a list")
		return nil
	}
	all := make([]value, len(n.Values))
	for i, item := range n.Values {
		all[i] = newValue(v.f, fmt.Sprintf("%s[%d]", v.key, i), item)
		if all[i].line == 0 {
			all[i].line = v.line
		}
	}
	return all
}

// some is a list that must not be empty.
func (v value) some(empty string) []value {
	items := v.list()
	if items != nil && len(items) == 0 {
		v.fault("%s", empty)
	}
	return items
}

// table is a mapping: keys in the order of the file.
type table struct {
	place
	keys   []string
	values map[string]value
	f      *faults
}

// table reads a mapping whose keys are among those known; none known means that
// any may stand there.
func (v value) table(known ...string) (table, bool) {
	t := table{place: v.place, values: map[string]value{}, f: v.f}
	n, ok := v.node.(ast.MapNode)
	if !ok {
		v.fault("want keys and values")
		return t, false
	}
	for pairs := n.MapRange(); pairs.Next(); {
		name := pairs.Key().GetToken().Value
		key := newValue(v.f, v.child(name), pairs.Key())
		if t.line == 0 || key.line < t.line {
			t.line = key.line
		}
		if len(known) > 0 && !slices.Contains(known, name) {
			key.fault("unknown key; there are %s", strings.Join(known, ", "))
			continue
		}
		held := newValue(v.f, key.key, pairs.Value())
		if _, empty := held.node.(*ast.NullNode); empty || held.line == 0 {
			key.fault("has no value")
			continue
		}
		if _, ok := t.values[name]; ok {
			key.fault("stands there twice")
			continue
		}
		if _, inline := held.node.(*ast.StringNode); !inline {
			held.line = key.line // a block begins at its key
		}
		t.keys = append(t.keys, name)
		t.values[name] = held
	}
	return t, true
}

func (t table) has(key string) bool { _, ok := t.values[key]; return ok }

// must gives a value that has to be there.
func (t table) must(key string) (value, bool) {
	v, ok := t.values[key]
	if !ok {
		t.f.add(place{t.line, t.child(key)}, "is missing")
	}
	return v, ok
}

// words gives text that people read, or "".
func (t table) words(key string) string {
	if v, ok := t.values[key]; ok {
		return v.words(maxName)
	}
	return ""
}

func (t table) flag(key string) bool {
	v, ok := t.values[key]
	return ok && v.flag()
}

// choice reads one of a few words, or gives what stood before.
func choice[T ~string](t table, key string, before T, all []T) T {
	v, ok := t.values[key]
	if !ok {
		return before
	}
	text, ok := v.text()
	if !ok {
		return before
	}
	if !slices.Contains(all, T(text)) {
		v.fault("unknown %s %q; there are %s", key, text, join(all))
		return before
	}
	return T(text)
}

// choices reads a list of some of a few words.
func choices[T ~string](t table, key string, before, all []T) []T {
	v, ok := t.values[key]
	if !ok {
		return before
	}
	some := []T{}
	for _, item := range v.list() {
		text, ok := item.text()
		switch {
		case !ok:
		case !slices.Contains(all, T(text)):
			item.fault("unknown %s %q; there are %s", key, text, join(all))
		case slices.Contains(some, T(text)):
			item.fault("%q stands there twice", text)
		default:
			some = append(some, T(text))
		}
	}
	return some
}

func join[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return strings.Join(texts, ", ")
}
