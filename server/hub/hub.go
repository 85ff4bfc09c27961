package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"time"

	"campusgate/server/lease"
	"campusgate/signing/wire"
)

// Limits of the hub as a whole.
const (
	maxHandshakes = 256         // connections that have not proved who they are
	watchEvery    = time.Minute // between looks at an agent's record
	storeBase     = 250 * time.Millisecond
	storeLimit    = 30 * time.Second // a failing stream waits at most this long
	seenLimit     = 5 * time.Second  // for the store to note a state
)

// errShutdown ends all connections when Run's context does.
var errShutdown = errors.New("the server is going down")

// Config is what the hub has to know of the server.
type Config struct {
	Site string
	Now  func() time.Time // nil = time.Now
	Rand io.Reader        // for nonces; nil = crypto/rand
	Log  *slog.Logger     // nil = none

	Calls    Calls    // for help; nil = none are taken
	Programs Programs // of agents; nil = none are offered
}

// Hub holds the connections of all agents. Mount it at wire.Path; it serves
// while Run runs. Its methods may be called at once.
type Hub struct {
	cfg   Config
	store Store
	door  door // for those who have not proved who they are
	feed  bell // rings when the store's feed has grown

	mu     sync.Mutex
	base   context.Context // nil = not running
	agents map[uint32]*conn
	gates  map[uint16]*conn
	states map[uint32]State // of all agents seen since the start
	unsaid map[uint32]State // states that the store has yet to be told
	conns  sync.WaitGroup   // connections past their handshake

	leases lease.Table // of gates of the policy first_seen

	dirty bell // rings when unsaid has grown
}

// New makes a hub. It refuses connections until Run.
func New(cfg Config, store Store) *Hub {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Calls == nil {
		cfg.Calls = deaf{}
	}
	if cfg.Programs == nil {
		cfg.Programs = none{}
	}
	return &Hub{
		cfg: cfg, store: store,
		agents: make(map[uint32]*conn), gates: make(map[uint16]*conn),
		states: make(map[uint32]State), unsaid: make(map[uint32]State),
	}
}

// Run serves until ctx ends. Then it says goodbye to every agent, waits for
// the store calls of all connections to return, tells the store the last
// states, and returns the cause of ctx. Call it once.
func (h *Hub) Run(ctx context.Context) error {
	base, stop := context.WithCancelCause(context.WithoutCancel(ctx)) // to end with errShutdown
	h.mu.Lock()
	h.base = base
	h.mu.Unlock()

	told := make(chan struct{})
	reporter, stopReporter := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(told)
		h.report(reporter)
	}()
	go h.lease(base)
	for ctx.Err() == nil {
		changed := h.store.Changed()
		h.feed.ring() // after the call: what was changed before it is told now
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	h.mu.Lock()
	h.base = nil
	h.mu.Unlock()
	stop(errShutdown)
	h.conns.Wait()
	stopReporter()
	<-told
	return context.Cause(ctx)
}

// States gives the state of every agent that was seen since the hub started,
// by agent id.
func (h *Hub) States() map[uint32]State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.states)
}

// Drop ends the connection of an agent with a Bye, for instance
// wire.ByeUnknownAgent at once after it was revoked; without Drop the hub
// notices within a minute. It reports whether there was a connection.
func (h *Hub) Drop(agent uint32, code, message string) bool {
	h.mu.Lock()
	c := h.agents[agent]
	h.mu.Unlock()
	if c != nil {
		c.fail(&farewell{code, message})
	}
	return c != nil
}

// enter makes c the connection of its agent, and gives the one that it
// replaces. It fails when the hub is not running.
func (h *Hub) enter(c *conn) (old *conn, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.base == nil {
		return nil, false
	}
	h.conns.Add(1)
	old = h.agents[c.agent.ID]
	h.agents[c.agent.ID] = c
	if c.agent.Gate != 0 {
		h.gates[c.agent.Gate] = c
	}
	return old, true
}

// leave takes c out, unless another connection has its place already.
func (h *Hub) leave(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.agents[c.agent.ID] == c {
		delete(h.agents, c.agent.ID)
	}
	if h.gates[c.agent.Gate] == c {
		delete(h.gates, c.agent.Gate)
	}
}

// owner gives the connection of the gate that decides; nil = not connected.
func (h *Hub) owner(gate uint16) *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.gates[gate]
}

// note keeps a connection's state, if it still is its agent's connection, and
// with tell has the store told.
func (h *Hub) note(c *conn, st State, tell bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.agents[c.agent.ID] != c {
		return
	}
	h.states[c.agent.ID] = st
	if tell {
		h.unsaid[c.agent.ID] = st
		h.dirty.ring()
	}
}

// alarm notes of an agent that proved who it is why it was not let in. Where
// another one has the connection, there are two of it.
func (h *Hub) alarm(agent Agent, remote string, auth wire.Auth, text string) {
	h.mu.Lock()
	c := h.agents[agent.ID]
	if c == nil {
		now := h.cfg.Now()
		st := h.states[agent.ID]
		st.Connected, st.Since, st.LastSeen = false, now, now
		st.Remote, st.Software, st.Epoch, st.Alarm = remote, auth.Software, agent.Epoch, text
		h.states[agent.ID], h.unsaid[agent.ID] = st, st
		h.dirty.ring()
	}
	h.mu.Unlock()
	if c != nil {
		c.note(true, func(st *State) { st.Alarm = fmt.Sprintf("a copy of this agent at %s: %s", remote, text) })
	}
}

// report tells the store the states of agents, the newest of each, until ctx
// ends and once more then.
func (h *Hub) report(ctx context.Context) {
	for failures := 0; ; {
		dirty := h.dirty.wait()
		h.mu.Lock()
		batch := h.unsaid
		h.unsaid = make(map[uint32]State)
		h.mu.Unlock()
		failed := false
		for id, st := range batch {
			err := h.see(ctx, id, st)
			if err == nil {
				continue
			}
			failed = true
			h.cfg.Log.Warn("state of agent not kept", "agent", id, "err", err)
			h.mu.Lock()
			if _, newer := h.unsaid[id]; !newer {
				h.unsaid[id] = st
			}
			h.mu.Unlock()
		}
		if ctx.Err() != nil {
			return
		}
		if failed {
			failures++
			pause(ctx, failures)
			continue
		}
		failures = 0
		select {
		case <-dirty:
		case <-ctx.Done():
		}
	}
}

// see tells the store one state, also when the hub is going down.
func (h *Hub) see(ctx context.Context, id uint32, st State) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seenLimit)
	defer cancel()
	return h.store.Seen(ctx, id, st)
}

// pause waits before what has failed is tried again; it reports false when ctx
// ended first. All of it is on this machine, so nothing has to be jittered.
func pause(ctx context.Context, failures int) bool {
	t := time.NewTimer(wire.Backoff(failures, storeBase, storeLimit, 1<<32-1))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// bell wakes everyone who waits, once for each ring.
type bell struct {
	mu sync.Mutex
	ch chan struct{}
}

// wait gives a channel that is closed at the next ring.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
