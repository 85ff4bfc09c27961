//go:build unix

package update

import (
	"errors"
	"os"
)

// syncFolder puts the names in a folder on the disk.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
