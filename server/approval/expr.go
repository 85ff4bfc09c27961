package approval

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/vm"
)

// Expr is an expression that was compiled against the typed environment when
// its file was loaded. It may be shared.
type Expr struct {
	Text string // as written

	program *vm.Program
	result  shape
	clock   bool // reads today or now
}

// errNotCompiled is what an Expr answers that did not come out of Load.
var errNotCompiled = errors.New("expression was not compiled")

// absentError stops an expression at an absent field whose value it needs.
type absentError struct{ field string }

func (e *absentError) Error() string { return fmt.Sprintf("form.%s is absent", e.field) }

// Bool is what a condition comes to. When it needs the value of a form field
// that is absent, missing names the field and v is false: the caller refuses
// with REQUIRED and must take it neither for true nor for false. An error means
// that the form holds what its types do not allow; nothing may go on then.
func (e *Expr) Bool(env *Env) (v bool, missing string, err error) {
	result, missing, err := e.run(env)
	if err != nil || missing != "" {
		return false, missing, err
	}
	v, ok := result.(bool)
	if !ok {
		return false, "", fmt.Errorf("expression %q: %T is no condition", e.Text, result)
	}
	return v, "", nil
}

// Value is what an expression comes to, in the form that FieldType describes:
// a datetime is text like "2026-05-01 08:00:00", money is int64, a number is
// float64. A field that is absent comes to nil. Missing and err are as in Bool.
func (e *Expr) Value(env *Env) (v any, missing string, err error) {
	v, missing, err = e.run(env)
	if err != nil || missing != "" {
		return nil, missing, err
	}
	if absent(v) {
		return nil, "", nil
	}
	if n, ok := asNumber(v); ok && e.result.kind == kindMoney {
		if n != float64(int64(n)) {
			return nil, "", fmt.Errorf("expression %q: %v is no whole amount", e.Text, v)
		}
		return int64(n), "", nil
	} else if ok {
		return n, "", nil
	}
	return v, "", nil
}

// run evaluates. The machine recovers from its own panics; what is not its own
// must not take the caller down either.
func (e *Expr) run(env *Env) (v any, missing string, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, missing, err = nil, "", fmt.Errorf("expression %q: %v", e.Text, r)
		}
	}()
	if e == nil || e.program == nil || env == nil {
		return nil, "", errNotCompiled
	}
	v, err = vm.Run(e.program, env.vars)
	var gap *absentError
	if errors.As(err, &gap) {
		return nil, gap.field, nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("expression %q: %w", e.Text, err)
	}
	return v, "", nil
}
