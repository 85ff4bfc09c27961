package find

// row is what is known of a USB id. A PID of zero stands for every device of that
// maker which has no row of its own.
type row struct {
	vid, pid uint16
	kind     Kind
	fits     []Fit
}

// What a plain USB-to-serial adapter may have behind it. Most relay boards of
// the LCUS family have a CH340 of their own; an RS-232 scanner comes with any.
var (
	adapter = []Fit{{Role: RoleScanner, Driver: "serial"}, {Role: RoleBarrier, Driver: "lcus"}}
	board   = []Fit{{Role: RoleBarrier, Driver: "lcus"}, {Role: RoleScanner, Driver: "serial"}}
	reader  = []Fit{{Role: RoleScanner, Driver: "serial"}}
	printer = []Fit{{Role: RolePrinter, Driver: "escpos"}}
)

// table is small on purpose: a device that is not in it still gets the fits of
// its kind. Ids are those that the makers registered.
var table = []row{
	{0x1a86, 0x7523, Serial, board}, // WCH CH340
	{0x1a86, 0, Serial, adapter},    // WCH, the others
	{0x0403, 0, Serial, adapter},    // FTDI
	{0x067b, 0, Serial, adapter},    // Prolific
	{0x10c4, 0, Serial, adapter},    // Silicon Labs

	{0x0c2e, 0, Serial, []Fit{{Role: RoleScanner, Driver: "serial", Preset: "honeywell"}}},
	{0x1eab, 0, Serial, []Fit{{Role: RoleScanner, Driver: "serial", Preset: "newland"}}},
	{0x05e0, 0, Serial, []Fit{{Role: RoleScanner, Driver: "serial", Preset: "zebra-ds"}}},
	{0x05f9, 0, Serial, []Fit{{Role: RoleScanner, Driver: "serial", Preset: "datalogic"}}},
	{0x1b55, 0, Serial, []Fit{{Role: RoleScanner, Driver: "serial", Preset: "zkteco-zkb200"}}},

	{0x16c0, 0x05df, HID, nil}, // a relay board that answers feature reports only: no driver has it
}

// byKind is what a device that the table does not hold may be.
var byKind = map[Kind][]Fit{
	Serial:   adapter,
	Keyboard: {{Role: RoleScanner, Driver: "evdev"}},
	HID:      {{Role: RoleScanner, Driver: "hidpos"}},
	Printer:  printer,
	Camera:   {{Role: RoleCamera, Driver: "browser"}},
}

// fits looks a device up: its own row, its maker's, its kind's.
func fits(p Port) []Fit {
	for _, pid := range []uint16{p.PID, 0} {
		for _, r := range table {
			if r.kind == p.Kind && r.vid == p.VID && r.pid == pid && p.VID != 0 {
				return r.fits
			}
		}
	}
	if p.Kind == Serial && p.VID == 0 {
		return reader // a real UART
	}
	return byKind[p.Kind]
}

// Known lists the USB ids of the table, for rules that give devices to the
// agent: vid, pid (zero = all of that maker), kind.
func Known(visit func(vid, pid uint16, kind Kind)) {
	for _, r := range table {
		visit(r.vid, r.pid, r.kind)
	}
}
