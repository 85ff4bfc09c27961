package server

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/cert"
	"campusgate/server/issue"
)

// keeper is a server's certificate with its surroundings.
type keeper struct {
	t    *testing.T
	s    Settings
	root ed25519.PrivateKey
	now  time.Time
	log  bytes.Buffer
}

func newKeeper(t *testing.T, hosts ...string) *keeper {
	t.Helper()
	k := &keeper{t: t, now: time.Now()}
	k.s = Settings{Data: t.TempDir(), TLS: TLSConfig{Hosts: hosts}}
	var err error
	if k.root, err = issue.CreateRoot(k.s.rootFile(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *keeper) deps() Deps {
	return Deps{Now: func() time.Time { return k.now }, Log: slog.New(slog.NewTextHandler(&k.log, nil))}
}

func (k *keeper) start() (*certificate, error) {
	return newCertificate(k.s, k.root.Public().(ed25519.PublicKey), k.deps())
}

func (k *keeper) started() *certificate {
	k.t.Helper()
	c, err := k.start()
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

func (k *keeper) loseRoot() {
	k.t.Helper()
	if err := os.Remove(k.s.rootFile()); err != nil {
		k.t.Fatal(err)
	}
}

// shown is the certificate that a client gets to see.
func shown(t *testing.T, c *certificate) *x509.Certificate {
	t.Helper()
	pair, err := c.config().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestCertificate_PlainHasNone(t *testing.T) {
	k := newKeeper(t)
	if c := k.started(); c != nil || c.config() != nil {
		t.Fatal("a server without tls has a certificate")
	}
	if left, _ := filepath.Glob(filepath.Join(k.s.Data, "tls*")); len(left) != 0 {
		t.Fatalf("made %v", left)
	}
}

func TestCertificate_IsKeptUntilItIsDue(t *testing.T) {
	k := newKeeper(t, "gate.example.edu", "10.0.0.7", "fd00::7")
	first := shown(t, k.started())
	for _, host := range k.s.TLS.Hosts {
		if err := first.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(k.s.certFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file holds the private key: %v, %v", info.Mode(), err)
	}
	for _, c := range []struct {
		name  string
		days  int
		fresh bool
	}{
		{"the next day", 1, false},
		{"61 days before the end", 304, false},
		{"59 days before the end", 306, true},
	} {
		k.now = time.Now().AddDate(0, 0, c.days)
		if got := shown(t, k.started()); got.Equal(first) == c.fresh {
			t.Errorf("%s: fresh %v, want %v", c.name, !got.Equal(first), c.fresh)
		}
	}
}

func TestCertificate_OtherHostsOrAnotherSiteGetANewOne(t *testing.T) {
	for name, change := range map[string]func(*keeper){
		"one more host":  func(k *keeper) { k.s.TLS.Hosts = append(k.s.TLS.Hosts, "10.0.0.8") },
		"one less":       func(k *keeper) { k.s.TLS.Hosts = k.s.TLS.Hosts[:1] },
		"another":        func(k *keeper) { k.s.TLS.Hosts = []string{"gate.example.edu", "10.0.0.9"} },
		"a damaged file": func(k *keeper) { _ = os.WriteFile(k.s.certFile(), []byte("-----BEGIN"), 0o600) },
		"another root": func(k *keeper) {
			k.loseRoot()
			k.root, _ = issue.CreateRoot(k.s.rootFile(), rand.Reader)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeeper(t, "gate.example.edu", "10.0.0.7")
			first := shown(t, k.started())
			change(k)
			now := shown(t, k.started())
			if now.Equal(first) {
				t.Fatal("the old one is still shown")
			}
			for _, host := range k.s.TLS.Hosts {
				if err := now.VerifyHostname(host); err != nil {
					t.Error(err)
				}
			}
			if again := shown(t, k.started()); !again.Equal(now) {
				t.Error("a new one at every start")
			}
			if left, _ := filepath.Glob(filepath.Join(k.s.Data, "tls*")); len(left) != 1 {
				t.Errorf("files %v", left)
			}
		})
	}
}

func TestCertificate_WithoutTheRootTheOldOneGoesOnUntilItEnds(t *testing.T) {
	k := newKeeper(t, "gate.example.edu")
	c := k.started()
	first := shown(t, c)
	k.loseRoot()
	if k.log.Len() != 0 {
		t.Errorf("warned too early: %s", &k.log)
	}
	k.now = k.now.AddDate(0, 0, 360)
	if err := c.refresh(); err != nil || !shown(t, c).Equal(first) {
		t.Fatalf("five days before its end: %v", err)
	}
	if !strings.Contains(k.log.String(), "certificate ends soon") {
		t.Errorf("nobody was warned: %s", &k.log)
	}
	k.now = k.now.AddDate(0, 0, 10)
	if err := c.refresh(); !errors.Is(err, issue.ErrRootAbsent) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := k.start(); !errors.Is(err, issue.ErrRootAbsent) {
		t.Errorf("a start after its end: %v", err)
	}
	k.s.TLS.Hosts = []string{"other.example.edu"}
	k.now = time.Now()
	if _, err := k.start(); !errors.Is(err, issue.ErrRootAbsent) {
		t.Errorf("for another host: %v", err)
	}
}

// A gate server runs for months: a certificate that was renewed, by the root or
// by whoever gave the files, is shown without a new start.
func TestCertificate_ARunningServerTakesUpANewOne(t *testing.T) {
	k := newKeeper(t, "gate.example.edu")
	c := k.started()
	first := shown(t, c)
	k.now = k.now.AddDate(0, 0, 320)
	if err := c.refresh(); err != nil || shown(t, c).Equal(first) {
		t.Fatalf("by the root: %v", err)
	}

	given := newKeeper(t)
	given.s.TLS = TLSConfig{Cert: filepath.Join(given.s.Data, "c.pem"), Key: filepath.Join(given.s.Data, "k.pem")}
	put := func(serial string) {
		t.Helper()
		pair, err := cert.New(given.root, []string{serial + ".example.edu"}, time.Now(), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for file, data := range map[string][]byte{given.s.TLS.Cert: pair.Chain, given.s.TLS.Key: pair.Key} {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("first")
	c = given.started()
	put("second")
	if err := c.refresh(); err != nil || !slices.Equal(shown(t, c).DNSNames, []string{"second.example.edu"}) {
		t.Fatalf("given: %v, %v", shown(t, c).DNSNames, err)
	}
	if err := os.WriteFile(given.s.TLS.Cert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.refresh(); err == nil || !slices.Equal(shown(t, c).DNSNames, []string{"second.example.edu"}) {
		t.Fatalf("a file half written: %v, %v", shown(t, c).DNSNames, err)
	}
	if _, err := given.start(); err == nil {
		t.Fatal("a start with half a file")
	}
}
