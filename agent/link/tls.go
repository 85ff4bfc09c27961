package link

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// ErrUntrusted is wrapped when a server's certificate is not believed.
var ErrUntrusted = errors.New("the server's certificate is not trusted")

// TLS makes the configuration for one server (the same address as in
// Config.Server). A certificate is believed when it is for that host and its
// chain ends in one of the system's roots, in a certificate of caPEM (nil =
// none), or in a CA certificate of the chain itself whose key is the site root
// (nil = none; server/cert makes such chains).
//
// A certificate that has expired is refused, one that is not valid yet is not:
// after its battery has died a PC wakes up in the past, and it needs this
// connection to learn the time. Nothing is gained by showing a certificate too
// early. Whether it has expired is told by now; nil = time.Now.
func TLS(server string, root ed25519.PublicKey, caPEM []byte, now func() time.Time) (*tls.Config, error) {
	return tlsConfig(server, caPEM, now, func(key ed25519.PublicKey) bool { return len(root) > 0 && root.Equal(key) })
}

// tlsConfig leaves it to isRoot which key is the site root: at enrolment only
// a fingerprint is known.
func tlsConfig(server string, caPEM []byte, now func() time.Time, isRoot func(ed25519.PublicKey) bool) (*tls.Config, error) {
	u, err := serverURL(server)
	if err != nil {
		return nil, err
	}
	roots, err := publicRoots(caPEM)
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	host := u.Hostname()
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"http/1.1"}, // a websocket does not travel on HTTP/2
		ServerName: host,
		// The chain and the host are verified below, since the standard
		// verifier cannot find roots in the chain itself.
		InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return verify(cs.PeerCertificates, host, roots, now(), isRoot)
		},
	}, nil
}

// publicRoots gives the system's roots and those of caPEM; nil means the
// system's alone.
func publicRoots(caPEM []byte) (*x509.CertPool, error) {
	if len(caPEM) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without roots: the given ones remain
	}
	if !pool.AppendCertsFromPEM(caPEM) {
		return nil, fmt.Errorf("%w: the CA file holds no certificate in PEM form", ErrConfig)
	}
	return pool, nil
}

func verify(chain []*x509.Certificate, host string, public *x509.CertPool, at time.Time, isRoot func(ed25519.PublicKey) bool) error {
	if len(chain) == 0 {
		return fmt.Errorf("%w: there is none", ErrUntrusted)
	}
	opts := x509.VerifyOptions{DNSName: host, Roots: public, Intermediates: x509.NewCertPool(), CurrentTime: at}
	site := x509.NewCertPool()
	found := false
	for i, c := range chain {
		if c.NotBefore.After(opts.CurrentTime) {
			opts.CurrentTime = c.NotBefore
		}
		if i == 0 {
			continue
		}
		opts.Intermediates.AddCert(c)
		if key, ok := c.PublicKey.(ed25519.PublicKey); ok && c.BasicConstraintsValid && c.IsCA && isRoot(key) {
			site.AddCert(c)
			found = true
		}
	}
	_, err := chain[0].Verify(opts)
	if err == nil {
		return nil
	}
	if found {
		opts.Roots = site
		if _, siteErr := chain[0].Verify(opts); siteErr == nil {
			return nil
		} else {
			err = siteErr // the more telling one
		}
	}
	return fmt.Errorf("%w: %w", ErrUntrusted, err)
}
