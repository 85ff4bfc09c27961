package main

import (
	"net"
	"os"
	"strconv"
	"time"
)

// manager is who started the agent and wants to hear from it. The protocol is
// sd_notify(3): lines to a datagram socket.
type manager struct {
	socket string        // "" = nobody listens
	every  time.Duration // how often to say that the agent is alive
	alone  bool          // nobody restarts an agent that hangs but still runs
}

// usualEvery is for a manager that does not say how often it wants to hear.
const usualEvery = 10 * time.Second

// findManager reads what systemd tells a service. Nil = nobody wants to hear.
func findManager() *manager {
	m := &manager{socket: os.Getenv("NOTIFY_SOCKET"), every: usualEvery}
	if m.socket == "" {
		if underServiceManager() {
			m.alone = true
			return m
		}
		return nil
	}
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err == nil && us > 0 {
		// Three times in the interval, so that one late turn is forgiven.
		m.every = time.Duration(us) * time.Microsecond / 3
	}
	return m
}

// say sends a state. A manager that is gone needs none.
func (m *manager) say(state string) {
	if m.socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return
	}
	_, _ = c.Write([]byte(state))
	_ = c.Close()
}
