package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The functions that are used. Everything else of Modbus is not needed to open
// a barrier.
const (
	readCoils  = 0x01
	readInputs = 0x02
	writeCoil  = 0x05

	exceptionBit = 0x80
	coilOn       = 0xFF00
)

// ErrAnswer is wrapped when an answer does not belong to the question.
var ErrAnswer = errors.New("not an answer to the question")

// Exception is what a board answers instead of doing what it was asked.
type Exception byte

func (e Exception) Error() string {
	switch e {
	case 1:
		return "the board does not know the function (exception 1)"
	case 2:
		return "the board has no such channel (exception 2)"
	case 3:
		return "the board refuses the value (exception 3)"
	case 6:
		return "the board is busy (exception 6)"
	case 11:
		return "the board behind the gateway does not answer (exception 11)"
	}
	return fmt.Sprintf("the board answers exception %d", byte(e))
}

// question makes a PDU: function, address, and a value or the number of bits.
func question(function byte, address, value uint16) []byte {
	pdu := binary.BigEndian.AppendUint16([]byte{function}, address)
	return binary.BigEndian.AppendUint16(pdu, value)
}

// answerLength is how long the PDU of the answer to a question is. All reads
// are of one bit.
func answerLength(question []byte) int {
	if question[0] == writeCoil {
		return len(question) // the answer repeats it
	}
	return 3 // function, number of bytes, bits
}

// matches says whether a PDU can answer a question, as far as a PDU shows it.
func matches(question, answer []byte) bool {
	if len(answer) == 2 {
		return answer[0] == question[0]|exceptionBit
	}
	if len(answer) != answerLength(question) || answer[0] != question[0] {
		return false
	}
	if question[0] == writeCoil {
		return string(question) == string(answer)
	}
	return answer[1] == 1
}
