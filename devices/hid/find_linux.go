package hid

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sysfs is where the kernel lists its devices.
const sysfs = "/sys"

// numbers is VID:PID, with or without :SERIAL.
var numbers = regexp.MustCompile(`^([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?$`)

// candidate is a device that has the numbers.
type candidate struct {
	path string
	port string // where it is plugged in; the same for all parts of one device
}

// pick returns the device of the candidates, which may be parts of one device.
func pick(path string, found []candidate) (string, error) {
	if len(found) == 0 {
		return "", fmt.Errorf("%s: %w", path, ErrNotFound)
	}
	for _, c := range found[1:] {
		if c.port != found[0].port {
			return "", fmt.Errorf("%s: %w: %s and %s; name its serial number too (VID:PID:SERIAL), or the device file",
				path, ErrSeveral, found[0].path, c.path)
		}
	}
	return found[0].path, nil
}

// findKeyboard returns the event device that path asks for. It looks under root,
// which is laid out as /sys.
func findKeyboard(root, path string) (string, error) {
	want := numbers.FindStringSubmatch(path)
	if want == nil {
		return path, nil
	}
	var found []candidate
	for _, dir := range devicesOf(root, "input", "event*") {
		device := filepath.Join(dir, "device")
		if strings.EqualFold(line(device, "id", "vendor"), want[1]) &&
			strings.EqualFold(line(device, "id", "product"), want[2]) &&
			(want[3] == "" || line(device, "uniq") == want[3]) && types(line(device, "capabilities", "key")) {
			port, _, _ := strings.Cut(line(device, "phys"), "/input")
			found = append(found, candidate{"/dev/input/" + filepath.Base(dir), port})
		}
	}
	return pick(path, found)
}

// types reports whether these keys are those of a keyboard: words in hexadecimal,
// the lowest last.
func types(keys string) bool {
	words := strings.Fields(keys)
	if len(words) == 0 {
		return false
	}
	low, err := strconv.ParseUint(words[len(words)-1], 16, 64)
	return err == nil && low>>key1&1 == 1 && low>>keyEnter&1 == 1
}

// findPOS returns the hidraw device that path asks for.
func findPOS(root, path string) (string, error) {
	want := numbers.FindStringSubmatch(path)
	if want == nil {
		return path, nil
	}
	var found []candidate
	for _, dir := range devicesOf(root, "hidraw", "hidraw*") {
		device := filepath.Join(dir, "device")
		says := map[string]string{}
		for _, l := range strings.Split(line(device, "uevent"), "\n") {
			key, value, _ := strings.Cut(l, "=")
			says[key] = value
		}
		id := strings.Split(says["HID_ID"], ":") // bus:vendor:product, four and twice eight digits
		if len(id) != 3 || !strings.EqualFold(id[1], "0000"+want[1]) || !strings.EqualFold(id[2], "0000"+want[2]) ||
			want[3] != "" && says["HID_UNIQ"] != want[3] {
			continue
		}
		descriptor, err := os.ReadFile(filepath.Join(device, "report_descriptor"))
		if err != nil {
			continue
		}
		if _, err := NewReports(descriptor); err != nil {
			continue
		}
		port, _, _ := strings.Cut(says["HID_PHYS"], "/input")
		found = append(found, candidate{"/dev/" + filepath.Base(dir), port})
	}
	return pick(path, found)
}

// devicesOf lists the devices of a class, shorter names first, so that event9
// comes before event10.
func devicesOf(root, class, pattern string) []string {
	dirs, _ := filepath.Glob(filepath.Join(root, "class", class, pattern)) // the pattern is sound
	slices.SortFunc(dirs, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return dirs
}

// line is what a file of sysfs says; "" when it is not there any more.
func line(parts ...string) string {
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
