//go:build linux

package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/devices"
	"campusgate/devices/modbus/peer"
	"campusgate/signing/verdict"
)

// turnstile is a lane whose relay and sensor are on one Modbus board.
func turnstile(b *peer.Board) string {
	return fmt.Sprintf("  - name: %s\n    barrier: {driver: modbus-tcp, path: %q, pulse_ms: 50}\n"+
		"    sensor: {driver: modbus-tcp, path: %q, channel: 4, timeout_ms: 1000}\n", where, b.Address, b.Address)
}

func sensorIs(state string) func(console.Status) bool {
	return func(s console.Status) bool { return s.Lanes[0].Sensor != nil && s.Lanes[0].Sensor.State == state }
}

// coils waits for the writes of relay 1.
func coils(t *testing.T, b *peer.Board, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := b.Coil(); got != w {
			t.Fatalf("coil %q, want %q", got, w)
		}
	}
}

func TestAgent_NobodyGoesThroughAndThePassAdmitsAgain(t *testing.T) {
	b := peer.TCP(t, 0)
	s := newStation(t)
	r := s.start(s.settings(turnstile(b), "shift: required"), deps(0))
	r.until("the sensor is ok", sensorIs(devices.OK))
	coils(t, b, "0 0")
	code := s.code()
	first := r.present(code)
	if first.Reason != verdict.Granted || !first.Opens {
		t.Fatalf("presented: %+v", first)
	}
	coils(t, b, "0 1", "0 0")
	var back desk.Result
	for back = r.scanned(); !back.Annulled; back = r.scanned() {
	}
	if back.ID != first.ID || back.Passage != desk.WentNowhere || back.Guard != "" {
		t.Errorf("taken back: %+v", back)
	}
	// Within ten seconds of the first: no repeat, a second pulse.
	if again := r.present(code); again.Reason != verdict.Granted || again.Repeat || !again.Opens {
		t.Errorf("presented again: %+v", again)
	}
	coils(t, b, "0 1", "0 0")
	b.Tell("input 3 1")
	<-time.After(10 * devices.Settle) // as long as a person takes
	b.Tell("input 3 0")
	var went desk.Result
	for went = r.scanned(); went.Passage != desk.WentThrough; went = r.scanned() {
	}
	if went.Annulled || went.Reason != verdict.Granted {
		t.Errorf("went through: %+v", went)
	}
	if last := r.present(code); last.Opens {
		t.Errorf("a third time: %+v", last)
	}
	r.end()
}

func TestAgent_ALostSensorTakesNothingBack(t *testing.T) {
	b := peer.TCP(t, 0)
	s := newStation(t)
	// The sensor has a line of its own, by another name of the same machine.
	lanes := strings.Replace(turnstile(b), fmt.Sprintf("sensor: {driver: modbus-tcp, path: %q", b.Address),
		fmt.Sprintf("sensor: {driver: modbus-rtu, path: %q", s.relay.Host), 1)
	far := peer.RTU(t, s.relay.Device)
	r := s.start(s.settings(lanes), deps(0))
	r.until("the sensor is ok", sensorIs(devices.OK))
	code := s.code()
	if got := r.present(code); !got.Opens {
		t.Fatalf("presented: %+v", got)
	}
	check(t, s.relay.Unplug())
	r.until("the sensor is lost", sensorIs(devices.Lost))
	<-time.After(1500 * time.Millisecond) // the time to go through is over
	check(t, s.relay.Replug())
	r.until("the sensor is ok again", sensorIs(devices.OK))
	if got := r.present(code); got.Opens || !got.Repeat {
		t.Errorf("presented again: %+v", got)
	}
	far.Tell("fine")
	r.end()
}

func TestParseConfig_BarriersAndSensorsThatCannotBe(t *testing.T) {
	for lane, want := range map[string]string{
		`{name: a, barrier: {driver: lcus, path: /dev/x, fail: open}}`:                                                      `lanes[0].barrier: fail "open": want secure or safe`,
		`{name: a, barrier: {driver: none, interlock: x}}`:                                                                  "lanes[0].barrier: interlock",
		`{name: a, barrier: {driver: modbus-tcp, path: host, unit: 300}}`:                                                   "lanes[0].barrier: barrier: unit 300 is not in 1 to 247",
		`{name: a, barrier: {driver: modbus-tcp, path: "host:port"}}`:                                                       "want host or host:port",
		`{name: a, barrier: {driver: modbus-rtu, path: /dev/x, channel: 70000}}`:                                            "channel 70000",
		`{name: a, sensor: {driver: modbus-tcp, path: host}}`:                                                               "lanes[0].sensor: without a barrier",
		`{name: a, barrier: {driver: lcus, path: /dev/x}, sensor: {driver: modbus-tcp, path: host, timeout_ms: 10}}`:        "lanes[0].sensor: timeout_ms 10 is not in 1000 to 60000",
		`{name: a, barrier: {driver: lcus, path: /dev/x}, sensor: {driver: lcus, path: host}}`:                              `lanes[0].sensor: input: unknown driver "lcus"`,
		`{name: a, barrier: {driver: lcus, path: /dev/x}, sensor: {driver: modbus-tcp, baud: 9600, path: "192.0.2.1:502"}}`: "baud 9600: a network has none",
	} {
		_, err := agent.ParseConfig("gate.yaml", []byte("server: https://gate.example.edu\ndata: /x\nlanes:\n  - "+lane+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", lane, err, want)
		}
	}
}
