//go:build !linux

package pty

import (
	"errors"
	"fmt"
)

// Terminal exists on Linux only.
type Terminal struct{ Path string }

// Open fails with errors.ErrUnsupported.
func Open() (*Terminal, error) {
	return nil, fmt.Errorf("pty: %w outside Linux", errors.ErrUnsupported)
}

// Read fails.
func (*Terminal) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Write fails.
func (*Terminal) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Close does nothing.
func (*Terminal) Close() error { return nil }

func (*Terminal) push([]byte) error { return errors.ErrUnsupported }
