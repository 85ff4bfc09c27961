package install

import (
	"fmt"
	"path/filepath"
	"strings"

	"campusgate/devices/find"
)

// Unit is the agent's service by name.
const Unit = "campusgate-agent.service"

// Store is the file in an agent's data folder without which it is not enrolled.
const Store = "agent.db"

// groups own the devices of a lane, on the systems that have them: serial ports,
// keyboards, hidraw and USB by our rules, printers, GPIO.
var groups = []string{"dialout", "input", "plugdev", "lp", "gpio"}

// Groups gives the groups that the agent's user should be in, where they exist.
func Groups() []string { return append([]string(nil), groups...) }

// AgentUnit is the text of the agent's systemd unit. It asks for no network: a
// gate works without. It starts again whatever happens, also when the agent says
// nothing for half a minute; an update runs as a child of the installed program
// and speaks for both. Device files stay visible; what the user may open
// is up to its groups. adjtimex is for the doctor, which reads the state of the
// clock and cannot set it.
func AgentUnit(binary, config, data, user string) string {
	return fmt.Sprintf(`[Unit]
Description=Campusgate agent 校园通行门岗程序
ConditionPathExists=%[5]s
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=%[1]s -config %[2]s
User=%[4]s
Restart=always
RestartSec=2
WatchdogSec=30
TimeoutStartSec=60
TimeoutStopSec=15
UMask=0077
%[6]sReadWritePaths=%[3]s

[Install]
WantedBy=multi-user.target
`, word(binary), argument(config), word(data), user, specifiers(filepath.Join(data, Store)), hardening)
}

// ServerUnit is the text of the server's systemd unit.
func ServerUnit(binary, config, data, user string) string {
	return fmt.Sprintf(`[Unit]
Description=Campusgate server 校园通行服务器
ConditionPathExists=%[5]s
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=%[1]s -config %[2]s
User=%[4]s
Restart=always
RestartSec=2
TimeoutStopSec=30
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE
%[6]sCapabilityBoundingSet=CAP_NET_BIND_SERVICE
PrivateDevices=yes
ReadWritePaths=%[3]s

[Install]
WantedBy=multi-user.target
`, word(binary), argument(config), word(data), user, specifiers(filepath.Join(data, "server.db")), strings.Replace(hardening, "CapabilityBoundingSet=\n", "", 1))
}

const hardening = `NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
LockPersonality=yes
MemoryDenyWriteExecute=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service adjtimex
SystemCallErrorNumber=EPERM
`

// word quotes a path for systemd, which splits at spaces and expands percent
// signs; argument is one on a command line, behind the program, where it expands
// dollars too.
func word(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(specifiers(path)) + `"`
}

func argument(path string) string { return strings.ReplaceAll(word(path), "$", "$$") }

func specifiers(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// Rules is the text of the udev rules: each device that the agent knows may be
// opened by its groups, has a name by the socket it is plugged into, and is left
// alone by ModemManager, which would otherwise talk to every new serial port.
func Rules() string {
	var b strings.Builder
	b.WriteString("# Devices of Campusgate lanes. /dev/campusgate/… names stay with the USB socket.\n")
	find.Known(func(vid, pid uint16, kind find.Kind) {
		match := fmt.Sprintf(`ATTRS{idVendor}=="%04x", `, vid)
		if pid != 0 {
			match += fmt.Sprintf(`ATTRS{idProduct}=="%04x", `, pid)
		}
		switch kind {
		case find.Serial:
			fmt.Fprintf(&b, `SUBSYSTEM=="tty", %sATTRS{devpath}=="*", GROUP="dialout", MODE="0660", ENV{ID_MM_DEVICE_IGNORE}="1", SYMLINK+="campusgate/serial-$attr{devpath}"`+"\n", match)
		case find.HID:
			fmt.Fprintf(&b, `SUBSYSTEM=="hidraw", %sATTRS{devpath}=="*", GROUP="plugdev", MODE="0660", SYMLINK+="campusgate/hid-$attr{devpath}"`+"\n", match)
		case find.Keyboard, find.Printer, find.Camera: // as the system has them
		}
	})
	// HID POS scanners, of whatever maker: their report descriptor cannot be
	// matched here, so it is the makers of scanners.
	for _, vid := range scannerMakers {
		fmt.Fprintf(&b, `SUBSYSTEM=="hidraw", ATTRS{idVendor}=="%04x", ATTRS{devpath}=="*", GROUP="plugdev", MODE="0660", SYMLINK+="campusgate/hid-$attr{devpath}"`+"\n", vid)
	}
	return b.String()
}

// scannerMakers are USB ids of makers whose HID devices are scanners.
var scannerMakers = []uint16{0x0c2e, 0x1eab, 0x05e0, 0x05f9, 0x1b55}

// Autostart is the text of the desktop entry that shows the page on a screen of
// its own after somebody is logged in.
func Autostart(binary, page string) string {
	return fmt.Sprintf(`[Desktop Entry]
Type=Application
Name=Campusgate kiosk
Name[zh_CN]=校园通行 全屏页面
Exec=%q kiosk -url %q
X-GNOME-Autostart-enabled=true
NoDisplay=true
`, binary, page)
}
