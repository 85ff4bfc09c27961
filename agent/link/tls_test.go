package link_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"campusgate/agent/link"
)

// authority signs certificates, as the site root or as anybody's CA.
type authority struct {
	t    *testing.T
	key  ed25519.PrivateKey
	cert *x509.Certificate
	raw  []byte
}

func newAuthority(t *testing.T, seed byte, change func(*x509.Certificate)) *authority {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('A'+seed)), ed25519.SeedSize)))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority " + string(rune('A'+seed))},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if change != nil {
		change(c)
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, key, c, raw}
}

func (a *authority) root() ed25519.PublicKey { return a.key.Public().(ed25519.PublicKey) }

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.raw})
}

// server gives a certificate for 127.0.0.1 and localhost, with the authority's
// behind it.
func (a *authority) server(change func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw, a.raw}, PrivateKey: key}
}

// shake does a TLS handshake with a server that has this certificate.
func shake(t *testing.T, client *tls.Config, cert tls.Certificate) error {
	t.Helper()
	near, far := net.Pipe()
	defer func() { _ = near.Close() }()
	go func() {
		srv := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}})
		_, _ = io.Copy(io.Discard, srv) // until the client has seen enough
		_ = far.Close()
	}()
	return tls.Client(near, client).HandshakeContext(t.Context())
}

func TestTLS_BelievesTheRightChains(t *testing.T) {
	root, other := newAuthority(t, 0, nil), newAuthority(t, 1, nil)
	for name, c := range map[string]struct {
		server string
		ca     []byte
		cert   tls.Certificate
	}{
		"site root, by address": {"https://127.0.0.1:8443", nil, root.server(nil)},
		"site root, by name":    {"https://localhost", nil, root.server(nil)},
		"a CA file":             {"https://127.0.0.1", other.pem(), other.server(nil)},
		"site root beside a CA": {"https://127.0.0.1", other.pem(), root.server(nil)},
		// After its battery died a PC wakes up in the past.
		"not valid yet": {"https://127.0.0.1", nil, newAuthority(t, 0, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(1000*time.Hour), time.Now().Add(9000*time.Hour)
		}).server(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(2000*time.Hour), time.Now().Add(3000*time.Hour)
		})},
	} {
		cfg, err := link.TLS(c.server, root.root(), c.ca, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := shake(t, cfg, c.cert); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTLS_RefusesTheWrongChains(t *testing.T) {
	root, other := newAuthority(t, 0, nil), newAuthority(t, 1, nil)
	noCA := newAuthority(t, 0, func(c *x509.Certificate) { c.IsCA = false })
	stolen := other.server(nil)
	stolen.Certificate[1] = root.raw // the root's certificate is public: anybody can send it along
	alone := root.server(nil)
	alone.Certificate = alone.Certificate[:1]
	for name, c := range map[string]struct {
		server string
		root   ed25519.PublicKey
		cert   tls.Certificate
		word   string
	}{
		"another root":              {"https://127.0.0.1", root.root(), other.server(nil), "authority"},
		"the root's beside another": {"https://127.0.0.1", root.root(), stolen, "authority"},
		"no root pinned":            {"https://127.0.0.1", nil, root.server(nil), "authority"},
		"without the root's":        {"https://127.0.0.1", root.root(), alone, "authority"},
		"a root that is no CA":      {"https://127.0.0.1", root.root(), noCA.server(nil), "authority"},
		"another address":           {"https://127.0.0.2", root.root(), root.server(nil), "127.0.0.2"},
		"another name":              {"https://gate.example.edu", root.root(), root.server(nil), "gate.example.edu"},
		"expired": {"https://127.0.0.1", root.root(), root.server(func(c *x509.Certificate) {
			c.NotAfter = time.Now().Add(-time.Minute)
		}), "expired"},
		"not for servers": {"https://127.0.0.1", root.root(), root.server(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), "usage"},
	} {
		cfg, err := link.TLS(c.server, c.root, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := shake(t, cfg, c.cert); !errors.Is(err, link.ErrUntrusted) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTLS_ExpiresByTheGivenClock(t *testing.T) {
	root := newAuthority(t, 0, nil)
	for ahead, trusted := range map[time.Duration]bool{59 * time.Minute: true, 61 * time.Minute: false} {
		cfg, err := link.TLS("https://127.0.0.1", root.root(), nil, func() time.Time { return time.Now().Add(ahead) })
		if err != nil {
			t.Fatal(err)
		}
		if err := shake(t, cfg, root.server(nil)); (err == nil) != trusted || err != nil && !errors.Is(err, link.ErrUntrusted) {
			t.Errorf("%v from now: %v", ahead, err)
		}
	}
}

func TestTLS_RefusesWhatIsNoConfiguration(t *testing.T) {
	if _, err := link.TLS("https://127.0.0.1", nil, []byte("no PEM"), nil); !errors.Is(err, link.ErrConfig) {
		t.Error(err)
	}
	if _, err := link.TLS("gate.example.edu", nil, nil, nil); !errors.Is(err, link.ErrConfig) {
		t.Error(err)
	}
}

func TestTLS_SpeaksNothingBelow13(t *testing.T) {
	root := newAuthority(t, 0, nil)
	cfg, err := link.TLS("https://127.0.0.1", root.root(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer func() { _ = near.Close() }()
	go func() {
		srv := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{root.server(nil)}, MaxVersion: tls.VersionTLS12})
		_, _ = io.Copy(io.Discard, srv) // until the client has seen enough
		_ = far.Close()
	}()
	if err := tls.Client(near, cfg).HandshakeContext(t.Context()); err == nil {
		t.Fatal("TLS 1.2 was accepted")
	}
}
