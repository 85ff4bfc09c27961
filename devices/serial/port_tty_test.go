//go:build linux

package serial_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"campusgate/devices/serial"
)

// TestAFrameThatWasGivenUpNeverArrives fills the queue of a real terminal that
// nobody reads with numbered frames. Once the far end reads again, the frame
// whose write timed out must not come: it would open a barrier for nobody.
func TestAFrameThatWasGivenUpNeverArrives(t *testing.T) {
	bothPorts(t, aFrameThatWasGivenUpNeverArrives)
}

func aFrameThatWasGivenUpNeverArrives(t *testing.T, on func(string) serial.ScannerConfig) {
	far := terminal(t)
	c := on(far.Path).Config
	c.WriteTimeout = 500 * time.Millisecond
	p := open(t, c)
	var frame []byte
	var took time.Duration
	var err error
	for i := uint32(1); err == nil; i++ {
		if i > 1_000_000 {
			t.Fatal("the queue never filled")
		}
		frame = binary.BigEndian.AppendUint32(nil, i)
		start := time.Now()
		_, err = p.Write(frame)
		took = time.Since(start)
	}
	if !errors.Is(err, serial.ErrWriteTimeout) {
		t.Fatalf("Write: %v", err)
	}
	if took > 2*time.Second {
		t.Errorf("Write took %v", took)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	next := open(t, on(far.Path).Config)
	guard := time.AfterFunc(patience, func() { _ = far.Close() })
	defer guard.Stop()
	go func() { _, _ = next.Write([]byte("LAST")) }() // goes through once there is room
	var got []byte
	for buf := make([]byte, 4096); !bytes.HasSuffix(got, []byte("LAST")); {
		n, err := far.Read(buf)
		if err != nil {
			t.Fatalf("after %d bytes: %v", len(got), err)
		}
		got = append(got, buf[:n]...)
	}
	if bytes.Contains(got, frame) {
		t.Errorf("frame % X arrived after all", frame)
	}
}
