package agent_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
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
		{"NoLanes", good[strings.Index(good, "lanes"):], "", "lanes: missing"},
		{"LaneName", "name: 主通道", "name: \"\"", "gate.yaml:4: lanes[0].name: missing"},
		{"Direction", "name: 主通道", "name: a\n    direction: up", "gate.yaml:5: lanes[0].direction:"},
		{"ScannerDriver", "driver: serial", "driver: telepathy", "gate.yaml:5: lanes[0].scanner: scanner: unknown driver \"telepathy\"; known: serial"},
		{"BarrierDriver", "driver: lcus", "driver: magic", "gate.yaml:6: lanes[0].barrier: barrier: unknown driver \"magic\"; known: lcus"},
		{"PrinterDriver", "data:", "printer: {driver: laser}\ndata:", "gate.yaml:2: printer: printer: unknown driver \"laser\"; known: escpos"},
		{"PrinterPath", "data:", "printer: {driver: escpos}\ndata:", "gate.yaml:2: printer: printer: path is missing"},
		{"PrinterColumns", "data:", "printer: {driver: escpos, path: /dev/usb/lp0, columns: 40}\ndata:", "columns 40: want 32"},
		{"Receipts", "data:", "printer: {driver: escpos, path: /dev/usb/lp0, receipts: maybe}\ndata:", "gate.yaml:2: printer.receipts: \"maybe\": want ask or always"},
		{"ReceiptsAtAGate", "data:", "printer: {driver: escpos, path: /dev/usb/lp0, receipts: always}\ndata:", "printer.receipts: only a till prints receipts"},
		{"BarrierChannel", "driver: lcus", "channel: 9, driver: lcus", "gate.yaml:6: lanes[0].barrier:"},
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
	for _, key := range keys(reflect.TypeFor[agent.Config]()) {
		if !regexp.MustCompile(`(?m)^[# -]*(tls: \{)?` + key + `:`).Match(sample) {
			t.Errorf("key %s is not in the sample", key)
		}
	}
}

func keys(t reflect.Type) (list []string) {
	for field := range t.Fields() {
		list = append(list, field.Tag.Get("yaml"))
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
