package drivers

import (
	"campusgate/devices"
	"campusgate/devices/hid"
)

// evdevScanner: a scanner that types, taken from the system's keyboard (Linux).
func evdevScanner(c ScannerConfig) (devices.Scanner, error) {
	return hid.NewKeyboard(hidConfig(c))
}

// hidPOSScanner: a scanner that sends reports of its own (Linux).
func hidPOSScanner(c ScannerConfig) (devices.Scanner, error) {
	return hid.NewPOS(hidConfig(c))
}

func hidConfig(c ScannerConfig) hid.Config {
	return hid.Config{Path: c.Path, IdleGap: c.IdleGap, Debounce: c.Debounce, Prefixes: c.Prefixes, Now: c.Now}
}
