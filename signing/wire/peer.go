package wire

import (
	"crypto/ed25519"
	"fmt"
	"strconv"
	"strings"
)

// Limits between gates, and of what a gate says of where it is.
const (
	MaxAddresses = 8     // of one gate
	MaxPeerFrame = 16384 // bytes; a larger frame ends a connection between gates
	PeerIdleMS   = 600_000
	PeerDoorMS   = 3_000 // from accepting to the end of the TLS handshake
	maxHost      = 253
)

// PeerProtocol is what both ends offer of ALPN (RFC 7301) on a connection
// between gates: who speaks another version is not spoken to.
const PeerProtocol = "campusgate-peer/1"

// ItemPeer tells every gate of the program that stands for another one.
const ItemPeer ItemKind = "peer" // key gate number: Peer

// Peer is the body of ItemPeer: whom a gate may speak to as that gate, and
// where. No addresses: it asks, and cannot be asked directly.
type Peer struct {
	Gate      uint16            `json:"gate"`
	Agent     uint32            `json:"agent"`
	Epoch     uint32            `json:"epoch"`
	Key       ed25519.PublicKey `json:"key"`
	Addresses []string          `json:"addresses,omitempty"`
}

// Check refuses a peer that names nobody or could not be proved.
func (m *Peer) Check() error {
	if m.Gate == 0 || m.Agent == 0 || m.Epoch == 0 {
		return fmt.Errorf("gate, agent and epoch start at 1")
	}
	if len(m.Key) != ed25519.PublicKeySize {
		return fmt.Errorf("key of %d bytes, want %d", len(m.Key), ed25519.PublicKeySize)
	}
	return CheckAddresses(m.Addresses)
}

// Same reports whether both are one enrolment of one gate's agent.
func (m *Peer) Same(other *Peer) bool {
	return m.Gate == other.Gate && m.Agent == other.Agent && m.Epoch == other.Epoch && m.Key.Equal(other.Key)
}

// MayAsk reports whether a claim is this peer's own, of this enrolment or an
// earlier one, for its own gate, and about no money: whoever repeats a claim id
// is given its answer.
func (m *Peer) MayAsk(c *Claim) bool {
	id, err := ParseEventID(c.ID)
	return err == nil && id.Agent == m.Agent && id.Epoch <= m.Epoch && c.Gate == m.Gate && c.Charge == nil
}

// CheckAddresses refuses too many addresses, and what is no host:port.
func CheckAddresses(list []string) error {
	if len(list) > MaxAddresses {
		return fmt.Errorf("%d addresses, at most %d", len(list), MaxAddresses)
	}
	for _, a := range list {
		if err := CheckAddress(a); err != nil {
			return err
		}
	}
	return nil
}

// CheckAddress refuses what is no host:port, or [IPv6]:port, that can be dialled.
func CheckAddress(a string) error {
	i := strings.LastIndexByte(a, ':')
	if i < 0 {
		return fmt.Errorf("address %.64q: want host:port", a)
	}
	host, port := a[:i], a[i+1:]
	inner, six := strings.CutPrefix(host, "[")
	if six {
		if host, six = strings.CutSuffix(inner, "]"); !six {
			return fmt.Errorf("address %.64q: want [IPv6]:port", a)
		}
	}
	if host == "" || len(host) > maxHost || strings.ContainsFunc(host, notOfHost) || strings.Contains(host, ":") != six {
		return fmt.Errorf("address %.64q: want host:port", a)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("address %.64q: want a port from 1 to 65535", a)
	}
	return nil
}

// notOfHost: anything but letters, digits and what else is in names and in IPv6
// addresses with their zones.
func notOfHost(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(".-:%_", r)
}

// PeerName is what a gate calls itself in its certificate.
func PeerName(gate uint16) string { return fmt.Sprintf("gate-%d", gate) }

// ParsePeerName reads it.
func ParsePeerName(name string) (uint16, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(name, "gate-"), 10, 16)
	if err != nil || n == 0 || PeerName(uint16(n)) != name {
		return 0, fmt.Errorf("name %.32q: want that of a gate", name)
	}
	return uint16(n), nil
}
