package find

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tree is a Linux system's /sys and /dev below a folder.
type tree struct{ root string }

func (t tree) at(parts ...string) string {
	return filepath.Join(append([]string{t.root}, parts...)...)
}

// word is the content of a small file of /sys, or "" where there is none.
func (t tree) word(parts ...string) string {
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(bytes.ToValidUTF8(data, nil)))
}

// ports lists everything. What cannot be read counts as not there.
func (t tree) ports() []Port {
	var list []Port
	list = append(list, t.serial()...)
	list = append(list, t.keyboards()...)
	list = append(list, t.hidraw()...)
	list = append(list, t.class("usbmisc", regexp.MustCompile(`^lp\d+$`), Printer, "usb/")...)
	list = append(list, t.cameras()...)
	for i := range list {
		t.name(&list[i], list)
		list[i].Fits = fits(list[i])
	}
	return list
}

// entries are the names in a folder of /sys/class, in the order of their numbers.
func (t tree) entries(class string, pattern *regexp.Regexp) (names []string) {
	found, err := os.ReadDir(t.at("sys/class", class))
	if err != nil {
		return nil
	}
	for _, e := range found {
		if pattern.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := len(a) - len(b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return names
}

// class lists a class of which each entry is a device file of the same name.
func (t tree) class(class string, pattern *regexp.Regexp, kind Kind, folder string) (list []Port) {
	for _, name := range t.entries(class, pattern) {
		p := Port{Kind: kind, Node: "/dev/" + folder + name}
		t.usb(&p, t.at("sys/class", class, name, "device"))
		list = append(list, p)
	}
	return list
}

// serial lists USB ports, and those UARTs of the board that exist: the driver
// offers device files for some that do not, and says so by type 0.
func (t tree) serial() (list []Port) {
	for _, p := range t.class("tty", regexp.MustCompile(`^tty(USB|ACM|S|AMA)\d+$`), Serial, "") {
		name := filepath.Base(p.Node)
		if strings.HasPrefix(name, "ttyS") {
			if kind := t.word(t.at("sys/class/tty", name, "type")); kind == "" || kind == "0" {
				continue
			}
		}
		list = append(list, p)
	}
	return list
}

// keyboards lists what udev takes for one: only those have such a name.
func (t tree) keyboards() (list []Port) {
	for _, p := range t.class("input", regexp.MustCompile(`^event\d+$`), Keyboard, "input/") {
		if len(t.links("input", p.Node, "-event-kbd")) == 0 {
			continue
		}
		if p.Product == "" {
			p.Product = t.word(t.at("sys/class/input", filepath.Base(p.Node), "device/name"))
		}
		list = append(list, p)
	}
	return list
}

// posPage is how a report descriptor of a HID POS scanner begins: usage page
// 0x8C, in either width.
var posPage = [][]byte{{0x05, 0x8c}, {0x06, 0x8c, 0x00}}

// hidraw lists HID POS scanners and what the table knows; mice and keyboards
// have hidraw nodes too.
func (t tree) hidraw() (list []Port) {
	for _, p := range t.class("hidraw", regexp.MustCompile(`^hidraw\d+$`), HID, "") {
		device := t.at("sys/class/hidraw", filepath.Base(p.Node), "device")
		for line := range strings.Lines(t.word(device, "uevent")) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch key {
			case "HID_ID": // 0003:00000C2E:00000B61
				if part := strings.Split(value, ":"); len(part) == 3 {
					p.VID, p.PID = hex(part[1]), hex(part[2])
				}
			case "HID_NAME":
				if p.Product == "" {
					p.Product = value
				}
			}
		}
		descriptor, _ := os.ReadFile(filepath.Join(device, "report_descriptor"))
		pos := slices.ContainsFunc(posPage, func(page []byte) bool { return bytes.HasPrefix(descriptor, page) })
		if pos || slices.ContainsFunc(table, func(r row) bool { return r.kind == HID && r.vid == p.VID && r.pid == p.PID }) {
			list = append(list, p)
		}
	}
	return list
}

// cameras lists the first node of each, which is the one with pictures.
func (t tree) cameras() (list []Port) {
	for _, p := range t.class("video4linux", regexp.MustCompile(`^video\d+$`), Camera, "") {
		class := t.at("sys/class/video4linux", filepath.Base(p.Node))
		if index := t.word(class, "index"); index != "" && index != "0" {
			continue
		}
		if p.Product == "" {
			p.Product = t.word(class, "name")
		}
		list = append(list, p)
	}
	return list
}

// usb walks up from a device to the USB device that it is a part of, and takes
// over what that says of itself. A port of the board stays without.
func (t tree) usb(p *Port, device string) {
	dir, err := filepath.EvalSymlinks(device)
	if err != nil {
		return
	}
	for top := t.at("sys"); len(dir) > len(top); dir = filepath.Dir(dir) {
		vid := t.word(dir, "idVendor")
		if vid == "" {
			continue
		}
		p.VID, p.PID = hex(vid), hex(t.word(dir, "idProduct"))
		p.Serial, p.Product, p.Maker = t.word(dir, "serial"), t.word(dir, "product"), t.word(dir, "manufacturer")
		return
	}
}

func hex(s string) uint16 {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// links are the names below /dev/CLASS/by-id, then by-path, that lead to a
// device file and end so.
func (t tree) links(class, node, suffix string) (list []string) {
	for _, by := range []string{"by-id", "by-path"} {
		dir := t.at("dev", class, by)
		found, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range found {
			target, err := filepath.EvalSymlinks(filepath.Join(dir, e.Name()))
			if err == nil && target == t.real(node) && strings.HasSuffix(e.Name(), suffix) {
				list = append(list, fmt.Sprintf("/dev/%s/%s/%s", class, by, e.Name()))
			}
		}
	}
	return list
}

// real is where a device file is once the links in the root itself are followed.
func (t tree) real(node string) string {
	if target, err := filepath.EvalSymlinks(t.at(node)); err == nil {
		return target
	}
	return t.at(node)
}

// name gives the port the path that stays. Of two devices alike without serial
// numbers only one can have the name by id, and which changes: those go by the
// socket that they are plugged into.
func (t tree) name(p *Port, all []Port) {
	p.Path = p.Node
	var links []string
	switch p.Kind {
	case Serial:
		links = t.links("serial", p.Node, "")
	case Keyboard:
		links = t.links("input", p.Node, "-event-kbd")
	case HID, Printer, Camera:
	}
	twins := 0
	for _, o := range all {
		if o.Kind == p.Kind && o.VID == p.VID && o.PID == p.PID && o.Serial == p.Serial {
			twins++
		}
	}
	for _, l := range links {
		if twins > 1 && strings.Contains(l, "/by-id/") {
			continue
		}
		p.Path = l
		return
	}
}
