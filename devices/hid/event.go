package hid

import (
	"encoding/binary"
	"time"
)

// The types and codes of events that matter here (linux/input-event-codes.h).
const (
	evSyn, evKey, evLED   = 0x00, 0x01, 0x11
	synReport, synDropped = 0, 3
	ledCapsLock           = 1
	keyReleased           = 0
	keyPressed            = 1 // 2 is a repeat
	keyMax                = 0x2ff
	narrowEvent           = 16 // struct input_event of a 32-bit program
	wideEvent             = 24 // and of a 64-bit one
)

// Event is one event of an input device.
type Event struct {
	// At is when it happened, on the clock that the device was asked to use.
	At time.Duration
	// Type, Code and Value are as the kernel defines them.
	Type, Code uint16
	Value      int32
}

// ParseEvents reads what an event device gave to one read: a whole number of
// struct input_event, in the byte order of this machine. Their times are pairs
// of seconds and microseconds, each of 64 bits where wide and of 32 bits
// otherwise. A piece of an event at the end is dropped.
func ParseEvents(b []byte, wide bool) []Event {
	size := narrowEvent
	if wide {
		size = wideEvent
	}
	order := binary.NativeEndian
	events := make([]Event, 0, len(b)/size)
	for ; len(b) >= size; b = b[size:] {
		var sec, usec time.Duration
		if wide {
			sec, usec = time.Duration(order.Uint64(b)), time.Duration(order.Uint64(b[8:]))
		} else {
			sec, usec = time.Duration(order.Uint32(b)), time.Duration(order.Uint32(b[4:]))
		}
		rest := b[size-8:]
		events = append(events, Event{
			At:    sec*time.Second + usec*time.Microsecond,
			Type:  order.Uint16(rest),
			Code:  order.Uint16(rest[2:]),
			Value: int32(order.Uint32(rest[4:])),
		})
	}
	return events
}

// putEvent writes what follows the time of an event.
func putEvent(b []byte, kind, code uint16, value int32) {
	order := binary.NativeEndian
	order.PutUint16(b, kind)
	order.PutUint16(b[2:], code)
	order.PutUint32(b[4:], uint32(value))
}
