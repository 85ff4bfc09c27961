package guest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Line is where a program in the machine asks for things that happen outside it;
// see Machine.Serve. One goroutine uses it.
type Line struct {
	file *os.File
	in   *bufio.Reader
}

// Dial opens the line, from inside the machine.
func Dial() (*Line, error) {
	f, err := os.OpenFile("/dev/ttyS1", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	mode, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0
	mode.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, mode); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Line{file: f, in: bufio.NewReader(f)}, nil
}

// Ask has an order carried out and returns when it was.
func (l *Line) Ask(order string) error {
	if _, err := fmt.Fprintln(l.file, order); err != nil {
		return err
	}
	answer, err := l.in.ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer != "done" {
		return fmt.Errorf("%s: %s", order, answer)
	}
	return nil
}

// Close gives the line back.
func (l *Line) Close() error { return l.file.Close() }
