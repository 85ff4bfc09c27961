// Package pty makes serial cables out of Linux pseudo-terminals, for tests and
// for the demo: a program opens one end as its serial port, something that plays
// the device opens the other.
package pty

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Cable joins two terminals. It carries bytes whether or not a program has an
// end open: what nobody reads waits in the kernel's queue of that end (some
// 20 kB), and when that is full it is dropped for what comes after.
type Cable struct {
	// Host is the path that the agent opens. It is a symbolic link, so that it
	// stays the same over Unplug and Replug.
	Host string
	// Device is the path that whatever plays the device opens.
	Device string

	device *Terminal
	pumps  sync.WaitGroup

	mu     sync.Mutex
	host   *Terminal // nil while unplugged
	closed bool
}

// NewCable makes a plugged cable whose Host is a link of that name in dir.
func NewCable(dir, name string) (*Cable, error) {
	device, err := Open()
	if err != nil {
		return nil, err
	}
	c := &Cable{Host: filepath.Join(dir, name), Device: device.Path, device: device}
	if err := c.Replug(); err != nil {
		return nil, errors.Join(err, device.Close())
	}
	c.pumps.Add(1)
	go c.toHost()
	return c, nil
}

// Replug puts the host's end back. It does nothing when it is there.
func (c *Cable) Replug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("cable %s: %w", c.Host, os.ErrClosed)
	}
	if c.host != nil {
		return nil
	}
	host, err := Open()
	if err != nil {
		return err
	}
	if err := link(host.Path, c.Host); err != nil {
		return errors.Join(fmt.Errorf("cable: %w", err), host.Close())
	}
	c.host = host
	c.pumps.Add(1)
	go c.toDevice(host)
	return nil
}

// link makes a symbolic link, in place of one that a killed process left behind.
func link(target, path string) error {
	if old, err := os.Lstat(path); err == nil && old.Mode()&os.ModeSymlink != 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return os.Symlink(target, path)
}

// Unplug takes the host's end away: the link vanishes, and the program that has
// it open sees the line hang up. What the device sends meanwhile is lost.
func (c *Cable) Unplug() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.host == nil {
		return nil
	}
	err := errors.Join(os.Remove(c.Host), c.host.Close())
	c.host = nil
	return err
}

// Close takes both ends away and waits until the cable is at rest.
func (c *Cable) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	err := errors.Join(c.Unplug(), c.device.Close())
	c.pumps.Wait()
	return err
}

// toHost carries what the device sends until the cable is closed.
func (c *Cable) toHost() {
	defer c.pumps.Done()
	buf := make([]byte, 4096)
	for {
		n, err := c.device.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.host != nil {
			// An end that hangs up is taken away by Unplug; its bytes are lost.
			_ = c.host.push(buf[:n])
		}
		c.mu.Unlock()
	}
}

// toDevice carries what the host sends until that end is unplugged.
func (c *Cable) toDevice(host *Terminal) {
	defer c.pumps.Done()
	buf := make([]byte, 4096)
	for {
		n, err := host.Read(buf)
		if err != nil {
			return
		}
		// It fails only when the cable is being closed.
		_ = c.device.push(buf[:n])
	}
}
