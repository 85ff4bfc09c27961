package hid

import (
	"errors"
	"fmt"
)

// ErrDescriptor is wrapped for a report descriptor that cannot be read.
var ErrDescriptor = errors.New("bad report descriptor")

const (
	// maxDescriptor is the longest descriptor that the kernel passes on.
	maxDescriptor = 4096
	// maxReportBits is the longest report that the kernel passes on.
	maxReportBits = 16 * 1024 * 8
	// maxPushed bounds the stack of a descriptor.
	maxPushed = 16
)

// Field is a part of an input report: Count elements of Bits bits each.
type Field struct {
	// Report is the report's number; 0 where reports have none.
	Report uint8
	// Offset is where the field begins, in bits; the number of the report counts.
	Offset int
	// Bits is the size of an element, Count how many there are.
	Bits, Count int
	// Usages are what the elements mean, usage page in the upper half. The last
	// one is that of all elements left.
	Usages []uint32
}

// Descriptor is what a report descriptor says about input.
type Descriptor struct {
	// Applications are the usages of the outermost collections.
	Applications []uint32
	// Fields are the fields of the input reports, without padding.
	Fields []Field
	// Numbered: every report begins with its number.
	Numbered bool
	// Bits is the length of each input report by its number.
	Bits map[uint8]int
}

// globals are the items that hold until they change.
type globals struct {
	page        uint32
	bits, count int
	report      uint8
}

// reader is the state of ParseDescriptor.
type reader struct {
	d         Descriptor
	g         globals
	pushed    []globals
	usages    []uint32
	low       uint32
	collected int
}

// ParseDescriptor reads a HID report descriptor (HID 1.11, section 6.2.2).
func ParseDescriptor(b []byte) (Descriptor, error) {
	if len(b) > maxDescriptor {
		return Descriptor{}, fmt.Errorf("%w: %d bytes", ErrDescriptor, len(b))
	}
	r := reader{d: Descriptor{Bits: map[uint8]int{}}}
	for at := 0; at < len(b); {
		head := b[at]
		if head == 0xFE { // a long item; none is defined
			if at+2 >= len(b) {
				return Descriptor{}, fmt.Errorf("%w: it ends inside an item", ErrDescriptor)
			}
			at += 3 + int(b[at+1])
			continue
		}
		size := int(head & 3)
		if size == 3 {
			size = 4
		}
		if at+1+size > len(b) {
			return Descriptor{}, fmt.Errorf("%w: it ends inside an item", ErrDescriptor)
		}
		var value uint32
		for i, v := range b[at+1 : at+1+size] {
			value |= uint32(v) << (8 * i)
		}
		if err := r.item(head&^3, value, size); err != nil {
			return Descriptor{}, fmt.Errorf("%w: byte %d: %w", ErrDescriptor, at, err)
		}
		at += 1 + size
	}
	return r.d, nil
}

// The items that matter here.
const (
	itemInput, itemCollection, itemEnd          = 0x80, 0xA0, 0xC0
	itemPage, itemBits, itemReport, itemCount   = 0x04, 0x74, 0x84, 0x94
	itemPush, itemPop                           = 0xA4, 0xB4
	itemUsage, itemUsageMinimum, itemUsageLimit = 0x08, 0x18, 0x28
	itemOutput, itemFeature                     = 0x90, 0xB0
	constant                                    = 1
)

func (r *reader) item(tag byte, value uint32, size int) error {
	switch tag {
	case itemPage:
		r.g.page = value << 16
	case itemBits:
		r.g.bits = int(min(value, maxReportBits+1))
	case itemCount:
		r.g.count = int(min(value, maxReportBits+1))
	case itemReport:
		if value == 0 || value > 0xFF {
			return fmt.Errorf("report %d", value)
		}
		r.g.report, r.d.Numbered = uint8(value), true
	case itemPush:
		if len(r.pushed) == maxPushed {
			return errors.New("pushes without end")
		}
		r.pushed = append(r.pushed, r.g)
	case itemPop:
		if len(r.pushed) == 0 {
			return errors.New("pop of nothing")
		}
		r.g, r.pushed = r.pushed[len(r.pushed)-1], r.pushed[:len(r.pushed)-1]
	case itemUsage:
		r.usages = append(r.usages, r.usage(value, size))
	case itemUsageMinimum:
		r.low = r.usage(value, size)
	case itemUsageLimit:
		for u, high := r.low, r.usage(value, size); u <= high && u-r.low < 0x100; u++ {
			r.usages = append(r.usages, u)
		}
	case itemCollection:
		if r.collected++; r.collected == 1 && len(r.usages) > 0 {
			r.d.Applications = append(r.d.Applications, r.usages[0])
		}
	case itemEnd:
		r.collected--
	case itemInput:
		if err := r.input(value); err != nil {
			return err
		}
	}
	switch tag {
	case itemCollection, itemEnd, itemInput, itemOutput, itemFeature:
		r.usages, r.low = nil, 0 // usages are of one main item
	}
	return nil
}

// usage is a usage with its page, which a long one brings along.
func (r *reader) usage(value uint32, size int) uint32 {
	if size == 4 {
		return value
	}
	return r.g.page | value
}

func (r *reader) input(flags uint32) error {
	at := r.d.Bits[r.g.report]
	if at == 0 && r.g.report != 0 {
		at = 8
	}
	if int64(at)+int64(r.g.bits)*int64(r.g.count) > maxReportBits {
		return errors.New("a report of more than 16 KB")
	}
	if flags&constant == 0 {
		r.d.Fields = append(r.d.Fields, Field{
			Report: r.g.report, Offset: at, Bits: r.g.bits, Count: r.g.count, Usages: r.usages,
		})
	}
	r.d.Bits[r.g.report] = at + r.g.bits*r.g.count
	return nil
}
