package link

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/signing/wire"
)

// ErrPlain is wrapped when a connection without TLS would leave this PC.
var ErrPlain = errors.New("without TLS only a server on this PC is spoken to")

// kernelBuffer bounds what the system queues on a connection, because a claim
// waits behind it.
const kernelBuffer = 128 << 10

// serverURL reads a server's address into an http or https URL without a path.
func serverURL(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, fmt.Errorf("%w: server %q is not an address", ErrConfig, server)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: server %q: want https://host or https://host:port", ErrConfig, server)
	}
	if u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		return nil, fmt.Errorf("%w: server %q: %w: use https", ErrConfig, server, ErrPlain)
	}
	return u, nil
}

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// dial opens a connection and goes through the handshake on it.
func (l *Link) dial(ctx context.Context) (_ *websocket.Conn, welcome wire.Welcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, wire.HandshakeMS*time.Millisecond)
	defer cancel()
	stop := func() bool { return true }
	defer func() { stop() }()

	d := websocket.Dialer{
		TLSClientConfig: l.cfg.TLS,
		WriteBufferSize: wire.FrameTarget,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := l.cfg.Dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if l.plain && !loopbackAddr(c.RemoteAddr()) {
				return nil, errors.Join(fmt.Errorf("%w: %s is at %s", ErrPlain, addr, c.RemoteAddr()), c.Close())
			}
			if b, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
				if err := b.SetWriteBuffer(kernelBuffer); err != nil {
					return nil, errors.Join(err, c.Close())
				}
			}
			// The dialer does not heed the end of ctx once connected, and the
			// handshake has no deadlines but this one.
			stop = context.AfterFunc(ctx, func() { _ = c.Close() }) // nobody is left to tell
			return c, nil
		},
	}
	ws, resp, err := d.DialContext(ctx, l.url.String(), nil)
	if err != nil {
		if resp != nil {
			err = fmt.Errorf("%w: HTTP status %s", err, resp.Status)
		}
		return nil, welcome, fmt.Errorf("dial %s: %w", l.url.Host, err)
	}
	if welcome, err = l.handshake(ws); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return nil, welcome, errors.Join(err, ws.Close())
	}
	return ws, welcome, nil
}

func loopbackAddr(a net.Addr) bool {
	ap, err := netip.ParseAddrPort(a.String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// handshake answers the server's Hello and waits for its Welcome. A Bye, of
// either side, comes back as a ByeError.
func (l *Link) handshake(ws *websocket.Conn) (welcome wire.Welcome, err error) {
	ws.SetReadLimit(wire.MaxFrameBytes)
	var hello wire.Hello
	if err := receive(ws, wire.TypeHello, &hello); err != nil {
		return welcome, err
	}
	if hello.Version != wire.Version {
		return welcome, refuse(ws, wire.ByeVersion, fmt.Sprintf("the server speaks version %d of the protocol, this agent %d", hello.Version, wire.Version))
	}
	id := l.cfg.Identity
	if hello.Site != id.Site {
		return welcome, refuse(ws, wire.ByeSite, fmt.Sprintf("the server is of site %q, this agent of %q", hello.Site, id.Site))
	}
	exporter, err := l.exporter(ws)
	if err != nil {
		return welcome, err
	}
	pruned, follows, err := l.deps.Journal.Begins()
	if err != nil {
		return welcome, err
	}
	frame, err := wire.EncodeFrame(wire.Link, wire.TypeAuth, wire.Auth{
		Version: wire.Version, Software: l.cfg.Software, Agent: id.Agent, Epoch: id.Epoch,
		Signature: ed25519.Sign(id.Key, wire.AuthBytes(id.Site, id.Agent, id.Epoch, hello.Nonce, exporter)),
		Cursor:    l.deps.Snapshot.Cursor(), Last: l.deps.Journal.Last(),
		Pruned: pruned, PrunedHash: follows,
	})
	if err != nil {
		return welcome, err
	}
	if err := ws.WriteMessage(websocket.TextMessage, frame); err != nil {
		return welcome, fmt.Errorf("send auth: %w", err)
	}
	return welcome, receive(ws, wire.TypeWelcome, &welcome)
}

// exporter gives the keying material that ties Auth to this very connection.
func (l *Link) exporter(ws *websocket.Conn) ([]byte, error) {
	if l.plain {
		return nil, nil
	}
	conn, ok := ws.NetConn().(*tls.Conn)
	if !ok {
		return nil, fmt.Errorf("%w: the connection is not TLS", ErrPlain)
	}
	cs := conn.ConnectionState()
	exporter, err := cs.ExportKeyingMaterial(wire.ExporterLabel, nil, wire.ExporterBytes)
	if err != nil {
		return nil, fmt.Errorf("tie to the TLS connection: %w", err)
	}
	return exporter, nil
}

// receive reads the next message of the handshake.
func receive(ws *websocket.Conn, typ string, message any) error {
	kind, raw, err := ws.ReadMessage()
	if err != nil {
		return fmt.Errorf("wait for %s: %w", typ, err)
	}
	if kind != websocket.TextMessage {
		return refuse(ws, wire.ByeProtocol, "a binary message")
	}
	f, err := wire.DecodeFrame(raw)
	if err != nil {
		return refuse(ws, wire.ByeProtocol, err.Error())
	}
	switch {
	case f.Stream == wire.Link && f.Type == wire.TypeBye:
		return byeError(f)
	case f.Stream != wire.Link || f.Type != typ:
		return refuse(ws, wire.ByeProtocol, fmt.Sprintf("%s %s instead of %s", f.Stream, f.Type, typ))
	}
	if err := f.Into(message); err != nil {
		return refuse(ws, wire.ByeProtocol, err.Error())
	}
	return nil
}

// byeError turns the server's Bye into an error.
func byeError(f wire.Frame) error {
	var bye wire.Bye
	if err := f.Into(&bye); err != nil {
		return err
	}
	return &ByeError{Code: bye.Code, Message: bye.Message}
}

// refuse says goodbye, as far as it can be said, and gives the error of it.
func refuse(ws *websocket.Conn, code, message string) error {
	bye := &ByeError{Code: code, Message: wire.Clip(message), Ours: true}
	frame, err := wire.EncodeFrame(wire.Link, wire.TypeBye, wire.Bye{Code: code, Message: bye.Message})
	if err == nil {
		err = ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil {
		return fmt.Errorf("%w (and it could not be told: %w)", bye, err)
	}
	return bye
}
