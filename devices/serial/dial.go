package serial

import (
	"fmt"
	"time"

	tarm "github.com/tarm/serial"
	bugst "go.bug.st/serial"
)

// The packages that can open a port. Port hides what differs between them.
const (
	// Tarm is github.com/tarm/serial, the usual one.
	Tarm = "tarm"
	// Bugst is go.bug.st/serial: any rate, and adapters on which tarm's timeouts
	// fail. It keeps the port for itself, so that a second program is refused.
	Bugst = "bugst"
)

// dial is Config.Dial.
type dial = func(path string, baud int, timeout time.Duration) (Device, error)

var dials = map[string]dial{"": dialTarm, Tarm: dialTarm, Bugst: dialBugst}

// maxBaud is the fastest rate that Bugst is asked for: USB adapters end there.
const maxBaud = 4_000_000

// bauds are the rates that tarm knows on every system.
var bauds = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

func dialTarm(path string, baud int, timeout time.Duration) (Device, error) {
	p, err := tarm.OpenPort(&tarm.Config{Name: path, Baud: baud, ReadTimeout: timeout})
	if err != nil {
		return nil, err // not p: a nil *tarm.Port would be a Device
	}
	return p, nil
}

// bugstPort is a bugst.Port as a Device.
type bugstPort struct{ bugst.Port }

func dialBugst(path string, baud int, timeout time.Duration) (Device, error) {
	p, err := bugst.Open(path, &bugst.Mode{BaudRate: baud})
	if err != nil {
		return nil, err
	}
	if err := p.SetReadTimeout(timeout); err != nil {
		_ = p.Close() // it was never used
		return nil, fmt.Errorf("read timeout: %w", err)
	}
	return bugstPort{p}, nil
}

// Flush discards what is queued.
func (p bugstPort) Flush() error {
	if err := p.ResetInputBuffer(); err != nil {
		return err
	}
	return p.ResetOutputBuffer()
}
