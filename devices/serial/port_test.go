package serial_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices/serial"
)

// wire is a serial.Device that behaves as tarm's port does on a real adapter: an
// empty read is io.EOF after the timeout, or at once when unplugged, and closing
// waits for the read in progress.
type wire struct {
	timeout time.Duration
	bytes   chan []byte
	pulled  chan struct{} // closed when unplugged

	stuck   chan struct{} // not nil: writes wait for it
	writeIs error

	reading sync.Mutex
	mu      sync.Mutex
	wrote   []byte
	flushes int
	closed  int
}

func newWire() *wire {
	return &wire{bytes: make(chan []byte, 10), pulled: make(chan struct{})}
}

func (w *wire) Read(b []byte) (int, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	select {
	case <-w.pulled:
		return 0, io.EOF
	default:
	}
	select {
	case data := <-w.bytes:
		return copy(b, data), nil
	case <-w.pulled:
	case <-time.After(w.timeout):
	}
	return 0, io.EOF
}

func (w *wire) Write(b []byte) (int, error) {
	if w.stuck != nil {
		<-w.stuck
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writeIs != nil {
		return 0, w.writeIs
	}
	w.wrote = append(w.wrote, b...)
	return len(b), nil
}

// Flush frees a stuck writer, which then completes its write, as a terminal
// whose queue was emptied does.
func (w *wire) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushes++
	w.wrote = nil
	if w.stuck != nil && w.flushes == 2 { // the first is that of Open
		close(w.stuck)
	}
	return nil
}

func (w *wire) Close() error {
	w.reading.Lock()
	defer w.reading.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
	return nil
}

func (w *wire) state() (wrote string, closed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.wrote), w.closed
}

func (w *wire) config(path string) serial.Config {
	return serial.Config{Path: path, Dial: func(_ string, _ int, timeout time.Duration) (serial.Device, error) {
		w.timeout = timeout
		return w, nil
	}}
}

func open(t *testing.T, c serial.Config) *serial.Port {
	t.Helper()
	p, err := serial.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestAQuietDeviceIsNotUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		p := open(t, w.config("COM3"))
		buf := make([]byte, 10)
		for range 1000 {
			if n, err := p.Read(buf); n != 0 || err != nil {
				t.Fatalf("a quiet read gave %d, %v", n, err)
			}
		}
		w.bytes <- []byte("A")
		if n, err := p.Read(buf); n != 1 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
	})
}

func TestReadsThatEndAtOnceMeanUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		p := open(t, w.config("COM3"))
		pulled := time.Now()
		close(w.pulled)
		reads := 0
		for {
			reads++
			_, err := p.Read(make([]byte, 10))
			if err == nil {
				continue
			}
			if !errors.Is(err, serial.ErrUnplugged) || !strings.Contains(err.Error(), "COM3") {
				t.Errorf("error %v", err)
			}
			break
		}
		if reads > 3 || time.Since(pulled) > 10*time.Millisecond {
			t.Errorf("noticed after %d reads and %v", reads, time.Since(pulled))
		}
	})
}

func TestOneEarlyEndAmongBytesIsNotUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		p := open(t, w.config("COM3"))
		buf := make([]byte, 10)
		for range 10 {
			w.timeout = time.Millisecond // one empty read, too early
			if _, err := p.Read(buf); err != nil {
				t.Fatal(err)
			}
			w.timeout = 200 * time.Millisecond
			w.bytes <- []byte("A")
			if n, err := p.Read(buf); n != 1 || err != nil {
				t.Fatalf("read %d, %v", n, err)
			}
		}
	})
}

func TestAVanishedDeviceFileMeansUnplugged(t *testing.T) {
	for name, vanish := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return os.Rename(filepath.Join(filepath.Dir(path), "other"), path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tty")
			for _, file := range []string{path, filepath.Join(filepath.Dir(path), "other")} {
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				p := open(t, newWire().config(path))
				if err := p.Alive(); err != nil {
					t.Fatal(err)
				}
				if err := vanish(path); err != nil {
					t.Fatal(err)
				}
				if err := p.Alive(); !errors.Is(err, serial.ErrUnplugged) {
					t.Errorf("Alive: %v", err)
				}
				start := time.Now()
				var err error
				for err == nil { // reads that only time out find it out too
					_, err = p.Read(make([]byte, 10))
				}
				if !errors.Is(err, serial.ErrUnplugged) || time.Since(start) > 1500*time.Millisecond {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

func TestCloseNeverWaitsForAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		p := open(t, w.config("COM3"))
		read := make(chan error, 1)
		go func() {
			_, err := p.Read(make([]byte, 10))
			read <- err
		}()
		synctest.Wait()
		start := time.Now()
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v", took)
		}
		if err := <-read; !errors.Is(err, serial.ErrClosed) {
			t.Errorf("the reader got %v", err)
		}
		synctest.Wait()
		if _, closed := w.state(); closed != 1 {
			t.Errorf("device closed %d times", closed)
		}
		for what, err := range map[string]error{"Read": second(p.Read(nil)), "Write": second(p.Write(nil)), "Alive": p.Alive()} {
			if !errors.Is(err, serial.ErrClosed) {
				t.Errorf("%s after Close: %v", what, err)
			}
		}
	})
}

func second(_ int, err error) error { return err }

func TestAWriteThatDoesNotEndIsGivenUpAndLeavesNothingQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		w.stuck = make(chan struct{})
		p := open(t, w.config("COM3"))
		start := time.Now()
		if _, err := p.Write([]byte("ON")); !errors.Is(err, serial.ErrWriteTimeout) {
			t.Errorf("Write: %v", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("Write took %v", took)
		}
		if wrote, _ := w.state(); wrote != "" {
			t.Errorf("%q is still queued and will reach the device later", wrote)
		}
		if _, err := p.Write([]byte("ON")); !errors.Is(err, serial.ErrWriteTimeout) {
			t.Errorf("the next Write: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if _, closed := w.state(); closed != 1 {
			t.Errorf("device closed %d times", closed)
		}
	})
}

func TestAWriteErrorMeansUnplugged(t *testing.T) {
	w := newWire()
	w.writeIs = syscall.EIO
	p := open(t, w.config("COM3"))
	_, err := p.Write([]byte("ON"))
	if !errors.Is(err, serial.ErrUnplugged) || !errors.Is(err, syscall.EIO) {
		t.Errorf("Write: %v", err)
	}
}

func TestAPortThatCannotBeFlushedIsClosedAgain(t *testing.T) {
	w := &unflushable{wire: newWire()}
	_, err := serial.Open(serial.Config{Path: "COM3", Dial: func(string, int, time.Duration) (serial.Device, error) { return w, nil }})
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("Open: %v", err)
	}
	if _, closed := w.state(); closed != 1 {
		t.Errorf("device closed %d times", closed)
	}
}

type unflushable struct{ *wire }

func (*unflushable) Flush() error { return syscall.EIO }

func TestAPortThatCannotWorkIsRefusedWithItsName(t *testing.T) {
	for _, c := range []struct {
		c    serial.Config
		want string
	}{
		{serial.Config{}, "path is missing"},
		{serial.Config{Path: "/dev/null", Baud: 128000}, "/dev/null: unsupported baud rate: 128000"},
		{serial.Config{Path: "/dev/null", Baud: -1}, "unsupported baud rate"},
		{serial.Config{Path: "/dev/null", Baud: 5_000_000, Port: serial.Bugst}, "unsupported baud rate: 5000000 is not in 1200 to 4000000"},
		{serial.Config{Path: "/dev/null", Port: "usb"}, `port "usb": want tarm or bugst`},
		{serial.Config{Path: "/dev/null", Port: serial.Bugst}, "open serial port /dev/null"},
		{serial.Config{Path: "/dev/no-such-port", Port: serial.Bugst}, "open serial port /dev/no-such-port"},
		{serial.Config{Path: "/dev/no-such-port"}, "open serial port /dev/no-such-port"},
		{serial.Config{Path: "/dev/null"}, "open serial port /dev/null"},
	} {
		if _, err := serial.Open(c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.c, err, c.want)
		}
	}
}
