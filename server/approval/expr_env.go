package approval

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"time"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"
)

// The layouts of dates and datetimes in forms and expressions.
const (
	dateLayout     = "2006-01-02"
	datetimeLayout = "2006-01-02 15:04:05"
)

// Env is what expressions read: a form, the starter, and the facts of the
// moment. It is made for one evaluation after another and not for sharing.
type Env struct {
	// Options gives what a select field offers whose flow lists nothing; nil, or
	// an empty answer, lets any text be chosen.
	Options func(field string) []string

	vars map[string]any
}

// NewEnv gathers what expressions may read. Form is as stored, and is not
// changed; w.Now is in campus time. Contract employees and workers count as
// staff, as they do among starters.
func NewEnv(form map[string]any, starter Person, serial string, w World) *Env {
	return &Env{vars: map[string]any{
		"form": form,
		"starter": map[string]any{
			"id": starter.ID, "name": starter.Name, "unit": starter.Unit,
			"kind": groupOf(starter.Kind), "level": starter.Level, "phone": starter.Phone,
		},
		"household": map[string]any{
			"id": w.Household.ID, "verified": w.Household.Verified,
			"paper": w.Household.Paper, "dates": w.Household.Dates,
		},
		"settings": map[string]any{
			"ahead_days":     float64(w.Settings.AheadDays),
			"quota_days":     float64(w.Settings.QuotaDays),
			"multi_days_max": float64(w.Settings.MultiDaysMax),
		},
		"person": map[string]any{"paper": w.Paper},
		"today":  w.Now.Format(dateLayout),
		"now":    w.Now.Format(datetimeLayout),
		"serial": serial,
	}}
}

// With gives the same environment for another form.
func (e *Env) With(form map[string]any) *Env {
	vars := maps.Clone(e.vars)
	vars["form"] = form
	return &Env{Options: e.Options, vars: vars}
}

// kind is what a value in an expression is. Kinds are finer than Go's types, so
// that a date is not compared with a name nor fen with yuan.
type kind uint8

const (
	kindBool kind = iota + 1
	kindText
	kindNumber
	kindMoney
	kindDate
	kindDatetime
)

func (k kind) String() string {
	return [...]string{"nothing", "true/false", "text", "number", "money", "date", "datetime"}[k]
}

// ordered kinds are those of which one can be less than another.
func (k kind) ordered() bool {
	return k == kindNumber || k == kindMoney || k == kindDate || k == kindDatetime
}

// shape is a kind, or a list of it.
type shape struct {
	kind kind
	list bool
	only []string // texts that it can be; nil = any
}

func (s shape) String() string {
	if s.list {
		return "list of " + s.kind.String()
	}
	return s.kind.String()
}

// facts are the names that expressions may use beside form, and what they are.
var facts = map[string]map[string]shape{
	"starter": {
		"id": {kind: kindText}, "name": {kind: kindText}, "unit": {kind: kindText}, "phone": {kind: kindText},
		"kind":  {kind: kindText, only: allGroups},
		"level": {kind: kindText, only: allLevels},
	},
	"household": {
		"id": {kind: kindText}, "verified": {kind: kindBool}, "paper": {kind: kindBool},
		"dates": {kind: kindDate, list: true},
	},
	"settings": {
		"ahead_days": {kind: kindNumber}, "quota_days": {kind: kindNumber}, "multi_days_max": {kind: kindNumber},
	},
	"person": {"paper": {kind: kindBool}},
	"":       {"today": {kind: kindDate}, "now": {kind: kindDatetime}, "serial": {kind: kindText}},
}

// shapeOf says what a field is in expressions.
func shapeOf(f *Field) shape {
	s := shape{kind: kindText, list: f.Many, only: f.Options}
	switch f.Type {
	case Number:
		s.kind = kindNumber
	case Money:
		s.kind = kindMoney
	case Date:
		s.kind = kindDate
	case Datetime:
		s.kind = kindDatetime
	case Text, Textarea, Richtext, Select, Unit, User, Phone, FileRef, Image, Note:
	}
	return s
}

// How form.x is read: the checker puts a call of one of these in its place.
// Nobody can write such names.
const (
	readPlain  = "form plain"  // "" where it is absent
	readList   = "form list"   // empty where it is absent
	readText   = "form text"   // must be there
	readNumber = "form number" // must be there
)

// typed is the configuration of the compiler: its environment has the facts and
// nothing else, and a name that is not there does not compile.
func typed() *conf.Config {
	env := types.Map{"form": types.TypeOf(map[string]any{})}
	for name, fields := range facts {
		inner := types.Map{}
		for field, s := range fields {
			inner[field] = s.native()
		}
		if name != "" {
			env[name] = inner
			continue
		}
		maps.Copy(env, inner)
	}
	c := conf.CreateNew()
	c.WithEnv(env)
	c.Optimize = false
	c.MaxNodes = maxNodes
	for _, f := range []struct {
		name      string
		call      func(...any) (any, error)
		signature any
	}{
		{readPlain, formPlain, func(map[string]any, string) any { return nil }},
		{readList, formList, func(map[string]any, string) []any { return nil }},
		{readText, formText, func(map[string]any, string) string { return "" }},
		{readNumber, formNumber, func(map[string]any, string) float64 { return 0 }},
		{"days", calendarDays, func(string, string) float64 { return 0 }},
		{"yuan", fenOf, func(float64) float64 { return 0 }},
	} {
		c.Functions[f.name] = &builtin.Function{Name: f.name, Func: f.call, Types: []reflect.Type{reflect.TypeOf(f.signature)}}
	}
	return c
}

func (s shape) native() types.Type {
	t := types.String
	switch s.kind {
	case kindBool:
		t = types.Bool
	case kindNumber, kindMoney:
		t = types.Float64
	case kindText, kindDate, kindDatetime:
	}
	if s.list {
		t = types.Array(t)
	}
	return t
}

// absent is what a form does not hold: nothing, empty text, an empty list.
func absent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	}
	return false
}

// asNumber reads what JSON or Go make of a number.
func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	}
	return 0, false
}

func formField(params []any) (field string, v any) {
	form, _ := params[0].(map[string]any)
	field, _ = params[1].(string)
	return field, form[field]
}

// formPlain is a field where its absence is an answer too.
func formPlain(params ...any) (any, error) {
	_, v := formField(params)
	if n, ok := asNumber(v); ok {
		return n, nil
	}
	if absent(v) {
		return "", nil
	}
	return v, nil
}

// formList is a field that holds many.
func formList(params ...any) (any, error) {
	field, v := formField(params)
	switch v := v.(type) {
	case []any:
		return v, nil
	case []string:
		all := make([]any, len(v))
		for i, item := range v {
			all[i] = item
		}
		return all, nil
	}
	if absent(v) {
		return []any{}, nil
	}
	return nil, fmt.Errorf("form.%s is %T and no list", field, v)
}

// formText is a field that must be there, as text.
func formText(params ...any) (any, error) {
	field, v := formField(params)
	if absent(v) {
		return "", &absentError{field}
	}
	if text, ok := v.(string); ok {
		return text, nil
	}
	return "", fmt.Errorf("form.%s is %T and no text", field, v)
}

// formNumber is a field that must be there, as a number.
func formNumber(params ...any) (any, error) {
	field, v := formField(params)
	if absent(v) {
		return 0.0, &absentError{field}
	}
	if n, ok := asNumber(v); ok {
		return n, nil
	}
	return 0.0, fmt.Errorf("form.%s is %T and no number", field, v)
}

// calendarDays counts calendar days from a to b, of dates or datetimes.
func calendarDays(params ...any) (any, error) {
	var at [2]time.Time
	for i := range at {
		text, _ := params[i].(string)
		if len(text) > len(dateLayout) {
			text = text[:len(dateLayout)]
		}
		var err error
		if at[i], err = time.Parse(dateLayout, text); err != nil {
			return 0.0, fmt.Errorf("days: %w", err)
		}
	}
	return at[1].Sub(at[0]).Hours() / 24, nil
}

// fenOf is an amount in fen.
func fenOf(params ...any) (any, error) {
	n, ok := asNumber(params[0])
	if !ok {
		return 0.0, fmt.Errorf("yuan: %v is no amount", params[0])
	}
	return math.Round(n * 100), nil
}
