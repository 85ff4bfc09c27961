package hid

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree lays files out as /sys has them.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, "class", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// keysOfAKeyboard is what Linux says of a common keyboard; keysOfAButton of a
// power button.
const (
	keysOfAKeyboard = "10000 0 0 0 1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n"
	keysOfAButton   = "10000000000000 0\n"
)

func input(files map[string]string, name, vendor, product, uniq, phys, keys string) {
	device := "input/" + name + "/device/"
	files[device+"id/vendor"], files[device+"id/product"] = vendor+"\n", product+"\n"
	files[device+"uniq"], files[device+"phys"], files[device+"capabilities/key"] = uniq+"\n", phys+"\n", keys
}

func TestAKeyboardIsFoundByItsNumbers(t *testing.T) {
	files := map[string]string{}
	input(files, "event0", "0c2e", "0b61", "", "usb-0000:00:14.0-1/input1", keysOfAButton) // its other part
	input(files, "event10", "0c2e", "0b61", "", "usb-0000:00:14.0-1/input2", keysOfAKeyboard)
	input(files, "event9", "0c2e", "0b61", "", "usb-0000:00:14.0-1/input0", keysOfAKeyboard)
	input(files, "event2", "05e0", "1200", "S1", "usb-0000:00:14.0-2/input0", keysOfAKeyboard)
	input(files, "event3", "05e0", "1200", "S2", "usb-0000:00:14.0-3/input0", keysOfAKeyboard)
	root := tree(t, files)
	for path, want := range map[string]string{
		"0c2e:0b61":                   "/dev/input/event9",
		"0C2E:0B61":                   "/dev/input/event9",
		"05e0:1200:S2":                "/dev/input/event3",
		"/dev/input/by-id/usb-x-kbd":  "/dev/input/by-id/usb-x-kbd",
		"05e0:1200":                   "several such devices: /dev/input/event2 and /dev/input/event3",
		"05e0:1200:S3":                "no such device",
		"ffff:ffff":                   "no such device",
		"/dev/input/event7:not:a:vid": "/dev/input/event7:not:a:vid",
	} {
		got, err := findKeyboard(root, path)
		if err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestAHIDPOSScannerIsFoundByItsNumbers(t *testing.T) {
	pos := "\x05\x8C\x09\x02\xA1\x01\x85\x02\x75\x08\x95\x3F\x09\x12\x81\x02\xC0"
	files := map[string]string{}
	add := func(name, id, uniq, phys, descriptor string) {
		files["hidraw/"+name+"/device/uevent"] = "DRIVER=hid-generic\nHID_ID=" + id + "\nHID_NAME=A scanner\nHID_PHYS=" + phys + "\nHID_UNIQ=" + uniq + "\n"
		files["hidraw/"+name+"/device/report_descriptor"] = descriptor
	}
	add("hidraw0", "0003:00000C2E:00000B61", "", "usb-1/input0", "\x05\x01\x09\x06\xA1\x01\xC0")
	add("hidraw1", "0003:00000C2E:00000B61", "", "usb-1/input1", pos)
	add("hidraw2", "0003:000005E0:00001200", "S1", "usb-2/input0", pos)
	add("hidraw3", "0003:000005E0:00001200", "S2", "usb-3/input0", pos)
	add("hidraw4", "broken", "", "", pos)
	root := tree(t, files)
	for path, want := range map[string]string{
		"0c2e:0b61":    "/dev/hidraw1",
		"05e0:1200:S2": "/dev/hidraw3",
		"05E0:1200":    "several such devices: /dev/hidraw2 and /dev/hidraw3",
		"05e0:1201":    "no such device",
		"/dev/hidraw7": "/dev/hidraw7",
	} {
		got, err := findPOS(root, path)
		if err == nil && got != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}
