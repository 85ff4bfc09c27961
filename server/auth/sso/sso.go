// Package sso lets a campus's own sign-on service say who somebody is: OpenID
// Connect (authorization code with PKCE) and CAS 3.0.
//
// A browser is sent to the service with a Ticket in a sealed, short-lived
// cookie, and comes back to a callback. What it brings counts only together
// with that ticket, so that nobody can be made to finish a login that somebody
// else began. What comes out is a staff or student number, and nothing else of
// the service's answer is kept.
package sso

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Why a login elsewhere did not work.
var (
	// ErrTicket: none, another's, or too old. The person begins anew.
	ErrTicket = errors.New("login was not begun here, or too long ago")
	// ErrRefused: the service says no, or says something that does not hold.
	ErrRefused = errors.New("sign-on service refuses")
	// ErrUnreachable: the service does not answer, or not in the way it should.
	ErrUnreachable = errors.New("sign-on service cannot be reached")
)

// Limits towards a service.
const (
	timeout   = 5 * time.Second
	maxAnswer = 256 << 10 // of one answer; discovery and keys are far less
)

// TicketLife is how long a person may take to sign in there.
const TicketLife = 10 * time.Minute

// Provider is one sign-on service. Safe for concurrent use.
type Provider interface {
	// ID is the name in addresses, Name what people read.
	ID() string
	Name() string
	// Kind is "oidc" or "cas".
	Kind() string
	// Start gives the address to send a browser to. It may set secrets of its
	// own in the ticket.
	Start(ctx context.Context, t *Ticket) (string, error)
	// Finish gives the number of who came back. State has been compared by then.
	Finish(ctx context.Context, t Ticket, query url.Values) (number string, err error)
}

// Ticket is what a browser carries from Start to Finish. It is sealed: neither
// the browser nor who listens can read or change it.
type Ticket struct {
	Provider string `json:"provider"` // kind and id
	State    string `json:"state"`
	Nonce    string `json:"nonce,omitempty"`
	Verifier string `json:"verifier,omitempty"`
	To       string `json:"to"` // page of ours to go to afterwards
	Until    int64  `json:"until"`
}

// Sealer is the part of a people.Vault that tickets need.
type Sealer interface {
	Seal(purpose, text string) ([]byte, error)
	Open(purpose string, sealed []byte) (string, error)
}

const sealPurpose = "sso ticket"

// Desk begins and ends logins at any of several services.
type Desk struct {
	Providers []Provider
	Seal      Sealer
	Now       func() time.Time
	Random    io.Reader
}

func (d *Desk) provider(kind, id string) (Provider, bool) {
	for _, p := range d.Providers {
		if p.Kind() == kind && p.ID() == id {
			return p, true
		}
	}
	return nil, false
}

// Begin gives the address of the service and the cookie's value; ok is false
// when there is no such service.
func (d *Desk) Begin(ctx context.Context, kind, id, to string) (address, cookie string, ok bool, err error) {
	p, ok := d.provider(kind, id)
	if !ok {
		return "", "", false, nil
	}
	t := Ticket{Provider: kind + ":" + id, To: Landing(to), Until: d.Now().Add(TicketLife).UnixMilli()}
	for _, secret := range []*string{&t.State, &t.Nonce, &t.Verifier} {
		raw := make([]byte, 32)
		if _, err := io.ReadFull(d.Random, raw); err != nil {
			return "", "", true, fmt.Errorf("make a ticket: %w", err)
		}
		*secret = base64.RawURLEncoding.EncodeToString(raw)
	}
	if address, err = p.Start(ctx, &t); err != nil {
		return "", "", true, err
	}
	text, err := json.Marshal(t)
	if err != nil {
		return "", "", true, err
	}
	sealed, err := d.Seal.Seal(sealPurpose, string(text))
	return address, base64.RawURLEncoding.EncodeToString(sealed), true, err
}

// End gives the number of who came back to a callback, and the page they wanted,
// also beside an error where it is known.
func (d *Desk) End(ctx context.Context, kind, id, cookie string, query url.Values) (number, to string, err error) {
	p, ok := d.provider(kind, id)
	if !ok {
		return "", Landing(""), ErrTicket
	}
	t, err := d.open(cookie)
	if err != nil {
		return "", Landing(""), err
	}
	if t.Provider != kind+":"+id || subtle.ConstantTimeCompare([]byte(t.State), []byte(query.Get("state"))) != 1 {
		return "", Landing(""), ErrTicket
	}
	number, err = p.Finish(ctx, t, query)
	return number, t.To, err
}

func (d *Desk) open(cookie string) (t Ticket, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return t, ErrTicket
	}
	text, err := d.Seal.Open(sealPurpose, sealed)
	if err != nil {
		return t, ErrTicket
	}
	if err := json.Unmarshal([]byte(text), &t); err != nil || d.Now().UnixMilli() >= t.Until {
		return Ticket{}, ErrTicket
	}
	return t, nil
}

// Landing gives the page of ours that a login may lead to: under /m/, /console/
// or /V/, and otherwise the start page. A login must not become a way to send
// people to other hosts.
func Landing(to string) string {
	const start = "/m/"
	at, err := url.Parse(to)
	if err != nil || at.Scheme != "" || at.Host != "" || at.User != nil || at.Opaque != "" ||
		strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || r < 0x21 || r == 0x7f }) {
		return start
	}
	for _, under := range []string{"/m/", "/console/", "/V/"} {
		if strings.HasPrefix(at.Path, under) && !strings.Contains(at.Path, "..") && !strings.Contains(at.Path, "//") &&
			!strings.Contains(at.Path, `\`) {
			return at.String()
		}
	}
	return start
}

// client calls services: briefly, and reading little.
func client() *http.Client {
	return &http.Client{
		Timeout:   timeout,
		Transport: limited{http.DefaultTransport.(*http.Transport).Clone()},
		// A service that moves is to be entered anew by its administrator.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// limited ends an answer that is too long with an error.
type limited struct{ http.RoundTripper }

func (l limited) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(req)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxAnswer)
	}
	return res, err
}

// cause is what of an error may be told: not the address, which has secrets in
// it, and not what a service wrote.
func cause(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return errors.New("its answer cannot be used")
}
