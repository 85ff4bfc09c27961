// Package layers holds the test that keeps the layers of this module apart.
// README.md draws them; the table below is what is enforced.
package layers

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule bans a dependency. Both sides are "at or under": a ban on net bans
// net/http too. A side without the module's name in front is a folder of the
// module where there is one, and a package of the standard library otherwise.
type rule struct {
	from, to, reason string
}

var rules = []rule{
	{"signing", "server", "signing runs at gates too"},
	{"signing", "agent", "signing is a leaf"},
	{"signing", "devices", "signing is a leaf"},
	{"signing", "configs", "signing is a leaf"},
	{"signing", "net", "formats and verdicts are pure: no I/O"},
	{"signing", "database/sql", "formats and verdicts are pure: no I/O"},
	{"signing", "os", "formats and verdicts are pure: cmd reads key files"},
	{"devices", "signing", "devices hand over bytes; they do not judge them"},
	{"devices", "agent", "devices import nothing of ours"},
	{"devices", "server", "devices import nothing of ours"},
	{"devices", "configs", "devices import nothing of ours"},
	{"agent", "server", "a gate works with no server; share signing/wire"},
	{"server", "agent", "share signing/wire"},
	{"server/approval", "net", "the engine is pure: no I/O"},
	{"server/approval", "database/sql", "the engine is pure: no I/O"},
	{"server/approval", "os", "the engine is pure: cmd and api hand files over"},
	{"server", "devices", "only gates have hardware"},
	{"signing", "cmd", "only cmd composes, and nothing depends on it"},
	{"devices", "cmd", "only cmd composes, and nothing depends on it"},
	{"agent", "cmd", "only cmd composes, and nothing depends on it"},
	{"server", "cmd", "only cmd composes, and nothing depends on it"},
	{"configs", "cmd", "only cmd composes, and nothing depends on it"},
}

// graph is who imports what: every package of the module, and for each the
// paths that its files import, ours and others', without those of tests.
type graph struct {
	module  string
	imports map[string][]string
}

func TestLayers(t *testing.T) {
	g, err := readGraph(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.imports) == 0 {
		t.Fatal("no packages found")
	}
	for _, problem := range g.check(rules) {
		t.Error(problem)
	}
}

// readGraph parses the source files itself, imports only. To ask the go command
// would make a trap: the test cache does not see what another program reads, and
// would go on reporting a pass after a rule was broken. Build constraints are
// ignored, so that the files for every platform count.
func readGraph(root string) (*graph, error) {
	module, err := moduleName(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	g := &graph{module: module, imports: map[string][]string{}}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && skipped(path, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		return g.read(root, path)
	})
	for pkg, list := range g.imports {
		slices.Sort(list)
		g.imports[pkg] = slices.Compact(list)
	}
	return g, err
}

// skipped are the folders whose Go files are not ours or not built.
func skipped(path, name string) bool {
	if name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(path, "go.mod")) // a module of its own
	return err == nil
}

func (g *graph) read(root, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	pkg := g.module
	if folder != "." {
		pkg += "/" + filepath.ToSlash(folder)
	}
	g.imports[pkg] = append(g.imports[pkg], []string{}...) // listed, even without imports
	for _, spec := range file.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", path, spec.Path.Value, err)
		}
		g.imports[pkg] = append(g.imports[pkg], target)
	}
	return nil
}

func moduleName(gomod string) (string, error) {
	data, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", errors.New(gomod + " names no module")
}

// check gives every broken rule with the chain of imports that breaks it, and
// every rule that guards nothing any more.
func (g *graph) check(rules []rule) (problems []string) {
	for _, r := range rules {
		from, to := g.matches(r.from), g.matches(r.to)
		switch {
		case len(from) == 0:
			problems = append(problems, fmt.Sprintf("rule %s → %s: no package at or under %q: update or delete the rule", r.from, r.to, r.from))
			continue
		case len(to) == 0:
			problems = append(problems, fmt.Sprintf("rule %s → %s: no package at or under %q, and nobody imports one: update or delete the rule", r.from, r.to, r.to))
			continue
		}
		for _, pkg := range from {
			if chain := g.chain(pkg, to); chain != nil {
				problems = append(problems, fmt.Sprintf("%s must not depend on %s: %s\n\t%s", r.from, r.to, r.reason, strings.Join(chain, "\n\t→ ")))
			}
		}
	}
	return problems
}

// matches lists the packages at or under a side of a rule: ours where there are
// any, otherwise those that anybody imports.
func (g *graph) matches(side string) (list []string) {
	ours := g.module + "/" + side
	for pkg := range g.imports {
		if under(pkg, ours) {
			list = append(list, pkg)
		}
	}
	if list == nil {
		for _, imported := range g.imports {
			for _, pkg := range imported {
				if under(pkg, side) {
					list = append(list, pkg)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func under(pkg, side string) bool { return pkg == side || strings.HasPrefix(pkg, side+"/") }

// chain is the shortest way of imports from a package into the banned set,
// through our own packages; nil when there is none.
func (g *graph) chain(from string, banned []string) []string {
	came := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range g.imports[queue[0]] {
			if _, seen := came[next]; seen {
				continue
			}
			came[next] = queue[0]
			if slices.Contains(banned, next) {
				var way []string
				for at := next; at != ""; at = came[at] {
					way = append(way, at)
				}
				slices.Reverse(way)
				return way
			}
			queue = append(queue, next)
		}
	}
	return nil
}

// The checker itself, on a small world.
func TestCheck(t *testing.T) {
	world := func() *graph {
		return &graph{module: "m", imports: map[string][]string{
			"m/low":      {"errors"},
			"m/low/deep": {"m/low"},
			"m/mid":      {"m/low/deep", "net/http"},
			"m/high":     {"m/mid"},
			"m/lowest":   nil,
		}}
	}
	for name, tc := range map[string]struct {
		rule rule
		want string // the whole of it; "" = nothing wrong
	}{
		"kept":             {rule{"low", "high", "r"}, ""},
		"direct":           {rule{"mid", "net", "pure"}, "mid must not depend on net: pure\n\tm/mid\n\t→ net/http"},
		"through our own":  {rule{"high", "low", "why"}, "high must not depend on low: why\n\tm/high\n\t→ m/mid\n\t→ m/low/deep"},
		"a like name":      {rule{"lowest", "low", "r"}, ""},
		"stale left side":  {rule{"gone", "low", "r"}, `rule gone → low: no package at or under "gone": update or delete the rule`},
		"stale right side": {rule{"low", "nte", "r"}, `rule low → nte: no package at or under "nte", and nobody imports one: update or delete the rule`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(world().check([]rule{tc.rule}), "\n"); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestReadGraph_TakesOnlySourceThatIsOurs(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"go.mod":                 "module m\n\ngo 1.26\n",
		"main.go":                "package m\n",
		"a/a.go":                 "package a\nimport _ \"m/b\"\n",
		"a/a_windows.go":         "//go:build windows\n\npackage a\nimport _ \"net\"\n",
		"a/a_test.go":            "package a\nimport _ \"os\"\n",
		"a/testdata/x.go":        "package x\nimport _ \"os\"\n",
		"b/b.go":                 "package b\n",
		"web/node_modules/n.go":  "package n\nimport _ \"os\"\n",
		".hidden/h.go":           "package h\n",
		"other/go.mod":           "module other\n",
		"other/o.go":             "package o\n",
		"b/notes.txt":            "import os",
		"b/deeper/still/deep.go": "package still\nimport (\n\t_ \"m/a\"\n\t_ \"m/a\"\n)\n",
	} {
		full := filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g, err := readGraph(root)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"m": {}, "m/a": {"m/b", "net"}, "m/b": {}, "m/b/deeper/still": {"m/a"},
	}
	if !maps.EqualFunc(g.imports, want, slices.Equal) {
		t.Errorf("imports %v, want %v", g.imports, want)
	}
}

func TestReadGraph_SourceThatDoesNotParseIsAnError(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{"go.mod": "module m\n", "a.go": "import"} {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readGraph(root); err == nil {
		t.Error("no error")
	}
	if _, err := readGraph(t.TempDir()); err == nil {
		t.Error("no error without go.mod")
	}
}
