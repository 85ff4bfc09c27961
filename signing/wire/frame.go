package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// ErrProtocol is wrapped by every refusal to read what a peer sent.
var ErrProtocol = errors.New("protocol error")

// ErrTooLarge is wrapped when something does not fit into a frame.
var ErrTooLarge = errors.New("too large for a frame")

// streams says which message types each stream carries.
var streams = map[Stream][]string{
	Link: {TypeHello, TypeAuth, TypeWelcome, TypeClock, TypePing, TypePong, TypeBye},
	Down: {TypeDelta, TypeApplied},
	Up:   {TypeEvents, TypeAcked},
	Ask:  {TypeClaim, TypeAnswer, TypePrint, TypePrinted, TypeMove, TypeMoved},
	Call: {TypeRing, TypeReply, TypeStand},
	Load: {TypeFetch, TypePart},
}

// EncodeFrame makes the bytes of one websocket message. The body is not
// checked: senders are trusted to fill it, receivers check.
func EncodeFrame(stream Stream, typ string, body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", stream, typ, err)
	}
	return envelope(stream, typ, raw)
}

// envelope puts an encoded body into a frame. Stream and type are constants of
// this package and need no escaping.
func envelope(stream Stream, typ string, body []byte) ([]byte, error) {
	b := make([]byte, 0, len(body)+48)
	b = append(b, `{"stream":"`...)
	b = append(b, stream...)
	b = append(b, `","type":"`...)
	b = append(b, typ...)
	b = append(b, `","body":`...)
	b = append(b, body...)
	b = append(b, '}')
	if len(b) > MaxFrameBytes {
		return nil, fmt.Errorf("%w: %s %s of %d bytes, at most %d", ErrTooLarge, stream, typ, len(b), MaxFrameBytes)
	}
	return b, nil
}

// DecodeFrame reads one websocket message. Its errors wrap ErrProtocol: too
// long, not UTF-8, not one JSON object of exactly stream, type and body, a
// stream or type that does not exist. The body is read by Into.
func DecodeFrame(raw []byte) (Frame, error) {
	if len(raw) > MaxFrameBytes {
		return Frame{}, fmt.Errorf("%w: frame of %d bytes, at most %d", ErrProtocol, len(raw), MaxFrameBytes)
	}
	if !utf8.Valid(raw) {
		return Frame{}, fmt.Errorf("%w: frame is not UTF-8", ErrProtocol)
	}
	var f Frame
	if err := strict(raw, &f); err != nil {
		return Frame{}, fmt.Errorf("%w: frame: %w", ErrProtocol, err)
	}
	for _, typ := range streams[f.Stream] {
		if typ == f.Type {
			return f, nil
		}
	}
	return Frame{}, fmt.Errorf("%w: no message %.32q on stream %.32q", ErrProtocol, f.Type, f.Stream)
}

// Into reads the body into a pointer to one of the message types and checks
// it; the caller has matched Stream and Type to it. Errors wrap ErrProtocol.
//
// Hello, Auth and Bye may carry fields that are unknown here, so that two
// versions can tell each other that they are two; no other message may.
func (f Frame) Into(message any) error {
	read := strict
	switch message.(type) {
	case *Hello, *Auth, *Bye:
		read = lenient
	}
	if err := read(f.Body, message); err != nil {
		return fmt.Errorf("%w: %s %s: %w", ErrProtocol, f.Stream, f.Type, err)
	}
	if c, ok := message.(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			return fmt.Errorf("%w: %s %s: %w", ErrProtocol, f.Stream, f.Type, err)
		}
	}
	return nil
}

var errNotObject = errors.New("not a JSON object")

// strict decodes one JSON object with known fields only and nothing behind it.
func strict(raw []byte, v any) error {
	if !object(raw) {
		return errNotObject
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

func lenient(raw []byte, v any) error {
	if !object(raw) {
		return errNotObject
	}
	return json.Unmarshal(raw, v)
}

// object reports whether raw starts as an object: encoding/json takes null for
// an empty one.
func object(raw []byte) bool {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	return len(raw) > 0 && raw[0] == '{'
}
