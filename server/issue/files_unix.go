//go:build unix

package issue

import (
	"fmt"
	"io/fs"
)

// private refuses a key file that others can read or write.
func private(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %04o; run: chmod 600 %s", ErrExposed, path, mode, path)
	}
	return nil
}
