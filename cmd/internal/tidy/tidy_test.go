// Package tidy holds the test that keeps the house rules of this module: what a
// reviewer would otherwise have to say again and again. It reads source and
// runs nothing. Every complaint names the place and what to do instead.
package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exceptions are places where a rule does not hold, with the reason. One that
// excuses nothing any more fails the test.
var exceptions = []exception{
	{"clock", "agent/desk/desk.go", "the stopwatch behind Stamp.Mono"},
	{"clock", "agent/link/clock.go", "when a sample came is only compared with when others came"},
	{"clock", "agent/link/memnet/", "a network in memory keeps the deadlines of its connections"},
	{"clock", "devices/hid/hidraw_linux.go", "the silence between reports ends a code, and they carry no time"},
	{"clock", "devices/serial/port.go", "a read that returns too soon tells an unplugged port"},
	{"clock", "devices/serial/scanner.go", "the silence between bytes ends a frame"},
	{"clock", "devices/supervise.go", "how long a device stayed open"},
	{"clock", "server/cert/cert.go", "keys and serial numbers come from the system itself"},
	{"clock", "server/hub/accept.go", "a deadline of the connection, handed on"},
}

// exception excuses a file, or every file under a folder whose name ends in a
// slash, from one rule.
type exception struct{ rule, where, reason string }

// source is one file of ours.
type source struct {
	path string // from the module's root, with slashes
	text string
	root string // where the module lies on this machine

	// Of Go files only.
	file    *ast.File
	set     *token.FileSet
	imports map[string]string // local name → path
}

func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// under reports whether the file lies in a folder of the module's root.
func (s *source) under(folder string) bool { return strings.HasPrefix(s.path, folder+"/") }

// problem is one complaint.
type problem struct {
	rule, path string
	line       int
	what, fix  string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s: %s", p.path, p.line, p.what, p.fix) }

// report takes a complaint at a line, or at a position of the Go file.
type report func(line int, what, fix string)

func (s *source) line(pos token.Pos) int { return s.set.Position(pos).Line }

// fileRule looks at one file; folderRule at the Go files of one folder.
type (
	fileRule   func(*source, report)
	folderRule func(folder string, files []*source, complain func(s *source, line int, what, fix string))
)

func TestTidy(t *testing.T) {
	sources, err := readTree(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) < 20 {
		t.Fatalf("%d files: this is not the module's root", len(sources))
	}
	for _, p := range excuse(inspect(sources), exceptions, t) {
		t.Error(p)
	}
}

// inspect applies every rule.
func inspect(sources []*source) (problems []problem) {
	folders := map[string][]*source{}
	for _, s := range sources {
		for name, rule := range textRules {
			rule(s, func(line int, what, fix string) {
				problems = append(problems, problem{name, s.path, line, what, fix})
			})
		}
		if s.file == nil {
			continue
		}
		folder := path.Dir(s.path)
		folders[folder] = append(folders[folder], s)
		for name, rule := range goRules {
			rule(s, func(line int, what, fix string) {
				problems = append(problems, problem{name, s.path, line, what, fix})
			})
		}
	}
	for folder, files := range folders {
		for name, rule := range folderRules {
			rule(folder, files, func(s *source, line int, what, fix string) {
				problems = append(problems, problem{name, s.path, line, what, fix})
			})
		}
	}
	slices.SortFunc(problems, func(a, b problem) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.what, b.what)
	})
	return problems
}

// excuse drops what is excepted, and complains about exceptions without use.
func excuse(problems []problem, list []exception, t interface{ Errorf(string, ...any) }) (rest []problem) {
	used := make([]bool, len(list))
	for _, p := range problems {
		excused := false
		for i, e := range list {
			if e.rule == p.rule && (e.where == p.path || strings.HasSuffix(e.where, "/") && strings.HasPrefix(p.path, e.where)) {
				used[i], excused = true, true
			}
		}
		if !excused {
			rest = append(rest, p)
		}
	}
	for i, e := range list {
		if !used[i] {
			t.Errorf("exception %s for %s excuses nothing: delete it", e.rule, e.where)
		}
		if e.reason == "" {
			t.Errorf("exception %s for %s gives no reason", e.rule, e.where)
		}
	}
	return rest
}

// written are the kinds of file, beside Go, that people write here.
var written = []string{".ts", ".vue", ".js", ".mjs", ".css", ".html", ".sql", ".yaml", ".yml", ".sh", ".md"}

// readTree reads what people wrote: no test data, nothing built or fetched.
func readTree(root string) (sources []*source, err error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			switch {
			case full == root || name == ".ci":
				return nil
			case name == "dist" && filepath.Base(filepath.Dir(full)) == "internal":
				return nil // makes one, and is none
			case name == "testdata" || name == "node_modules" || name == "dist" || name == "bin" || strings.HasPrefix(name, "."):
				return fs.SkipDir
			}
			return nil
		}
		inCI := filepath.Base(filepath.Dir(full)) == ".ci"
		isGo := strings.HasSuffix(name, ".go")
		if !isGo && !inCI && name != "Makefile" && !slices.Contains(written, filepath.Ext(name)) {
			return nil
		}
		text, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		s, err := newSource(filepath.ToSlash(rel), string(text))
		if err != nil {
			return err
		}
		s.root = absolute
		sources = append(sources, s)
		return nil
	})
	return sources, err
}

func newSource(name, text string) (*source, error) {
	s := &source{path: name, text: text}
	if !strings.HasSuffix(name, ".go") {
		return s, nil
	}
	s.set = token.NewFileSet()
	var err error
	s.file, err = parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s.imports = map[string]string{}
	for _, spec := range s.file.Imports {
		target := strings.Trim(spec.Path.Value, "\"`")
		local := path.Base(target)
		if local == "v2" {
			local = path.Base(path.Dir(target))
		}
		if spec.Name != nil {
			local = spec.Name.Name
		}
		s.imports[local] = target
	}
	return s, nil
}
