package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// monitor asks the emulator to do things, in its own protocol (QMP).
type monitor struct {
	mu   sync.Mutex
	link net.Conn
	in   *json.Decoder
}

// answer is one message of the emulator: a result, an error, or an event that
// nobody asked for.
type answer struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
	Event string `json:"event"`
	Data  struct {
		Device string `json:"device"`
	} `json:"data"`
}

func newMonitor(link net.Conn) (*monitor, error) {
	m := &monitor{link: link, in: json.NewDecoder(link)}
	var greeting json.RawMessage
	if err := m.in.Decode(&greeting); err != nil {
		return nil, errors.Join(err, link.Close())
	}
	return m, m.do("qmp_capabilities", nil, "")
}

// do carries out a command, and waits for an event about a device where one is
// named.
func (m *monitor) do(command string, arguments map[string]any, gone string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	question := map[string]any{"execute": command}
	if arguments != nil {
		question["arguments"] = arguments
	}
	if err := json.NewEncoder(m.link).Encode(question); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	done, left := false, gone == ""
	for !done || !left {
		var a answer
		if err := m.in.Decode(&a); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		switch {
		case a.Error != nil:
			return fmt.Errorf("%s: %s", command, a.Error.Desc)
		case a.Event == "DEVICE_DELETED" && a.Data.Device == gone:
			left = true
		case a.Return != nil:
			done = true
		}
	}
	return nil
}

func (m *monitor) close() error { return m.link.Close() }
