//go:build !linux

package lane_test

import "os"

func datasync(f *os.File) error { return f.Sync() }
