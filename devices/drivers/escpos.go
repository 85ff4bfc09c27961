package drivers

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"campusgate/devices"
	"campusgate/devices/escpos"
	"campusgate/devices/serial"
)

// PrinterConfig is what a printer driver may need. Zero values are defaults.
type PrinterConfig struct {
	// Path is a serial port, the file of a USB printer, or host:port.
	Path string
	// Baud is the rate of a serial printer; 0 means 9600. With one, any path is a
	// serial port.
	Baud int
	// Columns is the width of the paper: 32 for 58 mm, 48 for 80 mm; 0 means 32.
	Columns int
}

// Printers are the printer drivers by name. They check their configuration and
// open nothing: the device is opened for each slip.
var Printers = map[string]func(PrinterConfig) (devices.Printer, error){
	"escpos": escposPrinter,
}

// NewPrinter makes a printer with the driver of that name.
func NewPrinter(driver string, c PrinterConfig) (devices.Printer, error) {
	open, ok := Printers[driver]
	if !ok {
		return nil, unknown("printer", driver, Printers)
	}
	p, err := open(c)
	if err != nil {
		return nil, fmt.Errorf("printer: %w", err)
	}
	return p, nil
}

// escposPrinter: a receipt printer.
func escposPrinter(c PrinterConfig) (devices.Printer, error) {
	config := escpos.Config{Name: c.Path, Columns: c.Columns}
	switch {
	case c.Path == "":
		return nil, errors.New("path is missing")
	case c.Baud != 0 || isSerial(c.Path):
		port := serial.Config{Path: c.Path, Baud: c.Baud}
		if err := port.Check(); err != nil {
			return nil, err
		}
		config.Dial = escpos.Serial(port)
	case isAddress(c.Path):
		config.Dial = escpos.TCP(c.Path)
	default:
		config.Dial = escpos.File(c.Path)
	}
	return escpos.New(config)
}

// isSerial knows serial ports by their names: COM3, /dev/ttyUSB0, /dev/serial/by-id/….
func isSerial(path string) bool {
	if n, ok := strings.CutPrefix(strings.TrimPrefix(path, `\\.\`), "COM"); ok {
		_, err := strconv.ParseUint(n, 10, 8)
		return err == nil
	}
	return strings.HasPrefix(path, "/dev/tty") || strings.HasPrefix(path, "/dev/serial/") || strings.HasPrefix(path, "/dev/cu.")
}

// isAddress knows host:port.
func isAddress(path string) bool {
	host, port, err := net.SplitHostPort(path)
	if err != nil || host == "" || strings.ContainsAny(host, `/\`) {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}
