package serial

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// line is a second descriptor of an open port, for the questions that tarm,
// which keeps its own to itself, cannot be asked. It neither reads, writes nor
// changes a setting.
type line struct{ fd int }

// openLine returns nil where the device cannot be opened twice.
func openLine(path string) *line {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return &line{fd: fd}
}

// status asks for the modem-status lines, which fails when the device is gone. A
// terminal without such lines, a pty for one, is there as long as it says so.
func (l *line) status() error {
	if l == nil {
		return nil
	}
	_, err := unix.IoctlGetInt(l.fd, unix.TIOCMGET)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// writable waits until the port takes bytes. A write that has begun cannot be
// taken back on every driver; one that has not cannot arrive late.
func (l *line) writable(timeout time.Duration) error {
	if l == nil {
		return nil
	}
	end := time.Now().Add(timeout)
	for {
		fds := []unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLOUT}}
		left := max(time.Until(end), 0)
		n, err := unix.Poll(fds, int(left/time.Millisecond))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("%w after %v: the queue is full", ErrWriteTimeout, timeout)
		default:
			return nil // also when hung up: the write says so
		}
	}
}

func (l *line) close() error {
	if l == nil {
		return nil
	}
	return unix.Close(l.fd)
}
