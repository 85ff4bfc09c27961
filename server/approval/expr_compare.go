package approval

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// literal is what is written out: a comparison with it has an answer for an
// absent field too.
func literal(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return true
	case *ast.UnaryNode:
		return literal(n.Node)
	}
	return false
}

// alike lets like be compared with like. A literal text may stand for a date,
// and "" for the absence of anything; a choice is compared only with what can
// be chosen.
func alike(operator string, l, r shape, left, right ast.Node) error {
	if l.list || r.list {
		return fmt.Errorf("%s does not compare lists: use any, all, none, one or in", operator)
	}
	if err := fits(operator, l, right); err != nil {
		return err
	}
	if err := fits(operator, r, left); err != nil {
		return err
	}
	equality := operator == "==" || operator == "!=" || operator == "in"
	switch {
	case l.kind == r.kind:
		return nil
	case stands(left, r.kind, equality), stands(right, l.kind, equality):
		return nil
	case l.kind == kindMoney && r.kind == kindNumber || l.kind == kindNumber && r.kind == kindMoney:
		return fmt.Errorf("%s compares money with a number: write yuan(…)", operator)
	case l.kind == kindDate && r.kind == kindDatetime || l.kind == kindDatetime && r.kind == kindDate:
		return fmt.Errorf("%s compares a date with a datetime: use days(a, b)", operator)
	}
	return fmt.Errorf("%s compares %s with %s", operator, l, r)
}

// fits complains about a literal that a choice can never be: the rule would
// never hold.
func fits(operator string, s shape, n ast.Node) error {
	text, ok := n.(*ast.StringNode)
	if !ok || s.only == nil || text.Value == "" || slices.Contains(s.only, text.Value) {
		return nil
	}
	return fmt.Errorf("%s %q never holds: there are %s", operator, text.Value, strings.Join(s.only, ", "))
}

// stands says whether a literal text is written for a value of a kind.
func stands(n ast.Node, k kind, equality bool) bool {
	text, ok := n.(*ast.StringNode)
	if !ok || k == kindBool {
		return false
	}
	if text.Value == "" {
		return equality
	}
	layout := map[kind]string{kindDate: dateLayout, kindDatetime: datetimeLayout}[k]
	_, err := time.Parse(layout, text.Value)
	return layout != "" && err == nil
}

// namesOf lists names for a message.
func namesOf[V any](names map[string]V, more ...map[string]shape) string {
	all := slices.Collect(maps.Keys(names))
	for _, m := range more {
		all = slices.AppendSeq(all, maps.Keys(m))
	}
	slices.Sort(all)
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), ", ")
}
