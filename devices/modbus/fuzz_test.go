package modbus_test

import (
	"testing"

	"campusgate/devices/modbus"
)

// FuzzFind: whatever stands on an RS-485 line, what is taken for an answer fits
// the question.
func FuzzFind(f *testing.F) {
	read, write := []byte{1, 0, 0, 0, 1}, []byte{5, 0, 0, 0xFF, 0}
	f.Add([]byte{1, 1, 1, 1, 0x90, 0x48})
	f.Add([]byte{0xFF, 1, 1, 1, 1, 0x90, 0x48, 0})
	f.Add([]byte{1, 0x81, 2, 0xC1, 0x91})
	f.Add([]byte{1, 5, 0, 0, 0xFF, 0, 0x8C, 0x3A})
	f.Fuzz(func(t *testing.T, came []byte) {
		for _, question := range [][]byte{read, write} {
			if a := modbus.Find(came, 1, question); a != nil && a[0]&^0x80 != question[0] {
				t.Errorf("%x is taken for the answer to %x", a, question)
			}
		}
	})
}
