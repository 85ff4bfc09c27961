package server

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"campusgate/server/cert"
	"campusgate/server/issue"
)

// CertFile is the certificate by the site root in the data folder, with its
// private key: one file, so that the two always belong together.
const CertFile = "tls.pem"

// How long a certificate by the site root is good, and when it is renewed.
const (
	certLife  = 365 * 24 * time.Hour
	certRenew = 60 * 24 * time.Hour
)

// certificate is what the server shows to those who connect. It is looked after
// while the server runs: an agent refuses an expired one, and a gate server is
// not started anew for months.
type certificate struct {
	settings Settings
	root     ed25519.PublicKey // of the site
	now      func() time.Time
	log      *slog.Logger
	current  atomic.Pointer[tls.Certificate]
}

// newCertificate reads the certificate, or has the site root make it. Nil =
// plain, on loopback.
func newCertificate(s Settings, root ed25519.PublicKey, d Deps) (*certificate, error) {
	if !s.hasTLS() {
		return nil, nil
	}
	c := &certificate{settings: s, root: root, now: d.Now, log: d.Log}
	return c, c.refresh()
}

// config is for the listener. A nil certificate gives none.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// refresh renews the certificate if it is due and takes up what is in the
// files. After an error the server goes on with what it had.
func (c *certificate) refresh() error {
	chain, key := c.settings.TLS.Cert, c.settings.TLS.Key
	if len(c.settings.TLS.Hosts) > 0 {
		chain, key = c.settings.certFile(), c.settings.certFile()
		if err := c.renew(chain); err != nil {
			return err
		}
	}
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// renew makes a certificate by the site root where there is none for the hosts,
// or it ends soon. Without the root at hand an old one goes on until it ends.
func (c *certificate) renew(file string) error {
	left, usable := c.remaining(file)
	if usable && left > certRenew {
		return nil
	}
	root, err := issue.LoadRoot(c.settings.rootFile(), c.root)
	if errors.Is(err, issue.ErrRootAbsent) && usable && left > 0 {
		c.log.Warn("the certificate ends soon, and the site root is not here to renew it", "left", left.Round(time.Hour))
		return nil
	}
	if err != nil {
		return fmt.Errorf("tls: a certificate is due: %w", err)
	}
	// An hour back: the clocks of gate PCs are not exact.
	now := c.now()
	pair, err := cert.New(root, c.settings.TLS.Hosts, now.Add(-time.Hour), now.Add(certLife))
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	if err := replaceFile(file, slices.Concat(pair.Key, pair.Chain)); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	return nil
}

// remaining is how long the certificate in the file is good; not usable when it
// is for other hosts, or of another site.
func (c *certificate) remaining(file string) (left time.Duration, usable bool) {
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil || len(pair.Certificate) < 2 {
		return 0, false
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return 0, false
	}
	ca, err := x509.ParseCertificate(pair.Certificate[1])
	if err != nil {
		return 0, false
	}
	if root, ok := ca.PublicKey.(ed25519.PublicKey); !ok || !root.Equal(c.root) {
		return 0, false
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) != len(c.settings.TLS.Hosts) {
		return 0, false
	}
	for _, host := range c.settings.TLS.Hosts {
		if leaf.VerifyHostname(host) != nil {
			return 0, false
		}
	}
	return leaf.NotAfter.Sub(c.now()), true
}

// replaceFile writes a file for its owner only. Whoever opens it, and whatever
// happens meanwhile, finds the old content or the new one.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // its mode is 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
