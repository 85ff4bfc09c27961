package disk

import (
	"errors"
	"syscall"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// IsFull reports that a transaction failed for want of room on the disk.
func IsFull(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlitelib.SQLITE_FULL || errors.Is(err, syscall.ENOSPC)
}
