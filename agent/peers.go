package agent

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"campusgate/agent/peer"
	"campusgate/configs"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// PeersConfig is where other gates may ask this one directly.
type PeersConfig struct {
	Listen    string   `yaml:"listen"`
	Addresses []string `yaml:"addresses"`
}

// PeersSettings are checked.
type PeersSettings struct {
	Listen    string   // host:port; "" = not served
	Addresses []string // that other gates dial; none = those of the network cards
}

func (c PeersConfig) validate(doc *configs.Doc, till bool) (PeersSettings, error) {
	s := PeersSettings(c)
	if c.Listen == "" {
		if len(c.Addresses) > 0 {
			return s, doc.Fault("peers.addresses", "only with peers.listen")
		}
		return s, nil
	}
	if till {
		return s, doc.Fault("peers", "a till decides no passes")
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16) // 0 is any free one
	}
	if err != nil {
		return s, doc.Fault("peers.listen", "%q: want :port or address:port", c.Listen)
	}
	if len(c.Addresses) > wire.MaxAddresses {
		return s, doc.Fault("peers.addresses", "%d of them, at most %d", len(c.Addresses), wire.MaxAddresses)
	}
	for i, a := range c.Addresses {
		if err := wire.CheckAddress(a); err != nil {
			return s, doc.Fault(fmt.Sprintf("peers.addresses[%d]", i), "%v", err)
		}
	}
	return s, nil
}

// newPeers makes what gates ask each other with, and takes the port for that
// where there is one. A till asks nobody.
func (a *Agent) newPeers(d Deps) (err error) {
	if a.till != nil {
		return nil
	}
	id := a.journal.Identity()
	a.peers, err = peer.New(peer.Config{
		Gate: id.Gate, Key: id.Private, Peer: a.snapshot.Peer, Peers: a.snapshot.Peers, Claimed: a.desk.Claimed,
		Dial: d.DialPeer, Rand: d.Rand, Log: a.log,
	})
	if err != nil || a.settings.Peers.Listen == "" {
		return err
	}
	a.door, err = peer.Listen(context.Background(), a.settings.Peers.Listen)
	return err
}

// addresses are where other gates may ask this one.
func (a *Agent) addresses() []string {
	if a.door == nil {
		return nil
	}
	if given := a.settings.Peers.Addresses; len(given) > 0 {
		return given
	}
	at, err := netip.ParseAddrPort(a.door.Addr().String())
	if err != nil {
		return nil
	}
	if !at.Addr().IsUnspecified() {
		return []string{at.String()}
	}
	cards, err := net.InterfaceAddrs()
	if err != nil {
		a.log.Warn("addresses of this PC not found", "error", err)
	}
	return dialled(cards, at.Port())
}

// dialled are the addresses of network cards that another PC can dial, IPv4
// first.
func dialled(cards []net.Addr, port uint16) []string {
	var found []netip.Addr
	for _, c := range cards {
		if p, err := netip.ParsePrefix(c.String()); err == nil {
			if ip := p.Addr().Unmap(); ip.IsGlobalUnicast() {
				found = append(found, ip)
			}
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	var list []string
	for _, ip := range found[:min(len(found), wire.MaxAddresses)] {
		list = append(list, netip.AddrPortFrom(ip, port).String())
	}
	return list
}

// ask puts a question to whoever decides: the server where that is it, and a
// gate both directly and through the server, at the same time. The first answer
// that is not silence holds: the same claim has the same answer on both ways. So
// does one that names the gate that the pass was moved to.
func (a *Agent) ask(ctx context.Context, c wire.Claim) wire.Answer {
	if c.Owner == 0 || a.peers == nil || !a.peers.Reaches(c.Owner) {
		return a.link.Ask(ctx, c)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan wire.Answer, 2)
	go func() { answers <- a.link.Ask(ctx, c) }()
	go func() { answers <- a.peers.Ask(ctx, c.Owner, c) }()
	answer := <-answers
	if answer.State != verdict.ClaimSilent || answer.Owner != 0 {
		return answer
	}
	return <-answers
}
