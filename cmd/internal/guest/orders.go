package guest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// usb are the devices that can be plugged into the machine: an FTDI serial
// adapter, and a keyboard.
var usb = map[string]map[string]any{
	"adapter":  {"driver": "usb-serial", "chardev": "wire", "always-plugged": true},
	"keyboard": {"driver": "usb-kbd"},
}

// Serve does what programs in the machine ask for with Line.Ask, until ctx ends:
//
//	plug DEVICE      puts a device in: adapter or keyboard
//	unplug DEVICE    pulls it out
//	send "TEXT"      sends over the wire of the adapter; TEXT is quoted as in Go
//	type "TEXT"      types on the keyboard: up to seven digits, and CR for Enter
func (m *Machine) Serve(ctx context.Context) error {
	wire, err := m.dial(ctx, "wire")
	if err != nil {
		return err
	}
	defer func() { _ = wire.Close() }() // the machine is off
	line, err := m.dial(ctx, "line")
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = line.Close() })() // ends the scan below
	orders := bufio.NewScanner(line)
	for orders.Scan() {
		answer := "done"
		if err := m.obey(orders.Text(), wire); err != nil {
			answer = err.Error()
		}
		if _, err := fmt.Fprintln(line, answer); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *Machine) obey(order string, wire io.Writer) error {
	verb, rest, _ := strings.Cut(order, " ")
	switch verb {
	case "plug":
		arguments := map[string]any{"id": rest, "bus": "usb.0"}
		for key, value := range usb[rest] {
			arguments[key] = value
		}
		return m.monitor.do("device_add", arguments, "")
	case "unplug":
		return m.monitor.do("device_del", map[string]any{"id": rest}, rest)
	}
	text, err := strconv.Unquote(rest)
	switch {
	case err != nil:
	case verb == "send":
		_, err = io.WriteString(wire, text)
	case verb == "type":
		err = m.typed(text)
	default:
		err = fmt.Errorf("no such order: %s", verb)
	}
	return err
}

// typed types text: digits and CR, which is Enter. The keyboard keeps sixteen
// presses and releases until the machine has asked for them, and drops the rest.
func (m *Machine) typed(text string) error {
	var events []any
	for _, c := range text {
		name := string(c)
		if c == '\r' {
			name = "ret"
		}
		for _, down := range []bool{true, false} {
			events = append(events, map[string]any{"type": "key", "data": map[string]any{
				"down": down, "key": map[string]any{"type": "qcode", "data": name},
			}})
		}
	}
	return m.monitor.do("input-send-event", map[string]any{"events": events}, "")
}
