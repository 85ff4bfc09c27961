package rows

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write TABLE.md")

const root = "../../.."

// row is one line of rows.txt.
type row struct{ id, what string }

func required(t *testing.T) (all []row) {
	t.Helper()
	text, err := os.ReadFile("rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		id, what, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !rowID.MatchString(id) {
			t.Fatalf("rows.txt: %q", line)
		}
		all = append(all, row{id, what})
	}
	return all
}

var (
	rowID = regexp.MustCompile(`^C[QM]-\d{3}$`)
	// CQ003 or CM072 in the name of a function; CQ-003 in that of a subtest.
	inName = regexp.MustCompile(`(C[QM])-?(\d{3})`)
	// it('…') and test('…') of Vitest, which are not nested in other quotes.
	vitest = regexp.MustCompile("(?:^|[^\\w.])(?:it|test)(?:\\.each\\([^)]*\\))?\\(\\s*(?:'([^'\\n]*)'|\"([^\"\\n]*)\"|`([^`\\n]*)`)")
)

// claims gives the tests of every row, in the order of their files.
func claims(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	claim := func(name, test string) {
		for _, m := range inName.FindAllStringSubmatch(name, -1) {
			if id := m[1] + "-" + m[2]; !slices.Contains(found[id], test) {
				found[id] = append(found[id], test)
			}
		}
	}
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
		short, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		short = filepath.ToSlash(short)
		switch {
		case strings.HasPrefix(short, "cmd/internal/rows/"):
			return nil
		case strings.HasSuffix(short, "_test.go"):
			return goTests(path, func(name, sub string) {
				claim(name+" "+sub, strings.TrimSuffix(filepath.ToSlash(filepath.Dir(short)), "/")+"."+name)
			})
		case strings.HasSuffix(short, ".test.ts"):
			text, err := os.ReadFile(path)
			for _, m := range vitest.FindAllStringSubmatch(string(text), -1) {
				name := m[1] + m[2] + m[3]
				claim(name, short+" “"+name+"”")
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// goTests reports the test functions of a file: once alone, and once with each
// text that is the name of a subtest, or may be one in a table of cases.
func goTests(path string, report func(name, sub string)) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	tables := tablesOf(file)
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") || f.Name.Name == "TestMain" {
			continue
		}
		report(f.Name.Name, "")
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if text := subtest(n); text != "" {
				report(f.Name.Name, text)
			}
			if name, ok := n.(*ast.Ident); ok {
				for _, text := range tables[name.Name] {
					report(f.Name.Name, text)
				}
			}
			return true
		})
	}
	return nil
}

// tablesOf gives the rows named in tables of cases that stand outside the
// functions of a file, by the table's name.
func tablesOf(file *ast.File) map[string][]string {
	tables := map[string][]string{}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			ast.Inspect(v, func(n ast.Node) bool {
				if text := subtest(n); text != "" {
					tables[v.Names[0].Name] = append(tables[v.Names[0].Name], text)
				}
				return true
			})
		}
	}
	return tables
}

// subtest gives the name in t.Run("CQ-022 …", …), and a key or first value of
// a table of cases.
func subtest(n ast.Node) string {
	var at ast.Expr
	switch n := n.(type) {
	case *ast.CallExpr:
		if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Run" && len(n.Args) == 2 {
			at = n.Args[0]
		}
	case *ast.KeyValueExpr:
		at = n.Key
		if k, ok := n.Key.(*ast.Ident); ok && (k.Name == "name" || k.Name == "row") {
			at = n.Value
		}
	case *ast.CompositeLit:
		if len(n.Elts) > 0 {
			at = n.Elts[0]
		}
	}
	lit, ok := at.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil || !strings.HasPrefix(text, "CQ-") && !strings.HasPrefix(text, "CM-") {
		return ""
	}
	return text
}

func TestRows_EachHasATest(t *testing.T) {
	found := claims(t)
	var table bytes.Buffer
	fmt.Fprintf(&table, "# Which test stands for which row\n\nWritten by `go test ./cmd/internal/rows -update`. A row without a test fails the suite.\n\n| Row | What | Tests |\n|---|---|---|\n")
	for _, r := range required(t) {
		tests := found[r.id]
		if len(tests) == 0 {
			t.Errorf("%s (%s) has no test: write its number into the name of one that proves it", r.id, r.what)
		}
		slices.Sort(tests)
		fmt.Fprintf(&table, "| %s | %s | %s |\n", r.id, r.what, strings.Join(tests, "<br>"))
		delete(found, r.id)
	}
	for id, tests := range found {
		t.Logf("%s is not one of the rows that need a test: %s", id, tests)
	}
	if *update {
		if err := os.WriteFile("TABLE.md", table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile("TABLE.md")
	if err != nil || !bytes.Equal(kept, table.Bytes()) {
		t.Errorf("TABLE.md is not up to date: go test ./cmd/internal/rows -update (%v)", err)
	}
}
