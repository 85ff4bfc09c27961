package pty

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Terminal is one pty: Path is the end that a program opens like a serial port,
// the Terminal itself is the far end of the wire. Reads and writes may run side
// by side, and end when the Terminal is closed.
type Terminal struct {
	// Path is the device file of the slave.
	Path string

	master *os.File
	// slave stays open so that the master does not fail while no program has the
	// path open, and the raw mode is not reset when the last one closes it.
	slave *os.File
}

// Open makes a pty in raw mode: no echo, no translation of line ends, no signal
// characters.
func Open() (*Terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a pty: %w", err)
	}
	t := &Terminal{master: master}
	if err := t.openSlave(); err != nil {
		return nil, errors.Join(fmt.Errorf("open a pty: %w", err), t.Close())
	}
	return t, nil
}

func (t *Terminal) openSlave() error {
	err := control(t.master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
		t.Path = fmt.Sprintf("/dev/pts/%d", n)
		return err
	})
	if err != nil {
		return err
	}
	t.slave, err = os.OpenFile(t.Path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	return control(t.slave, setRaw)
}

func setRaw(fd int) error {
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0
	mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD | unix.CLOCAL
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, mode)
}

// Read waits for what the program at Path wrote.
func (t *Terminal) Read(b []byte) (int, error) { return t.master.Read(b) }

// Write gives bytes to the program at Path. It waits while that program does not
// read and the queue is full.
func (t *Terminal) Write(b []byte) (int, error) { return t.master.Write(b) }

// push is Write for a wire that waits for nobody: when the queue is full, what
// is in it is dropped and b takes its place.
func (t *Terminal) push(b []byte) error {
	n, err := t.tryWrite(b)
	if n == len(b) && err == nil {
		return nil
	}
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		return err
	}
	err = control(t.slave, func(fd int) error {
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH)
	})
	if err != nil {
		return err
	}
	_, err = t.tryWrite(b)
	return err
}

// tryWrite writes what the queue takes.
func (t *Terminal) tryWrite(b []byte) (n int, err error) {
	raw, err := t.master.SyscallConn()
	if err != nil {
		return 0, err
	}
	ctlErr := raw.Write(func(fd uintptr) bool {
		n, err = unix.Write(int(fd), b)
		return true // never wait
	})
	return n, errors.Join(ctlErr, err)
}

// Close takes the terminal away, as unplugging an adapter does: Path vanishes and
// the program that has it open sees the line hang up.
func (t *Terminal) Close() error {
	var err error
	if t.slave != nil {
		err = t.slave.Close()
	}
	return errors.Join(err, t.master.Close())
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
