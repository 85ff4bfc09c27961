package agent_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/configs"
	"campusgate/devices/drivers"
	"campusgate/signing/verdict"
)

const good = `server: https://gate.example.edu
data: /tmp/agent
lanes:
  - name: 主通道
    scanner: {driver: serial, path: /dev/ttyUSB0}
    barrier: {driver: lcus, path: /dev/ttyUSB1}
`

func TestParseConfig_OK(t *testing.T) {
	s, err := agent.ParseConfig("gate.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:8471" || s.ClockMaxAge != 168*time.Hour || s.Lanes[0].Direction != verdict.Entry || s.Documents {
		t.Errorf("defaults: %+v", s)
	}
}

func TestParseConfig_NamesLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"UnknownKey", "data:", "dada:", `gate.yaml:2:1: unknown field "dada"`},
		{"NoServer", "server: https://gate.example.edu\n", "", "server: missing"},
		{"PlainHTTP", "https://gate.example.edu", "http://gate.example.edu", "gate.yaml:1: server: \"http://gate.example.edu\": http only reaches"},
		{"ServerPath", "gate.example.edu", "gate.example.edu/x", "gate.yaml:1: server:"},
		{"NoHost", "gate.example.edu", ":8443", "gate.yaml:1: server:"},
		{"Port", "data:", "listen: 127.0.0.1:99999\ndata:", "gate.yaml:2: listen:"},
		{"ListenEverywhere", "data:", "listen: 0.0.0.0:80\ndata:", "gate.yaml:2: listen:"},
		{"Mode", "data:", "mode: shop\ndata:", "gate.yaml:2: mode:"},
		{"TillDocuments", "data:", "mode: terminal\ndocuments: required\ndata:", "gate.yaml:3: documents: a till asks for none"},
		{"TillBarrier", "data:", "mode: terminal\ndata:", "lanes[0].barrier: a till opens none"},
		{"Documents", "data:", "documents: maybe\ndata:", "gate.yaml:2: documents:"},
		{"Shift", "data:", "shift: night\ndata:", "gate.yaml:2: shift:"},
		{"Age", "data:", "clock_max_age: a week\ndata:", "gate.yaml:2: clock_max_age:"},
		{"Origin", "data:", "frame_ancestors: [\"*\"]\ndata:", "gate.yaml:2: frame_ancestors[0]:"},
		{"EmergencyDriver", "data:", "inputs: {emergency: {driver: smoke}}\ndata:", "inputs.emergency: input: unknown driver \"smoke\""},
		{"TillEmergency", "data:", "mode: terminal\ninputs: {emergency: {driver: modbus-tcp, path: board}}\ndata:", "inputs.emergency: a till opens nothing"},
		{"NoLanes", good[strings.Index(good, "lanes"):], "", "lanes: missing"},
		{"LaneName", "name: 主通道", "name: \"\"", "gate.yaml:4: lanes[0].name: missing"},
		{"Direction", "name: 主通道", "name: a\n    direction: up", "gate.yaml:5: lanes[0].direction:"},
		{"ScannerDriver", "driver: serial", "driver: telepathy", "gate.yaml:5: lanes[0].scanner: scanner: unknown driver \"telepathy\"; known: "},
		{"BarrierDriver", "driver: lcus", "driver: magic", "gate.yaml:6: lanes[0].barrier: barrier: unknown driver \"magic\"; known: "},
		{"PrinterDriver", "data:", "printer: {driver: laser}\ndata:", "gate.yaml:2: printer: printer: unknown driver \"laser\"; known: escpos"},
		{"PrinterPath", "data:", "printer: {driver: escpos}\ndata:", "gate.yaml:2: printer: printer: path is missing"},
		{"PrinterColumns", "data:", "printer: {driver: escpos, path: /dev/usb/lp0, columns: 40}\ndata:", "columns 40: want 32"},
		{"Receipts", "data:", "printer: {driver: escpos, path: /dev/usb/lp0, receipts: maybe}\ndata:", "gate.yaml:2: printer.receipts: \"maybe\": want ask or always"},
		{"ReceiptsAtAGate", "data:", "printer: {driver: escpos, path: /dev/usb/lp0, receipts: always}\ndata:", "printer.receipts: only a till prints receipts"},
		{"BarrierChannel", "driver: lcus", "channel: 9, driver: lcus", "gate.yaml:6: lanes[0].barrier:"},
		{"ScannerPreset", "driver: serial", "preset: gm1, driver: serial", "gate.yaml:5: lanes[0].scanner: scanner: unknown preset \"gm1\"; known: datalogic"},
		{"ScannerPort", "driver: serial", "port: usb, driver: serial", "lanes[0].scanner: scanner: serial port /dev/ttyUSB0: port \"usb\": want tarm or bugst"},
		{"ScannerRate", "driver: serial", "baud: 128000, driver: serial", "port bugst knows more"},
		{"ScannerPrefix", "driver: serial", `prefix: "A\tB", driver: serial`, "lanes[0].scanner: scanner: prefix"},
		{"ScannerDirection", "driver: serial", "direction: both, driver: serial", "gate.yaml:5: lanes[0].scanner.direction: \"both\": want in or out"},
		{"ScannerSilent", "driver: serial", "silent_after: long, driver: serial", "gate.yaml:5: lanes[0].scanner.silent_after:"},
		{"ScannerOpening", "driver: serial", "opening: all day, driver: serial", "gate.yaml:5: lanes[0].scanner.opening:"},
		{"ScannerAndScanners", "    barrier:", "    scanners: [{driver: none}]\n    barrier:", "lanes[0].scanners: name the scanners in one list"},
		{"ScannerName", "driver: serial", "name: " + strings.Repeat("长", 30) + ", driver: serial", "lanes[0].scanner.name: longer than 64 bytes"},
		{"TwoScannersOneName", "scanner: {driver: serial, path: /dev/ttyUSB0}", "scanners: [{name: a}, {name: a}]", "lanes[0].scanners[1].name:"},
		{
			"TwoScannersOnePath", "scanner: {driver: serial, path: /dev/ttyUSB0}", "scanners: [{driver: serial, path: /dev/s}, {driver: serial, path: /dev/s}]",
			"lanes[0].scanners[1].path: \"/dev/s\" is taken by lanes[0].scanners[0].path",
		},
		{
			"TwoLanesOneScanner", "    barrier:", "  - name: 侧门\n    scanner: {driver: serial, path: /dev//ttyUSB0}\n    barrier:",
			"gate.yaml:7: lanes[1].scanner.path: \"/dev//ttyUSB0\" is taken by lanes[0].scanner.path",
		},
		{"ScannerIsTheRelay", "path: /dev/ttyUSB1", "path: /dev/ttyUSB0", "lanes[0].barrier.path: \"/dev/ttyUSB0\" is taken by lanes[0].scanner.path"},
		{
			"RelayIsTheScanner", good[strings.Index(good, "  - name"):], "  - {name: a, barrier: {driver: lcus, path: COM4}}\n  - {name: b, scanner: {driver: serial, path: com4}}\n",
			"lanes[1].scanner.path: \"com4\" is taken by lanes[0].barrier.path",
		},
		{
			"TwoLanesOneRelay", good[strings.Index(good, "  - name"):], "  - {name: a, barrier: {driver: lcus, path: /dev/r}}\n  - {name: b, barrier: {driver: lcus, path: /dev/r, channel: 1}}\n",
			"lanes[1].barrier.path: channel 1 of \"/dev/r\" is taken by lanes[0].barrier.path",
		},
		{"TillDirection", good[strings.Index(good, "lanes:"):], "mode: terminal\nlanes: [{name: a, scanner: {direction: in}}]\n", "lanes[0].scanners: nobody goes through a till"},
		{"KioskAtAGate", "data:", "kiosk: {phone: 110}\ndata:", "gate.yaml:2: kiosk: only with mode: kiosk"},
		{"KioskDocuments", "data:", "mode: kiosk\nkiosk: {documents: maybe}\ndata:", "gate.yaml:3: kiosk.documents:"},
		{"KioskPhone", "data:", "mode: kiosk\nkiosk: {phone: \"" + strings.Repeat("1", 65) + "\"}\ndata:", "gate.yaml:3: kiosk.phone:"},
		{"TwoLanesOneName", "lanes:\n", "lanes:\n  - name: 主通道\n", "gate.yaml:5: lanes[1].name:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.from, c.to, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := agent.ParseConfig("gate.yaml", []byte(text))
			if !errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an ErrConfig with %q", err, c.want)
			}
		})
	}
}

func TestParseConfig_LanesMayShareABoardButNotARelay(t *testing.T) {
	lanes := "  - {name: a, barrier: {driver: lcus, path: /dev/r, channel: 1}}\n  - {name: b, barrier: {driver: lcus, path: /dev/r, channel: 2}}\n"
	if _, err := agent.ParseConfig("gate.yaml", []byte(good[:strings.Index(good, "  - name")]+lanes)); err != nil {
		t.Error(err)
	}
}

func TestParseConfig_OneScannerOrAList(t *testing.T) {
	list := strings.Replace(good, "scanner: {driver: serial, path: /dev/ttyUSB0}",
		"scanners:\n      - {driver: serial, path: /dev/a, preset: grow-gm65, silent_after: 2h, opening: \"06:30-22:00\", beep: true}\n"+
			"      - {name: 出口, driver: tcp, path: \"10.1.0.9:4001\", direction: out, prefix: \"\\x02G\"}", 1)
	for text, want := range map[string][]string{good: {""}, list: {"1", "出口"}} {
		s, err := agent.ParseConfig("gate.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range s.Lanes[0].Scanners {
			names = append(names, c.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("scanners %q, want %q", names, want)
		}
	}
}

// The file is judged without asking the driver, which would reach for the
// device. The two must say the same.
func TestParseConfig_RefusesTheBarriersThatTheDriverRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no such relay")
	for _, b := range []agent.BarrierConfig{
		{Driver: "none"},
		{Driver: "lcus"},
		{Driver: "magic", Path: path},
		{Driver: "lcus", Path: path},
		{Driver: "lcus", Path: path, Channel: -1},
		{Driver: "lcus", Path: path, Channel: 1},
		{Driver: "lcus", Path: path, Channel: 8},
		{Driver: "lcus", Path: path, Channel: 9},
		{Driver: "lcus", Path: path, PulseMS: -1},
		{Driver: "lcus", Path: path, PulseMS: 1},
		{Driver: "lcus", Path: path, PulseMS: 60_000},
		{Driver: "lcus", Path: path, PulseMS: 60_001},
		{Driver: "lcus", Path: path, Baud: 9600},
		{Driver: "lcus", Path: path, Baud: 115_200},
		{Driver: "lcus", Path: path, Baud: 9601},
		{Driver: "lcus", Path: path, Baud: -1},
	} {
		before := runtime.NumGoroutine()
		_, parsed := agent.ParseConfig("gate.yaml", fmt.Appendf(nil,
			"server: https://gate.example.edu\ndata: x\nlanes:\n  - name: a\n    barrier: {driver: %s, path: %q, channel: %d, pulse_ms: %d, baud: %d}\n",
			b.Driver, b.Path, b.Channel, b.PulseMS, b.Baud))
		if runtime.NumGoroutine() > before {
			t.Errorf("%+v: something was started", b)
		}
		made, err := drivers.NewBarrier(b.Driver, drivers.BarrierConfig{
			Path: b.Path, Channel: b.Channel, PulseMS: b.PulseMS, Baud: b.Baud,
		})
		if err == nil {
			_ = made.Close() // there is no such device to switch off
		}
		if (parsed == nil) != (err == nil) {
			t.Errorf("%+v: the file %v, the driver %v", b, parsed, err)
		}
	}
}

// The sample is read with its defaults switched on too, and has every key.
func TestSample_HasEveryKeyAndDecodes(t *testing.T) {
	sample, err := configs.Samples.ReadFile("gate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.ParseConfig("gate.yaml", sample); err != nil {
		t.Fatal(err)
	}
	on := regexp.MustCompile(`(?m)^( *)#([a-z_]+:)`).ReplaceAll(sample, []byte("$1$2"))
	if _, err := agent.ParseConfig("gate.yaml", on); err != nil {
		t.Fatalf("with the commented lines: %v", err)
	}
	kiosk, err := configs.Samples.ReadFile("kiosk.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := agent.ParseConfig("kiosk.yaml", kiosk)
	if err != nil || s.Kiosk == nil || !s.Kiosk.OnCall || !s.Shift {
		t.Fatalf("kiosk.yaml: %+v, %v", s.Kiosk, err)
	}
	sample = append(sample, kiosk...)
	for _, key := range keys(reflect.TypeFor[agent.Config]()) {
		if !regexp.MustCompile(`(?m)^[# -]*(tls: \{)?` + key + `:`).Match(sample) {
			t.Errorf("key %s is not in the sample", key)
		}
	}
}

func keys(t reflect.Type) (list []string) {
	for field := range t.Fields() {
		if name := field.Tag.Get("yaml"); name != ",inline" { // whose fields are keys here
			list = append(list, name)
		}
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			list = append(list, keys(inner)...)
		}
	}
	return list
}
