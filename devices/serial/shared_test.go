package serial_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/devices/serial"
)

// comPort can be opened once at a time.
type comPort struct {
	mu      sync.Mutex
	open    bool
	writing bool
	pulled  error // writes return it
	frames  []string
	opens   int
}

var errBusy = errors.New("access is denied")

func (c *comPort) dial(string, int, time.Duration) (serial.Device, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open {
		return nil, errBusy
	}
	c.open = true
	c.opens++
	return c, nil
}

func (c *comPort) Write(b []byte) (int, error) {
	c.mu.Lock()
	if c.writing {
		c.frames = append(c.frames, "mixed")
	}
	c.writing = true
	c.mu.Unlock()
	// Here another writer would come between.
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	if c.pulled != nil {
		return 0, c.pulled
	}
	c.frames = append(c.frames, string(b))
	return len(b), nil
}

func (c *comPort) Read([]byte) (int, error) { return 0, nil }
func (c *comPort) Flush() error             { return nil }

func (c *comPort) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = false
	return nil
}

func (c *comPort) pull(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = err
}

func (c *comPort) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

// isClosed waits for the last writer, who closes it after Close has returned.
func (c *comPort) isClosed(t *testing.T) {
	t.Helper()
	for late := time.After(30 * time.Second); c.isOpen(); {
		select {
		case <-late:
			t.Fatal("left open")
		case <-time.After(time.Millisecond):
		}
	}
}

// join opens the port, which the pool of this process knows by the test's name.
func (c *comPort) join(t *testing.T, baud int, path string) (*serial.Shared, error) {
	t.Helper()
	return serial.Join(serial.Config{Path: path + t.Name(), Baud: baud, Dial: c.dial})
}

func TestShared_LanesOfOneBoardHaveOnePort(t *testing.T) {
	c := &comPort{}
	var lanes []*serial.Shared
	for _, path := range []string{"COM3", "com3", "Com3"} {
		s, err := c.join(t, 0, path)
		if err != nil {
			t.Fatal(err)
		}
		lanes = append(lanes, s)
	}
	if _, err := c.join(t, 19200, "COM3"); err == nil || !strings.Contains(err.Error(), "9600") {
		t.Errorf("another rate: %v", err)
	}
	var group sync.WaitGroup
	for _, s := range lanes {
		group.Go(func() {
			for range 200 {
				if n, err := s.Write([]byte("frame")); err != nil || n != 5 {
					t.Errorf("%d, %v", n, err)
					return
				}
			}
		})
	}
	group.Wait()
	if all := strings.Join(c.frames, ""); all != strings.Repeat("frame", 600) || c.opens != 1 {
		t.Errorf("opened %d times; %d bytes, mixed %t", c.opens, len(all), strings.Contains(all, "mixed"))
	}
	for i, s := range lanes {
		if !c.isOpen() {
			t.Errorf("closed with %d lanes left", len(lanes)-i)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	c.isClosed(t)
}

func TestShared_AFaultIsEverybodysAndThePortIsOpenedAnewWhenAllGaveItUp(t *testing.T) {
	c := &comPort{}
	first, err := c.join(t, 0, "COM3")
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.join(t, 0, "COM3")
	if err != nil {
		t.Fatal(err)
	}
	c.pull(errors.New("pulled out"))
	if _, err := first.Write([]byte("on")); !errors.Is(err, serial.ErrUnplugged) {
		t.Errorf("first: %v", err)
	}
	c.pull(nil)
	if err := second.Alive(); !errors.Is(err, serial.ErrUnplugged) {
		t.Errorf("second goes on with what failed: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.join(t, 0, "COM3"); !errors.Is(err, errBusy) {
		t.Errorf("before second gave it up: %v", err)
	}
	_ = second.Close()
	c.isClosed(t)
	again, err := c.join(t, 0, "COM3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Write([]byte("off")); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
