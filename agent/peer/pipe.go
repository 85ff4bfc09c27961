package peer

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"campusgate/signing/wire"
)

// pipe is a proved connection: frames of the link, each behind its length in
// two bytes. Its reader and writer are goroutines of run's caller.
type pipe struct {
	conn *tls.Conn
	out  *wire.Outbox
	ctx  context.Context // ends with the connection
	fail context.CancelCauseFunc
}

func newPipe(base context.Context, conn *tls.Conn) *pipe {
	c := &pipe{conn: conn, out: wire.NewOutbox()}
	c.ctx, c.fail = context.WithCancelCause(base)
	return c
}

// run reads and writes until the connection ends, closes it, and says why.
func (c *pipe) run(idle time.Duration, dispatch func(wire.Frame) error) error {
	var both sync.WaitGroup
	both.Go(func() { c.fail(c.read(idle, dispatch)) })
	both.Go(func() { c.fail(c.write()) })
	<-c.ctx.Done()
	_ = c.conn.NetConn().Close() // nothing is left to be lost; TLS would wait to say goodbye
	both.Wait()
	return context.Cause(c.ctx)
}

// read hands out frames. Idle is how long none may come; 0 = for ever.
func (c *pipe) read(idle time.Duration, dispatch func(wire.Frame) error) error {
	r := bufio.NewReader(c.conn)
	buf := make([]byte, 2)
	for {
		var until time.Time
		if idle > 0 {
			until = time.Now().Add(idle)
		}
		if err := c.conn.SetReadDeadline(until); err != nil {
			return err
		}
		if c.ctx.Err() != nil { // run wants reading to end, and may have said so before
			return c.ctx.Err()
		}
		if _, err := io.ReadFull(r, buf[:2]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint16(buf[:2]))
		if n == 0 || n > wire.MaxPeerFrame {
			return fmt.Errorf("%w: frame of %d bytes, want 1 to %d", wire.ErrProtocol, n, wire.MaxPeerFrame)
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(r, raw); err != nil {
			return err
		}
		f, err := wire.DecodeFrame(raw)
		if err != nil {
			return err
		}
		if err := dispatch(f); err != nil {
			return err
		}
	}
}

func (c *pipe) write() error {
	for {
		frame, err := c.out.Take(c.ctx)
		if err != nil {
			return err
		}
		if err := c.conn.SetWriteDeadline(time.Now().Add(slowAfter)); err != nil {
			return err
		}
		buf := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(frame)), uint16(len(frame)))
		if _, err := c.conn.Write(append(buf, frame...)); err != nil {
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				return fmt.Errorf("%w: %w", ErrSlow, err)
			}
			return err
		}
	}
}

// offer queues a message that is worth nothing later.
func (c *pipe) offer(typ string, body any) bool {
	frame, err := wire.EncodeFrame(wire.Ask, typ, body)
	return err == nil && len(frame) <= wire.MaxPeerFrame && c.out.Offer(wire.Ask, frame)
}
