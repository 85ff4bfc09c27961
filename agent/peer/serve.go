package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	maxDoor = 32 // who came and has not proved a key; more are turned away
	// quietFor bounds what strangers write into the log.
	quietFor = 10 * time.Second
)

// Listen opens the port that other gates come to.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	return lc.Listen(ctx, "tcp", addr)
}

// guest is a connection on which another gate asks.
type guest struct {
	*pipe
	p      *Peers
	who    wire.Peer
	claims chan struct{}  // a slot for each claim that is being decided
	work   sync.WaitGroup // of those
}

// serve takes who comes, until ctx ends or the listener fails.
func (p *Peers) serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // accepting ends
	defer stop()
	for failures := 0; ; {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close() // it came too late
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("gates cannot come in: %w", err)
		case err != nil: // too many files, for instance
			failures++
			p.cfg.Log.Warn("a gate that came was not let in", "error", err)
			pause(ctx, wire.Backoff(failures, backoffBase, time.Second, p.jitter()))
			continue
		}
		failures = 0
		select {
		case p.door <- struct{}{}:
		default:
			p.turnAway(conn, errors.New("too many are at the door"))
			continue
		}
		if !p.begin(func(base context.Context) { p.receive(base, conn) }) {
			_ = conn.Close() // going down
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// receive has somebody prove who they are, and answers them.
func (p *Peers) receive(base context.Context, raw net.Conn) {
	g, err := p.greet(base, raw)
	<-p.door
	if err != nil {
		p.turnAway(raw, err)
		return
	}
	p.mu.Lock()
	if old := p.guests[g.who.Gate]; old != nil {
		old.fail(ErrReplaced)
	}
	p.guests[g.who.Gate] = g
	p.mu.Unlock()
	p.cfg.Log.Info("a gate came to ask", "gate", g.who.Gate, "remote", raw.RemoteAddr().String())
	err = g.run(wire.PeerIdleMS*time.Millisecond, g.dispatch)
	g.work.Wait()
	p.cfg.Log.Info("a gate has gone", "gate", g.who.Gate, "cause", err)
	p.mu.Lock()
	if p.guests[g.who.Gate] == g {
		delete(p.guests, g.who.Gate)
	}
	p.mu.Unlock()
}

func (p *Peers) greet(base context.Context, raw net.Conn) (*guest, error) {
	ctx, cancel := context.WithTimeout(base, wire.PeerDoorMS*time.Millisecond)
	defer cancel()
	var who wire.Peer
	conn := tls.Server(raw, p.config(func(gate uint16, key ed25519.PublicKey) (err error) {
		who, err = p.prove(gate, key)
		return err
	}))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return &guest{pipe: newPipe(base, conn), p: p, who: who, claims: make(chan struct{}, wire.AskWindow)}, nil
}

// turnAway closes a connection, and says so in the log now and then.
func (p *Peers) turnAway(conn net.Conn, why error) {
	n := p.strangers.Add(1)
	if p.quiet.CompareAndSwap(false, true) {
		p.cfg.Log.Warn("somebody was turned away at the port for gates", "remote", conn.RemoteAddr().String(), "error", why, "so_far", n)
		time.AfterFunc(quietFor, func() { p.quiet.Store(false) })
	}
	_ = conn.Close() // whoever it is, nobody is to be told
}

// Strangers is how many were turned away since the start.
func (p *Peers) Strangers() uint64 { return p.strangers.Load() }

func (g *guest) dispatch(f wire.Frame) error {
	if f.Type != wire.TypeClaim {
		return fmt.Errorf("%w: %s %s from a gate that asks", wire.ErrProtocol, f.Stream, f.Type)
	}
	var c wire.Claim
	if err := f.Into(&c); err != nil {
		return err
	}
	if !g.p.still(&g.who) {
		return fmt.Errorf("%w: gate %d is another now", ErrStranger, g.who.Gate)
	}
	silent := wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	if !g.who.MayAsk(&c) {
		g.p.cfg.Log.Warn("claim in another's name", "gate", g.who.Gate, "claim", c.ID, "for", c.Gate)
		g.offer(wire.TypeAnswer, silent)
		return nil
	}
	select {
	case g.claims <- struct{}{}:
	default:
		g.offer(wire.TypeAnswer, silent)
		return nil
	}
	g.work.Go(func() {
		defer func() { <-g.claims }()
		ctx, cancel := context.WithTimeout(g.ctx, wire.AskTimeoutMS*time.Millisecond)
		defer cancel()
		a := g.p.cfg.Claimed(ctx, c)
		if a.ID = c.ID; a.Check() != nil {
			a = silent
		}
		g.offer(wire.TypeAnswer, a) // without room it is too late anyway
	})
	return nil
}
