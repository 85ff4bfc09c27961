//go:build !linux

package till_test

import "os"

func datasync(f *os.File) error { return f.Sync() }
