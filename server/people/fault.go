package people

import (
	"errors"
	"fmt"

	"campusgate/server/store"
)

// ErrInvalid is wrapped by every Fault.
var ErrInvalid = errors.New("invalid request")

// Fault says what is wrong with one field, in both languages. Nothing was
// changed. It never repeats a number.
type Fault struct {
	Field string // as in JSON and in the columns of an import
	ZH    string
	EN    string
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Field, f.EN) }

// Is makes a Fault an ErrInvalid.
func (f *Fault) Is(target error) bool { return target == ErrInvalid }

func fault(field, zh, en string) error { return &Fault{Field: field, ZH: zh, EN: en} }

// takenFault is a Fault that is store.ErrTaken as well.
type takenFault struct{ Fault }

func (f *takenFault) Unwrap() []error { return []error{&f.Fault, store.ErrTaken} }

func taken(field, zh, en string) error { return &takenFault{Fault{Field: field, ZH: zh, EN: en}} }

// refusals are errors that say no to a change before anything was written.
var refusals = []error{
	ErrInvalid, store.ErrNotFound, store.ErrTaken, store.ErrState, store.ErrUsed, store.ErrEnded,
}

func refuses(err error) bool {
	for _, r := range refusals {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}
