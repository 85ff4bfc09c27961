package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"campusgate/server/store"
)

// Folder is where attachments lie beside the backups.
const Folder = "attachments"

const (
	partPattern = ".campusgate-*.part"
	partLife    = 6 * time.Hour // no backup takes as long
)

// Source is what is backed up.
type Source struct {
	Database    string // file
	Attachments string // folder; it need not be there
}

// Made is a finished backup.
type Made struct {
	File        string `json:"file"`
	At          int64  `json:"at"` // the moment that it shows, unix ms
	Bytes       int64  `json:"bytes"`
	TookMS      int64  `json:"took_ms"`
	Attachments int    `json:"attachments"` // that it names
}

// Make writes a backup to a file that must not be there yet, in a folder that
// must: one that is missing is a disk that was not mounted. After an error there
// is no such file.
func Make(ctx context.Context, src Source, out string, now func() time.Time) (m Made, err error) {
	begun := now()
	dir := filepath.Dir(out)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return m, fmt.Errorf("backup: no folder %s", dir)
	}
	if _, err := os.Lstat(out); err == nil {
		return m, fmt.Errorf("backup: %s: %w", out, os.ErrExist)
	}
	if err := removeParts(dir, begun); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	part, err := os.CreateTemp(dir, partPattern) // for its owner only
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("backup: %w", errors.Join(err, discard(part.Name())))
		}
	}()
	if err := part.Close(); err != nil {
		return m, err
	}
	if err := store.Copy(ctx, src.Database, part.Name(), begun); err != nil {
		return m, err
	}
	if err := flush(part.Name()); err != nil {
		return m, err
	}
	copied, err := store.Examine(ctx, part.Name())
	if err != nil {
		return m, err
	}
	files, err := store.Files(ctx, part.Name())
	if err != nil {
		return m, err
	}
	if err := carry(ctx, files, src.Attachments, filepath.Join(dir, Folder), now); err != nil {
		return m, err
	}
	if err := os.Rename(part.Name(), out); err != nil {
		return m, err
	}
	m = Made{File: out, At: copied.At, Bytes: copied.Bytes, TookMS: now().Sub(begun).Milliseconds(), Attachments: len(files)}
	return m, flush(dir)
}

// discard removes what was broken off, and what SQLite had beside it.
func discard(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeParts removes what was left by a process that was killed.
func removeParts(dir string, now time.Time) error {
	parts, err := filepath.Glob(filepath.Join(dir, partPattern))
	if err != nil {
		return err
	}
	for _, p := range parts {
		info, err := os.Stat(p)
		if err == nil && now.Sub(info.ModTime()) > partLife {
			err = discard(p)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// carry copies the files that are not there yet. Nobody reads a file before its
// content was compared with its hash.
func carry(ctx context.Context, files []store.File, from, to string, now func() time.Time) error {
	if len(files) == 0 {
		return nil
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	if err := removeParts(to, now()); err != nil {
		return err
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !f.Named() {
			return fmt.Errorf("attachment %q: no such name is given", f.ID)
		}
		if info, err := os.Lstat(filepath.Join(to, f.ID)); err == nil && info.Size() == f.Size {
			continue
		}
		if err := copyFile(filepath.Join(from, f.ID), filepath.Join(to, f.ID), f.Hash); err != nil {
			if errors.Is(err, fs.ErrNotExist) && f.Loose {
				continue // it was swept since: no matter holds it
			}
			return fmt.Errorf("attachment %s: %w", f.ID, err)
		}
	}
	return flush(to)
}

// copyFile copies a file whose hash is known: the whole of it, or nothing.
func copyFile(from, to string, hash []byte) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was read
	out, err := os.CreateTemp(filepath.Dir(to), partPattern)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), in)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil && hex.EncodeToString(sum.Sum(nil)) != hex.EncodeToString(hash) {
		err = errors.New("its content is not what it was")
	}
	if err == nil {
		err = os.Rename(out.Name(), to)
	}
	if err != nil {
		return errors.Join(err, discard(out.Name()))
	}
	return nil
}
