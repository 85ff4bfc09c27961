package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/signing/wire"
)

const (
	byeWait      = time.Second // how long the end of a connection may take to be told
	kernelBuffer = 128 << 10   // what the system may queue, because answers wait behind it
)

// Reasons for which a connection ends without a Bye.
var (
	errSilent = errors.New("the agent has been silent for too long")
	errSlow   = errors.New("the agent does not take what is sent")
)

// conn is the connection of one agent, past its handshake. The reader
// goroutine hands frames to the streams and never waits for the store.
type conn struct {
	h     *Hub
	ws    *websocket.Conn
	out   *wire.Outbox
	agent Agent
	start wire.Cursor // where the agent was when it connected
	last  uint64      // where its journal ended then; 0 = all of that is held
	ctx   context.Context
	fail  context.CancelCauseFunc
	done  chan struct{} // closed when no call for this connection runs in the store

	events  chan wire.Events           // frames that wait for the up stream
	applied chan wire.Applied          // answers that wait for the down stream
	claims  chan struct{}              // a slot for each claim that is being answered
	fetches chan wire.Fetch            // that wait for a part of a program
	relayed wire.Pending[wire.Answer]  // claims that this agent was asked to decide
	prints  wire.Pending[wire.Printed] // slips that this agent was asked to print
	moves   wire.Pending[wire.Moved]   // passes that this agent was asked to give up

	mu    sync.Mutex
	state State
}

func newConn(base context.Context, h *Hub, ws *websocket.Conn, remote string, agent Agent, auth wire.Auth) *conn {
	now := h.cfg.Now()
	c := &conn{
		h: h, ws: ws, out: wire.NewOutbox(), agent: agent, start: auth.Cursor,
		done:    make(chan struct{}),
		events:  make(chan wire.Events, wire.UpWindow),
		applied: make(chan wire.Applied, 4),
		claims:  make(chan struct{}, wire.AskWindow),
		fetches: make(chan wire.Fetch, 2), // one may have been given up by the agent
		state: State{
			Connected: true, Since: now, LastSeen: now, Remote: remote,
			Software: auth.Software, Epoch: agent.Epoch, Applied: auth.Cursor,
		},
	}
	c.ctx, c.fail = context.WithCancelCause(base)
	return c
}

// abandon is the end of a connection that was entered and never served.
func (c *conn) abandon(old *conn) {
	defer c.h.conns.Done()
	c.fail(errors.New("never served"))
	if old != nil {
		<-old.done
	}
	close(c.done)
	c.h.leave(c)
}

// serve runs the streams until the connection ends.
func (c *conn) serve() {
	defer c.h.conns.Done()
	log := c.h.cfg.Log.With("agent", c.agent.ID, "gate", c.agent.Gate)
	log.Info("agent connected", "remote", c.state.Remote, "software", c.state.Software)
	c.note(true, func(*State) {})

	c.ws.SetReadLimit(wire.MaxFrameBytes)
	var reader, writer, streams sync.WaitGroup
	reader.Go(func() { c.fail(c.read(&streams)) })
	writer.Go(func() { c.fail(c.write()) })
	streams.Go(c.ingest)
	streams.Go(c.feed)
	streams.Go(c.watch)
	streams.Go(c.load)

	c.h.cfg.Calls.Connected(c.agent)

	<-c.ctx.Done()
	cause := context.Cause(c.ctx)
	nc, deadline := c.ws.NetConn(), time.Now().Add(byeWait)
	_ = nc.SetReadDeadline(time.Now()) // reading ends now; both fail when closed already
	_ = nc.SetWriteDeadline(deadline)  // a write that is under way may be stuck
	var released sync.WaitGroup
	released.Go(func() {
		reader.Wait()
		streams.Wait()
		close(c.done)
	})
	reader.Wait()
	writer.Wait()
	if bye := parting(cause); bye != nil && sayBye(c.ws, bye, deadline) == nil {
		linger(nc, deadline)
	}
	_ = c.ws.Close() // nothing is left to be lost
	released.Wait()
	log.Info("agent disconnected", "cause", cause)
	c.note(true, func(st *State) { st.Connected, st.Since = false, c.h.cfg.Now() })
	c.h.leave(c)
}

// linger waits until the agent has closed. Closing first, with something of the
// agent's unread, would take the Bye back (RFC 1122 section 4.2.2.13).
func linger(nc net.Conn, deadline time.Time) {
	if nc.SetReadDeadline(deadline) == nil {
		_, _ = io.Copy(io.Discard, nc) // until its end, or the deadline
	}
}

// parting gives the Bye that goes with a cause; nil = the agent knows, or
// cannot be told.
func parting(cause error) *farewell {
	var bye *farewell
	switch {
	case errors.As(cause, &bye):
		return bye
	case errors.Is(cause, wire.ErrProtocol):
		return &farewell{wire.ByeProtocol, cause.Error()}
	case errors.Is(cause, errShutdown), errors.Is(cause, context.Canceled):
		return &farewell{wire.ByeShutdown, errShutdown.Error()}
	}
	return nil
}

func (c *conn) write() error {
	for {
		frame, err := c.out.Take(c.ctx)
		if err != nil {
			return err
		}
		if err := c.ws.SetWriteDeadline(time.Now().Add(wire.WriteTimeoutMS * time.Millisecond)); err != nil {
			return err
		}
		if err := c.ws.WriteMessage(websocket.TextMessage, frame); err != nil {
			return timedOut(err, errSlow)
		}
	}
}

// read hands out frames. Claims are answered in goroutines of their own, which
// it adds to streams.
func (c *conn) read(streams *sync.WaitGroup) error {
	for {
		if err := c.ws.SetReadDeadline(time.Now().Add(wire.PeerSilenceMS * time.Millisecond)); err != nil {
			return err
		}
		if c.ctx.Err() != nil { // serve wants reading to end, and may have said so before
			return c.ctx.Err()
		}
		kind, raw, err := c.ws.ReadMessage()
		if err != nil {
			return timedOut(err, errSilent)
		}
		if kind != websocket.TextMessage {
			return fmt.Errorf("%w: a binary message", wire.ErrProtocol)
		}
		f, err := wire.DecodeFrame(raw)
		if err != nil {
			return err
		}
		if err := c.dispatch(f, streams); err != nil {
			return err
		}
	}
}

func (c *conn) dispatch(f wire.Frame, streams *sync.WaitGroup) error {
	switch f.Type {
	case wire.TypeClock:
		return handle(f, c.clock)
	case wire.TypePong:
		return handle(f, c.pong)
	case wire.TypeEvents:
		return handle(f, func(m wire.Events) error { return enqueue(c.events, m, f) })
	case wire.TypeApplied:
		return handle(f, func(m wire.Applied) error { return enqueue(c.applied, m, f) })
	case wire.TypeFetch:
		return handle(f, func(m wire.Fetch) error { return enqueue(c.fetches, m, f) })
	case wire.TypeClaim:
		return handle(f, func(m wire.Claim) error { return c.claim(m, streams) })
	case wire.TypeAnswer:
		return handle(f, func(m wire.Answer) error {
			c.relayed.Settle(m.ID, m)
			return nil
		})
	case wire.TypePrinted:
		return handle(f, func(m wire.Printed) error {
			c.prints.Settle(m.ID, m)
			return nil
		})
	case wire.TypeMoved:
		return handle(f, func(m wire.Moved) error {
			c.moves.Settle(m.ID, m)
			return nil
		})
	case wire.TypeRing, wire.TypeReply, wire.TypeStand:
		return c.call(f)
	case wire.TypeBye:
		return handle(f, func(m wire.Bye) error { return fmt.Errorf("the agent says %s: %s", m.Code, m.Message) })
	}
	return fmt.Errorf("%w: %s %s from an agent", wire.ErrProtocol, f.Stream, f.Type)
}

// handle reads a frame's body into a message and passes it on.
func handle[M any](f wire.Frame, do func(M) error) error {
	var m M
	if err := f.Into(&m); err != nil {
		return err
	}
	return do(m)
}

// enqueue hands a message to its stream. A full queue means that the agent
// does not keep to its window.
func enqueue[M any](queue chan M, m M, f wire.Frame) error {
	select {
	case queue <- m:
		return nil
	default:
		return &farewell{wire.ByeOverrun, fmt.Sprintf("more than %d %s frames at once", cap(queue), f.Type)}
	}
}

// clock answers a heartbeat and notes what it says.
func (c *conn) clock(m wire.Clock) error {
	reply := wire.Clock{T0: m.T0, T1: c.h.cfg.Now().UnixMilli(), Offer: c.offer(m.Health)}
	frame, err := wire.EncodeFrame(wire.Link, wire.TypeClock, reply)
	if err != nil {
		return err
	}
	c.out.Offer(wire.Link, frame) // too late later
	moved := false
	if m.Health != nil {
		c.mu.Lock()
		moved = !c.state.Reported || !slices.Equal(c.state.Health.Addresses, m.Health.Addresses)
		c.mu.Unlock()
	}
	c.note(moved, func(st *State) {
		st.LastSeen = c.h.cfg.Now()
		st.OffsetMS = m.Offset
		if m.Health != nil {
			st.Health, st.Queue, st.Reported = *m.Health, m.Health.Queue, true
		}
	})
	return nil
}

// watch looks at the agent's record now and then: it may have been revoked or
// moved while it is connected, or during the handshake, when Drop finds nobody
// yet. It also has the store told of the state.
func (c *conn) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		now, err := c.h.store.Agent(c.ctx, c.agent.ID)
		switch {
		case errors.Is(err, ErrUnknownAgent) || (err == nil && now.Revoked):
			c.fail(&farewell{wire.ByeUnknownAgent, "this agent is not enrolled here any more"})
		case err != nil: // of no use now; it will be asked again
		case now.Epoch != c.agent.Epoch:
			c.fail(&farewell{wire.ByeEpoch, "this agent was enrolled again"})
		case now.Gate != c.agent.Gate:
			c.fail(&farewell{wire.ByeShutdown, "this agent now stands for another gate: come back"})
		}
		c.note(true, func(*State) {})
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// note changes the state and hands it to the hub.
func (c *conn) note(tell bool, change func(*State)) {
	c.mu.Lock()
	change(&c.state)
	st := c.state
	c.mu.Unlock()
	c.h.note(c, st, tell)
}

func timedOut(err, meaning error) error {
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}
