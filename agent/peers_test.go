//go:build linux

package agent_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/journal"
	"campusgate/agent/snapshot"
	"campusgate/configs"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const next = 5 // the gate beside home

// neighbour is the PC of another gate of the same campus; both know each other.
func (s *station) neighbour() *station {
	s.t.Helper()
	n := &station{
		t: s.t, data: filepath.Join(s.t.TempDir(), "agent"), gate: next, root: s.root, issuer: s.issuer, payer: s.payer,
	}
	n.enrol()
	for _, one := range []*station{s, n} {
		one.tell(s.peer(s.own), n.peer(n.own))
	}
	return n
}

// peer is a station's item with a key; where it is, the test's dialler knows.
func (s *station) peer(key ed25519.PrivateKey) wire.Item {
	s.t.Helper()
	gate := strconv.Itoa(int(s.gate))
	return wire.Item{Kind: wire.ItemPeer, Key: gate, Body: must[[]byte](s.t)(json.Marshal(wire.Peer{
		Gate: s.gate, Agent: 10 + uint32(s.gate), Epoch: 1, Key: key.Public().(ed25519.PublicKey), Addresses: []string{"gate-" + gate + ":7443"},
	}))}
}

func (s *station) tell(items ...wire.Item) {
	s.t.Helper()
	names := []wire.Item{}
	for id, name := range map[uint16]string{home: "东门", next: "西门"} {
		body := must[[]byte](s.t)(json.Marshal(wire.Gate{ID: id, Name: name, Zone: 1, Mode: verdict.Owner}))
		names = append(names, wire.Item{Kind: wire.ItemGate, Key: strconv.Itoa(int(id)), Body: body})
	}
	s.open(func(_ *journal.Journal, snap *snapshot.Snapshot) {
		check(s.t, snap.Apply([]wire.Delta{{Cursor: wire.Cursor{Lineage: "l", Revision: snap.Cursor().Revision + 1}, Items: append(names, items...)}}))
	})
}

// towards are deps without a server, whose other gates are all at one address.
func towards(at func() string) agent.Deps {
	d := deps(0)
	d.DialPeer = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at())
	}
	return d
}

const byHand = "  - name: 小门\n"

// insist presents a code until it is decided: a loaded machine may be silent for
// longer than a gate waits.
func (r *running) insist(code string) (reason verdict.Reason, first uint16) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := r.present(code)
		if got.Reason != verdict.OfflineNotAllowed || time.Now().After(deadline) {
			if got.FirstUse != nil {
				first = got.FirstUse.Gate
			}
			return got.Reason, first
		}
	}
}

func TestPeers_AGateAdmitsAnothersPassesWhileTheServerIsDown(t *testing.T) {
	s := newStation(t)
	n := s.neighbour()
	owner := s.start(s.settings(byHand, "peers: {listen: \"127.0.0.1:0\"}"), deps(0))
	gate := n.start(n.settings(byHand), towards(func() string { return owner.at }))
	if owner.at == "" || gate.at != "" {
		t.Fatalf("listening at %q and %q", owner.at, gate.at)
	}
	for range 3 {
		code := s.code()
		if got, _ := gate.insist(code); got != verdict.Granted {
			t.Fatalf("at the other gate: %s", got)
		}
		if got := owner.present(code); got.Reason != verdict.AlreadyUsed || got.FirstUse == nil || got.FirstUse.Gate != next {
			t.Fatalf("at its own gate then: %+v", got)
		}
	}
	code := s.code()
	if got := owner.present(code); got.Reason != verdict.Granted {
		t.Fatalf("at its own gate: %+v", got)
	}
	if got, first := gate.insist(code); got != verdict.AlreadyUsed || first != home {
		t.Fatalf("at the other gate then: %s, first at %d", got, first)
	}
	// A replayed claim: the owner has been asked for this pass by an id before, and
	// the same scan again is a repeat here and costs nothing there.
	owner.end()
	got := gate.present(s.code())
	if got.Reason != verdict.OfflineNotAllowed || got.Owner == nil || got.Owner.Gate != home || got.Owner.Name != "东门" {
		t.Fatalf("with its owner off: %+v", got)
	}
}

// The key is that of an enrolled gate no more, or of none at all.
func TestPeers_AStrangerAndAGateWithARolledKeyAreNotAnswered(t *testing.T) {
	s := newStation(t)
	n := s.neighbour()
	_, other, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	s.tell(n.peer(other)) // gate 5 was enrolled again: this one's key is the old one
	owner := s.start(s.settings(byHand, "peers: {listen: \"127.0.0.1:0\"}"), deps(0))
	gate := n.start(n.settings(byHand), towards(func() string { return owner.at }))
	code := s.code()
	for range 2 {
		if got := gate.present(code); got.Reason != verdict.OfflineNotAllowed {
			t.Fatalf("with a rolled key: %s", got.Reason)
		}
	}
	for name, who := range map[string]struct {
		cn  string
		key ed25519.PrivateKey
	}{"a stranger as gate 5": {"gate-5", s.root}, "a stranger": {"gate-9", s.root}, "no gate": {"admin", other}, "itself": {"gate-3", s.own}} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: who.cn}, NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, who.key.Public(), who.key)
		check(t, err)
		conn, err := tls.Dial("tcp", owner.at, &tls.Config{
			InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{wire.PeerProtocol},
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: who.key}},
		})
		if err == nil { // the refusal comes after the client's own end is content
			check(t, conn.SetDeadline(time.Now().Add(patience)))
			_, err = conn.Read(make([]byte, 1))
			check(t, conn.NetConn().Close())
		}
		var ne net.Error
		if err == nil || errors.As(err, &ne) && ne.Timeout() {
			t.Errorf("%s was let in: %v", name, err)
		}
	}
	if got := owner.present(code); got.Reason != verdict.Granted {
		t.Errorf("nobody has used it: %+v", got)
	}
}

func TestConfig_PeersAreCheckedByName(t *testing.T) {
	base := "server: https://gate.example.edu\ndata: /x\nlanes: [{name: a}]\n"
	for text, word := range map[string]string{
		"peers: {addresses: [\"a:1\"]}":                  "only with peers.listen",
		"peers: {listen: nowhere}":                       "peers.listen",
		"peers: {listen: \":7443\", addresses: [\"a\"]}": "addresses[0]",
		"peers: {listen: \":7443\", port: 1}":            "port",
		"mode: terminal\npeers: {listen: \":7443\"}":     "a till decides no passes",
	} {
		_, err := agent.ParseConfig("gate.yaml", []byte(base+text))
		if !errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", text, err, word)
		}
	}
	got, err := agent.ParseConfig("gate.yaml", []byte(base+"peers: {listen: \":7443\", addresses: [\"10.1.2.3:7443\"]}"))
	if err != nil || got.Peers.Listen != ":7443" || len(got.Peers.Addresses) != 1 {
		t.Errorf("%+v, %v", got.Peers, err)
	}
}
