package agent

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"campusgate/configs"
	"campusgate/devices"
	"campusgate/devices/camera"
	"campusgate/devices/drivers"
	"campusgate/signing/verdict"
)

// ScannerConfig names a scanner's driver and port, and what it is like.
type ScannerConfig struct {
	Name        string `yaml:"name"`
	Driver      string `yaml:"driver"`
	Path        string `yaml:"path"`
	Baud        int    `yaml:"baud"`
	Port        string `yaml:"port"`
	Preset      string `yaml:"preset"`
	Prefix      string `yaml:"prefix"`
	Suffix      string `yaml:"suffix"`
	Direction   string `yaml:"direction"`
	Beep        bool   `yaml:"beep"`
	SilentAfter string `yaml:"silent_after"`
	Opening     string `yaml:"opening"`
}

// ScannerSettings is a checked ScannerConfig.
type ScannerSettings struct {
	ScannerConfig
	Towards     verdict.Direction // "" = the lane's
	SilentAfter time.Duration     // 0 = silence is no alarm
	Opening     opening
}

// BarrierConfig names a barrier's driver and port.
type BarrierConfig struct {
	Driver  string `yaml:"driver"`
	Path    string `yaml:"path"`
	Baud    int    `yaml:"baud"`
	OffPath string `yaml:"off_path"`
	Method  string `yaml:"method"`
	Unit    int    `yaml:"unit"`
	Channel int    `yaml:"channel"`
	PulseMS int    `yaml:"pulse_ms"`
	// Fail is secure or safe: whether the barrier stays shut or opens when the
	// power fails.
	Fail string `yaml:"fail"`
	// Interlock names the barriers of which one at a time opens.
	Interlock string `yaml:"interlock"`
}

// check refuses what cannot be, and touches no device.
func (b BarrierConfig) check() error {
	switch {
	case b.Fail != "" && b.Fail != "secure" && b.Fail != "safe":
		return fmt.Errorf("fail %q: want secure or safe", b.Fail)
	case b.Interlock != "" && b.Driver == "none":
		return errors.New("interlock: a lane without a barrier has none")
	}
	return drivers.CheckBarrier(b.Driver, b.driver())
}

// shown is the path without what nobody but the driver may read: the address of
// a relay on the network may hold a password. A device that is not there has none.
func (b BarrierConfig) shown() string {
	if b.Driver == "none" {
		return ""
	}
	if u, err := url.Parse(b.Path); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	return b.Path
}

// InputsConfig names the contacts of a gate PC.
type InputsConfig struct {
	Emergency InputConfig `yaml:"emergency"`
}

// InputConfig names a contact's driver and port. No driver = there is none.
type InputConfig struct {
	Driver   string `yaml:"driver"`
	Path     string `yaml:"path"`
	Baud     int    `yaml:"baud"`
	Unit     int    `yaml:"unit"`
	Channel  int    `yaml:"channel"`
	Inverted bool   `yaml:"inverted"`
}

// input makes the contact without opening it; nil = none.
func (c InputConfig) input() (devices.Input, error) {
	if c.Driver == "" || c.Driver == "none" {
		return nil, nil
	}
	return drivers.NewInput(c.Driver, drivers.InputConfig{
		Path: c.Path, Baud: c.Baud, Unit: c.Unit, Channel: c.Channel, Inverted: c.Inverted,
	})
}

// PrinterConfig names the receipt printer's driver and port. Receipts says when a
// till prints them: ask, or always.
type PrinterConfig struct {
	Driver   string `yaml:"driver"`
	Path     string `yaml:"path"`
	Baud     int    `yaml:"baud"`
	Columns  int    `yaml:"columns"`
	Receipts string `yaml:"receipts"`
}

// printer makes the receipt printer without opening it; nil = none.
func (c *PrinterConfig) printer() (devices.Printer, error) {
	if c.Driver == "none" {
		return nil, nil
	}
	return drivers.NewPrinter(c.Driver, drivers.PrinterConfig{Path: c.Path, Baud: c.Baud, Columns: c.Columns})
}

// validate checks the printer and completes it.
func (c PrinterConfig) validate(doc *configs.Doc, till bool) (PrinterConfig, error) {
	if c.Driver == "" {
		c.Driver = "none"
	}
	if _, err := c.printer(); err != nil {
		return c, doc.Fault("printer", "%v", err)
	}
	switch {
	case c.Receipts == "":
		c.Receipts = "ask"
	case c.Receipts != "ask" && c.Receipts != "always":
		return c, doc.Fault("printer.receipts", "%q: want ask or always", c.Receipts)
	case c.Receipts == "always" && !till:
		return c, doc.Fault("printer.receipts", "only a till prints receipts")
	}
	return c, nil
}

// driver is the configuration as the drivers take it.
func (b BarrierConfig) driver() drivers.BarrierConfig {
	return drivers.BarrierConfig{
		Path: b.Path, OffPath: b.OffPath, Method: b.Method, Baud: b.Baud, Unit: b.Unit, Channel: b.Channel, PulseMS: b.PulseMS,
		Inverted: b.Fail == "safe",
	}
}

// prefixes tell a scanner driver where a code begins, for codes that arrive
// without a pause between them.
var prefixes = []string{"HTTPS://", "CP1:"}

const (
	// maxScanners bounds the scanners of one lane.
	maxScanners = 8
	// maxName bounds the name of a lane or a device, in bytes, as the link does.
	maxName = 64
)

// scanners checks what a lane reads with: scanner is the short form for one.
func (l *LaneConfig) scanners(doc *configs.Doc, key string) (all []ScannerSettings, err error) {
	switch {
	case len(l.Scanners) == 0:
		one, err := l.Scanner.validate(doc, key+".scanner")
		return []ScannerSettings{one}, err
	case l.Scanner != ScannerConfig{}:
		return nil, doc.Fault(key+".scanners", "name the scanners in one list: %s.scanner is there too", key)
	case len(l.Scanners) > maxScanners:
		return nil, doc.Fault(key+".scanners", "%d scanners, at most %d", len(l.Scanners), maxScanners)
	}
	names := map[string]bool{}
	for i, c := range l.Scanners {
		key := fmt.Sprintf("%s.scanners[%d]", key, i)
		one, err := c.validate(doc, key)
		if err != nil {
			return nil, err
		}
		if one.Name == "" {
			one.Name = strconv.Itoa(i + 1)
		}
		if names[one.Name] {
			return nil, doc.Fault(key+".name", "%q is the name of an earlier scanner of this lane", one.Name)
		}
		names[one.Name] = true
		all = append(all, one)
	}
	return all, nil
}

func (c ScannerConfig) validate(doc *configs.Doc, key string) (s ScannerSettings, err error) {
	s = ScannerSettings{ScannerConfig: c}
	if s.Driver == "" {
		s.Driver = "none"
	}
	if len(c.Name) > maxName {
		return s, doc.Fault(key+".name", "longer than %d bytes", maxName)
	}
	switch c.Direction {
	case "":
	case "in":
		s.Towards = verdict.Entry
	case "out":
		s.Towards = verdict.Exit
	default:
		return s, doc.Fault(key+".direction", "%q: want in or out", c.Direction)
	}
	if c.SilentAfter != "" {
		if s.SilentAfter, err = age(c.SilentAfter); err != nil {
			return s, doc.Fault(key+".silent_after", "%v", err)
		}
	}
	if s.Opening, err = parseOpening(c.Opening); err != nil {
		return s, doc.Fault(key+".opening", "%v", err)
	}
	if _, err := s.scanner(); err != nil {
		return s, doc.Fault(key, "%v", err)
	}
	return s, nil
}

// shown is the path without the password that the address of a camera may hold. A
// device that is not there has none.
func (s *ScannerSettings) shown() string {
	switch s.Driver {
	case "none":
		return ""
	case "camera":
		return camera.Place(s.Path)
	}
	return s.Path
}

// scanner makes the scanner without opening it; nil = none.
func (s *ScannerSettings) scanner() (devices.Scanner, error) {
	if s.Driver == "none" {
		return nil, nil
	}
	return drivers.NewScanner(s.Driver, drivers.ScannerConfig{
		Path: s.Path, Baud: s.Baud, Port: s.Port, Preset: s.Preset, Prefix: s.Prefix, Suffix: s.Suffix, Prefixes: prefixes,
	})
}

// barrier makes the lane's barrier, which begins to look for its device and
// brings it to rest. It is to be closed.
func (l *LaneSettings) barrier() (devices.Barrier, error) {
	c := l.Barrier.driver()
	c.Door = l.door
	return drivers.NewBarrier(l.Barrier.Driver, c)
}

// wiring finds devices that are named twice. A scanner has its port for itself: two
// readers would take each other's codes. Boards may be shared, but not a relay.
type wiring map[string]string // what is taken → the key that took it

// errTaken is wrapped by take.
var errTaken = errors.New("is taken")

// take claims a path for the device at key. part tells the devices of a shared
// board apart; "" = it is not shared.
func (w wiring) take(key, path, part string) error {
	if path == "" {
		return nil
	}
	whole := strings.ToLower(filepath.Clean(path)) // COM3 and com3 are one
	if strings.HasPrefix(path, "/") {
		whole = filepath.Clean(path)
	}
	for _, other := range []string{whole, whole + "\x00"} {
		if by, ok := w[other]; ok && (part == "" || other == whole) {
			return fmt.Errorf("%q %w by %s", path, errTaken, by)
		}
	}
	if part == "" {
		w[whole] = key
		return nil
	}
	if by, ok := w[whole+"\x00"+part]; ok {
		return fmt.Errorf("%s of %q %w by %s", part, path, errTaken, by)
	}
	w[whole+"\x00"], w[whole+"\x00"+part] = key, key
	return nil
}

// wire claims what a lane is connected to.
func (l *LaneConfig) wire(doc *configs.Doc, key string, w wiring) error {
	if len(l.Scanners) == 0 && l.Scanner.Driver != "none" {
		if err := w.take(key+".scanner.path", l.Scanner.Path, ""); err != nil {
			return doc.Fault(key+".scanner.path", "%v", err)
		}
	}
	for i, s := range l.Scanners {
		key := fmt.Sprintf("%s.scanners[%d].path", key, i)
		if s.Driver == "none" {
			continue
		}
		if err := w.take(key, s.Path, ""); err != nil {
			return doc.Fault(key, "%v", err)
		}
	}
	b, c := l.Barrier, l.Sensor
	if b.Driver != "none" {
		if err := w.take(key+".barrier.path", b.Path, relayPart(b.Driver, b.Unit, b.Channel)); err != nil {
			return doc.Fault(key+".barrier.path", "%v", err)
		}
	}
	if c.Driver != "" && c.Driver != "none" {
		if err := w.take(key+".sensor.path", c.Path, "input "+relayPart(c.Driver, c.Unit, c.Channel)); err != nil {
			return doc.Fault(key+".sensor.path", "%v", err)
		}
	}
	return nil
}

// relayPart tells the relays, or the contacts, of one board apart; those of GPIO
// are one row of pins, which count from 0.
func relayPart(driver string, unit, channel int) string {
	if driver == "gpio" {
		return fmt.Sprintf("channel %d", channel)
	}
	if unit > 1 {
		return fmt.Sprintf("unit %d channel %d", unit, max(1, channel))
	}
	return fmt.Sprintf("channel %d", max(1, channel))
}
