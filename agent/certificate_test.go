//go:build linux

package agent_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// serverCertificate is one that the site root signed, valid from an hour ago.
func (s *station) serverCertificate(expires time.Time) tls.Certificate {
	s.t.Helper()
	t := s.t
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour * 24 * 365),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"gate.example.edu"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: ca.NotBefore, NotAfter: expires,
	}
	chain := [][]byte{
		must[[]byte](t)(x509.CreateCertificate(rand.Reader, leaf, ca, public, s.root)),
		must[[]byte](t)(x509.CreateCertificate(rand.Reader, ca, ca, s.root.Public(), s.root)),
	}
	return tls.Certificate{Certificate: chain, PrivateKey: private}
}

// A PC whose battery has died may wake up in any year. One that is far ahead must not
// find its server's certificate expired, or it could never learn the time.
func TestAgent_AClockFarAheadStillBelievesTheServer(t *testing.T) {
	for name, c := range map[string]struct {
		ahead, life time.Duration
		believed    bool
	}{
		"right":                        {0, 30 * 24 * time.Hour, true},
		"far ahead":                    {15 * 365 * 24 * time.Hour, 30 * 24 * time.Hour, true},
		"far behind":                   {-40 * 365 * 24 * time.Hour, 30 * 24 * time.Hour, true},
		"right but expired":            {0, -time.Minute, false},
		"far ahead and expired before": {15 * 365 * 24 * time.Hour, -time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t)
			listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
			defer func() { check(t, listener.Close()) }()
			config := &tls.Config{Certificates: []tls.Certificate{s.serverCertificate(time.Now().Add(c.life))}}
			d := deps(c.ahead)
			d.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, listener.Addr().String())
			}
			s.start(s.settings(""), d)
			conn := must[net.Conn](t)(listener.Accept())
			defer func() { _ = conn.Close() }()
			check(t, conn.SetDeadline(time.Now().Add(patience)))
			err := tls.Server(conn, config).Handshake()
			if (err == nil) != c.believed {
				t.Errorf("believed: %v, want %t", err, c.believed)
			}
		})
	}
}
