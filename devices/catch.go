package devices

import (
	"fmt"
	"runtime/debug"
)

// PanicError is a panic of a driver, caught.
type PanicError struct {
	Value any
	Stack []byte // of where it happened, for the log
}

// Error is the panic's value; the stack is too long for a page.
func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Catch calls do and returns its panic as a *PanicError. A Supervisor does so for
// the work it keeps; a driver does for every goroutine that it starts itself, or
// one bad reply of a device ends the agent.
func Catch(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return do()
}
