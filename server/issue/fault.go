package issue

import (
	"errors"
	"fmt"
)

// ErrInvalid is wrapped by every Fault.
var ErrInvalid = errors.New("invalid request")

// Fault says what is wrong with one field of a request, in both languages.
// Nothing was issued.
type Fault struct {
	Field string // as in JSON
	ZH    string
	EN    string
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Field, f.EN) }

// Is makes a Fault an ErrInvalid.
func (f *Fault) Is(target error) bool { return target == ErrInvalid }

func fault(field, zh, en string) error { return &Fault{Field: field, ZH: zh, EN: en} }
