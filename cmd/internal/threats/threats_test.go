// Package threats holds the threat model, THREATS.md, and the tests that its
// tables are whole: every row names a test, every test that is called an attack
// is in them, and so is every fuzz target. That what pages name exists is for
// cmd/internal/tidy.
package threats

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// tests gives all test functions and fuzz targets, as folder.Name.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "dist" || name == "testdata" || strings.HasPrefix(name, ".") && path != root {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
				found[filepath.ToSlash(folder)+"."+f.Name.Name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A row of a table: what is in its columns, without the head.
type row []string

var name = regexp.MustCompile("`([a-z0-9/]+\\.(?:Test|Fuzz)[A-Za-z0-9_]+)`")

// rows gives the rows of every table under a heading.
func rows(t *testing.T, text, heading string) (all []row) {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("THREATS.md has no part %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	head := true
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			head = true
		case strings.HasPrefix(line, "|---"):
			head = false
		case !head:
			all = append(all, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	return all
}

func read(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("THREATS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// named gives the tests that a table names, and complains of what is wrong with
// it.
func named(t *testing.T, table []row, columns int) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, r := range table {
		if len(r) != columns || slices.ContainsFunc(r, func(cell string) bool { return strings.TrimSpace(cell) == "" }) {
			t.Errorf("a row with %d of %d columns: %q", len(r), columns, r)
			continue
		}
		names := name.FindAllStringSubmatch(r[columns-1], -1)
		if len(names) == 0 {
			t.Errorf("%q names no test", r[0])
		}
		for _, m := range names {
			found[m[1]] = true
		}
	}
	return found
}

func TestTable_EveryAttackHasATestAndEveryTestOfAnAttackItsRow(t *testing.T) {
	table := rows(t, read(t), "Attacks")
	if len(table) < 50 {
		t.Errorf("%d attacks: the table was not read", len(table))
	}
	found := named(t, table, 3)
	for _, test := range slices.Sorted(maps.Keys(tests(t))) {
		if strings.Contains(test, ".TestAttack_") && !found[test] {
			t.Errorf("%s is in no row of THREATS.md", test)
		}
	}
}

func TestTable_EveryParserIsFuzzed(t *testing.T) {
	found := named(t, rows(t, read(t), "Parsers"), 2)
	for _, test := range slices.Sorted(maps.Keys(tests(t))) {
		if strings.Contains(test, ".Fuzz") && !found[test] {
			t.Errorf("%s is in no row of THREATS.md", test)
		}
	}
}
