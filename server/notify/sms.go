package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// ErrGateway is wrapped when the gateway has not said that it took a code. It
// may have taken it nevertheless.
var ErrGateway = errors.New("SMS gateway")

// Terminal writes codes where whoever runs a demonstration reads them. It is
// not for people's phones.
type Terminal struct{ W io.Writer }

// Text writes a line with the last digits of the phone and the code.
func (g Terminal) Text(_ context.Context, phone, code string) error {
	_, err := fmt.Fprintf(g.W, "短信 SMS → …%s: %s\n", phone[max(len(phone)-4, 0):], code)
	return err
}

// How a gateway is called.
const (
	gatewayTimeout = 5 * time.Second
	gatewayAnswer  = 4 << 10 // of which nothing is used
)

// Gateway sends codes through an HTTP service of the campus, which knows the
// text of the message and the contract with a carrier.
//
// FORMAT. One code is one call:
//
//	POST <url>
//	Content-Type: application/json
//	X-Campusgate-Timestamp: 1788000000                 unix seconds
//	X-Campusgate-Id: 5b0c…                             32 hex digits
//	X-Campusgate-Signature: sha256=9f86…               64 hex digits
//
//	{"phone":"13800130000","code":"482913"}
//
// The signature is HMAC-SHA-256, under the secret of the configuration, of
// timestamp, a dot, id, a dot, and the body as sent. A receiver refuses a wrong signature
// and a timestamp more than 5 minutes away, and sends one message for one id:
// a call whose answer was lost is made once more, with the same id.
// Any status 2xx means that the message was taken. 408, 429, 5xx and a broken
// connection are tried once more; every other status is final. Redirects are
// not followed.
//
// Safe for concurrent use.
type Gateway struct {
	url    string
	secret []byte
	now    func() time.Time
	client *http.Client
}

// NewGateway makes a Gateway. The secret has at least 16 bytes.
func NewGateway(url string, secret []byte, now func() time.Time) (*Gateway, error) {
	if len(secret) < 16 {
		return nil, fmt.Errorf("%w: a secret of %d bytes: want 16 or more", ErrGateway, len(secret))
	}
	return &Gateway{url: url, secret: secret, now: now, client: &http.Client{
		Timeout:       gatewayTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Text sends a code. Errors wrap ErrGateway and tell neither phone nor code.
func (g *Gateway) Text(ctx context.Context, phone, code string) error {
	body, err := json.Marshal(struct {
		Phone string `json:"phone"`
		Code  string `json:"code"`
	}{phone, code})
	if err != nil {
		return err
	}
	at := strconv.FormatInt(g.now().Unix(), 10)
	// The same call has the same id; who has no secret learns nothing from it.
	id := hex.EncodeToString(g.mac("id", at, body)[:16])
	again, err := g.post(ctx, at, id, body)
	if again && ctx.Err() == nil {
		_, err = g.post(ctx, at, id, body)
	}
	return err
}

func (g *Gateway) mac(parts ...any) []byte {
	h := hmac.New(sha256.New, g.secret)
	for i, p := range parts {
		if i > 0 {
			h.Write([]byte("."))
		}
		_, _ = fmt.Fprintf(h, "%s", p)
	}
	return h.Sum(nil)
}

// post makes one call and reports whether another may help.
func (g *Gateway) post(ctx context.Context, at, id string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrGateway, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Campusgate-Timestamp", at)
	req.Header.Set("X-Campusgate-Id", id)
	req.Header.Set("X-Campusgate-Signature", "sha256="+hex.EncodeToString(g.mac(at, id, body)))
	res, err := g.client.Do(req)
	if err != nil {
		return true, fmt.Errorf("%w: %w", ErrGateway, err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, gatewayAnswer)
	switch s := res.StatusCode; {
	case s >= 200 && s < 300:
		return false, nil
	default:
		return s == http.StatusRequestTimeout || s == http.StatusTooManyRequests || s >= 500,
			fmt.Errorf("%w: status %d", ErrGateway, s)
	}
}
