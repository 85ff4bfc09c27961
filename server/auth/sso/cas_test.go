package sso_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/auth/sso"
)

// central is a CAS server: it gives a ticket for a service, and answers for it
// once.
type central struct {
	*httptest.Server
	t       testing.TB
	mu      sync.Mutex
	tickets map[string]string // → service
	answer  func(w http.ResponseWriter) bool
}

const success = `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess>
	<cas:user>20260001</cas:user><cas:attributes><cas:user>20269999</cas:user></cas:attributes></cas:authenticationSuccess></cas:serviceResponse>`

func newCentral(t testing.TB) *central {
	t.Helper()
	c := &central{t: t, tickets: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cas/p3/serviceValidate", func(w http.ResponseWriter, r *http.Request) {
		if c.answer != nil && c.answer(w) {
			return
		}
		c.mu.Lock()
		service, known := c.tickets[r.FormValue("ticket")]
		delete(c.tickets, r.FormValue("ticket"))
		c.mu.Unlock()
		if !known || service != r.FormValue("service") {
			c.text(w, `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure></cas:serviceResponse>`)
			return
		}
		c.text(w, success)
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func (c *central) text(w http.ResponseWriter, xml string) {
	if _, err := fmt.Fprint(w, xml); err != nil {
		c.t.Log(err)
	}
}

// login is the person who signs in there.
func (c *central) login(address string) (ticket, state string) {
	c.t.Helper()
	u, err := url.Parse(address)
	ok(c.t, err)
	service := u.Query().Get("service")
	if !strings.HasPrefix(address, c.URL+"/cas/login?") || !strings.HasPrefix(service, callback+"?state=") {
		c.t.Fatalf("asked at %s", address)
	}
	back, err := url.Parse(service)
	ok(c.t, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	ticket = fmt.Sprintf("ST-%d-abc", len(c.tickets)+1)
	c.tickets[ticket] = service
	return ticket, back.Query().Get("state")
}

func (c *central) provider() *sso.CAS {
	return sso.NewCAS(sso.CASConfig{ID: "cas", Name: "统一身份认证", URL: c.URL + "/cas/", Callback: callback})
}

func (c *central) begin(d *sso.Desk) (ticket, state, cookie string) {
	c.t.Helper()
	address, cookie, known, err := d.Begin(c.t.Context(), "cas", "cas", "/m/me")
	if err != nil || !known {
		c.t.Fatalf("begin: %v, %v", known, err)
	}
	ticket, state = c.login(address)
	return ticket, state, cookie
}

func TestCAS_GivesTheUserOnceForATicket(t *testing.T) {
	c := newCentral(t)
	d := newDesk(t, newClock(), c.provider())
	ticket, state, cookie := c.begin(d)
	query := url.Values{"ticket": {ticket}, "state": {state}}
	number, to, err := d.End(t.Context(), "cas", "cas", cookie, query)
	if err != nil || number != "20260001" || to != "/m/me" {
		t.Fatalf("%q %q %v", number, to, err)
	}
	if _, _, err = d.End(t.Context(), "cas", "cas", cookie, query); !errors.Is(err, sso.ErrRefused) {
		t.Errorf("the same ticket again: %v", err)
	}
}

func TestCAS_RefusesTicketsThatAreNotThisLogins(t *testing.T) {
	c := newCentral(t)
	d := newDesk(t, newClock(), c.provider())
	_, state, cookie := c.begin(d)
	foreign, _, _ := c.begin(d) // given for another state, so another service
	for name, ticket := range map[string]string{
		"none": "", "made up": "ST-made-up", "another login's": foreign, "huge": strings.Repeat("x", 5000), "hostile": "&service=x#\r\n",
	} {
		number, _, err := d.End(t.Context(), "cas", "cas", cookie, url.Values{"ticket": {ticket}, "state": {state}})
		if !errors.Is(err, sso.ErrRefused) || number != "" {
			t.Errorf("%s: %q, %v", name, number, err)
		}
	}
}

func TestCAS_AnswersThatAreNoneLetNobodyIn(t *testing.T) {
	const head = `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">`
	const tail = `</cas:serviceResponse>`
	in := func(user string) string {
		return head + `<cas:authenticationSuccess><cas:user>` + user + `</cas:user></cas:authenticationSuccess>` + tail
	}
	for name, xml := range map[string]string{
		"empty": "", "a page": "<html>sign in</html>", "no user": head + `<cas:authenticationSuccess/>` + tail, "blank user": in(" \n "), "half": in("20260001")[:120],
		"neither": head + tail, "another namespace": strings.ReplaceAll(in("20260001"), "yale.edu", "evil.example"),
		"both":          head + `<cas:authenticationSuccess><cas:user>1</cas:user></cas:authenticationSuccess><cas:authenticationFailure code="X"/>` + tail,
		"a file":        `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + in("&x;"),
		"a bomb":        `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>` + in("&b;"),
		"not UTF-8":     in("\xff\xfe"),
		"deep":          strings.Repeat("<a>", 20_000),
		"user in depth": head + `<cas:x><cas:authenticationSuccess><cas:user>1</cas:user></cas:authenticationSuccess></cas:x>` + tail,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCentral(t)
			c.answer = func(w http.ResponseWriter) bool { c.text(w, xml); return true }
			d := newDesk(t, newClock(), c.provider())
			ticket, state, cookie := c.begin(d)
			number, _, err := d.End(t.Context(), "cas", "cas", cookie, url.Values{"ticket": {ticket}, "state": {state}})
			if !errors.Is(err, sso.ErrRefused) && !errors.Is(err, sso.ErrUnreachable) || number != "" {
				t.Fatalf("%q, %v", number, err)
			}
		})
	}
}

func TestCAS_SlowAndEndlessAndBrokenServices(t *testing.T) {
	for name, answer := range map[string]func(*central, http.ResponseWriter){
		"status": func(_ *central, w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"moved": func(_ *central, w http.ResponseWriter) {
			w.Header().Set("Location", "/other")
			w.WriteHeader(http.StatusFound)
		},
		"cut off": func(_ *central, w http.ResponseWriter) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.Close()
		},
		"endless": func(_ *central, w http.ResponseWriter) {
			for {
				if _, err := w.Write([]byte(strings.Repeat("<!-- -->", 8<<10))); err != nil {
					return
				}
			}
		},
		"silent": func(c *central, _ http.ResponseWriter) { <-c.t.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCentral(t)
			ctx, cancel := context.WithCancel(t.Context())
			c.t = withContext{t, ctx}
			c.answer = func(w http.ResponseWriter) bool { answer(c, w); return true }
			d := newDesk(t, newClock(), c.provider())
			ticket, state, cookie := c.begin(d)
			limit, end := context.WithTimeout(t.Context(), 2*time.Second)
			defer end()
			if name == "silent" {
				limit, end = context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer end()
			}
			number, _, err := d.End(limit, "cas", "cas", cookie, url.Values{"ticket": {ticket}, "state": {state}})
			cancel()
			if !errors.Is(err, sso.ErrUnreachable) || number != "" || strings.Contains(err.Error(), ticket) {
				t.Fatalf("%q, %v", number, err)
			}
		})
	}
}

// withContext ends a handler that waits.
type withContext struct {
	testing.TB
	ctx context.Context
}

func (w withContext) Context() context.Context { return w.ctx }
