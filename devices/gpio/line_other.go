//go:build !linux

package gpio

import "fmt"

// line is never there.
type line struct{}

func open(p Pin, _ use) (*line, error) { return nil, fmt.Errorf("gpio %s: %w", p, ErrUnsupported) }

func (*line) get() (bool, error) { return false, ErrUnsupported }

func (*line) set(bool) error { return ErrUnsupported }

func (*line) Close() error { return nil }
