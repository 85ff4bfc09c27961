//go:build unix

package rollout

import (
	"errors"
	"os"
)

// syncFolder makes the name of a new file survive a power cut.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
