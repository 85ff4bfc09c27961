package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
)

// How the receiver is called.
const (
	sendTime   = 10 * time.Second
	answerRead = 4 << 10 // of which nothing is used
	leastKey   = 16
)

// ErrReceiver is wrapped when the receiver has not said that it took a
// delivery. It may have taken it nevertheless.
var ErrReceiver = errors.New("webhook")

// delivery is the body of a call about a conflict.
type delivery struct {
	ID         string      `json:"id"`
	Kind       string      `json:"kind"`
	Pass       string      `json:"pass"`
	Allowed    uint32      `json:"allowed"`
	DetectedAt int64       `json:"detected_at"`
	Admissions []admission `json:"admissions"`
}

type admission struct {
	Ref      string       `json:"ref"`
	Gate     uint16       `json:"gate"`
	GateName string       `json:"gate_name"`
	At       int64        `json:"at"`
	Mode     verdict.Mode `json:"mode,omitempty"`
	Offline  bool         `json:"offline"`
	Guard    string       `json:"guard,omitempty"`
}

func deliveryOf(c *store.Conflict) delivery {
	d := delivery{ID: c.ID(), Kind: "conflict", Pass: c.Pass.String(), Allowed: c.Allowed, DetectedAt: c.DetectedAt}
	for i := range c.Admissions {
		a := &c.Admissions[i]
		d.Admissions = append(d.Admissions, admission{
			Ref: a.Ref, Gate: a.Gate, GateName: a.GateName, At: a.At, Mode: a.Mode, Offline: a.Offline, Guard: a.Guard,
		})
	}
	return d
}

// Sign gives the value of X-Campusgate-Signature for a body that is sent at a
// time (unix seconds).
func Sign(secret []byte, at int64, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strconv.FormatInt(at, 10) + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// client calls the receiver and nobody else.
func client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport, Timeout: sendTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes one call. Errors wrap ErrReceiver and do not tell the address.
func (s *Service) send(ctx context.Context, m *message) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(m.body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReceiver, err)
	}
	at := s.Now().Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Campusgate-Timestamp", strconv.FormatInt(at, 10))
	req.Header.Set("X-Campusgate-Id", m.id)
	req.Header.Set("X-Campusgate-Signature", Sign(s.Secret, at, m.body))
	res, err := s.client.Do(req)
	if err != nil {
		if of, ok := errors.AsType[*url.Error](err); ok {
			err = of.Err
		}
		return fmt.Errorf("%w: %w", ErrReceiver, err)
	}
	_, _ = io.CopyN(io.Discard, res.Body, answerRead)
	_ = res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("%w: status %d", ErrReceiver, res.StatusCode)
	}
	return nil
}
