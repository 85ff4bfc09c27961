package hub

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/signing/wire"
)

// authBytes is as much as is read from somebody unknown.
const authBytes = 8 << 10

// farewell is why this side ends a connection, with the Bye that tells it.
type farewell struct{ code, message string }

func (f *farewell) Error() string { return f.code + ": " + f.message }

// ServeHTTP lets an agent in and returns when its connection has ended. It
// answers with an HTTP error, and no websocket, browsers (403 browser), plain
// connections from another machine (403 tls_required), and anybody while the
// hub is not running (503 unavailable).
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.Header["Origin"]) > 0 {
		turnAway(w, http.StatusForbidden, "browser", "this address is for agents, not for browsers")
		return
	}
	if r.TLS == nil && !loopback(r.RemoteAddr) {
		turnAway(w, http.StatusForbidden, "tls_required", "agents on other machines connect with TLS")
		return
	}
	h.mu.Lock()
	base := h.base
	h.mu.Unlock()
	if base == nil {
		turnAway(w, http.StatusServiceUnavailable, "unavailable", "the server is starting or going down")
		return
	}
	c, err := h.admit(base, w, r)
	if err != nil {
		h.cfg.Log.Warn("agent turned away", "remote", r.RemoteAddr, "err", err)
		return
	}
	c.serve()
}

func turnAway(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message}) // the client left
}

func loopback(remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

// admit goes through the handshake. The connection it gives is registered and
// has been welcomed.
func (h *Hub) admit(base context.Context, w http.ResponseWriter, r *http.Request) (*conn, error) {
	up := websocket.Upgrader{
		HandshakeTimeout: wire.HandshakeMS * time.Millisecond,
		CheckOrigin:      func(*http.Request) bool { return true }, // nobody with one comes here
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			turnAway(w, status, "not_a_websocket", reason.Error())
		},
	}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil, err
	}
	c, err := h.greet(base, ws, r)
	if err == nil {
		return c, nil
	}
	var bye *farewell
	if !errors.As(err, &bye) && !errors.Is(err, errNetwork) {
		bye = &farewell{wire.ByeInternal, "the server has a fault; come back later"}
	}
	if bye != nil {
		err = errors.Join(err, sayBye(ws, bye, time.Now().Add(byeWait)))
	}
	return nil, errors.Join(err, ws.Close())
}

// errNetwork marks an agent that went away or did not answer.
var errNetwork = errors.New("connection lost")

func (h *Hub) greet(base context.Context, ws *websocket.Conn, r *http.Request) (*conn, error) {
	leave := h.door.enter(func() { _ = ws.NetConn().Close() }) // nobody to tell
	defer leave()
	if err := boundKernelQueue(ws.NetConn()); err != nil {
		return nil, fmt.Errorf("%w: %w", errNetwork, err)
	}
	nonce := make([]byte, wire.NonceBytes)
	if _, err := io.ReadFull(h.cfg.Rand, nonce); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}
	var exporter []byte
	if r.TLS != nil {
		var err error
		if exporter, err = r.TLS.ExportKeyingMaterial(wire.ExporterLabel, nil, wire.ExporterBytes); err != nil {
			return nil, &farewell{wire.ByeAuth, "this TLS connection cannot be signed for: use TLS 1.3"}
		}
	}
	ctx, cancel := context.WithTimeout(base, wire.HandshakeMS*time.Millisecond)
	defer cancel()
	// Going down, or out of time, cuts a handshake short.
	defer context.AfterFunc(ctx, func() { _ = ws.NetConn().Close() })() // nobody to tell
	hello := wire.Hello{Version: wire.Version, Site: h.cfg.Site, Nonce: nonce, Now: h.cfg.Now().UnixMilli()}
	if err := tell(ws, wire.TypeHello, hello); err != nil {
		return nil, err
	}
	auth, err := hear(ws)
	if err != nil {
		return nil, err
	}
	agent, err := h.identify(ctx, auth, nonce, exporter)
	if err != nil {
		return nil, err
	}
	leave() // it is known now, and there are no more of it than agents
	return h.settle(ctx, base, ws, r.RemoteAddr, agent, auth)
}

func boundKernelQueue(c net.Conn) error {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = t.NetConn()
	}
	if b, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		return b.SetWriteBuffer(kernelBuffer)
	}
	return nil
}

// hear reads the Auth.
func hear(ws *websocket.Conn) (auth wire.Auth, err error) {
	ws.SetReadLimit(authBytes)
	kind, raw, err := ws.ReadMessage()
	if err != nil {
		return auth, fmt.Errorf("%w: wait for auth: %w", errNetwork, err)
	}
	f, err := wire.DecodeFrame(raw)
	if err == nil && f.Stream == wire.Link && f.Type == wire.TypeBye {
		var bye wire.Bye
		return auth, fmt.Errorf("%w: %w", errNetwork, errors.Join(f.Into(&bye), fmt.Errorf("the agent says %s: %s", bye.Code, bye.Message)))
	}
	switch {
	case err != nil:
	case kind != websocket.TextMessage || f.Stream != wire.Link || f.Type != wire.TypeAuth:
		err = fmt.Errorf("%w: %s %s instead of auth", wire.ErrProtocol, f.Stream, f.Type)
	default:
		err = f.Into(&auth)
	}
	if err != nil {
		return auth, &farewell{wire.ByeProtocol, err.Error()}
	}
	return auth, nil
}

// identify finds out who it is. The epoch is compared before the signature: a
// new enrolment brings a new key, and the agent should be told what happened.
func (h *Hub) identify(ctx context.Context, auth wire.Auth, nonce, exporter []byte) (Agent, error) {
	if auth.Version != wire.Version {
		return Agent{}, &farewell{wire.ByeVersion, fmt.Sprintf("the agent speaks version %d of the protocol, this server %d", auth.Version, wire.Version)}
	}
	agent, err := h.store.Agent(ctx, auth.Agent)
	switch {
	case errors.Is(err, ErrUnknownAgent) || (err == nil && agent.Revoked):
		return Agent{}, &farewell{wire.ByeUnknownAgent, fmt.Sprintf("agent %d is not enrolled here, or not any more", auth.Agent)}
	case err != nil:
		return Agent{}, fmt.Errorf("look up agent %d: %w", auth.Agent, err)
	case agent.Epoch != auth.Epoch:
		return Agent{}, &farewell{wire.ByeEpoch, fmt.Sprintf("agent %d was enrolled again: this is epoch %d, not %d", auth.Agent, agent.Epoch, auth.Epoch)}
	case len(agent.PublicKey) != ed25519.PublicKeySize:
		return Agent{}, fmt.Errorf("agent %d: a public key of %d bytes on record", auth.Agent, len(agent.PublicKey))
	}
	signed := wire.AuthBytes(h.cfg.Site, auth.Agent, auth.Epoch, nonce, exporter)
	if !ed25519.Verify(agent.PublicKey, signed, auth.Signature) {
		return Agent{}, &farewell{wire.ByeAuth, "the signature does not hold on this connection"}
	}
	return agent, nil
}

// settle gives an agent its place. The connection that had it ends first, so
// that the store is called for one of them at a time.
func (h *Hub) settle(ctx, base context.Context, ws *websocket.Conn, remote string, agent Agent, auth wire.Auth) (*conn, error) {
	acked, err := h.store.Acked(ctx, agent.ID, agent.Epoch)
	if err != nil {
		return nil, fmt.Errorf("events held of agent %d: %w", agent.ID, err)
	}
	if auth.Last < acked {
		bye := &farewell{wire.ByeRewound, fmt.Sprintf("the journal ends at %d, but %d events are held here: it was restored, so enrol it again", auth.Last, acked)}
		h.alarm(agent, remote, auth, bye.message)
		return nil, bye
	}
	c := newConn(base, h, ws, remote, agent, auth)
	old, ok := h.enter(c)
	if !ok {
		return nil, &farewell{wire.ByeShutdown, errShutdown.Error()}
	}
	if old != nil {
		old.fail(&farewell{wire.ByeReplaced, "this agent has connected once more"})
		select {
		case <-old.done:
		case <-ctx.Done():
			err = fmt.Errorf("the last connection of agent %d does not end: %w", agent.ID, ctx.Err())
		case <-c.ctx.Done():
			err = context.Cause(c.ctx)
		}
	}
	if err == nil {
		acked, err = h.store.Acked(ctx, agent.ID, agent.Epoch)
	}
	if err == nil && auth.Pruned > acked {
		acked, err = h.store.Skip(ctx, agent.ID, agent.Epoch, auth.Pruned, auth.PrunedHash)
	}
	if err == nil && acked >= auth.Last {
		err = h.store.Heard(ctx, agent.ID)
	}
	if err == nil {
		c.state.Acked, c.last = acked, auth.Last
		err = tell(ws, wire.TypeWelcome, wire.Welcome{Acked: acked})
	}
	if err != nil {
		go c.abandon(old)
		return nil, err
	}
	return c, nil
}

// tell sends a message of the handshake.
func tell(ws *websocket.Conn, typ string, body any) error {
	frame, err := wire.EncodeFrame(wire.Link, typ, body)
	if err != nil {
		return err
	}
	if err := ws.SetWriteDeadline(time.Now().Add(wire.WriteTimeoutMS * time.Millisecond)); err != nil {
		return fmt.Errorf("%w: %w", errNetwork, err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, frame); err != nil {
		return fmt.Errorf("%w: send %s: %w", errNetwork, typ, err)
	}
	return nil
}

// sayBye tells the agent why, as far as it can still be told.
func sayBye(ws *websocket.Conn, bye *farewell, deadline time.Time) error {
	frame, err := wire.EncodeFrame(wire.Link, wire.TypeBye, wire.Bye{Code: bye.code, Message: wire.Clip(bye.message)})
	if err != nil {
		return err
	}
	if err := ws.SetWriteDeadline(deadline); err != nil {
		return err
	}
	return ws.WriteMessage(websocket.TextMessage, frame)
}
