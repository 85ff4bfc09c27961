package campus

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
)

// Place is where on a network a daemon runs, when it is not on loopback of this
// machine, such as a network namespace.
type Place struct {
	Addr string   // IP address; agents dial the server's
	Wrap []string // the command that runs a program there
	// Dial connects to what listens there.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Ports of daemons that have a machine to themselves.
const (
	serverPort = "8443"
	guardPort  = "8471"
	peerPort   = "7443"
)

// client calls a daemon in its place. Whether the server's certificate is to be
// believed is for the agents to find out, which dial it themselves.
func (p Place) client() *http.Client {
	if p.Dial == nil {
		return nil
	}
	return &http.Client{Transport: &http.Transport{
		DialContext: p.Dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}

// placeServer says where the server runs and listens.
func (c *Campus) placeServer() (at Place, listen string, err error) {
	if c.options.Place == nil {
		listen, err = freeAddr()
		return at, listen, err
	}
	at = c.options.Place("server")
	return at, net.JoinHostPort(at.Addr, serverPort), nil
}

// placeGate says where an agent runs and listens, and gives it a way to the
// server.
func (c *Campus) placeGate(g *Gate, label string) (at Place, server, listen string, err error) {
	if c.options.Place != nil {
		at = c.options.Place(label)
		return at, c.Client.Base, net.JoinHostPort("127.0.0.1", guardPort), nil
	}
	g.Line = c.Network
	if c.options.Lines {
		if g.Line, err = NewNetwork(c.Addr()); err != nil {
			return at, "", "", err
		}
	}
	listen, err = freeAddr()
	return at, "http://" + g.Line.Addr(), listen, err
}

// Client calls the agent.
func (g *Gate) Client() Client { return Client{Base: strings.TrimSuffix(g.URL, "/"), HTTP: g.http} }
