// Package find tells what is plugged into this computer that a lane could use:
// serial ports, keyboards that may be scanners, HID devices, printers, cameras.
// It reads what the system says of them and opens none, so that it disturbs
// nothing that is at work. What a device is good for comes from a small table.
package find

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Kind is how the system sees a device.
type Kind string

// The kinds.
const (
	Serial   Kind = "serial"   // a UART, or USB that behaves like one
	Keyboard Kind = "keyboard" // which a scanner may pretend to be
	HID      Kind = "hid"      // hidraw: HID POS scanners, HID relays
	Printer  Kind = "printer"
	Camera   Kind = "camera"
)

// Port is one device.
type Port struct {
	Kind Kind `json:"kind"`
	// Path is the name to configure: of those that the device has, the one that
	// stays the same when it is plugged in again.
	Path string `json:"path"`
	// Node is the device file itself, such as /dev/ttyUSB0; on Windows as Path.
	Node string `json:"node"`
	// VID and PID are those of USB, zero for a device that is not on USB.
	VID uint16 `json:"vid,omitempty"`
	PID uint16 `json:"pid,omitempty"`
	// Serial, Product and Maker are what the device says of itself.
	Serial  string `json:"serial,omitempty"`
	Product string `json:"product,omitempty"`
	Maker   string `json:"maker,omitempty"`
	// Fits is what it can be used as, the likeliest first; empty = unknown.
	Fits []Fit `json:"fits"`
}

// Fit is one use of a device: the driver that takes it and its settings.
type Fit struct {
	Role   string `json:"role"` // scanner, barrier, printer or camera
	Driver string `json:"driver"`
	Preset string `json:"preset,omitempty"`
	Baud   int    `json:"baud,omitempty"` // 0 = the driver's own
}

// The roles of a Fit.
const (
	RoleScanner = "scanner"
	RoleBarrier = "barrier"
	RolePrinter = "printer"
	RoleCamera  = "camera"
)

// ID is the USB id as it is usually written, "1a86:7523", or "".
func (p Port) ID() string {
	if p.VID == 0 && p.PID == 0 {
		return ""
	}
	return fmt.Sprintf("%04x:%04x", p.VID, p.PID)
}

// String is one line for a person: "/dev/ttyUSB0 1a86:7523 QinHeng USB Serial".
func (p Port) String() string {
	parts := []string{p.Node}
	for _, s := range []string{p.ID(), p.Maker, p.Product} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// As gives the fits for a role.
func (p Port) As(role string) (list []Fit) {
	for _, f := range p.Fits {
		if f.Role == role {
			list = append(list, f)
		}
	}
	return list
}

// At finds the port that a configured path means, by any of its names; nil =
// none of them. root is as with [Ports].
func At(root string, ports []Port, path string) *Port {
	if path == "" {
		return nil
	}
	node := path
	if target, err := filepath.EvalSymlinks(filepath.Join(root, path)); err == nil {
		node = target
	}
	for i := range ports {
		if p := &ports[i]; p.Path == path || p.Node == path || filepath.Join(root, p.Node) == node {
			return p
		}
	}
	return nil
}
