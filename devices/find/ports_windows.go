package find

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// Ports lists the COM ports that exist now, as the registry tells. root is of no
// use here.
func Ports(string) (list []Port) {
	names := present()
	owners := map[string]Port{}
	for _, bus := range []string{"USB", "FTDIBUS"} {
		device(`SYSTEM\CurrentControlSet\Enum\`+bus, owners)
	}
	for _, name := range names {
		p := owners[name]
		p.Kind, p.Path, p.Node = Serial, name, name
		p.Fits = fits(p)
		list = append(list, p)
	}
	return list
}

// present reads the map that drivers keep of the ports that are there.
func present() (names []string) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `HARDWARE\DEVICEMAP\SERIALCOMM`, registry.QUERY_VALUE)
	if err != nil {
		return nil
	}
	defer func() { _ = k.Close() }()
	values, err := k.ReadValueNames(0)
	if err != nil {
		return nil
	}
	for _, v := range values {
		if name, _, err := k.GetStringValue(v); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// usbID is in the name of a device's key on either bus.
var usbID = regexp.MustCompile(`(?i)VID_([0-9A-F]{4})[&+]PID_([0-9A-F]{4})`)

// device fills in which device gave which port, of those that ever were there.
func device(bus string, owners map[string]Port) {
	for _, id := range children(bus) {
		match := usbID.FindStringSubmatch(id)
		if match == nil {
			continue
		}
		for _, instance := range children(bus + `\` + id) {
			path := bus + `\` + id + `\` + instance
			port := text(path+`\Device Parameters`, "PortName")
			if port == "" {
				continue
			}
			owners[port] = Port{
				VID: hex(match[1]), PID: hex(match[2]),
				Product: text(path, "FriendlyName"), Maker: plain(text(path, "Mfg")),
			}
		}
	}
}

// plain drops the reference to a driver file before a name: "@oem1.inf,%x%;wch.cn".
func plain(s string) string { return s[strings.LastIndex(s, ";")+1:] }

func children(path string) []string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.ENUMERATE_SUB_KEYS)
	if err != nil {
		return nil
	}
	defer func() { _ = k.Close() }()
	names, err := k.ReadSubKeyNames(0)
	if err != nil {
		return nil
	}
	return names
}

func text(path, value string) string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer func() { _ = k.Close() }()
	s, _, err := k.GetStringValue(value)
	if err != nil {
		return ""
	}
	return s
}
