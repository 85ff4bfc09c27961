package modbus

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	// DefaultPort is where Modbus TCP boards listen.
	DefaultPort = "502"
	dialTimeout = 500 * time.Millisecond
	// answerTimeout is far above the few milliseconds that a board takes.
	answerTimeout = 300 * time.Millisecond
	// headerLength: number of the question, protocol 0, length, unit.
	headerLength = 7
	maxPDU       = 253
)

// tcp speaks Modbus TCP. Every frame carries the number of its question.
type tcp struct {
	net.Conn
	last uint16
}

func dialTCP(address string) (line, error) {
	conn, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		return nil, err
	}
	return &tcp{Conn: conn}, nil
}

// exchange gives the line up after any fault: a board that was switched off does
// not say so, and a new connection finds it as soon as it is back.
func (t *tcp) exchange(unit byte, question []byte) ([]byte, error) {
	if err := t.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, fmt.Errorf("%w: %w", errLine, err)
	}
	t.last++
	frame := binary.BigEndian.AppendUint16(nil, t.last)
	frame = binary.BigEndian.AppendUint16(frame, 0)
	frame = binary.BigEndian.AppendUint16(frame, uint16(1+len(question)))
	frame = append(append(frame, unit), question...)
	if _, err := t.Write(frame); err != nil {
		return nil, fmt.Errorf("%w: %w", errLine, err)
	}
	for {
		number, from, pdu, err := t.receive()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errLine, err)
		case number != t.last: // of an earlier question
		case from != unit || !matches(question, pdu):
			return nil, fmt.Errorf("%w: %w", errLine, ErrAnswer)
		default:
			return pdu, nil
		}
	}
}

func (t *tcp) receive() (number uint16, unit byte, pdu []byte, err error) {
	var h [headerLength]byte
	if _, err := io.ReadFull(t, h[:]); err != nil {
		return 0, 0, nil, err
	}
	n := int(binary.BigEndian.Uint16(h[4:])) - 1
	if binary.BigEndian.Uint16(h[2:]) != 0 || n < 1 || n > maxPDU {
		return 0, 0, nil, fmt.Errorf("%w: not Modbus TCP", ErrAnswer)
	}
	pdu = make([]byte, n)
	_, err = io.ReadFull(t, pdu)
	return binary.BigEndian.Uint16(h[:]), h[6], pdu, err
}

// alive: a question to the board tells, nothing else does.
func (t *tcp) alive() error { return nil }
