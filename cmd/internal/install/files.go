package install

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// write puts a file in place at once: whoever reads it meanwhile, a program that
// runs from it too, keeps the old one.
func (i *installer) write(path string, data []byte, mode fs.FileMode) error {
	full := i.at(path)
	if err := i.folder(filepath.Dir(path)); err != nil {
		return err
	}
	if !slices.Contains(i.notes.Files, path) {
		i.notes.Files = append(i.notes.Files, path)
	}
	if old, err := os.ReadFile(full); err == nil && bytes.Equal(old, data) {
		return os.Chmod(full, mode)
	}
	f, err := os.CreateTemp(filepath.Dir(full), ".campusgate-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), full)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// folder makes a folder, and notes those on the way that it made.
func (i *installer) folder(path string) error {
	if info, err := os.Stat(i.at(path)); err == nil && info.IsDir() {
		return nil
	}
	if up := filepath.Dir(path); up != path {
		if err := i.folder(up); err != nil {
			return err
		}
	}
	if err := os.Mkdir(i.at(path), 0o755); err != nil {
		return err
	}
	i.notes.Folders = append(i.notes.Folders, path)
	return nil
}

// note writes down what was done so far.
func (i *installer) note() error {
	if err := i.folder(filepath.Dir(notesPath)); err != nil {
		return err
	}
	data, err := json.MarshalIndent(i.notes, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(i.at(notesPath), append(data, '\n'), 0o644)
}

// Uninstall stops the service and removes what Install put there, all but the
// data folder. Where nothing is installed it says so, and is content.
func Uninstall(ctx context.Context, o Options) error {
	i, err := o.begin()
	if err != nil {
		return err
	}
	if _, err := os.Stat(i.at(notesPath)); errors.Is(err, fs.ErrNotExist) {
		_, err := fmt.Fprintln(o.Out, "没有用 install 安装过 / nothing was installed by gateagent install")
		return err
	}
	// A unit that is gone already cannot be disabled; that is no reason to stop.
	_ = o.Run(ctx, "systemctl", "disable", "--now", Unit)
	for _, path := range append(slices.Clone(i.notes.Files), notesPath) {
		if err := os.Remove(i.at(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, path := range slices.Backward(i.notes.Folders) {
		_ = os.Remove(i.at(path)) // what others keep in it stays, and so does it
	}
	if err := o.Run(ctx, "systemctl", "daemon-reload"); err != nil {
		return err
	}
	_ = o.Run(ctx, "udevadm", "control", "--reload")
	if i.notes.User != "" {
		if err := o.Run(ctx, "userdel", i.notes.User); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(o.Out, "已卸载；数据目录保留 / uninstalled; the data folder stays: %s\n", i.notes.Data)
	return err
}
