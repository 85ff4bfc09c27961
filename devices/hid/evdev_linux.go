package hid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Requests of event devices (linux/input.h).
const (
	evdevGrab  = 'E'<<8 | 0x90 | 4<<16 | 1<<30 // EVIOCGRAB
	evdevClock = 'E'<<8 | 0xA0 | 4<<16 | 1<<30 // EVIOCSCLOCKID
	evdevName  = 0x06
	evdevKeys  = 0x18 // that are down
	evdevLEDs  = 0x19 // that are lit
	evdevKinds = 0x20 + evKey
	nameLength = 256
	// restTries times restPause is how long opening waits for the release of keys.
	restTries, restPause = 20, 20 * time.Millisecond
)

// evdevGet is the request that fills a buffer of that length.
func evdevGet(number, length uint) uint { return 2<<30 | length<<16 | 'E'<<8 | number }

// bits are flags by code, in the kernel's words; their number is a multiple of 8.
type bits []byte

func (b bits) has(code uint16) bool {
	return binary.NativeEndian.Uint64(b[code/64*8:])>>(code%64)&1 == 1
}

// keyboard is an open event device that types for nobody else.
type keyboard struct {
	path string
	file *os.File
	keys Keyboard
	buf  [64 * wideEvent]byte
}

// openEvents opens an event device that has the keys of a keyboard. Not to take
// one that has not keeps a slip of the configuration from taking a power button.
func openEvents(path string) (*os.File, string, error) {
	path, err := findKeyboard(sysfs, path)
	if err != nil {
		return nil, "", err
	}
	file, err := openFile(path, os.O_RDWR)
	if errors.Is(err, os.ErrPermission) {
		file, err = openFile(path, os.O_RDONLY)
	}
	if err != nil {
		return nil, "", err
	}
	kinds := make(bits, keyMax/8+1)
	if _, err := ioctl(file, evdevGet(evdevKinds, uint(len(kinds))), kinds); err != nil {
		return nil, "", errors.Join(fmt.Errorf("%s is no event device: %w", path, err), file.Close())
	}
	if !kinds.has(keyEnter) || !kinds.has(key1) {
		return nil, "", errors.Join(fmt.Errorf("%s: %w: it has no keys of a keyboard", path, ErrNotFound), file.Close())
	}
	return file, path, nil
}

func probeKeyboard(path string) (string, error) {
	file, path, err := openEvents(path)
	if err != nil {
		return "", err
	}
	name := make([]byte, nameLength)
	_, err = ioctl(file, evdevGet(evdevName, nameLength), name)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", openError(path, err)
	}
	return fmt.Sprintf("%s (%s)", text(name), path), nil
}

func openKeyboard(ctx context.Context, c Config) (source, error) {
	file, path, err := openEvents(c.Path)
	if err != nil {
		return nil, err
	}
	k := &keyboard{path: path, file: file}
	if err := k.take(ctx); err != nil {
		return nil, errors.Join(openError(path, err), file.Close())
	}
	return k, nil
}

// take makes the keyboard this program's own.
func (k *keyboard) take(ctx context.Context) error {
	if err := k.rest(ctx); err != nil {
		return err
	}
	err := control(k.file, func(fd int) error { return unix.IoctlSetInt(fd, evdevGrab, 1) })
	if errors.Is(err, unix.EBUSY) {
		return errors.New("another program has taken the keyboard for itself")
	}
	if err != nil {
		return err
	}
	// The clock of the wall may jump, and gaps with it.
	err = control(k.file, func(fd int) error {
		return unix.IoctlSetPointerInt(fd, evdevClock, unix.CLOCK_MONOTONIC)
	})
	if err != nil {
		return err
	}
	k.capsLockOff()
	return k.sync()
}

// rest waits until no key is down: whoever saw it pressed would never see it
// released. One that stays down is taken all the same.
func (k *keyboard) rest(ctx context.Context) error {
	for range restTries {
		down := make(bits, keyMax/8+1)
		if _, err := ioctl(k.file, evdevGet(evdevKeys, uint(len(down))), down); err != nil {
			return err
		}
		if !slices.ContainsFunc(down, func(b byte) bool { return b != 0 }) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(restPause):
		}
	}
	return nil
}

// capsLockOff switches the light off, which may be on because of another
// keyboard: some scanners look at it and swap the case of what they type. With
// a keyboard that has none, or may not be written to, nothing is lost.
func (k *keyboard) capsLockOff() {
	size := narrowEvent
	if strconv.IntSize == 64 {
		size = wideEvent
	}
	off := make([]byte, 2*size) // the light, and the report that ends it
	putEvent(off[size-8:], evLED, ledCapsLock, 0)
	putEvent(off[2*size-8:], evSyn, synReport, 0)
	_, _ = k.file.Write(off)
}

// sync asks which keys are down.
func (k *keyboard) sync() error {
	down, lit := make(bits, keyMax/8+1), make(bits, 8)
	_, err := ioctl(k.file, evdevGet(evdevKeys, uint(len(down))), down)
	if err == nil {
		_, err = ioctl(k.file, evdevGet(evdevLEDs, uint(len(lit))), lit)
	}
	k.keys.Sync(down.has, lit.has(ledCapsLock))
	return err
}

func (k *keyboard) read() ([]piece, error) {
	n, err := k.file.Read(k.buf[:])
	var out []piece
	for _, e := range ParseEvents(k.buf[:max(n, 0)], strconv.IntSize == 64) {
		if data := k.keys.Take(e); len(data) > 0 {
			out = append(out, piece{data: data, at: e.At})
		}
		if k.keys.Stale() && err == nil {
			err = k.sync()
		}
	}
	if err != nil {
		return out, unplugged(k.path, err)
	}
	return out, nil
}

// Close lets others have the keyboard again.
func (k *keyboard) Close() error {
	_ = control(k.file, func(fd int) error { return unix.IoctlSetInt(fd, evdevGrab, 0) }) // closing does so too
	return k.file.Close()
}
