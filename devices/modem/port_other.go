//go:build !linux

package modem

import "fmt"

type port struct{}

func open(path string) (*port, error) {
	return nil, fmt.Errorf("modem lines of %s: %w", path, ErrUnsupported)
}

func (*port) line(int) (bool, error) { return false, ErrUnsupported }

func (*port) Close() error { return nil }
