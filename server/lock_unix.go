//go:build unix

package server

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// openLock opens what is locked: the folder itself, so that no file is left
// behind.
func openLock(dir string) (*os.File, error) { return os.Open(dir) }

// tryLock reports whether the lock was free and is now held. It belongs to the
// open file, so a second one in the same process is refused as well.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return true, nil
}
