package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Pace of connecting. A question waits for 300 ms, so the longest pause is
// shorter: each question is worth one attempt.
const (
	backoffBase  = 25 * time.Millisecond
	backoffLimit = 200 * time.Millisecond
	// dialLimit ends an attempt: one that begins when the network is back again
	// is faster than one that waits for its packets to be sent once more.
	dialLimit = time.Second
	slowAfter = 2 * time.Second // then who takes nothing is cut
)

// remote is the way to one other gate.
type remote struct {
	p    *Peers
	gate uint16

	mu       sync.Mutex
	live     *session      // nil = none
	trying   chan struct{} // closed when the attempt, or the pause after it, is over; nil = neither
	failures int
}

// reach gives a connection to the gate as it is known now, and makes one where
// there is none; nil = not before ctx ended.
func (r *remote) reach(ctx context.Context) *session {
	for {
		who, ok := r.p.peer(r.gate)
		if !ok {
			return nil
		}
		r.mu.Lock()
		if s := r.live; s != nil && s.ctx.Err() == nil {
			if s.who.Same(&who) {
				r.mu.Unlock()
				return s
			}
			s.fail(fmt.Errorf("%w: gate %d is another now", ErrStranger, r.gate))
		}
		r.live = nil
		if r.trying == nil {
			done := make(chan struct{})
			if !r.p.begin(func(base context.Context) { r.attempt(base, &who, done) }) {
				r.mu.Unlock()
				return nil
			}
			r.trying = done
		}
		wait := r.trying
		r.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil
		}
	}
}

// attempt connects once, and lives through the connection.
func (r *remote) attempt(base context.Context, who *wire.Peer, done chan struct{}) {
	s, err := r.p.connect(base, who)
	if err == nil {
		r.settle(done, s)
		r.p.cfg.Log.Info("connected to a gate", "gate", r.gate)
		err = s.run(0, s.dispatch)
		r.p.cfg.Log.Info("connection to a gate ended", "gate", r.gate, "cause", err)
		r.mu.Lock()
		if r.live == s {
			r.live = nil
		}
		r.mu.Unlock()
		return
	}
	r.p.cfg.Log.Debug("gate not reached", "gate", r.gate, "error", err)
	r.mu.Lock()
	r.failures++
	n := r.failures
	r.mu.Unlock()
	pause := time.NewTimer(wire.Backoff(n, backoffBase, backoffLimit, r.p.jitter()))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-base.Done():
	}
	r.settle(done, nil)
}

func (r *remote) settle(done chan struct{}, s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s != nil {
		r.live, r.failures = s, 0
	}
	r.trying = nil
	close(done)
}

// connect tries all addresses of a gate at once; the first that proves to be
// it holds.
func (p *Peers) connect(base context.Context, who *wire.Peer) (*session, error) {
	ctx, cancel := context.WithTimeout(base, dialLimit)
	defer cancel()
	type result struct {
		conn *tls.Conn
		err  error
	}
	results := make(chan result)
	for _, addr := range who.Addresses {
		go func() {
			conn, err := p.dial(ctx, addr, who)
			select {
			case results <- result{conn, err}:
			case <-ctx.Done():
				if conn != nil {
					_ = conn.NetConn().Close() // another was faster
				}
			}
		}()
	}
	var errs []error
	for range who.Addresses {
		select {
		case r := <-results:
			if r.err == nil {
				return &session{pipe: newPipe(base, r.conn), who: *who}, nil
			}
			errs = append(errs, r.err)
		case <-ctx.Done():
			errs = append(errs, context.Cause(ctx))
		}
	}
	return nil, errors.Join(errs...)
}

func (p *Peers) dial(ctx context.Context, addr string, who *wire.Peer) (*tls.Conn, error) {
	raw, err := p.cfg.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	conn := tls.Client(raw, p.config(func(gate uint16, key ed25519.PublicKey) error {
		now, err := p.prove(gate, key)
		if err == nil && !now.Same(who) {
			err = fmt.Errorf("%w: gate %d answers for gate %d", ErrStranger, gate, who.Gate)
		}
		return err
	}))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", addr, err), raw.Close())
	}
	return conn, nil
}

// session is a connection on which this gate asks.
type session struct {
	*pipe
	who   wire.Peer
	asks  wire.Pending[wire.Answer]
	heard atomic.Uint64 // frames that came
}

func (s *session) dispatch(f wire.Frame) error {
	s.heard.Add(1)
	if f.Type != wire.TypeAnswer {
		return fmt.Errorf("%w: %s %s from a gate that is asked", wire.ErrProtocol, f.Stream, f.Type)
	}
	var a wire.Answer
	if err := f.Into(&a); err != nil {
		return err
	}
	s.asks.Settle(a.ID, a)
	return nil
}

// ask waits for the answer as long as ctx. A connection on which nothing at all
// came meanwhile is given up: it may be dead, and the next question finds out.
func (s *session) ask(ctx context.Context, claim wire.Claim) wire.Answer {
	silent := wire.Answer{ID: claim.ID, State: verdict.ClaimSilent}
	answer, forget, ok := s.asks.Wait(claim.ID)
	if !ok {
		return silent
	}
	defer forget()
	heard := s.heard.Load()
	if !s.offer(wire.TypeClaim, claim) {
		return silent
	}
	select {
	case a := <-answer:
		return a
	case <-s.ctx.Done():
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) && s.heard.Load() == heard {
			s.fail(ErrSilent)
		}
	}
	return silent
}
