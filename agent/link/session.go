package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/signing/wire"
)

// byeWait is how long the end of a connection may take to be told.
const byeWait = time.Second

// Reasons for which a connection ends without a Bye.
var (
	ErrSilent = errors.New("the server has been silent for too long")
	ErrSlow   = errors.New("the server does not take what is sent")
)

// session is one connection after its handshake. The reader goroutine hands
// frames to the streams and never waits for a store.
type session struct {
	l     *Link
	ws    *websocket.Conn
	out   *wire.Outbox
	outer context.Context // ends when the agent goes down
	ctx   context.Context // ends with the connection
	fail  context.CancelCauseFunc

	asks    wire.Pending[wire.Answer]
	parts   wire.Pending[wire.Part]
	claims  chan struct{}   // a slot for each claim that is being decided here
	prints  chan struct{}   // a slot for each slip that is being printed here
	pings   chan struct{}   // a slot for the ping that is being answered
	moves   chan struct{}   // a slot for each pass that is being given up here
	acks    chan uint64     // latest Acked, for the up stream
	deltas  chan wire.Delta // frames of a group, for the down stream
	applies atomic.Bool     // a group is being applied: no frame may come
	beats   chan wire.Clock // answers to heartbeats
}

func newSession(ctx context.Context, l *Link, ws *websocket.Conn) *session {
	s := &session{
		l: l, ws: ws, out: wire.NewOutbox(), outer: ctx,
		claims: make(chan struct{}, wire.AskWindow),
		prints: make(chan struct{}, wire.MaxPrints),
		pings:  make(chan struct{}, 1),
		moves:  make(chan struct{}, wire.MaxMoves),
		acks:   make(chan uint64, 1),
		deltas: make(chan wire.Delta, 8),
		beats:  make(chan wire.Clock, 1),
	}
	s.ctx, s.fail = context.WithCancelCause(ctx)
	return s
}

// run serves the streams until the connection ends, and says why it did.
func (s *session) run(welcome wire.Welcome) error {
	var reader, writer, streams sync.WaitGroup
	reader.Go(func() { s.fail(s.read(&streams)) })
	writer.Go(func() { s.fail(s.write()) })
	streams.Go(s.heartbeat)
	streams.Go(func() { s.upload(welcome.Acked) })
	streams.Go(s.download)

	<-s.ctx.Done()
	err := context.Cause(s.ctx)
	nc, deadline := s.ws.NetConn(), time.Now().Add(byeWait)
	_ = nc.SetReadDeadline(time.Now()) // reading ends now; both fail when closed already
	_ = nc.SetWriteDeadline(deadline)  // a write that is under way may be stuck
	reader.Wait()
	writer.Wait()
	err = s.farewell(err, deadline)
	_ = s.ws.Close() // what had to be said was said, and its failure is no news
	streams.Wait()
	return err
}

// farewell tells the server why this side ends the connection, if it does.
func (s *session) farewell(cause error, deadline time.Time) error {
	code := ""
	switch {
	case errors.Is(cause, wire.ErrProtocol):
		code = wire.ByeProtocol
	case s.outer.Err() != nil:
		code = wire.ByeShutdown
	}
	if code == "" || s.ws.SetWriteDeadline(deadline) != nil {
		return cause
	}
	err := refuse(s.ws, code, cause.Error())
	// Closing first, with something of the server's unread, would take the Bye
	// back (RFC 1122 section 4.2.2.13).
	if nc := s.ws.NetConn(); nc.SetReadDeadline(deadline) == nil {
		_, _ = io.Copy(io.Discard, nc) // until the server has closed, or the deadline
	}
	if code == wire.ByeShutdown {
		return cause
	}
	return err
}

func (s *session) write() error {
	for {
		frame, err := s.out.Take(s.ctx)
		if err != nil {
			return err
		}
		if err := s.ws.SetWriteDeadline(time.Now().Add(wire.WriteTimeoutMS * time.Millisecond)); err != nil {
			return err
		}
		if err := s.ws.WriteMessage(websocket.TextMessage, frame); err != nil {
			return timedOut(err, ErrSlow)
		}
	}
}

// read hands out frames. Claims are decided in goroutines of their own, which
// it adds to streams.
func (s *session) read(streams *sync.WaitGroup) error {
	for {
		if err := s.ws.SetReadDeadline(time.Now().Add(wire.PeerSilenceMS * time.Millisecond)); err != nil {
			return err
		}
		if s.ctx.Err() != nil { // run wants reading to end, and may have said so before
			return s.ctx.Err()
		}
		kind, raw, err := s.ws.ReadMessage()
		if err != nil {
			return timedOut(err, ErrSilent)
		}
		if kind != websocket.TextMessage {
			return fmt.Errorf("%w: a binary message", wire.ErrProtocol)
		}
		f, err := wire.DecodeFrame(raw)
		if err != nil {
			return err
		}
		if err := s.dispatch(f, streams); err != nil {
			return err
		}
	}
}

func (s *session) dispatch(f wire.Frame, streams *sync.WaitGroup) error {
	switch f.Type {
	case wire.TypeClock:
		return handle(f, func(m wire.Clock) error { return s.beat(m) })
	case wire.TypePing:
		return handle(f, func(m wire.Ping) error { return s.ping(m, streams) })
	case wire.TypeDelta:
		return handle(f, s.delta)
	case wire.TypeAcked:
		return handle(f, func(m wire.Acked) error {
			latest(s.acks, m.Seq)
			return nil
		})
	case wire.TypeAnswer:
		return handle(f, func(m wire.Answer) error {
			s.asks.Settle(m.Answers(), m)
			return nil
		})
	case wire.TypePart:
		return handle(f, func(m wire.Part) error {
			s.parts.Settle(partKey(m.Release, m.Offset), m)
			return nil
		})
	case wire.TypeClaim:
		return handle(f, func(m wire.Claim) error { return s.claim(m, streams) })
	case wire.TypeRing, wire.TypeReply, wire.TypeStand:
		return s.call(f)
	case wire.TypePrint:
		return handle(f, func(m wire.Print) error { return s.print(m, streams) })
	case wire.TypeMove:
		return handle(f, func(m wire.Move) error { return s.move(m, streams) })
	case wire.TypeBye:
		return byeError(f)
	}
	return fmt.Errorf("%w: %s %s from a server", wire.ErrProtocol, f.Stream, f.Type)
}

// handle reads a frame's body into a message and passes it on.
func handle[M any](f wire.Frame, do func(M) error) error {
	var m M
	if err := f.Into(&m); err != nil {
		return err
	}
	return do(m)
}

// latest leaves v, and nothing older, in a channel of one place. Only one
// goroutine may put.
func latest[T any](ch chan T, v T) {
	select {
	case <-ch:
	default:
	}
	ch <- v
}

// send encodes a message and waits for room.
func (s *session) send(stream wire.Stream, typ string, body any) error {
	frame, err := wire.EncodeFrame(stream, typ, body)
	if err != nil {
		return err
	}
	return s.out.Put(s.ctx, stream, frame)
}

// pause waits before a failing stream is tried again. It reports false when
// the connection has ended.
func (s *session) pause(failures int) bool {
	t := time.NewTimer(wire.Backoff(failures, backoffBase, backoffLimit, s.l.jitter()))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func timedOut(err, meaning error) error {
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}
