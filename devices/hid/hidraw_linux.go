package hid

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// pos is an open HID POS scanner.
type pos struct {
	path    string
	file    *os.File
	reports *Reports
	gap     time.Duration
	start   time.Time
	last    time.Duration
	buf     [maxReportBits / 8]byte
}

// openRaw opens a hidraw device and reads its report descriptor.
func openRaw(path string) (*os.File, string, *Reports, error) {
	path, err := findPOS(sysfs, path)
	if err != nil {
		return nil, "", nil, err
	}
	file, err := openFile(path, os.O_RDONLY)
	if err != nil {
		return nil, "", nil, err
	}
	var d unix.HIDRawReportDescriptor
	err = control(file, func(fd int) error {
		size, err := unix.IoctlGetInt(fd, unix.HIDIOCGRDESCSIZE)
		if err != nil {
			return err
		}
		d.Size = uint32(min(size, len(d.Value)))
		return unix.IoctlHIDGetDesc(fd, &d)
	})
	if err != nil {
		return nil, "", nil, errors.Join(fmt.Errorf("%s is no hidraw device: %w", path, err), file.Close())
	}
	reports, err := NewReports(d.Value[:d.Size])
	if err != nil {
		return nil, "", nil, errors.Join(openError(path, err), file.Close())
	}
	return file, path, reports, nil
}

func probePOS(path string) (string, error) {
	file, path, _, err := openRaw(path)
	if err != nil {
		return "", err
	}
	var name string
	err = control(file, func(fd int) error {
		var err error
		name, err = unix.IoctlHIDGetRawName(fd)
		return err
	})
	if err := errors.Join(err, file.Close()); err != nil {
		return "", openError(path, err)
	}
	return fmt.Sprintf("%s (%s)", text([]byte(name)), path), nil
}

func openPOS(_ context.Context, c Config) (source, error) {
	file, path, reports, err := openRaw(c.Path)
	if err != nil {
		return nil, err
	}
	return &pos{path: path, file: file, reports: reports, gap: c.IdleGap, start: time.Now()}, nil
}

func (p *pos) read() ([]piece, error) {
	n, err := p.file.Read(p.buf[:])
	if err != nil {
		return nil, unplugged(p.path, err)
	}
	at := time.Since(p.start)
	if at-p.last >= p.gap {
		p.reports.Quiet()
	}
	p.last = at
	if data := p.reports.Take(p.buf[:n]); len(data) > 0 {
		return []piece{{data: data, at: at}}, nil
	}
	return nil, nil
}

// Close gives the device back.
func (p *pos) Close() error { return p.file.Close() }
