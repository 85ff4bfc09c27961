package approval

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckForm reads what was typed into the fields of a form. Old is what the form
// held before, in what was sent: a field that it does not name keeps its old
// value, null or "" clears it. What comes out has a key for each of the fields,
// nil where it is absent, in the JSON that FieldType describes; in and old stay as
// they are.
//
// A readonly field takes its value from the flow, whatever was sent: what reads
// the clock is filled in once, other values follow their facts. With complete,
// as at a submit, required fields must be there. Whether chosen people exist is
// for CheckPeople.
func (f *Flow) CheckForm(fields []*Field, old, in map[string]any, env *Env, complete bool) (map[string]any, *Refusal) {
	for _, id := range slices.Sorted(maps.Keys(in)) {
		if !slices.ContainsFunc(fields, func(field *Field) bool { return field.ID == id }) {
			return nil, invalid(cut(id), "没有此项", "there is no such field")
		}
	}
	// Expressions see what the form held, and what is new as it comes.
	seen := maps.Clone(old)
	if seen == nil {
		seen = map[string]any{}
	}
	env = env.With(seen)
	out := map[string]any{}
	for _, field := range fields {
		v, missing, refusal := field.read(old, in, env)
		switch {
		case refusal != nil:
			return nil, refusal
		case missing != "" && complete:
			return nil, f.required(fields, missing)
		}
		out[field.ID], seen[field.ID] = v, v
	}
	if !complete {
		return out, nil
	}
	for _, field := range fields {
		required := field.Required
		if field.RequiredIf != nil && !required {
			var missing string
			var err error
			if required, missing, err = field.RequiredIf.Bool(env); err != nil {
				return nil, invalid(field.ID, field.Name+"无法判断", err.Error())
			} else if missing != "" {
				return nil, f.required(fields, missing)
			}
		}
		if required && absent(out[field.ID]) && field.Type != Note {
			return nil, f.required(fields, field.ID)
		}
	}
	return out, nil
}

// read gives the new value of one field; nil = absent. Missing names a field that
// its value would be made from.
func (field *Field) read(old, in map[string]any, env *Env) (v any, missing string, refusal *Refusal) {
	v, given := in[field.ID]
	if !given {
		v, given = old[field.ID]
	}
	if field.Readonly {
		v, given = old[field.ID]
	}
	fill := field.Value != nil && !given
	if field.Readonly && field.Value != nil {
		fill = !field.Value.clock || absent(v)
	}
	if fill {
		var err error
		if v, missing, err = field.Value.Value(env); err != nil {
			return nil, "", invalid(field.ID, field.Name+"无法填写", err.Error())
		}
		if field.Readonly || missing != "" {
			return v, missing, nil // the flow's own, and not held to what people may type
		}
	}
	v, wrong := field.parse(v, env.Options)
	if wrong != nil {
		return nil, "", invalid(field.ID, field.Name+wrong.say, field.ID+" "+wrong.en)
	}
	return v, "", nil
}

// Prefill gives the values that a form of a new matter opens with: those of
// fields with a value, the others not at all.
func (f *Flow) Prefill(env *Env) (map[string]any, error) {
	form := map[string]any{}
	env = env.With(form)
	for _, field := range f.Form {
		if field.Value == nil {
			continue
		}
		v, _, err := field.Value.Value(env)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", field.ID, err)
		}
		if v != nil {
			form[field.ID] = v
		}
	}
	return form, nil
}

// CheckPeople sees to it that the people and units chosen in a form exist, and
// that people come from among those whom a field names. Form has passed
// CheckForm. The error is the directory's.
func CheckPeople(fields []*Field, form map[string]any, directory Directory) (*Refusal, error) {
	for _, field := range fields {
		if field.Type != User && field.Type != Unit || absent(form[field.ID]) {
			continue
		}
		chosen, ok := form[field.ID].([]any)
		if !ok {
			chosen = []any{form[field.ID]}
		}
		for _, one := range chosen {
			id, _ := one.(string)
			refusal, err := field.lookUp(id, directory)
			if refusal != nil || err != nil {
				return refusal, err
			}
		}
	}
	return nil, nil
}

func (field *Field) lookUp(id string, directory Directory) (*Refusal, error) {
	if field.Type == Unit {
		name, err := directory.UnitName(id)
		if err != nil || name != "" {
			return nil, err
		}
		return invalid(field.ID, field.Name+"不存在", "there is no such unit"), nil
	}
	_, ok, err := directory.Person(id)
	if err != nil {
		return nil, err
	}
	if role, bound := strings.CutPrefix(field.From, "role:"); ok && bound && !field.Readonly {
		holders, err := directory.Holders(role)
		if err != nil {
			return nil, err
		}
		ok = slices.ContainsFunc(holders, func(p Person) bool { return p.ID == id })
	}
	if ok {
		return nil, nil
	}
	return &Refusal{
		Code: NoSuchPerson, Field: field.ID,
		Say: field.Name + "不在可选人员中", En: "This person cannot be chosen here.",
	}, nil
}

// invalid refuses a value.
func invalid(field, say, en string) *Refusal {
	return &Refusal{Code: FieldInvalid, Field: field, Say: say, En: en}
}

// required refuses an absent field: of those given, or of the application.
func (f *Flow) required(fields []*Field, id string) *Refusal {
	fields = slices.Concat(fields, f.Form)
	name := id
	if i := slices.IndexFunc(fields, func(field *Field) bool { return field.ID == id }); i >= 0 {
		name = fields[i].Name
	}
	return &Refusal{Code: FieldRequired, Field: id, Say: "请填写" + name, En: "Please fill in " + name + "."}
}

// cut keeps what somebody sent from filling an answer.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "")
	if runes := []rune(text); len(runes) > maxID {
		text = string(runes[:maxID])
	}
	return strings.Map(func(r rune) rune {
		if forbidden(r) || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, text)
}
