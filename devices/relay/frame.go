package relay

// The operations of a frame.
const (
	opOff = 0x00
	opOn  = 0x01
)

// Channels is the number of relays on the largest board of the family.
const Channels = 8

// frameStart begins every frame of an LCUS board.
const frameStart = 0xA0

// frame is the command of the LCUS boards (9600 baud, 8N1): start, channel,
// operation, and the low byte of their sum. A0 01 01 A2 switches relay 1 on.
func frame(channel int, op byte) []byte {
	ch := byte(channel)
	return []byte{frameStart, ch, op, frameStart + ch + op}
}
