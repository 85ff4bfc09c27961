package peer

import (
	"crypto/ed25519"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"

	"campusgate/signing/wire"
)

// keepAlive finds a connection dead within half a minute on which nobody asks.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// certificate is the key, with the gate's name, in the form that TLS wants. It
// is signed by itself and believed by nobody: both ends look at the key alone.
func certificate(gate uint16, key ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: wire.PeerName(gate)},
		// Nobody looks at the dates: clocks of gates may be wrong.
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<35, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key) // Ed25519 needs no chance
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// config is TLS for either end. Verify is given the gate that the other end
// says it is, and its key, which the handshake has proved.
func (p *Peers) config(verify func(gate uint16, key ed25519.PublicKey) error) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{p.cert}, MinVersion: tls.VersionTLS13, NextProtos: []string{wire.PeerProtocol},
		SessionTicketsDisabled: true,
		ClientAuth:             tls.RequireAnyClientCert,
		// Chains, names and dates say nothing here: VerifyConnection looks at the key.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			if cs.NegotiatedProtocol != wire.PeerProtocol {
				return fmt.Errorf("%w: it does not speak %s", ErrStranger, wire.PeerProtocol)
			}
			if len(cs.PeerCertificates) != 1 {
				return fmt.Errorf("%w: %d certificates", ErrStranger, len(cs.PeerCertificates))
			}
			cert := cs.PeerCertificates[0]
			key, ok := cert.PublicKey.(ed25519.PublicKey)
			if !ok {
				return fmt.Errorf("%w: a key of another kind", ErrStranger)
			}
			gate, err := wire.ParsePeerName(cert.Subject.CommonName)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrStranger, err)
			}
			return verify(gate, key)
		},
	}
}

// prove compares a key that a connection proved with the snapshot's.
func (p *Peers) prove(gate uint16, key ed25519.PublicKey) (wire.Peer, error) {
	who, ok := p.peer(gate)
	if !ok {
		return who, fmt.Errorf("%w: gate %d is not known", ErrStranger, gate)
	}
	if subtle.ConstantTimeCompare(who.Key, key) != 1 {
		return who, fmt.Errorf("%w: gate %d has another key", ErrStranger, gate)
	}
	return who, nil
}

// still reports whether a peer is what it was when its connection was made.
func (p *Peers) still(was *wire.Peer) bool {
	now, ok := p.peer(was.Gate)
	return ok && now.Same(was)
}
