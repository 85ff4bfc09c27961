package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Whom the connections of this gate's may be to. The errors of a connection
// wrap one of them, or the network's.
var (
	// ErrStranger: the other end is not the program that the snapshot names for
	// that gate: unknown, revoked, or enrolled again.
	ErrStranger = errors.New("not a gate of this campus")
	// ErrSilent: a question got no answer in time, and nothing else came either.
	ErrSilent = errors.New("the other gate is silent")
	// ErrSlow: the other end does not take what is sent.
	ErrSlow = errors.New("the other gate does not take what is sent")
	// ErrReplaced: the same gate connected once more.
	ErrReplaced = errors.New("the gate connected again")

	errDown = errors.New("this gate is going down")
)

// Config is who this gate is, and what it knows of others.
type Config struct {
	Gate uint16
	Key  ed25519.PrivateKey // the one that was enrolled

	// Peer gives the snapshot's word on a gate. It is asked for each question, so
	// that a gate that is taken out is cut off with the next one.
	Peer func(gate uint16) (wire.Peer, bool)
	// Peers lists the gates that Peer knows.
	Peers func() []uint16
	// Claimed decides a claim of another gate. Calls run at the same time; ctx
	// ends when nobody waits for the answer any more.
	Claimed func(ctx context.Context, claim wire.Claim) wire.Answer

	// Dial opens a connection; nil = the system's. A switch that cuts the network
	// goes here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Rand io.Reader    // for jitter; nil = crypto/rand
	Log  *slog.Logger // nil = none
}

// Peers is this gate among the others. Its methods may be called at once.
type Peers struct {
	cfg  Config
	cert tls.Certificate
	door chan struct{} // a slot for each handshake of somebody who came

	mu        sync.Mutex
	base      context.Context // of connections; nil = not running
	remotes   map[uint16]*remote
	guests    map[uint16]*guest
	work      sync.WaitGroup
	strangers atomic.Uint64
	quiet     atomic.Bool // a stranger was logged a moment ago
}

// New makes the certificate. Nothing is asked or answered before Run.
func New(cfg Config) (*Peers, error) {
	if cfg.Gate == 0 || len(cfg.Key) != ed25519.PrivateKeySize || cfg.Peer == nil || cfg.Peers == nil || cfg.Claimed == nil {
		return nil, errors.New("peers: gate, key, peers and claimed are needed")
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cert, err := certificate(cfg.Gate, cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	return &Peers{
		cfg: cfg, cert: cert, door: make(chan struct{}, maxDoor),
		remotes: map[uint16]*remote{}, guests: map[uint16]*guest{},
	}, nil
}

// Run asks, and answers whoever comes to ln (nil = nobody can), until ctx ends,
// which is no error. It closes ln, and returns after every connection has ended
// and every call to Claimed has returned. Call it once.
func (p *Peers) Run(ctx context.Context, ln net.Listener) error {
	base, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	p.mu.Lock()
	p.base = base
	p.mu.Unlock()
	var err error
	if ln != nil {
		err = p.serve(ctx, ln)
	} else {
		<-ctx.Done()
	}
	p.mu.Lock()
	p.base = nil
	p.mu.Unlock()
	stop(errDown)
	p.work.Wait()
	return err
}

// begin runs do as part of Run, unless that has ended.
func (p *Peers) begin(do func(base context.Context)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	base := p.base
	if base == nil {
		return false
	}
	p.work.Go(func() { do(base) })
	return true
}

// Known lists the gates that can be asked, by number: those that the snapshot
// gives an address for.
func (p *Peers) Known() []uint16 {
	var list []uint16
	for _, gate := range p.cfg.Peers() {
		if p.Reaches(gate) {
			list = append(list, gate)
		}
	}
	slices.Sort(list)
	return list
}

// Reaches reports whether the gate has an address to ask it at.
func (p *Peers) Reaches(gate uint16) bool {
	who, ok := p.peer(gate)
	return ok && len(who.Addresses) > 0
}

// peer gives the snapshot's word on another gate.
func (p *Peers) peer(gate uint16) (wire.Peer, bool) {
	if gate == 0 || gate == p.cfg.Gate {
		return wire.Peer{}, false
	}
	who, ok := p.cfg.Peer(gate)
	return who, ok && who.Gate == gate && who.Check() == nil
}

// Ask puts a claim to a gate and waits at most 300 ms. The answer is silent when
// the gate is not known or cannot be reached, too many claims are under way, or
// none came in time: that says nothing about what the gate decided, so the same
// claim may be asked again with the same id, here or through the server.
func (p *Peers) Ask(ctx context.Context, gate uint16, claim wire.Claim) wire.Answer {
	silent := wire.Answer{ID: claim.ID, State: verdict.ClaimSilent}
	ctx, cancel := context.WithTimeout(ctx, wire.AskTimeoutMS*time.Millisecond)
	defer cancel()
	if !p.Reaches(gate) {
		return silent
	}
	s := p.remote(gate).reach(ctx)
	if s == nil {
		return silent
	}
	return s.ask(ctx, claim)
}

func (p *Peers) remote(gate uint16) *remote {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.remotes[gate]
	if r == nil {
		r = &remote{p: p, gate: gate}
		p.remotes[gate] = r
	}
	return r
}

// jitter is chance for wire.Backoff.
func (p *Peers) jitter() uint32 {
	var b [4]byte
	if _, err := io.ReadFull(p.cfg.Rand, b[:]); err != nil {
		return 1 << 31 // no randomness: the middle will do
	}
	return binary.BigEndian.Uint32(b[:])
}
