package tidy

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// goRules hold for every Go file.
var goRules = map[string]fileRule{
	"clock":    clocks,
	"init":     inits,
	"exit":     exits,
	"document": documented,
	"dsn":      dsn,
}

// folderRules look at the Go files of a folder together.
var folderRules = map[string]folderRule{
	"package comment": packageComment,
	"package name":    packageName,
	"fuzz seeds":      fuzzSeeds,
	"sleep":           sleeps,
}

// inits: what registers itself cannot be left out, and is there twice in tests.
func inits(s *source, report report) {
	if !s.under("devices") {
		return
	}
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			report(s.line(f.Pos()), "func init in devices", "let cmd put it into the map of openers")
		}
	}
}

// exits: a library that ends the program takes a gate down with it. TestMain may,
// since that is how it answers.
func exits(s *source, report report) {
	if s.under("cmd") {
		return
	}
	ends := map[string][]string{
		"os":      {"Exit"},
		"log":     {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"},
		"syscall": {"Exit"},
	}
	walk(s.file, func(n ast.Node, above []ast.Node) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return
		}
		pkg, ok := sel.X.(*ast.Ident)
		if !ok || !slices.Contains(ends[s.imports[pkg.Name]], sel.Sel.Name) {
			return
		}
		for _, up := range above {
			if f, ok := up.(*ast.FuncDecl); ok && f.Name.Name == "TestMain" && s.isTest() {
				return
			}
		}
		report(s.line(sel.Pos()), pkg.Name+"."+sel.Sel.Name+" outside cmd", "return an error; only cmd ends the program")
	})
}

// understood are methods whose name and signature are their contract.
var understood = []string{
	"String", "GoString", "Error", "Unwrap", "Is", "As", "ServeHTTP", "Len", "Less", "Swap", "Read", "Write",
	"MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON", "MarshalYAML", "UnmarshalYAML",
}

// documented: everything that others can use says what it is.
func documented(s *source, report report) {
	if s.isTest() {
		return
	}
	complain := func(name *ast.Ident) {
		report(s.line(name.Pos()), name.Name+" has no doc comment", "say what it is for, its units and its errors")
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc.Text() == "" && reachable(d) {
				complain(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() && !said(d.Doc, spec.Doc, spec.Comment) {
						complain(spec.Name)
					}
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						if name.IsExported() && !said(d.Doc, spec.Doc, spec.Comment) {
							complain(name)
						}
					}
				}
			}
		}
	}
}

// reachable: a function, or a method that needs words of an exported type.
func reachable(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported() && !slices.Contains(understood, f.Name.Name)
		default:
			return false
		}
	}
}

func said(comments ...*ast.CommentGroup) bool {
	return slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return c.Text() != "" })
}

// packageComment: one place, and only one, says what a package is. Where a
// folder has only tests, they say it.
func packageComment(_ string, files []*source, complain func(*source, int, string, string)) {
	speaking := slices.DeleteFunc(slices.Clone(files), (*source).isTest)
	if len(speaking) == 0 {
		speaking = files
	}
	var found []*source
	for _, s := range speaking {
		if s.file.Doc.Text() != "" {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		complain(speaking[0], 1, "package "+speaking[0].file.Name.Name+" has no package comment", "write one, in doc.go or in its main file")
		return
	}
	first := found[0]
	if name := first.file.Name.Name; name != "main" && !strings.HasPrefix(first.file.Doc.Text(), "Package "+name+" ") {
		complain(first, first.line(first.file.Doc.Pos()), "the package comment does not begin with Package "+name, "begin it so")
	}
	for _, s := range found[1:] {
		complain(s, s.line(s.file.Doc.Pos()), "a second package comment, after that in "+path.Base(first.path), "keep one; leave an empty line before package")
	}
}

// packageName: a name that says nothing collects everything.
func packageName(folder string, files []*source, complain func(*source, int, string, string)) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared", "base", "lib"}
	if slices.Contains(empty, path.Base(folder)) || slices.Contains(empty, files[0].file.Name.Name) {
		complain(files[0], 1, "a package named "+path.Base(folder), "name it after what it provides")
	}
}

// fuzzSeeds: a fuzz target without seeds runs nothing in an ordinary test. Seeds
// are f.Add in the target or in a function that it hands f to, or files.
func fuzzSeeds(folder string, files []*source, complain func(*source, int, string, string)) {
	adds := map[string]bool{} // functions that add seeds
	for _, s := range files {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && addsSeeds(f) {
				adds[f.Name.Name] = true
			}
		}
	}
	for _, s := range files {
		if !s.isTest() {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Fuzz") || parameterF(f) == "" {
				continue
			}
			corpus, err := os.ReadDir(filepath.Join(s.root, filepath.FromSlash(folder), "testdata", "fuzz", f.Name.Name))
			if adds[f.Name.Name] || handsOn(f, adds) || err == nil && len(corpus) > 0 {
				continue
			}
			complain(s, s.line(f.Pos()), f.Name.Name+" has no seeds", "f.Add some, or commit files under testdata/fuzz/"+f.Name.Name)
		}
	}
}

// parameterF is the name of a parameter of type *testing.F, or "".
func parameterF(f *ast.FuncDecl) string {
	for _, field := range f.Type.Params.List {
		if star, ok := field.Type.(*ast.StarExpr); ok && lastName(star.X) == "F" && len(field.Names) > 0 {
			return field.Names[0].Name
		}
	}
	return ""
}

func addsSeeds(f *ast.FuncDecl) (adds bool) {
	name := parameterF(f)
	if name == "" {
		return false
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Add" && lastName(sel.X) == name {
				adds = true
			}
		}
		return true
	})
	return adds
}

// handsOn: the target gives its f to a function that adds seeds.
func handsOn(f *ast.FuncDecl, adds map[string]bool) (on bool) {
	name := parameterF(f)
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && adds[lastName(call.Fun)] {
			on = on || slices.ContainsFunc(call.Args, func(e ast.Expr) bool { return lastName(e) == name })
		}
		return true
	})
	return on
}
