// Package cert makes the server's own TLS certificate, signed by the site root
// key. Agents know that key since their enrolment, so they need no public or
// private CA to trust such a server. Browsers do not know it: they need a
// certificate of a CA that they trust.
package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"time"
)

// ErrHosts is wrapped when the list of hosts makes no certificate.
var ErrHosts = errors.New("hosts of a certificate")

// Pair is a certificate with its private key, in the form of two files.
type Pair struct {
	Chain []byte // PEM: the server's certificate, then the root's
	Key   []byte // PEM, PKCS #8
}

// TLS reads the pair for a tls.Config.
func (p Pair) TLS() (tls.Certificate, error) { return tls.X509KeyPair(p.Chain, p.Key) }

// New makes a key and a certificate for the hosts, names or IP addresses, that
// agents will dial. The root signs, and is needed only now; who holds the pair
// can stand as the server until the date given, not as the root.
func New(root ed25519.PrivateKey, hosts []string, from, until time.Time) (Pair, error) {
	if len(root) != ed25519.PrivateKeySize {
		return Pair{}, errors.New("make certificate: not an Ed25519 key")
	}
	if !from.Before(until) {
		return Pair{}, fmt.Errorf("make certificate: it would end (%v) before it begins (%v)", until, from)
	}
	public := root.Public().(ed25519.PublicKey)
	ca := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Campusgate site root " + fingerprint(public)},
		NotBefore:             from,
		NotAfter:              until,
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs servers, no further authorities
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	// P-256, since more than agents may come to look at it.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("make certificate: %w", err)
	}
	leaf := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Campusgate server"},
		NotBefore:             from,
		NotAfter:              until,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if err := name(leaf, hosts); err != nil {
		return Pair{}, err
	}
	var chain bytes.Buffer
	for _, c := range []struct {
		cert   *x509.Certificate
		public any
	}{{leaf, key.Public()}, {ca, public}} {
		if c.cert.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
			return Pair{}, fmt.Errorf("make certificate: %w", err)
		}
		der, err := x509.CreateCertificate(rand.Reader, c.cert, ca, c.public, root)
		if err != nil {
			return Pair{}, fmt.Errorf("make certificate: %w", err)
		}
		if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return Pair{}, fmt.Errorf("make certificate: %w", err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("make certificate: %w", err)
	}
	return Pair{Chain: chain.Bytes(), Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})}, nil
}

// hostName is what RFC 1123 section 2.1 calls one.
var hostName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)

func name(leaf *x509.Certificate, hosts []string) error {
	if len(hosts) == 0 {
		return fmt.Errorf("%w: none given", ErrHosts)
	}
	for _, h := range hosts {
		if addr, err := netip.ParseAddr(h); err == nil {
			leaf.IPAddresses = append(leaf.IPAddresses, addr.Unmap().AsSlice())
			continue
		}
		if !hostName.MatchString(h) {
			return fmt.Errorf("%w: %q is neither a name nor an IP address", ErrHosts, h)
		}
		leaf.DNSNames = append(leaf.DNSNames, h)
	}
	return nil
}

func fingerprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:10])
}
