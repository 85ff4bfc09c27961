package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"campusgate/signing"
)

// loadRing reads a plain keyring file.
func loadRing(path string) (*signing.Keyring, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := signing.ParseKeyring(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// ringEdit is a change to a keyring file in progress. Its file with the name
// of the keyring and ".new" is where the new bytes go and, while it exists, keeps
// every other edit of the same keyring away.
type ringEdit struct {
	path, next string
	file       *os.File         // next, until committed or closed
	ring       *signing.Keyring // nil when there is no keyring yet
	mode       os.FileMode
}

// openRing begins an edit. Every edit must be closed.
func openRing(path string) (*ringEdit, error) {
	// A link stays a link: what it points to is replaced.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	e := &ringEdit{path: path, next: path + ".new", mode: 0o644}
	var err error
	e.file, err = os.OpenFile(e.next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.mode)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w: 另一个 keygen 正在运行或曾被中断 / another keygen is at work, or one was interrupted: "+
			"remove this file when none is running", err)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return e, nil
	case err == nil:
		e.mode = info.Mode().Perm()
		e.ring, err = loadRing(path)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// append puts one more key behind the others. It writes the new keyring, but not
// yet in the place of the old.
func (e *ringEdit) append(key signing.Key) (err error) {
	next, err := signing.NewKeyring(key.Site, 1, []signing.Key{key})
	if e.ring != nil {
		next, err = e.ring.With(key)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", e.path, err)
	}
	if e.ring != nil {
		if err := e.file.Chmod(e.mode); err != nil {
			return err
		}
	}
	if _, err := e.file.Write(next.Marshal()); err != nil {
		return err
	}
	return e.file.Sync()
}

// commit puts the new keyring in the place of the old. A keyring that was not
// there when the edit began and is there now is something else, perhaps the very
// key file under another name, and stays.
func (e *ringEdit) commit() error {
	if e.ring == nil {
		if _, err := os.Lstat(e.path); !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("%s: %w", e.path, os.ErrExist), err)
		}
	}
	if err := e.file.Close(); err != nil {
		return err
	}
	e.file = nil
	return renameOver(e.next, e.path)
}

// close ends the edit; without a commit nothing has changed.
func (e *ringEdit) close() error {
	if e.file == nil {
		return nil
	}
	err := errors.Join(e.file.Close(), os.Remove(e.next))
	e.file = nil
	return err
}
