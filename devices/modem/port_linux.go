package modem

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// bits are the lines of Lines.
var bits = []int{unix.TIOCM_CTS, unix.TIOCM_DSR, unix.TIOCM_CD, unix.TIOCM_RI}

type port struct {
	path string
	fd   int
}

func open(path string) (*port, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("modem lines of %s: %w", path, err)
	}
	return &port{path, fd}, nil
}

func (p *port) line(channel int) (bool, error) {
	state, err := unix.IoctlGetInt(p.fd, unix.TIOCMGET)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		err = ErrNoLines
	}
	if err != nil {
		return false, fmt.Errorf("modem lines of %s: %w", p.path, err)
	}
	return state&bits[channel-1] != 0, nil
}

func (p *port) Close() error { return unix.Close(p.fd) }
