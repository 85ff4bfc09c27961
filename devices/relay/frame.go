package relay

import (
	"fmt"
	"maps"
	"slices"
)

// Board is a family of relay boards that are told what to do by a few bytes on a
// serial line and answer nothing.
type Board struct {
	// Channels is the number of relays on the largest board of the family.
	Channels int
	// Frame switches one of them, from 1.
	Frame func(channel byte, on bool) []byte
}

// Boards are the families by name. All are at 9600 baud, 8N1. What they are sold
// as differs, and so may the frames of two boards that look alike: where one
// does nothing, try the next.
var Boards = map[string]Board{
	// LCUS-1 to LCUS-8: A0, channel, operation, and the low byte of their sum.
	"lcus": {8, func(ch byte, on bool) []byte {
		op := bit(on, 1, 0)
		return []byte{0xA0, ch, op, 0xA0 + ch + op}
	}},
	// Copies of LCUS-1 with one byte for each operation. (CC would be a pulse of
	// one second; the pulse here is ours.)
	"lcus-aa": {1, func(_ byte, on bool) []byte { return []byte{bit(on, 0xAA, 0xBB)} }},
	// Copies that take letters.
	"lcus-letter": {1, func(_ byte, on bool) []byte { return []byte{bit(on, 'A', 'a')} }},
	"lcus-d0":     {1, func(_ byte, on bool) []byte { return []byte{0xD0, bit(on, 1, 0)} }},
	// KMtronic: FF, channel, operation.
	"kmtronic": {8, func(ch byte, on bool) []byte { return []byte{0xFF, ch, bit(on, 1, 0)} }},
}

// BoardNames lists the families.
func BoardNames() []string { return slices.Sorted(maps.Keys(Boards)) }

// Line is an open serial port. Write and Alive must return in bounded time.
type Line interface {
	Write([]byte) (int, error)
	// Alive returns an error when the device is gone.
	Alive() error
	Close() error
}

// On makes a Port of one relay of a board on a line. Channel 0 means 1.
func (b Board) On(line Line, channel int) Port {
	return &wired{Line: line, board: b, channel: byte(max(channel, 1))}
}

// Check refuses a channel that no board of the family has.
func (b Board) Check(channel int) error {
	if channel < 0 || channel > b.Channels {
		return fmt.Errorf("channel %d is not in 1 to %d", channel, b.Channels)
	}
	return nil
}

// wired is a relay that is told by frames.
type wired struct {
	Line
	board   Board
	channel byte
}

func (w *wired) Switch(on bool) error {
	_, err := w.Write(w.board.Frame(w.channel, on))
	return err
}

func bit(on bool, yes, no byte) byte {
	if on {
		return yes
	}
	return no
}
