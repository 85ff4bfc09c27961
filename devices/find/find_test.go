//go:build !windows

package find_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"campusgate/devices/find"
)

// machine is a fake /sys and /dev: files by path, links by path.
type machine struct {
	t    *testing.T
	root string
}

func newMachine(t *testing.T) machine { return machine{t, t.TempDir()} }

func (m machine) file(path, text string) {
	m.t.Helper()
	full := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) link(path, target string) {
	m.t.Helper()
	full := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Symlink(target, full); err != nil {
		m.t.Fatal(err)
	}
}

// usb is a device in a socket, and its first interface.
func (m machine) usb(socket, vid, pid, serial, maker, product string) (iface string) {
	dir := "sys/devices/pci0000:00/usb1/" + socket
	for name, text := range map[string]string{"idVendor": vid, "idProduct": pid, "serial": serial, "manufacturer": maker, "product": product} {
		if text != "" {
			m.file(dir+"/"+name, text+"\n")
		}
	}
	return dir + "/" + socket + ":1.0"
}

// node is a device file and its entry in a class.
func (m machine) node(class, name, dev, iface string) {
	m.file(iface+"/"+class+"/"+name+"/dev", "1:1\n")
	m.link(iface+"/"+class+"/"+name+"/device", "../..")
	m.link("sys/class/"+class+"/"+name, strings.Repeat("../", 3)+iface+"/"+class+"/"+name)
	m.file(dev, "")
}

// gatePC is what stands at many gates.
func gatePC(t *testing.T) machine {
	m := newMachine(t)
	// A scanner that is a USB CDC device with a serial number.
	m.node("tty", "ttyACM0", "dev/ttyACM0", m.usb("1-1", "0c2e", "0b61", "20123B0F", "Honeywell", "Barcode Scanner"))
	m.link("dev/serial/by-id/usb-Honeywell_Barcode_Scanner_20123B0F-if00", "../../ttyACM0")
	m.link("dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0", "../../ttyACM0")
	// Two relay boards alike, without serial numbers: one has the name by id.
	m.node("tty", "ttyUSB0", "dev/ttyUSB0", m.usb("1-2", "1a86", "7523", "", "", "USB Serial"))
	m.node("tty", "ttyUSB1", "dev/ttyUSB1", m.usb("1-3", "1a86", "7523", "", "", "USB Serial"))
	m.link("dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "../../ttyUSB1")
	m.link("dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", "../../ttyUSB0")
	m.link("dev/serial/by-path/pci-0000:00:14.0-usb-0:3:1.0-port0", "../../ttyUSB1")
	// One UART that is there, and one that is not.
	m.node("tty", "ttyS0", "dev/ttyS0", "sys/devices/platform/serial8250")
	m.file("sys/devices/platform/serial8250/tty/ttyS0/type", "4\n")
	m.node("tty", "ttyS1", "dev/ttyS1", "sys/devices/platform/serial8251")
	m.file("sys/devices/platform/serial8251/tty/ttyS1/type", "0\n")
	// A scanner that types, beside a mouse.
	wedge := m.usb("1-4", "1eab", "0003", "", "Newland", "FM430")
	m.node("input", "event3", "dev/input/event3", wedge)
	m.link("dev/input/by-id/usb-Newland_FM430-event-kbd", "../event3")
	m.node("input", "event4", "dev/input/event4", m.usb("1-5", "046d", "c077", "", "Logitech", "Mouse"))
	m.link("dev/input/by-id/usb-Logitech_Mouse-event-mouse", "../event4")
	// HID POS, a HID relay, and the same mouse.
	for n, h := range []struct{ socket, vid, pid, descriptor string }{
		{"1-6", "0c2e", "0b01", "\x05\x8c\x09\x02\xa1\x01"},
		{"1-7", "16c0", "05df", "\x06\x00\xff\x09\x01\xa1\x01"},
		{"1-8", "046d", "c077", "\x05\x01\x09\x02\xa1\x01"},
	} {
		iface := m.usb(h.socket, h.vid, h.pid, "", "", "")
		name := "hidraw" + string(rune('0'+n))
		m.node("hidraw", name, "dev/"+name, iface)
		m.file(iface+"/uevent", "HID_ID=0003:0000"+strings.ToUpper(h.vid)+":0000"+strings.ToUpper(h.pid)+"\nHID_NAME=Thing "+name+"\n")
		m.file(iface+"/report_descriptor", h.descriptor)
	}
	m.node("usbmisc", "lp0", "dev/usb/lp0", m.usb("1-9", "04b8", "0e15", "", "EPSON", "TM-T20"))
	camera := m.usb("1-10", "046d", "0825", "", "", "Webcam")
	for n, name := range []string{"video0", "video1"} {
		m.node("video4linux", name, "dev/"+name, camera)
		m.file(camera+"/video4linux/"+name+"/index", string(rune('0'+n))+"\n")
	}
	return m
}

func TestPorts_NamesWhatIsPluggedInByTheNameThatStays(t *testing.T) {
	m := gatePC(t)
	var got []string
	for _, p := range find.Ports(m.root) {
		fit := "?"
		if len(p.Fits) > 0 {
			fit = strings.TrimSpace(p.Fits[0].Role + " " + p.Fits[0].Driver + " " + p.Fits[0].Preset)
		}
		got = append(got, string(p.Kind)+" | "+p.Path+" | "+p.String()+" | "+fit)
	}
	want := []string{
		"serial | /dev/ttyS0 | /dev/ttyS0 | scanner serial",
		"serial | /dev/serial/by-id/usb-Honeywell_Barcode_Scanner_20123B0F-if00 | /dev/ttyACM0 0c2e:0b61 Honeywell Barcode Scanner | scanner serial honeywell",
		"serial | /dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0 | /dev/ttyUSB0 1a86:7523 USB Serial | barrier lcus",
		"serial | /dev/serial/by-path/pci-0000:00:14.0-usb-0:3:1.0-port0 | /dev/ttyUSB1 1a86:7523 USB Serial | barrier lcus",
		"keyboard | /dev/input/by-id/usb-Newland_FM430-event-kbd | /dev/input/event3 1eab:0003 Newland FM430 | scanner evdev",
		"hid | /dev/hidraw0 | /dev/hidraw0 0c2e:0b01 Thing hidraw0 | scanner hidpos",
		"hid | /dev/hidraw1 | /dev/hidraw1 16c0:05df Thing hidraw1 | ?",
		"printer | /dev/usb/lp0 | /dev/usb/lp0 04b8:0e15 EPSON TM-T20 | printer escpos",
		"camera | /dev/video0 | /dev/video0 046d:0825 Webcam | camera browser",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPorts_OfAMachineThatTellsNothingAreNone(t *testing.T) {
	if got := find.Ports(t.TempDir()); len(got) != 0 {
		t.Errorf("%v", got)
	}
	m := newMachine(t)
	m.node("tty", "ttyUSB0", "dev/ttyUSB0", m.usb("1-1", "not hex", "\xff\xfe", "", "\x00", "名\xff"))
	got := find.Ports(m.root)
	if len(got) != 1 || got[0].ID() != "" || got[0].Product != "名" {
		t.Errorf("of nonsense: %+v", got)
	}
}

func TestAt_FindsAPortByAnyOfItsNames(t *testing.T) {
	m := gatePC(t)
	ports := find.Ports(m.root)
	for _, path := range []string{
		"/dev/ttyUSB1", "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "/dev/serial/by-path/pci-0000:00:14.0-usb-0:3:1.0-port0",
	} {
		if p := find.At(m.root, ports, path); p == nil || p.Node != "/dev/ttyUSB1" {
			t.Errorf("%s: %v", path, p)
		}
	}
	for _, path := range []string{"", "/dev/ttyUSB9", "COM3"} {
		if p := find.At(m.root, ports, path); p != nil {
			t.Errorf("%q: %v", path, p)
		}
	}
}
