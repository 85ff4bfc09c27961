package approval

import (
	"maps"
	"slices"
	"strings"
)

var fieldKeys = []string{
	"id", "name", "type", "required", "required_if", "readonly", "value", "max", "options", "from", "many", "assumed",
}

// mostText bounds what a field may allow itself.
const mostText = 20_000

// readForm reads the fields of a form. The expressions of a field may use those
// that are visible and the other fields of its form; a value only those before
// it, since values are filled in from the first to the last.
func (l *loader) readForm(v value, visible map[string]*Field) []*Field {
	var (
		all    []*Field
		tables []table
		own    = map[string]*Field{}
		names  = map[string]bool{}
	)
	maps.Copy(own, visible)
	for _, item := range v.list() {
		t, ok := item.table(fieldKeys...)
		if !ok {
			continue
		}
		f := l.readField(t)
		if f.ID != "" && names[f.ID] {
			t.values["id"].fault("duplicate field %s", f.ID)
			continue
		}
		names[f.ID] = true
		if v, ok := t.values["value"]; ok {
			f.Value = l.expression(v, own, false, shapeOf(f))
		}
		own[f.ID] = f
		all, tables = append(all, f), append(tables, t)
	}
	for i, t := range tables {
		if v, ok := t.values["required_if"]; ok {
			all[i].RequiredIf = l.condition(v, own)
		}
	}
	return all
}

func (l *loader) readField(t table) *Field {
	f := &Field{
		ID: l.id(t), Required: t.flag("required"), Readonly: t.flag("readonly"),
		Many: t.flag("many"), Assumed: t.flag("assumed"),
	}
	if v, ok := t.must("name"); ok {
		f.Name = v.words(maxName)
	}
	if _, ok := t.must("type"); ok {
		f.Type = choice(t, "type", "", allFieldTypes)
	}
	if v, ok := t.values["max"]; ok {
		f.Max = v.whole(mostText)
		if f.Type != Text && f.Type != Textarea && f.Type != Richtext {
			v.fault("max is for text, textarea and richtext")
		}
	}
	if v, ok := t.values["options"]; ok {
		f.Options = l.readOptions(v)
		if f.Type != Select {
			v.fault("options are for select, not for %s", f.Type)
		}
	}
	if v, ok := t.values["from"]; ok {
		f.From = l.readRole(v)
		if f.Type != User {
			v.fault("from is for user, not for %s", f.Type)
		}
	}
	if v, ok := t.values["many"]; ok && f.Many && (f.Type == Note || f.Type == Richtext) {
		v.fault("%s cannot be many", f.Type)
	}
	if v, ok := t.values["readonly"]; ok && f.Readonly && !t.has("value") {
		v.fault("a readonly field needs a value: nobody else fills it")
	}
	if v, ok := t.values["value"]; ok && f.Many {
		v.fault("a field of many has no value of its own")
	}
	return f
}

func (l *loader) readOptions(v value) []string {
	all := []string{}
	for _, item := range v.some("a select with options needs some") {
		option := item.words(maxName)
		if slices.Contains(all, option) {
			item.fault("%q stands there twice", option)
		}
		all = append(all, option)
	}
	return all
}

// readRole reads role:R and gives it whole.
func (l *loader) readRole(v value) string {
	text, ok := v.text()
	if !ok {
		return ""
	}
	role, ok := strings.CutPrefix(text, "role:")
	if !ok {
		v.fault("want role:ROLE, not %q", text)
		return ""
	}
	l.knowRole(v, role)
	return text
}

func (l *loader) knowRole(v value, role string) {
	if _, ok := l.file.Roles[role]; !ok {
		v.fault("unknown role %q; there are %s", role, namesOf(l.file.Roles))
	}
}

// id reads the id of a field or a step.
func (l *loader) id(t table) string {
	v, ok := t.must("id")
	if !ok {
		return ""
	}
	id, ok := v.text()
	if ok && (!wordID.MatchString(id) || len(id) > maxID) {
		v.fault("%q is no id: small letters, digits and _", id)
	}
	return id
}

// link is a fault about a name that only a flow gives: in a template that no
// flow extends it may be missing.
func (l *loader) link(v value, format string, args ...any) {
	if !l.fragment {
		v.fault(format, args...)
	}
}

// condition compiles an expression that is true or false.
func (l *loader) condition(v value, visible map[string]*Field) *Expr {
	return l.expression(v, visible, true, shape{kind: kindBool})
}

// expression compiles what must come to a shape. Text may stand for any text,
// and for nothing else.
func (l *loader) expression(v value, visible map[string]*Field, condition bool, want shape) *Expr {
	text, ok := v.text()
	if !ok {
		return nil
	}
	e, err := compile(text, visible)
	if err != nil {
		l.link(v, "%v", err)
		return nil
	}
	if e.result.kind != want.kind || e.result.list {
		what := "value"
		if condition {
			what = "condition"
		}
		v.fault("this %s comes to %s, not %s", what, e.result, want)
		return nil
	}
	return e
}

// field finds a field by id among those visible.
func (l *loader) field(v value, id string, visible map[string]*Field) *Field {
	f := visible[id]
	if f == nil {
		l.link(v, "the form has no field %s here", id)
	}
	return f
}
