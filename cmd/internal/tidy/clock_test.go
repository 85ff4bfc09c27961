package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// Wall time and chance come in through a field that a test can set. What is left
// to say here is where the real ones may be named:
//
//   - in cmd, which fills the fields, and in tests;
//   - as the default of such a field: put into what was just found to be nil, or
//     returned by a function that asks whether Now or Rand is nil;
//   - time.Now for a deadline of a connection, which is no wall time to anybody;
//   - time.Now for a stopwatch: a variable of which only differences are taken.
//     A stopwatch in a struct is beyond what can be seen here: see exceptions.
//
// In signing none of these holds: it is pure.
func clocks(s *source, report report) {
	if s.isTest() || s.under("cmd") {
		return
	}
	walk(s.file, func(n ast.Node, above []ast.Node) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return
		}
		pkg, ok := sel.X.(*ast.Ident)
		if !ok {
			return
		}
		at, name := s.line(sel.Pos()), pkg.Name+"."+sel.Sel.Name
		switch s.imports[pkg.Name] {
		case "time":
			s.clock(at, name, sel.Sel.Name, above, report)
		case "crypto/rand":
			if s.under("signing") {
				report(at, name+" in signing", "take an io.Reader")
			} else if !isDefault(above, "rand", "random", "entropy") {
				report(at, name+" is not the default of a field", "take an io.Reader; nil means crypto/rand.Reader")
			}
		case "math/rand", "math/rand/v2":
			if seeded := []string{"New", "NewPCG", "NewChaCha8", "NewSource", "NewZipf", "Rand", "PCG", "ChaCha8", "Source", "Source64", "Zipf"}; !slices.Contains(seeded, sel.Sel.Name) {
				report(at, name+" draws from the shared source", "draw from a *rand.Rand that the caller seeds")
			}
		}
	})
}

func (s *source) clock(at int, name, function string, above []ast.Node, report report) {
	pure := s.under("signing")
	switch function {
	case "Sleep":
		return // has a rule of its own
	case "After", "AfterFunc", "NewTimer", "NewTicker", "Tick":
		if pure {
			report(at, name+" in signing", "signing knows no time; take the moment as a number")
		}
	case "Now", "Since", "Until":
		switch {
		case pure:
			report(at, name+" in signing", "signing knows no time; take the moment as a number")
		case function == "Now" && (isDefault(above, "now", "clock") || isDeadline(above) || isStopwatch(above)):
		case function != "Now" && measuresStopwatch(above):
		default:
			report(at, name+" reads the wall clock", "take a field Now func() time.Time; nil means time.Now")
		}
	}
}

// walk visits every node with those above it, the nearest last.
func walk(root ast.Node, visit func(n ast.Node, above []ast.Node)) {
	var above []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			above = above[:len(above)-1]
			return true
		}
		visit(n, above)
		above = append(above, n)
		return true
	})
}

// function is the body around a node: the innermost declared function's.
func function(above []ast.Node) *ast.BlockStmt {
	for _, n := range slices.Backward(above) {
		if f, ok := n.(*ast.FuncDecl); ok {
			return f.Body
		}
	}
	return nil
}

// isDefault: if x == nil { x = … }; or … among what is returned by a function
// that compares something of such a name with nil.
func isDefault(above []ast.Node, names ...string) bool {
	returned := false
	target := ""
	for _, n := range slices.Backward(above) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n == above[len(above)-1] { // the value itself, not something made from it
				target = lastName(n.Lhs[0])
			}
		case *ast.ReturnStmt:
			returned = true
		case *ast.IfStmt:
			if target != "" && asksNil(n.Cond, func(name string) bool { return name == target }) {
				return true
			}
		case *ast.FuncDecl:
			return returned && asksNil(n.Body, func(name string) bool { return slices.Contains(names, strings.ToLower(name)) })
		}
	}
	return false
}

// asksNil reports a comparison with nil of something whose name fits.
func asksNil(in ast.Node, fits func(string) bool) (asks bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		if b, ok := n.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) && lastName(b.Y) == "nil" {
			asks = asks || fits(lastName(b.X))
		}
		return true
	})
	return asks
}

// lastName is x of a.b.x, and of x itself.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// isDeadline: an argument of something named so, or put into a variable named
// so.
func isDeadline(above []ast.Node) bool {
	named := func(e ast.Expr) bool { return strings.Contains(strings.ToLower(lastName(e)), "deadline") }
	for _, n := range above {
		switch n := n.(type) {
		case *ast.CallExpr:
			if named(n.Fun) || lastName(n.Fun) == "WriteControl" {
				return true
			}
		case *ast.AssignStmt:
			if slices.ContainsFunc(n.Lhs, named) {
				return true
			}
		}
	}
	return false
}

// isStopwatch: put into a local variable that is used only for differences.
func isStopwatch(above []ast.Node) bool {
	for _, n := range slices.Backward(above) {
		if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.DEFINE && len(a.Lhs) == 1 {
			id, ok := a.Lhs[0].(*ast.Ident)
			return ok && onlyDifferences(function(above), id.Name)
		}
	}
	return false
}

// measuresStopwatch: time.Since or time.Until of such a variable.
func measuresStopwatch(above []ast.Node) bool {
	if len(above) == 0 {
		return false
	}
	call, ok := above[len(above)-1].(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	id, ok := call.Args[0].(*ast.Ident)
	return ok && onlyDifferences(function(above), id.Name)
}

// onlyDifferences reports that a variable is never asked what time it is.
func onlyDifferences(body *ast.BlockStmt, name string) bool {
	if body == nil {
		return false
	}
	defined, ok := false, true
	walk(body, func(n ast.Node, above []ast.Node) {
		id, is := n.(*ast.Ident)
		if !is || id.Name != name || len(above) == 0 {
			return
		}
		switch up := above[len(above)-1].(type) {
		case *ast.AssignStmt:
			fresh := up.Tok == token.DEFINE && slices.Contains(up.Lhs, ast.Expr(id))
			defined = defined || fresh
			ok = ok && fresh
		case *ast.CallExpr: // time.Since(x), y.Sub(x)
			ok = ok && slices.Contains([]string{"Since", "Until", "Sub", "Before", "After"}, lastName(up.Fun))
		case *ast.SelectorExpr: // x.Sub(y); or a field of the same name
			ok = ok && (up.Sel == id || slices.Contains([]string{"Sub", "Add", "Before", "After"}, up.Sel.Name))
		default:
			ok = false
		}
	})
	return defined && ok
}

// sleeps: a sleep is a guess at how long something takes. In a bubble of
// testing/synctest it is none, since time there moves when nothing else does: a
// test may sleep in the function that it gives to synctest.Test, or to a function
// of the same folder that starts the bubble.
func sleeps(_ string, files []*source, complain func(*source, int, string, string)) {
	bubbles := map[string]bool{}
	for _, s := range files {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil && s.isTest() && s.startsBubble(f.Body) {
				bubbles[f.Name.Name] = true
			}
		}
	}
	for _, s := range files {
		walk(s.file, func(n ast.Node, above []ast.Node) {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !s.names(sel, "time", "Sleep") || s.isTest() && s.inBubble(above, bubbles) {
				return
			}
			complain(s, s.line(sel.Pos()), "time.Sleep", "wait for what it waits for, or for a timer beside a context; in a test use testing/synctest")
		})
	}
}

// names reports that an expression is a name of an imported package.
func (s *source) names(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && s.imports[id.Name] == pkg
}

func (s *source) startsBubble(body ast.Node) (starts bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && s.names(call.Fun, "testing/synctest", "Test") {
			starts = true
		}
		return true
	})
	return starts
}

// inBubble: in a function literal that is given to a starter of bubbles.
func (s *source) inBubble(above []ast.Node, bubbles map[string]bool) bool {
	for i, n := range above {
		call, ok := n.(*ast.CallExpr)
		if !ok || i+1 == len(above) {
			continue
		}
		if _, literal := above[i+1].(*ast.FuncLit); literal && (s.names(call.Fun, "testing/synctest", "Test") || bubbles[lastName(call.Fun)]) {
			return true
		}
	}
	return false
}
