package gpio

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The flags of a line that are used; from linux/gpio.h.
const (
	flagInput  = 1 << 2
	flagOutput = 1 << 3
)

// line is a pin that was taken.
type line struct {
	pin Pin
	fd  int
}

// open takes a pin. Another program that has it makes that fail.
func open(p Pin, u use) (*line, error) {
	chip, err := os.OpenFile(p.Chip, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("gpio: %w", err)
	}
	defer func() { _ = chip.Close() }() // the line has a descriptor of its own
	req := request(p, u)
	if err := ioctl(int(chip.Fd()), unix.GPIO_V2_GET_LINE_IOCTL, unsafe.Pointer(req)); err != nil {
		if errors.Is(err, unix.EBUSY) {
			err = errors.Join(err, errors.New("another program has it"))
		}
		return nil, fmt.Errorf("gpio %s: %w", p, err)
	}
	return &line{p, int(req.Fd)}, nil
}

// request asks for one line.
func request(p Pin, u use) *unix.GPIOV2LineRequest {
	r := &unix.GPIOV2LineRequest{Num_lines: 1}
	r.Offsets[0] = uint32(p.Offset)
	copy(r.Consumer[:len(r.Consumer)-1], "campusgate")
	if u == input {
		r.Config.Flags = flagInput
		return r
	}
	r.Config.Flags = flagOutput
	r.Config.Num_attrs = 1
	// The attribute is a union, of which x/sys names the flags only; the values of
	// outputs are in the same place.
	r.Config.Attrs[0] = unix.GPIOV2LineConfigAttribute{
		Attr: unix.GPIOV2LineAttribute{Id: unix.GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, Flags: bit(u == high)},
		Mask: 1,
	}
	return r
}

func (l *line) get() (bool, error) {
	v := unix.GPIOV2LineValues{Mask: 1}
	if err := ioctl(l.fd, unix.GPIO_V2_LINE_GET_VALUES_IOCTL, unsafe.Pointer(&v)); err != nil {
		return false, fmt.Errorf("gpio %s: %w", l.pin, err)
	}
	return v.Bits&1 != 0, nil
}

func (l *line) set(level bool) error {
	v := unix.GPIOV2LineValues{Mask: 1, Bits: bit(level)}
	if err := ioctl(l.fd, unix.GPIO_V2_LINE_SET_VALUES_IOCTL, unsafe.Pointer(&v)); err != nil {
		return fmt.Errorf("gpio %s: %w", l.pin, err)
	}
	return nil
}

func (l *line) Close() error { return unix.Close(l.fd) }

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func ioctl(fd int, number uint, arg unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(number), uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}
