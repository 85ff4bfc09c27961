//go:build linux

package relay_test

import (
	"testing"
	"time"

	"campusgate/devices/drivers"
	"campusgate/devices/modbus/peer"
)

// until waits for a move of relay 1 of a board.
func until(t *testing.T, b *peer.Board, want string) {
	t.Helper()
	for b.Coil() != want {
	}
}

func TestModbus_OffFollowsHoweverOnFailed(t *testing.T) {
	for name, manner := range map[string]string{"not done": "mute", "done, and the answer lost": "lose"} {
		for transport, open := range map[string]func(*testing.T) (flapper, *peer.Board){"modbus-rtu": rtuBoard, "modbus-tcp": tcpBoard} {
			t.Run(transport+" "+name, func(t *testing.T) {
				t.Parallel()
				f, b := open(t)
				f.config.PulseMS = 20
				r, err := drivers.NewBarrier(f.driver, f.config)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = r.Close() })
				until(t, b, "0 0")
				b.Tell("%s", manner)
				if err := r.Open(t.Context()); err == nil {
					t.Error("Open gave no error")
				}
				if manner == "lose" {
					until(t, b, "0 1") // it did open
					until(t, b, "0 0")
				}
				b.Tell("fine")
				until(t, b, "0 0")
				if err := r.Open(t.Context()); err != nil {
					t.Errorf("the next Open: %v", err)
				}
				until(t, b, "0 1")
				until(t, b, "0 0")
			})
		}
	}
}

// A board that was without power for a moment comes back with its relays off: one
// that rests on holds the gate again, without anybody passing.
func TestModbus_ARelayThatRestsOnIsPutBackAfterAPowerCut(t *testing.T) {
	f, b := tcpBoard(t)
	f.config.Inverted = true
	r, err := drivers.NewBarrier(f.driver, f.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	until(t, b, "0 1")
	b.Tell("reset")
	start := time.Now()
	until(t, b, "0 1")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("after %v", took)
	}
}
