package peer_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"campusgate/agent/link/memnet"
	"campusgate/agent/peer"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// feed is the snapshot of one gate.
type feed struct {
	mu    sync.Mutex
	peers map[uint16]wire.Peer
}

func (f *feed) peer(gate uint16) (wire.Peer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.peers[gate]
	return p, ok
}

func (f *feed) all() []uint16 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.peers))
}

func (f *feed) put(p wire.Peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.peers[p.Gate] = p
}

func (f *feed) remove(gate uint16) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.peers, gate)
}

// gate is a gate with its port. Gate n has agent 10+n.
type gate struct {
	t     *testing.T
	id    uint16
	key   ed25519.PrivateKey
	net   *memnet.Listener
	feed  feed
	peers *peer.Peers
	stop  func()

	mu      sync.Mutex
	claimed []wire.Claim
	decide  func(ctx context.Context, c wire.Claim) wire.Answer
}

func keyOf(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

func (g *gate) item() wire.Peer {
	return wire.Peer{
		Gate: g.id, Agent: 10 + uint32(g.id), Epoch: 1, Key: g.key.Public().(ed25519.PublicKey),
		Addresses: []string{fmt.Sprintf("10.0.0.%d:7443", g.id)},
	}
}

// newGate makes a gate that grants everything. It runs after start.
func newGate(t *testing.T, id uint16) *gate {
	return &gate{
		t: t, id: id, key: keyOf(byte(id)), net: memnet.Listen(fmt.Sprintf("10.0.0.%d:7443", id)),
		feed: feed{peers: map[uint16]wire.Peer{}},
		decide: func(_ context.Context, c wire.Claim) wire.Answer {
			return wire.Answer{ID: c.ID, State: verdict.ClaimGranted}
		},
	}
}

// start runs the gate in a synctest bubble, with a cable to another one.
func (g *gate) start(to *memnet.Cable) *gate {
	g.t.Helper()
	cfg := peer.Config{Gate: g.id, Key: g.key, Peer: g.feed.peer, Peers: g.feed.all, Claimed: g.answer}
	if to != nil {
		cfg.Dial = to.Dial
	}
	var err error
	if g.peers, err = peer.New(cfg); err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := g.peers.Run(ctx, g.net); err != nil {
			g.t.Errorf("gate %d: %v", g.id, err)
		}
	}()
	g.stop = func() {
		cancel()
		<-ended
	}
	synctest.Wait()
	return g
}

func (g *gate) answer(ctx context.Context, c wire.Claim) wire.Answer {
	g.mu.Lock()
	g.claimed = append(g.claimed, c)
	decide := g.decide
	g.mu.Unlock()
	return decide(ctx, c)
}

func (g *gate) asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.claimed)
}

func (g *gate) set(decide func(ctx context.Context, c wire.Claim) wire.Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.decide = decide
}

// claim is gate 2's question for gate 1.
func claim(n int) wire.Claim {
	return wire.Claim{
		ID: fmt.Sprintf("12-1-%d", n), Pass: signing.PassID{1, byte(n)}, Gate: 2, Owner: 1, Uses: 1,
		Issued: 1793400000, Expires: 1793600000, At: 1793500000000,
	}
}

// pair is gate 1, that is asked, and gate 2, that asks over a cable.
func pair(t *testing.T) (one, two *gate, cable *memnet.Cable) {
	one, two = newGate(t, 1), newGate(t, 2)
	one.feed.put(two.item())
	two.feed.put(one.item())
	cable = one.net.Cable("10.0.0.2:5000")
	one.start(nil)
	two.start(cable)
	t.Cleanup(func() {
		one.stop()
		two.stop()
	})
	return one, two, cable
}

func (g *gate) ask(c wire.Claim) verdict.ClaimState {
	g.t.Helper()
	a := g.peers.Ask(context.Background(), c.Owner, c)
	if a.ID != c.ID {
		g.t.Errorf("answer to %s for %s", a.ID, c.ID)
	}
	return a.State
}
