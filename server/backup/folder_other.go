//go:build !unix

package backup

import (
	"errors"
	"os"
)

// flush makes a file's content survive a power cut; names of a folder are the
// file system's business here.
func flush(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
