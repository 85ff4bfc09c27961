package bench

import (
	"os"
	"path/filepath"
)

// page is what the floor appends at a time.
const page = 4096

// floor is the least that a durable decision costs: the file grows by one page,
// and the page is on the disk.
type floor struct {
	file *os.File
	page [page]byte
}

func newFloor(dir string) (*floor, error) {
	f, err := os.OpenFile(filepath.Join(dir, "floor"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &floor{file: f}, nil
}

func (f *floor) append() error {
	f.page[0]++
	if _, err := f.file.Write(f.page[:]); err != nil {
		return err
	}
	return datasync(f.file)
}

func (f *floor) appendTimes(n int) error {
	for range n {
		if err := f.append(); err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) close() error { return f.file.Close() }
