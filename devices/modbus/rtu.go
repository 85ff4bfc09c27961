package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// maxGarbage is how long a line that is never quiet is listened to.
const maxGarbage = 500 * time.Millisecond

// Serial is an open serial port. Read waits for about 0.2 s and returns 0 and
// nil when nothing came. *serial.Port is one.
type Serial interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	// Alive returns an error when the device is gone.
	Alive() error
	Close() error
}

// rtu speaks Modbus RTU. A frame is the board's unit, the PDU and a CRC. Frames
// have no number: the answer to an earlier question is told from this one's by
// letting the line become quiet first.
type rtu struct {
	Serial
	late bool // the answer to an earlier question may still come
}

func (r *rtu) exchange(unit byte, question []byte) ([]byte, error) {
	// A frame is lost now and then on a long cable. Every question may be put
	// twice: to switch on what is on does nothing.
	answer, err := r.once(unit, question)
	if errors.Is(err, ErrSilent) {
		answer, err = r.once(unit, question)
	}
	return answer, err
}

func (r *rtu) once(unit byte, question []byte) ([]byte, error) {
	if r.late {
		if err := r.quiet(); err != nil {
			return nil, err
		}
	}
	if _, err := r.Write(seal(append([]byte{unit}, question...))); err != nil {
		return nil, fmt.Errorf("%w: %w", errLine, err)
	}
	r.late = true
	var got []byte
	buf := make([]byte, 256)
	for start := time.Now(); time.Since(start) < maxGarbage; {
		n, err := r.Read(buf)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errLine, err)
		}
		if n == 0 {
			break
		}
		got = append(got, buf[:n]...)
		if answer := find(got, unit, question); answer != nil {
			r.late = false
			return answer, nil
		}
	}
	return nil, ErrSilent
}

// quiet reads until nothing comes any more.
func (r *rtu) quiet() error {
	buf := make([]byte, 256)
	for start := time.Now(); time.Since(start) < maxGarbage; {
		n, err := r.Read(buf)
		if err != nil {
			return fmt.Errorf("%w: %w", errLine, err)
		}
		if n == 0 {
			r.late = false
			return nil
		}
	}
	return ErrSilent
}

// find looks for the answer in what came: noise may stand before it, and with
// some adapters the question itself.
func find(got []byte, unit byte, question []byte) []byte {
	for i := range got {
		for _, n := range []int{2, answerLength(question)} {
			end := i + 1 + n
			if got[i] != unit || end+2 > len(got) || !matches(question, got[i+1:end]) {
				continue
			}
			if binary.LittleEndian.Uint16(got[end:]) == crc(got[i:end]) {
				return got[i+1 : end]
			}
		}
	}
	return nil
}

func (r *rtu) alive() error { return r.Alive() }

// seal adds the CRC.
func seal(frame []byte) []byte { return binary.LittleEndian.AppendUint16(frame, crc(frame)) }

// crc is CRC-16/MODBUS: 0xA001 reflected, started with ones.
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xA001
			} else {
				sum >>= 1
			}
		}
	}
	return sum
}
