//go:build !unix

package issue

import "io/fs"

// private cannot be told from the mode on this system.
func private(string, fs.FileInfo) error { return nil }
