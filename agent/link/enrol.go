package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"campusgate/signing/wire"
)

// Errors of Enrol. ErrNotEnrolled wraps the server's refusal, whose code and
// message it repeats; ErrWrongSite means that whoever answered does not hold
// the root that the code names.
var (
	ErrNotEnrolled = errors.New("the server refuses to enrol this agent")
	ErrWrongSite   = errors.New("the server is not of the site that the code is for")
)

const (
	enrolTimeout = 30 * time.Second
	enrolLimit   = 4 << 20 // bytes of answer; a keyring is a few thousand
)

// Enrolment is what an agent brings to be enrolled.
type Enrolment struct {
	Server    string            // as in Config
	Code      string            // as typed
	PublicKey ed25519.PublicKey // of the key that the agent made for itself
	Hostname  string
	CA        []byte           // PEM, beside the system's roots; may be nil
	Now       func() time.Time // nil = time.Now
	// Dial as in Config.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Enrol exchanges the code for an identity. A code that was mistyped wraps
// wire.ErrEnrolCode before anything is sent. The answer's Root has been
// compared with the code's fingerprint; its Keyring has yet to be opened with
// that root. After an error that wraps neither ErrNotEnrolled nor ErrWrongSite
// the same call may be made again, with the same key.
func Enrol(ctx context.Context, e Enrolment) (wire.Enrolled, error) {
	var none wire.Enrolled
	code, err := wire.ParseEnrolCode(e.Code)
	if err != nil {
		return none, err
	}
	u, err := serverURL(e.Server)
	if err != nil {
		return none, err
	}
	if len(e.PublicKey) != ed25519.PublicKeySize {
		return none, fmt.Errorf("%w: a public key of %d bytes, want %d", ErrConfig, len(e.PublicKey), ed25519.PublicKeySize)
	}
	trust, err := tlsConfig(e.Server, e.CA, e.Now, code.Names)
	if err != nil {
		return none, err
	}
	body, err := json.Marshal(wire.Enrol{Code: code.String(), PublicKey: e.PublicKey, Hostname: e.Hostname})
	if err != nil {
		return none, fmt.Errorf("encode enrolment: %w", err)
	}

	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath(wire.EnrolPath).String(), bytes.NewReader(body))
	if err != nil {
		return none, fmt.Errorf("enrol: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{TLSClientConfig: trust, DialContext: enrolDial(e, u.Scheme == "http")}
	defer transport.CloseIdleConnections()
	client := http.Client{
		Transport: transport,
		// The code is a secret for this server, not for wherever it points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return none, fmt.Errorf("enrol: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, enrolLimit+1))
	if err != nil {
		return none, fmt.Errorf("enrol: read the answer: %w", err)
	}
	if len(raw) > enrolLimit {
		return none, fmt.Errorf("enrol: an answer of more than %d bytes", enrolLimit)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return none, refusal(resp, raw)
	}
	return identity(raw, code)
}

func enrolDial(e Enrolment, plain bool) func(context.Context, string, string) (net.Conn, error) {
	dial := e.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err == nil && plain && !loopbackAddr(c.RemoteAddr()) {
			return nil, errors.Join(fmt.Errorf("%w: %s is at %s", ErrPlain, addr, c.RemoteAddr()), c.Close())
		}
		return c, err
	}
}

// refusal makes an error of an answer that is not an identity. A fault of the
// server (5xx) is not a refusal.
func refusal(resp *http.Response, raw []byte) error {
	var told struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(raw, &told); err != nil || told.Code == "" {
		told.Code, told.Message = "unknown", "it gives no reason"
	}
	text := fmt.Sprintf("%s: %s (HTTP status %s)", wire.Clip(told.Code), wire.Clip(told.Message), resp.Status)
	if resp.StatusCode >= 400 && resp.StatusCode < 500 {
		return fmt.Errorf("%w: %s", ErrNotEnrolled, text)
	}
	return fmt.Errorf("enrol: the server does not answer as it should: %s", text)
}

// identity reads the answer and believes it only if its root is the one that
// the code names.
func identity(raw []byte, code wire.EnrolCode) (wire.Enrolled, error) {
	var got wire.Enrolled
	if err := json.Unmarshal(raw, &got); err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: the answer is not what it should be: %w", err)
	}
	if !code.Names(got.Root) {
		return wire.Enrolled{}, fmt.Errorf("%w: its root key does not fit the code", ErrWrongSite)
	}
	if got.Agent == 0 || got.Epoch == 0 || got.Site == "" {
		return wire.Enrolled{}, fmt.Errorf("enrol: the answer lacks agent, epoch or site")
	}
	return got, nil
}
