package cert_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"

	"campusgate/server/cert"
)

var (
	root  = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	from  = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	until = from.AddDate(5, 0, 0)
)

func TestNew_MakesAChainThatEndsInTheRoot(t *testing.T) {
	pair, err := cert.New(root, []string{"gate.example.edu", "10.0.0.7", "fd00::7"}, from, until)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Certificate) != 2 {
		t.Fatalf("%d certificates", len(c.Certificate))
	}
	ca, err := x509.ParseCertificate(c.Certificate[1])
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := ca.PublicKey.(ed25519.PublicKey); !ok || !key.Equal(root.Public()) || !ca.IsCA {
		t.Fatal("the second certificate is not the root's")
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, host := range []string{"gate.example.edu", "10.0.0.7", "fd00::7"} {
		for _, at := range []time.Time{from, until} {
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: at}); err != nil {
				t.Errorf("%s at %v: %v", host, at, err)
			}
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "other.example.edu", Roots: roots, CurrentTime: from}); err == nil {
		t.Error("it is good for any host")
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: until.Add(time.Second)}); err == nil {
		t.Error("it does not end")
	}
	if leaf.IsCA || len(leaf.IPAddresses) != 2 || !leaf.IPAddresses[0].Equal(net.IPv4(10, 0, 0, 7)) {
		t.Errorf("%+v", leaf.IPAddresses)
	}
}

func TestNew_RefusesWhatMakesNoCertificate(t *testing.T) {
	for name, hosts := range map[string][]string{"none": nil, "empty": {""}, "an address with a port": {"10.0.0.7:443"}, "a URL": {"https://gate.example.edu"}} {
		if _, err := cert.New(root, hosts, from, until); !errors.Is(err, cert.ErrHosts) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cert.New(root[:32], []string{"localhost"}, from, until); err == nil {
		t.Error("half a key")
	}
	if _, err := cert.New(root, []string{"localhost"}, until, from); err == nil {
		t.Error("ends before it begins")
	}
}
