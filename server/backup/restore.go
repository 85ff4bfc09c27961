package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"campusgate/server/store"
)

// ErrInPlace: there is a database already where the backup should go.
var ErrInPlace = errors.New("there is a database already; -force puts it aside")

// Restore puts a backup into the place of a database that nobody has open, and
// gives the folder into which the old one went; "" = there was none. prepare gets
// the new file before anybody else does, and leaves it closed; when it fails
// nothing has changed. At every moment there is the old database whole, or none,
// or the new one whole. Errors wrap ErrInPlace unless force, and those of
// store.Examine.
func Restore(ctx context.Context, from string, to Source, force bool, now func() time.Time,
	prepare func(path string) error,
) (kept string, err error) {
	_, failed := os.Lstat(to.Database)
	there := failed == nil
	if there && !force {
		return "", fmt.Errorf("%w: %s", ErrInPlace, to.Database)
	}
	if _, err := store.Examine(ctx, from); err != nil {
		return "", err
	}
	data := filepath.Dir(to.Database)
	if err := removeParts(data, now().Add(2*partLife)); err != nil { // nobody else is here
		return "", err
	}
	part, err := os.CreateTemp(data, partPattern)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, discard(part.Name())) }()
	if err := part.Close(); err != nil {
		return "", err
	}
	if err := copyWhole(from, part.Name()); err != nil {
		return "", err
	}
	if _, err := store.Examine(ctx, part.Name()); err != nil {
		return "", err
	}
	files, err := store.Files(ctx, part.Name())
	if err != nil {
		return "", err
	}
	if err := carry(ctx, files, filepath.Join(filepath.Dir(from), Folder), to.Attachments, now); err != nil {
		return "", err
	}
	if err := prepare(part.Name()); err != nil {
		return "", err
	}
	if _, err := os.Lstat(part.Name() + "-wal"); err == nil {
		return "", errors.New("restore: the new database was not closed")
	}
	if err := flush(part.Name()); err != nil {
		return "", err
	}
	if there {
		if kept, err = keepAside(to.Database, now()); err != nil {
			return "", err
		}
	}
	return kept, replace(part.Name(), to.Database)
}

// copyWhole copies a file that was examined, and is examined again.
func copyWhole(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// beside are the files that belong to a database, the file itself first.
func beside(database string) []string {
	return []string{database, database + "-wal", database + "-shm"}
}

// keepAside gives a database a second name in a folder of its own.
func keepAside(database string, now time.Time) (string, error) {
	dir, err := os.MkdirTemp(filepath.Dir(database), "before-restore-"+now.UTC().Format("20060102-150405")+"-")
	if err != nil {
		return "", err
	}
	for _, path := range beside(database) {
		if err := os.Link(path, filepath.Join(dir, filepath.Base(path))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("keep the old database: %w", err)
		}
	}
	return dir, flush(dir)
}

// replace takes the old database away, the file before its log: without the log
// it could be an older state of itself. Then the new one gets its name.
func replace(fresh, database string) error {
	for _, path := range beside(database) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := flush(filepath.Dir(database)); err != nil {
			return err
		}
	}
	if err := os.Rename(fresh, database); err != nil {
		return err
	}
	return flush(filepath.Dir(database))
}
