package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"campusgate/server/cert"
	"campusgate/server/issue"
	"campusgate/server/store"
)

// How long a certificate by the site root is good, and when it is renewed.
const (
	certLife  = 365 * 24 * time.Hour
	certRenew = 60 * 24 * time.Hour
)

// certificates gives the server's TLS configuration; nil = plain, on loopback.
func certificates(s Settings, db *store.Store, now func() time.Time) (*tls.Config, error) {
	if !s.hasTLS() {
		return nil, nil
	}
	chain, key := s.TLS.Cert, s.TLS.Key
	if len(s.TLS.Hosts) > 0 {
		chain, key = filepath.Join(s.Data, "tls.pem"), filepath.Join(s.Data, "tls.key")
		if err := renew(s, db, now(), chain, key); err != nil {
			return nil, err
		}
	}
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}, nil
}

// renew makes a certificate by the site root where there is none for the hosts,
// or it ends soon. Without the root at hand an old one goes on until it ends.
func renew(s Settings, db *store.Store, now time.Time, chain, key string) error {
	left, usable := remaining(s, now, chain, key)
	if usable && left > certRenew {
		return nil
	}
	root, err := issue.LoadRoot(s.rootFile(), db.Site().Root)
	if errors.Is(err, issue.ErrRootAbsent) && usable && left > 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tls: a certificate is due: %w", err)
	}
	// An hour back: the clocks of gate PCs are not exact.
	pair, err := cert.New(root, s.TLS.Hosts, now.Add(-time.Hour), now.Add(certLife))
	if err != nil {
		return err
	}
	if err := os.WriteFile(key, pair.Key, 0o600); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	if err := os.WriteFile(chain, pair.Chain, 0o644); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	return nil
}

// remaining is how long the certificate in the files is good; not usable when
// it is for other hosts, or the files do not go together.
func remaining(s Settings, now time.Time, chain, key string) (left time.Duration, usable bool) {
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		return 0, false
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return 0, false
	}
	for _, host := range s.TLS.Hosts {
		if leaf.VerifyHostname(host) != nil {
			return 0, false
		}
	}
	return leaf.NotAfter.Sub(now), true
}
