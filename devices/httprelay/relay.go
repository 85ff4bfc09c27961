// Package httprelay switches relays on the network that are told by HTTP calls:
// one address switches on and one off, or one gives a pulse by itself.
package httprelay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTimeout bounds one call.
const DefaultTimeout = 800 * time.Millisecond

// aliveFor is how long a call that worked proves that the relay is there.
const aliveFor = 5 * time.Second

var (
	// ErrStatus is wrapped when a relay answers anything but success.
	ErrStatus = errors.New("the relay refused")
	// ErrElsewhere is wrapped when an answer leads to another host.
	ErrElsewhere = errors.New("the relay points to another host")
	// ErrConfig is wrapped for a configuration that cannot be.
	ErrConfig = errors.New("http relay")
)

// Config says how a relay is told. User and password stand in the addresses,
// http://user:password@host/, and in no message.
type Config struct {
	// On switches it on, Off switches it off. Without Off, On gives a pulse whose
	// length the relay knows by itself.
	On, Off string
	// Method is GET, POST or PUT; "" means GET.
	Method string
	// Timeout bounds one call; 0 means DefaultTimeout.
	Timeout time.Duration
}

// Relay is a relay that is told by calls. One goroutine uses it.
type Relay struct {
	c       Config
	on, off *url.URL // off is nil where a pulse ends by itself
	client  http.Client
	proved  time.Time
}

// Check returns what is wrong with c, and nil when nothing is.
func (c Config) Check() error {
	_, err := New(c)
	return err
}

// New makes a relay and calls nobody.
func New(c Config) (*Relay, error) {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Method != http.MethodGet && c.Method != http.MethodPost && c.Method != http.MethodPut {
		return nil, fmt.Errorf("%w: method %q: want GET, POST or PUT", ErrConfig, c.Method)
	}
	r := &Relay{c: c}
	var err error
	if r.on, err = address(c.On); err != nil {
		return nil, err
	}
	if c.Off != "" {
		if r.off, err = address(c.Off); err != nil {
			return nil, err
		}
	}
	r.client = http.Client{
		Timeout: c.Timeout,
		// A connection of its own for each call: relays are small computers that
		// keep few, and one that was switched off does not say so.
		Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if to.URL.Host != via[0].URL.Host || to.URL.Scheme != via[0].URL.Scheme || len(via) > 3 {
				return ErrElsewhere
			}
			return nil
		},
	}
	return r, nil
}

func address(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		// Not s, and not the parser's words for it: it may hold a password.
		return nil, fmt.Errorf("%w: want an address such as http://192.0.2.7/relay/on", ErrConfig)
	}
	return u, nil
}

// Name is the relay without its credentials.
func (r *Relay) Name() string { return r.on.Scheme + "://" + r.on.Host }

// Switch calls the relay. Off is no call where a pulse ends by itself.
func (r *Relay) Switch(on bool) error {
	to := r.off
	if on {
		to = r.on
	}
	if to == nil {
		return nil
	}
	r.proved = time.Time{}
	ctx, cancel := context.WithTimeout(context.Background(), r.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.c.Method, to.String(), nil)
	if err != nil {
		return r.fault(err)
	}
	answer, err := r.client.Do(req)
	if err != nil {
		return r.fault(err)
	}
	defer func() { _ = answer.Body.Close() }()
	// What it says is of no interest, but to hang up in its middle may be.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("%s: %w: status %d", r.Name(), ErrStatus, answer.StatusCode)
	}
	r.proved = time.Now()
	return nil
}

// fault says what went wrong without the address, which may hold a password.
func (r *Relay) fault(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return fmt.Errorf("%s: %w", r.Name(), err)
}

// Alive tells whether the relay's host takes connections. It calls no address:
// a call might move the relay.
func (r *Relay) Alive() error {
	if time.Since(r.proved) < aliveFor {
		return nil
	}
	port := r.on.Port()
	if port == "" {
		port = strings.NewReplacer("https", "443", "http", "80").Replace(r.on.Scheme)
	}
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(r.on.Hostname(), port), r.c.Timeout)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Name(), err)
	}
	r.proved = time.Now()
	return conn.Close()
}

// Close has nothing to give back.
func (*Relay) Close() error { return nil }
