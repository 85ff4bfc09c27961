package drivers

import (
	"campusgate/devices"
	"campusgate/devices/serial"
)

// serialScanner: a scanner at a serial port, or one that is a USB CDC device.
func serialScanner(c ScannerConfig) (devices.Scanner, error) {
	return serial.New(serial.ScannerConfig{
		Config:   serial.Config{Path: c.Path, Baud: c.Baud, Port: c.Port},
		Preset:   c.Preset,
		Prefix:   c.Prefix,
		Suffix:   c.Suffix,
		IdleGap:  c.IdleGap,
		Debounce: c.Debounce,
		Prefixes: c.Prefixes,
		Now:      c.Now,
	})
}
