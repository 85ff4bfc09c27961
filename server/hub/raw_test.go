package hub_test

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/link/memnet"
	"campusgate/signing/wire"
)

// raw is an agent that says only what a test makes it say.
type raw struct {
	t     *testing.T
	ws    *websocket.Conn
	hello wire.Hello
}

// dialRaw opens a websocket to the hub.
func dialRaw(t *testing.T, cable *memnet.Cable, header http.Header) (*raw, *http.Response, error) {
	t.Helper()
	d := websocket.Dialer{NetDialContext: cable.Dial}
	ws, resp, err := d.DialContext(t.Context(), "ws://127.0.0.1:8080"+wire.Path, header)
	if err != nil {
		return nil, resp, err
	}
	t.Cleanup(func() { _ = ws.Close() }) // it may be closed already
	r := &raw{t: t, ws: ws}
	r.expect(wire.TypeHello, &r.hello)
	return r, resp, nil
}

// auth makes what an agent answers to Hello.
func (r *raw) auth(id, epoch uint32, key ed25519.PrivateKey) wire.Auth {
	return wire.Auth{
		Version: wire.Version, Software: "raw", Agent: id, Epoch: epoch,
		Signature: ed25519.Sign(key, wire.AuthBytes(site, id, epoch, r.hello.Nonce, nil)),
	}
}

// raw enrols an agent, connects it and waits for its Welcome.
func (w *world) raw(id uint32, cable *memnet.Cable) *raw {
	w.t.Helper()
	key := w.store.enrol(id, 1, uint16(id))
	r, _, err := dialRaw(w.t, cable, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.send(wire.Link, wire.TypeAuth, r.auth(id, 1, key))
	r.expect(wire.TypeWelcome, &wire.Welcome{})
	return r
}

func (r *raw) send(stream wire.Stream, typ string, body any) {
	r.t.Helper()
	frame, err := wire.EncodeFrame(stream, typ, body)
	if err == nil {
		err = r.ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil {
		r.t.Fatalf("send %s: %v", typ, err)
	}
}

func (r *raw) next() (wire.Frame, error) {
	_, raw, err := r.ws.ReadMessage()
	if err != nil {
		return wire.Frame{}, err
	}
	return wire.DecodeFrame(raw)
}

// expect reads the next frame into a message of that type.
func (r *raw) expect(typ string, message any) {
	r.t.Helper()
	f, err := r.next()
	if err == nil && f.Type != typ {
		err = errors.New("it is a " + f.Type + ": " + string(f.Body))
	}
	if err == nil {
		err = f.Into(message)
	}
	if err != nil {
		r.t.Fatalf("want a %s: %v", typ, err)
	}
}

// bye reads until the connection's Bye, or fails if it ends without one.
func (r *raw) bye() wire.Bye {
	r.t.Helper()
	for {
		f, err := r.next()
		if err != nil {
			r.t.Fatalf("ended without a bye: %v", err)
		}
		if f.Type == wire.TypeBye {
			var bye wire.Bye
			if err := f.Into(&bye); err != nil {
				r.t.Fatal(err)
			}
			return bye
		}
	}
}

// wantBye checks code and a word of the message, and that the connection ends.
func (r *raw) wantBye(code, word string) {
	r.t.Helper()
	bye := r.bye()
	if bye.Code != code || !strings.Contains(bye.Message, word) {
		r.t.Fatalf("bye %q: %q; want %q with %q", bye.Code, bye.Message, code, word)
	}
	_ = r.ws.SetReadDeadline(time.Now().Add(time.Hour))
	if f, err := r.next(); err == nil {
		r.t.Fatalf("after the bye came %s", f.Type)
	}
}
