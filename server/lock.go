package server

import (
	"errors"
	"fmt"
	"os"
)

// ErrInUse: another process works with the data folder.
var ErrInUse = errors.New("the data folder is in use by another gateserver")

// lockFolder takes the data folder for this process alone, until the file that
// it gives is closed. The system lets go of it by itself when the process ends,
// however that happens.
func lockFolder(dir string) (*os.File, error) {
	f, err := openLock(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	free, err := tryLock(f)
	if err == nil && !free {
		err = fmt.Errorf("%w: %s", ErrInUse, dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
