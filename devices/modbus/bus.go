// Package modbus switches relays and reads contacts of Modbus boards, RTU on a
// serial line and TCP: coils are written and read back, discrete inputs are read.
package modbus

import (
	"errors"
	"fmt"
	"sync"

	"campusgate/devices"
)

var (
	// ErrSilent is wrapped when a board does not answer.
	ErrSilent = errors.New("no answer")

	// errLine marks faults after which a line is of no further use.
	errLine = errors.New("line failed")
)

// Bus is a line to one board or more. Everything in this process that names the
// same line shares it, because a serial port and many boards admit one user
// only. Safe for concurrent use; one question is on its way at a time.
type Bus struct{ *devices.Share[*shared] }

// shared is an open line.
type shared struct {
	name string
	line line

	asking sync.Mutex // one question at a time; also covers broken
	broken error
}

// Close closes the line, after its last user.
func (s *shared) Close() error { return s.line.Close() }

type line interface {
	// exchange puts a question to a unit. An error that wraps errLine is of the
	// line, any other of the board.
	exchange(unit byte, question []byte) (answer []byte, err error)
	// alive returns an error when the line is gone.
	alive() error
	Close() error
}

// pool is the open lines by name.
var pool devices.Pool[*shared]

// OpenTCP opens the line to host:port, or joins those who have it open.
func OpenTCP(address string) (*Bus, error) {
	return join(address, func() (line, error) { return dialTCP(address) })
}

// OpenRTU opens the serial line of that name with dial, or joins those who have
// it open.
func OpenRTU(name string, dial func() (Serial, error)) (*Bus, error) {
	return join(name, func() (line, error) {
		s, err := dial()
		if err != nil {
			return nil, err
		}
		return &rtu{Serial: s}, nil
	})
}

func join(name string, dial func() (line, error)) (*Bus, error) {
	s, err := pool.Join(name, func() (*shared, error) {
		l, err := dial()
		return &shared{name: name, line: l}, err
	})
	if err != nil {
		return nil, fmt.Errorf("modbus %s: %w", name, err)
	}
	return &Bus{s}, nil
}

// Alive returns an error when the line is gone. It says nothing of a board.
func (b *Bus) Alive() error {
	s := b.Of
	s.asking.Lock()
	defer s.asking.Unlock()
	if s.broken == nil {
		if err := s.line.alive(); err != nil {
			b.spoil(fmt.Errorf("modbus %s: %w", s.name, err))
		}
	}
	return s.broken
}

// WriteCoil switches a coil; the first has address 0.
func (b *Bus) WriteCoil(unit byte, address uint16, on bool) error {
	value := uint16(0)
	if on {
		value = coilOn
	}
	_, err := b.ask(unit, question(writeCoil, address, value))
	return err
}

// ReadCoil tells whether a coil is on.
func (b *Bus) ReadCoil(unit byte, address uint16) (bool, error) {
	return b.bit(unit, question(readCoils, address, 1))
}

// ReadInput tells whether a discrete input is on.
func (b *Bus) ReadInput(unit byte, address uint16) (bool, error) {
	return b.bit(unit, question(readInputs, address, 1))
}

func (b *Bus) bit(unit byte, question []byte) (bool, error) {
	answer, err := b.ask(unit, question)
	if err != nil {
		return false, err
	}
	return answer[2]&1 != 0, nil
}

func (b *Bus) ask(unit byte, question []byte) ([]byte, error) {
	s := b.Of
	s.asking.Lock()
	defer s.asking.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	answer, err := s.line.exchange(unit, question)
	if err == nil && answer[0]&exceptionBit != 0 {
		err = Exception(answer[1])
	}
	if err == nil {
		return answer, nil
	}
	err = fmt.Errorf("modbus %s unit %d: %w", s.name, unit, err)
	if errors.Is(err, errLine) {
		b.spoil(err)
	}
	return nil, err
}

// spoil makes every later call return err. asking is held.
func (b *Bus) spoil(err error) {
	b.Of.broken = err
	b.Forget()
}
