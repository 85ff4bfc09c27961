//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// owner is the user for whom files are made. An administrator enrols the PC as
// root, but the agent that works with the files is another user.
type owner struct{ uid, gid int }

// ownerOf finds whose the data folder is, or will be: that of the nearest folder
// above it that exists.
func ownerOf(folder string) owner {
	for {
		info, err := os.Stat(folder)
		if err == nil {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				return owner{int(stat.Uid), int(stat.Gid)}
			}
			return owner{-1, -1}
		}
		up := filepath.Dir(folder)
		if up == folder {
			return owner{-1, -1}
		}
		folder = up
	}
}

// give makes the folder and everything in it the owner's, where this user may do
// so. For anybody but root the files are its own already.
func (o owner) give(folder string) error {
	if os.Geteuid() != 0 || o.uid <= 0 {
		return nil
	}
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.Lchown(path, o.uid, o.gid)
	})
}
