package approval

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Limits of one expression. Without loops but any and its like over a list, and
// those not nested, they bound how long it can take.
const (
	maxExpr  = 2000 // bytes
	maxNodes = 200
)

// compile makes an expression of text, for a form of the fields given. The
// error says in one line what is wrong with it.
func compile(text string, fields map[string]*Field) (e *Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("cannot be compiled: %v", r)
		}
	}()
	if len(text) > maxExpr {
		return nil, fmt.Errorf("longer than %d bytes", maxExpr)
	}
	config := typed()
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, oneLine(err)
	}
	c := check{fields: fields}
	result, err := c.node(&tree.Node, false)
	if err != nil {
		return nil, err
	}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, oneLine(err)
	}
	program, err := compiler.Compile(tree, config)
	if err != nil {
		return nil, oneLine(err)
	}
	return &Expr{Text: text, program: program, result: result, clock: c.clock}, nil
}

// oneLine drops the drawing that the library puts under its messages.
func oneLine(err error) error {
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Errorf("%s at character %d", at.Message, at.From+1)
	}
	return err
}

// check walks an expression: it admits the part of the language that FLOW.md
// describes, finds every name among the facts or the fields, and lets only like
// be compared with like.
type check struct {
	fields map[string]*Field
	item   *shape // what # is, inside any and its like
	clock  bool
}

// node gives the shape of an expression. Where need is set, the value of a form
// field is needed and its absence stops the evaluation; elsewhere an absent
// field is "" and an absent list is empty. The reading of a form field is
// replaced by the call that does the one or the other.
func (c *check) node(n *ast.Node, need bool) (shape, error) {
	switch x := (*n).(type) {
	case *ast.BoolNode:
		return shape{kind: kindBool}, nil
	case *ast.StringNode:
		return shape{kind: kindText}, nil
	case *ast.IntegerNode, *ast.FloatNode:
		return shape{kind: kindNumber}, nil
	case *ast.IdentifierNode:
		return c.name(x.Value)
	case *ast.MemberNode:
		return c.member(n, x, need)
	case *ast.PointerNode:
		if x.Name != "" || c.item == nil {
			return shape{}, fmt.Errorf("#%s stands only inside any, all, none and one", x.Name)
		}
		return *c.item, nil
	case *ast.UnaryNode:
		return c.unary(x)
	case *ast.BinaryNode:
		return c.binary(x)
	case *ast.ConditionalNode:
		return c.conditional(x, need)
	case *ast.BuiltinNode:
		return c.builtin(x)
	case *ast.CallNode:
		return c.call(x)
	case *ast.ArrayNode:
		return c.array(x)
	}
	return shape{}, fmt.Errorf("%s: this is not part of the expressions of flows", (*n).String())
}

func (c *check) name(name string) (shape, error) {
	s, ok := facts[""][name]
	if !ok {
		if name == "form" || facts[name] != nil {
			return shape{}, fmt.Errorf("%s alone is no value: write %s.NAME", name, name)
		}
		return shape{}, fmt.Errorf("unknown name %s; there are form, %s", name, namesOf(facts, facts[""]))
	}
	c.clock = c.clock || name == "today" || name == "now"
	return s, nil
}

func (c *check) member(n *ast.Node, x *ast.MemberNode, need bool) (shape, error) {
	base, ok := x.Node.(*ast.IdentifierNode)
	property, isName := x.Property.(*ast.StringNode)
	if !ok || !isName || x.Optional || x.Method {
		return shape{}, fmt.Errorf("%s: this is not part of the expressions of flows", x.String())
	}
	if base.Value != "form" {
		fields := facts[base.Value]
		if fields == nil || base.Value == "" {
			return shape{}, fmt.Errorf("unknown name %s; there are form, %s", base.Value, namesOf(facts, facts[""]))
		}
		s, ok := fields[property.Value]
		if !ok {
			return shape{}, fmt.Errorf("%s has no field %s; it has %s", base.Value, property.Value, namesOf(fields))
		}
		return s, nil
	}
	field := c.fields[property.Value]
	if field == nil {
		return shape{}, fmt.Errorf("the form has no field %s here", property.Value)
	}
	s := shapeOf(field)
	read := readPlain
	switch {
	case s.list:
		read = readList
	case need && (s.kind == kindNumber || s.kind == kindMoney):
		read = readNumber
	case need:
		read = readText
	}
	ast.Patch(n, &ast.CallNode{
		Callee:    &ast.IdentifierNode{Value: read},
		Arguments: []ast.Node{x.Node, &ast.StringNode{Value: property.Value}},
	})
	return s, nil
}

func (c *check) unary(x *ast.UnaryNode) (shape, error) {
	s, err := c.node(&x.Node, true)
	if err != nil {
		return shape{}, err
	}
	want := kindBool
	if x.Operator == "-" || x.Operator == "+" {
		want = kindNumber
		if s.kind == kindMoney {
			want = kindMoney
		}
	}
	return c.want(s, want, x.Operator)
}

// want demands a single value of a kind.
func (c *check) want(s shape, k kind, where string) (shape, error) {
	if s.list || s.kind != k {
		return shape{}, fmt.Errorf("%s takes %s, not %s", where, k, s)
	}
	return s, nil
}

func (c *check) binary(x *ast.BinaryNode) (shape, error) {
	condition := shape{kind: kindBool}
	switch x.Operator {
	case "==", "!=":
		need := !literal(x.Left) && !literal(x.Right)
		l, r, err := c.both(x, need)
		if err != nil {
			return shape{}, err
		}
		return condition, alike(x.Operator, l, r, x.Left, x.Right)
	case "in":
		_, written := x.Right.(*ast.ArrayNode)
		l, r, err := c.both(x, !written)
		if err != nil {
			return shape{}, err
		}
		if !r.list {
			return shape{}, fmt.Errorf("in takes a list on its right, not %s", r)
		}
		if items, ok := x.Right.(*ast.ArrayNode); ok {
			for _, item := range items.Nodes {
				if err := alike("in", l, shape{kind: r.kind}, x.Left, item); err != nil {
					return shape{}, err
				}
			}
			return condition, nil
		}
		return condition, alike("in", l, shape{kind: r.kind, only: r.only}, x.Left, x.Right)
	}
	l, r, err := c.both(x, true)
	if err != nil {
		return shape{}, err
	}
	switch x.Operator {
	case "&&", "and", "||", "or":
		return condition, c.wants(l, r, kindBool, x.Operator)
	case "<", "<=", ">", ">=":
		if err := alike(x.Operator, l, r, x.Left, x.Right); err != nil {
			return shape{}, err
		}
		if !l.kind.ordered() && !r.kind.ordered() {
			return shape{}, fmt.Errorf("%s takes numbers, money, dates or datetimes, not %s", x.Operator, l)
		}
		return condition, nil
	case "contains", "startsWith", "endsWith":
		return condition, c.wants(l, r, kindText, x.Operator)
	case "+", "-":
		if l.list || r.list || l.kind != r.kind || l.kind != kindNumber && l.kind != kindMoney && (l.kind != kindText || x.Operator == "-") {
			return shape{}, fmt.Errorf("%s does not go with %s and %s", x.Operator, l, r)
		}
		return shape{kind: l.kind}, nil
	case "*":
		if l.list || r.list || l.kind != kindNumber && l.kind != kindMoney || r.kind != kindNumber {
			return shape{}, fmt.Errorf("* does not go with %s and %s", l, r)
		}
		return shape{kind: l.kind}, nil
	}
	return shape{}, fmt.Errorf("%s is not part of the expressions of flows", x.Operator)
}

func (c *check) wants(l, r shape, k kind, where string) error {
	if _, err := c.want(l, k, where); err != nil {
		return err
	}
	_, err := c.want(r, k, where)
	return err
}

func (c *check) both(x *ast.BinaryNode, need bool) (l, r shape, err error) {
	if l, err = c.node(&x.Left, need); err != nil {
		return l, r, err
	}
	r, err = c.node(&x.Right, need)
	return l, r, err
}

func (c *check) conditional(x *ast.ConditionalNode, need bool) (shape, error) {
	s, err := c.node(&x.Cond, true)
	if err != nil {
		return shape{}, err
	}
	if _, err := c.want(s, kindBool, "?"); err != nil {
		return shape{}, err
	}
	a, err := c.node(&x.Exp1, need)
	if err != nil {
		return shape{}, err
	}
	b, err := c.node(&x.Exp2, need)
	if err != nil {
		return shape{}, err
	}
	if a.list || b.list || a.kind != b.kind {
		return shape{}, fmt.Errorf("the two values of ? : are %s and %s", a, b)
	}
	return shape{kind: a.kind}, nil
}

func (c *check) builtin(x *ast.BuiltinNode) (shape, error) {
	switch x.Name {
	case "any", "all", "none", "one":
		if c.item != nil || len(x.Arguments) != 2 {
			return shape{}, fmt.Errorf("%s inside another is not part of the expressions of flows", x.Name)
		}
		list, err := c.node(&x.Arguments[0], false)
		if err != nil {
			return shape{}, err
		}
		predicate, ok := x.Arguments[1].(*ast.PredicateNode)
		if !list.list || !ok {
			return shape{}, fmt.Errorf("%s takes a list, not %s", x.Name, list)
		}
		c.item = &shape{kind: list.kind, only: list.only}
		s, err := c.node(&predicate.Node, true)
		c.item = nil
		if err != nil {
			return shape{}, err
		}
		return c.want(s, kindBool, x.Name)
	case "abs", "len":
		if len(x.Arguments) != 1 {
			return shape{}, fmt.Errorf("%s takes one argument", x.Name)
		}
		s, err := c.node(&x.Arguments[0], true)
		if err != nil {
			return shape{}, err
		}
		if x.Name == "abs" && !s.list && (s.kind == kindNumber || s.kind == kindMoney) {
			return s, nil
		}
		if x.Name == "len" && (s.list || s.kind == kindText) {
			return shape{kind: kindNumber}, nil
		}
		return shape{}, fmt.Errorf("%s does not take %s", x.Name, s)
	}
	return shape{}, unknownFunction(x.Name)
}

func unknownFunction(name string) error {
	return fmt.Errorf("unknown function %s; there are days, yuan, any, all, none, one, abs, len", name)
}

func (c *check) call(x *ast.CallNode) (shape, error) {
	callee, ok := x.Callee.(*ast.IdentifierNode)
	if !ok {
		return shape{}, fmt.Errorf("%s: this is not part of the expressions of flows", x.String())
	}
	arity := map[string]int{"days": 2, "yuan": 1}[callee.Value]
	if arity == 0 {
		return shape{}, unknownFunction(callee.Value)
	}
	if len(x.Arguments) != arity {
		return shape{}, fmt.Errorf("%s takes %d arguments", callee.Value, arity)
	}
	for i := range x.Arguments {
		s, err := c.node(&x.Arguments[i], true)
		if err != nil {
			return shape{}, err
		}
		if callee.Value == "yuan" {
			if _, err := c.want(s, kindNumber, "yuan"); err != nil {
				return shape{}, err
			}
			continue
		}
		dated := s.kind == kindDate || s.kind == kindDatetime || stands(x.Arguments[i], kindDate, false)
		if s.list || !dated {
			return shape{}, fmt.Errorf("days takes dates, not %s", s)
		}
	}
	if callee.Value == "yuan" {
		return shape{kind: kindMoney}, nil
	}
	return shape{kind: kindNumber}, nil
}

// array is a list that is written out, of literals of one kind.
func (c *check) array(x *ast.ArrayNode) (shape, error) {
	var all shape
	for i := range x.Nodes {
		s, err := c.node(&x.Nodes[i], true)
		if err != nil {
			return shape{}, err
		}
		if !literal(x.Nodes[i]) || i > 0 && s.kind != all.kind {
			return shape{}, errors.New("a list holds literals of one kind")
		}
		all = shape{kind: s.kind, list: true}
	}
	if all.kind == 0 {
		return shape{}, errors.New("an empty list holds nothing to compare with")
	}
	return all, nil
}
