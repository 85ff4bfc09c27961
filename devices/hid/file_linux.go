package hid

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const supported = true

// openFile opens a device so that Close ends a read that waits.
func openFile(path string, mode int) (*os.File, error) {
	return os.OpenFile(path, mode|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

// control runs f on the descriptor of a file without making its reads block.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	ctlErr := raw.Control(func(fd uintptr) { err = f(int(fd)) })
	return errors.Join(ctlErr, err)
}

// ioctl calls the kernel with a buffer, and returns how much of it was filled
// where the request says so.
func ioctl(file *os.File, request uint, buf []byte) (n int, err error) {
	err = control(file, func(fd int) error {
		r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(&buf[0])))
		if errno != 0 {
			return errno
		}
		n = int(r)
		return nil
	})
	return n, err
}

// text is a name that the kernel gave, which ends at NUL.
func text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
}

// openError says in its text which device was meant.
func openError(path string, err error) error {
	var at *os.PathError
	if errors.As(err, &at) { // it names the file already
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
