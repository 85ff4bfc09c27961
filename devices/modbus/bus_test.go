package modbus_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"campusgate/devices/modbus"
	"campusgate/devices/modbus/peer"
)

const patience = 20 * time.Second

func TestTCP_CoilsAndInputsOfAnotherLibrary(t *testing.T) {
	b := peer.TCP(t, 0)
	bus, err := modbus.OpenTCP(b.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bus.Close() }()
	exercise(t, b, bus)
	// A board that answers for another unit, or not at all, is given up.
	b.Tell("mute")
	start := time.Now()
	if err := bus.WriteCoil(1, 0, true); err == nil || time.Since(start) > time.Second {
		t.Errorf("a mute board: %v after %v", err, time.Since(start))
	}
	b.Tell("fine")
	if _, err := bus.ReadCoil(1, 0); err == nil {
		t.Error("a line that failed was used again")
	}
}

// exercise does everything that a board can do.
func exercise(t *testing.T, b *peer.Board, bus *modbus.Bus) {
	t.Helper()
	for _, on := range []bool{true, false, true} {
		want := "3 0"
		if on {
			want = "3 1"
		}
		if err := bus.WriteCoil(1, 3, on); err != nil {
			t.Fatal(err)
		}
		if got := b.Coil(); got != want {
			t.Errorf("coil %s, want %s", got, want)
		}
		if got, err := bus.ReadCoil(1, 3); err != nil || got != on {
			t.Errorf("read back %v, %v", got, err)
		}
		if got, err := bus.ReadCoil(1, 4); err != nil || got {
			t.Errorf("its neighbour %v, %v", got, err)
		}
	}
	b.Tell("input 15 1")
	for address, want := range map[uint16]bool{15: true, 14: false} {
		if got, err := bus.ReadInput(1, address); err != nil || got != want {
			t.Errorf("input %d: %v, %v", address, got, err)
		}
	}
	var no modbus.Exception
	if err := bus.WriteCoil(1, 16, true); !errors.As(err, &no) || no != 2 || !strings.Contains(err.Error(), "no such channel") {
		t.Errorf("a coil that is not there: %v", err)
	}
	if _, err := bus.ReadInput(1, 16); !errors.As(err, &no) {
		t.Errorf("an input that is not there: %v", err)
	}
	if _, err := bus.ReadCoil(1, 3); err != nil {
		t.Errorf("after exceptions: %v", err)
	}
}

func TestTCP_EverybodySharesOneConnection(t *testing.T) {
	b := peer.TCP(t, 0)
	var buses []*modbus.Bus
	for range 8 {
		bus, err := modbus.OpenTCP(b.Address)
		if err != nil {
			t.Fatal(err)
		}
		buses = append(buses, bus)
	}
	done := make(chan error)
	for i, bus := range buses {
		go func() {
			for range 50 {
				if err := bus.WriteCoil(1, uint16(i), true); err != nil {
					done <- err
					return
				}
			}
			_, err := bus.ReadCoil(1, uint16(i))
			done <- err
		}()
	}
	for range buses {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i, bus := range buses {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
		if i < len(buses)-1 {
			if _, err := buses[len(buses)-1].ReadCoil(1, 0); err != nil {
				t.Fatalf("after %d left: %v", i+1, err)
			}
		}
	}
}

// script answers each question on a TCP connection with the next answer.
func script(t *testing.T, answers ...string) *modbus.Bus {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for _, a := range answers {
			if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
				return
			}
			raw, _ := hex.DecodeString(strings.ReplaceAll(a, " ", ""))
			if _, err := conn.Write(raw); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}()
	bus, err := modbus.OpenTCP(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	return bus
}

func TestTCP_WrongAnswersMoveNothingAndAreErrors(t *testing.T) {
	for name, answer := range map[string]string{
		"another unit":          "0001 0000 0004 02 01 01 01",
		"another function":      "0001 0000 0004 01 02 01 01",
		"two bytes of bits":     "0001 0000 0005 01 01 02 01 00",
		"another protocol":      "0001 0001 0004 01 01 01 01",
		"no length":             "0001 0000 0000",
		"an endless length":     "0001 0000 FFFF 01",
		"less than it promises": "0001 0000 0009 01 01 01 01",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bus := script(t, answer)
			start := time.Now()
			if _, err := bus.ReadCoil(1, 0); err == nil {
				t.Error("no error")
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("it took %v", took)
			}
			if err := bus.Alive(); err == nil {
				t.Error("the line is still in use")
			}
		})
	}
}

func TestTCP_ALateAnswerToAnEarlierQuestionIsSkipped(t *testing.T) {
	bus := script(t, "0000 0000 0004 01 01 01 00"+"0001 0000 0004 01 01 01 01")
	if on, err := bus.ReadCoil(1, 0); err != nil || !on {
		t.Errorf("%v, %v", on, err)
	}
}

func TestAnInputTellsItsStateAndEachChangeOnce(t *testing.T) {
	b := peer.TCP(t, 0)
	for _, inverted := range []bool{false, true} {
		in := &modbus.Contact{Place: modbus.Place{
			Open: func() (*modbus.Bus, error) { return modbus.OpenTCP(b.Address) }, Name: "board", Unit: 1, Address: 2,
		}, Inverted: inverted}
		b.Tell("input 2 0")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		states, done := make(chan bool, 10), make(chan error, 1)
		go func() { done <- in.Run(ctx, func(active bool) { states <- active }) }()
		for i, want := range []bool{false, true, false, true} {
			if i > 0 {
				b.Tell("input 2 %d", i%2)
			}
			select {
			case got := <-states:
				if got != (want != inverted) {
					t.Errorf("inverted %v: state %v", inverted, got)
				}
			case <-ctx.Done():
				t.Fatal("no state")
			}
		}
		if name, err := in.Probe(ctx); err != nil || name != "board unit 1 input 3: closed" {
			t.Errorf("Probe: %q, %v", name, err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if len(states) != 0 {
			t.Errorf("%d changes too many", len(states))
		}
	}
}
