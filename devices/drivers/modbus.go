package drivers

import (
	"fmt"
	"net"
	"strconv"

	"campusgate/devices"
	"campusgate/devices/modbus"
	"campusgate/devices/relay"
	"campusgate/devices/serial"
)

const (
	maxUnit    = 247     // of a serial line
	maxChannel = 0x10000 // addresses are 16 bits, channels count from 1
)

// rtuPlace is a channel of a Modbus board on a serial line, usually RS-485.
func rtuPlace(path string, baud, unit, channel int) (modbus.Place, error) {
	port := serial.Config{Path: path, Baud: baud}
	if err := port.Check(); err != nil {
		return modbus.Place{}, err
	}
	return place(path, unit, channel, func() (*modbus.Bus, error) {
		return modbus.OpenRTU(path, func() (modbus.Serial, error) {
			p, err := serial.Open(port)
			if err != nil {
				return nil, err // not p: a nil *serial.Port would be a Serial
			}
			return p, nil
		})
	})
}

// tcpPlace is a channel of a Modbus board on the network.
func tcpPlace(path string, baud, unit, channel int) (modbus.Place, error) {
	address := path
	if _, _, err := net.SplitHostPort(path); err != nil {
		address = net.JoinHostPort(path, modbus.DefaultPort)
	}
	host, port, err := net.SplitHostPort(address)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host == "" {
		return modbus.Place{}, fmt.Errorf("path %q: want host or host:port", path)
	}
	if baud != 0 {
		return modbus.Place{}, fmt.Errorf("baud %d: a network has none", baud)
	}
	return place(address, unit, channel, func() (*modbus.Bus, error) { return modbus.OpenTCP(address) })
}

func place(name string, unit, channel int, open func() (*modbus.Bus, error)) (modbus.Place, error) {
	if unit == 0 {
		unit = 1
	}
	if channel == 0 {
		channel = 1
	}
	if unit < 1 || unit > maxUnit {
		return modbus.Place{}, fmt.Errorf("unit %d is not in 1 to %d", unit, maxUnit)
	}
	if channel < 1 || channel > maxChannel {
		return modbus.Place{}, fmt.Errorf("channel %d is not in 1 to %d", channel, maxChannel)
	}
	return modbus.Place{Open: open, Name: name, Unit: byte(unit), Address: uint16(channel - 1)}, nil
}

// placer finds a channel of a board.
type placer func(path string, baud, unit, channel int) (modbus.Place, error)

// modbusBarrier makes a barrier driver: a coil of a board.
func modbusBarrier(at placer) BarrierDriver {
	return BarrierDriver{
		Check: func(c BarrierConfig) error {
			_, err := at(c.Path, c.Baud, c.Unit, c.Channel)
			return err
		},
		New: func(c BarrierConfig) (devices.Barrier, error) {
			p, err := at(c.Path, c.Baud, c.Unit, c.Channel)
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("%s unit %d channel %d", p.Name, p.Unit, int(p.Address)+1)
			return pulsed(c, name, func() (relay.Port, error) {
				coil, err := modbus.OpenCoil(p)
				if err != nil {
					return nil, err // not coil: a nil *modbus.Coil would be a Port
				}
				return coil, nil
			})
		},
	}
}

// modbusInput makes an input driver: a discrete input of a board.
func modbusInput(at placer) func(InputConfig) (devices.Input, error) {
	return func(c InputConfig) (devices.Input, error) {
		p, err := at(c.Path, c.Baud, c.Unit, c.Channel)
		if err != nil {
			return nil, err
		}
		return &modbus.Contact{Place: p, Inverted: c.Inverted}, nil
	}
}
