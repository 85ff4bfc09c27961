//go:build unix

package backup

import (
	"errors"
	"os"
)

// flush makes a file's content, or a folder's names, survive a power cut.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
