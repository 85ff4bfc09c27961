package find

import (
	"slices"
	"testing"

	"campusgate/devices/drivers"
	"campusgate/devices/serial"
)

// What the table suggests is pasted into a configuration: it must be there.
func TestTable_NamesDriversAndPresetsThatThereAre(t *testing.T) {
	fits := slices.Concat(adapter, board, reader, printer)
	for _, r := range table {
		fits = append(fits, r.fits...)
	}
	for _, list := range byKind {
		fits = append(fits, list...)
	}
	for _, f := range fits {
		known := false
		switch f.Role {
		case RoleScanner:
			known = drivers.Scanners[f.Driver] != nil
		case RoleBarrier:
			_, known = drivers.Barriers[f.Driver]
		case RolePrinter:
			known = drivers.Printers[f.Driver] != nil
		default: // a camera of the page needs none
			known = true
		}
		if !known {
			t.Errorf("%s: no driver %q", f.Role, f.Driver)
		}
		if f.Preset != "" && !slices.Contains(serial.Presets(), f.Preset) {
			t.Errorf("no preset %q", f.Preset)
		}
	}
}
