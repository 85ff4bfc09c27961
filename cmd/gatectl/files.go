package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxFile bounds every file that a command reads.
const maxFile = 1 << 20

// readFile reads a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxFile)
	}
	return data, nil
}

// createFile writes a file that must not exist yet, durably. After an error
// there is no such file, unless there was one before.
func createFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	syncDir(filepath.Dir(path))
	return nil
}

// replaceFile writes a file whole or not at all: readers see the old bytes or
// the new ones.
func replaceFile(path string, data []byte) error {
	next := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	if err := createFile(next, data, 0o644); err != nil {
		return err
	}
	return renameOver(next, path)
}

// renameOver moves next to path; after an error next is gone.
func renameOver(next, path string) error {
	if err := os.Rename(next, path); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	syncDir(filepath.Dir(path))
	return nil
}

// syncDir makes the names in a directory durable. Some file systems cannot, and
// some directories may not be opened: the bytes are safe either way, so that is
// no reason to call what was done undone.
func syncDir(path string) {
	dir, err := os.Open(path)
	if err != nil {
		return
	}
	_ = dir.Sync()
	_ = dir.Close()
}
