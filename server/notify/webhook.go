package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Webhook carries messages to a program of the campus, which passes them on:
// to an official account, a mail server, a chat. It POSTs
//
//	{"id": 17, "person": "T1001", "name": "…", "kind": "assigned",
//	 "subject": "…", "text": "…", "link": "/applications/…", "at": 1788000000000}
//
// with the headers Campusgate-Time, unix seconds, and Campusgate-Signature, hex
// of HMAC-SHA256 with the shared secret over the time, a full stop and the
// body. Any status of 200 to 299 takes the message; 410 says that this person
// cannot be reached. The same id may come twice.
type Webhook struct {
	URL    string
	Secret []byte
	Client *http.Client
	Now    func() time.Time
}

// Name is "webhook".
func (Webhook) Name() string { return "webhook" }

// Send implements Channel.
func (w Webhook) Send(ctx context.Context, to Recipient, m Message) error {
	body, err := json.Marshal(map[string]any{
		"id": m.ID, "person": m.Person, "name": to.Name, "kind": m.Kind, "subject": m.Subject, "text": m.Text,
		"link": m.Link, "at": m.At,
	})
	if err != nil {
		return err
	}
	status, err := postSigned(ctx, w.Client, w.URL, w.Secret, w.Now(), body)
	switch {
	case err != nil:
		return fmt.Errorf("webhook: %w", err)
	case status == http.StatusGone:
		return fmt.Errorf("webhook: %w", ErrUnreachable)
	case status < 200 || status > 299:
		return fmt.Errorf("webhook: status %d", status)
	}
	return nil
}

// Sign gives the value of Campusgate-Signature.
func Sign(secret []byte, at int64, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strconv.FormatInt(at, 10) + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// postSigned sends a body with its signature and gives the status.
func postSigned(ctx context.Context, client *http.Client, url string, secret []byte, now time.Time, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	at := now.Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Campusgate-Time", strconv.FormatInt(at, 10))
	req.Header.Set("Campusgate-Signature", Sign(secret, at, body))
	answer, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 4096)
	return answer.StatusCode, answer.Body.Close()
}
