package hid

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrNoScanner is wrapped when a HID device is no HID POS scanner, or one whose
// reports are of no known shape.
var ErrNoScanner = errors.New("not a HID POS scanner")

// Usages of the HID Point of Sale tables, version 1.02.
const (
	posPage       = 0x8C
	symbology     = posPage<<16 | 0xFB // and the two after it
	decodedData   = posPage<<16 | 0xFE
	dataContinued = posPage<<16 | 0xFF
	byteCount     = 0x01<<16 | 0x3B
)

// shape is where the parts of a report lie, in bytes; -1 where there is none.
type shape struct {
	size      int // of the whole report
	length    int // of the data, one byte
	symbology [3]int
	data, max int
	// more is the byte whose bit moreBit tells that the code goes on in the next
	// report. Where there is none, a full report goes on.
	more    int
	moreBit uint
}

// The reports of scanners whose descriptor does not say what is what: with the
// number 2 those of Access-IS and Honeywell, with the number 1 those of Microscan.
var known = map[uint8]shape{
	1: {size: 64, length: 1, symbology: [3]int{-1, -1, -1}, data: 2, max: 62, more: -1},
	2: {size: 64, length: 1, symbology: [3]int{2, 3, 4}, data: 5, max: 56, more: 63},
}

// Reports reads the input reports of a HID POS scanner. It is pure and keeps the
// state of a code that is spread over several reports; one goroutine uses it.
type Reports struct {
	shapes   map[uint8]shape
	numbered bool
	going    bool
}

// NewReports learns from a report descriptor where a scanner puts its data.
func NewReports(descriptor []byte) (*Reports, error) {
	d, err := ParseDescriptor(descriptor)
	if err != nil {
		return nil, err
	}
	r := &Reports{shapes: map[uint8]shape{}, numbered: d.Numbered}
	if !isPOS(d) {
		return nil, ErrNoScanner
	}
	for number := range d.Bits {
		if s, ok := described(d, number); ok {
			r.shapes[number] = s
		}
	}
	if len(r.shapes) > 0 {
		return r, nil
	}
	for number, bits := range d.Bits {
		if s, ok := known[number]; ok && bits == 8*s.size {
			r.shapes[number] = s
		}
	}
	if len(r.shapes) == 0 {
		return nil, fmt.Errorf("%w: its reports are of no known shape", ErrNoScanner)
	}
	return r, nil
}

// isPOS: an outermost collection is of the page of bar code scanners.
func isPOS(d Descriptor) bool {
	for _, usage := range d.Applications {
		if usage>>16 == posPage {
			return true
		}
	}
	return false
}

// described is the shape of a report that its fields name.
func described(d Descriptor, number uint8) (shape, bool) {
	s := shape{size: (d.Bits[number] + 7) / 8, length: -1, symbology: [3]int{-1, -1, -1}, data: -1, more: -1}
	for _, f := range d.Fields {
		if f.Report != number {
			continue
		}
		for i, usage := range f.Usages[:min(len(f.Usages), f.Count)] {
			at := f.Offset + i*f.Bits
			switch whole := f.Bits == 8 && at%8 == 0; {
			case usage == dataContinued && f.Bits > 0:
				s.more, s.moreBit = at/8, uint(at%8)
			case !whole:
			case usage == byteCount:
				s.length = at / 8
			case usage >= symbology && usage < symbology+3:
				s.symbology[usage-symbology] = at / 8
			case usage == decodedData:
				s.data, s.max = at/8, f.Count-i
			}
		}
	}
	return s, s.data >= 0
}

// Take returns the bytes of a code that the report holds: what a serial scanner
// would send, with the AIM identifier in front and CR at its end. A report of
// another kind, or one cut short, is none of it.
//
// Some scanners announce that a code goes on when it ended exactly at the end of
// a report. Then there is no CR, and only silence ends it.
func (r *Reports) Take(report []byte) []byte {
	var number uint8
	if r.numbered && len(report) > 0 {
		number = report[0]
	}
	s, ok := r.shapes[number]
	if !ok || len(report) < s.size {
		return nil
	}
	data := report[s.data : s.data+s.max]
	if s.length >= 0 {
		data = data[:min(int(report[s.length]), s.max)]
	} else {
		data = bytes.TrimRight(data, "\x00")
	}
	goesOn := len(data) == s.max
	if s.more >= 0 {
		goesOn = report[s.more]>>s.moreBit&1 == 1
	}
	var out []byte
	if !r.going {
		out = s.identifier(report)
	}
	out = append(out, data...)
	if r.going = goesOn; !goesOn {
		out = append(out, '\r')
	}
	return out
}

// Quiet tells that nothing followed for a while: the next report begins a code.
func (r *Reports) Quiet() { r.going = false }

// identifier is the AIM identifier, whose first character some scanners leave out.
func (s shape) identifier(report []byte) []byte {
	id := []byte{']', 0, 0}
	for i, at := range s.symbology {
		if at < 0 {
			return nil
		}
		if report[at] != 0 || i > 0 {
			id[i] = report[at]
		}
	}
	if id[1] == 0 {
		return nil
	}
	return id
}
