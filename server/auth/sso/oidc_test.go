package sso_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"campusgate/server/auth/sso"
)

// attempt goes the whole way and gives what End says.
func attempt(t *testing.T, p *identity, d *sso.Desk) (string, string, error) {
	t.Helper()
	address, cookie, known, err := d.Begin(t.Context(), "oidc", "campus", "/console/x?y=1")
	if err != nil || !known {
		t.Fatalf("begin: %v, %v", known, err)
	}
	code, state := p.Authorize(address)
	return d.End(t.Context(), "oidc", "campus", cookie, url.Values{"code": {code}, "state": {state}})
}

func TestOIDC_GivesTheNumberOfTheClaim(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		t.Run(string(alg), func(t *testing.T) {
			c := newClock()
			p := newIdentity(t, alg, c.Now)
			number, to, err := attempt(t, p, newDesk(t, c, newOIDC(p, c.Now)))
			if err != nil || number != "20260001" || to != "/console/x?y=1" {
				t.Fatalf("%q %q %v", number, to, err)
			}
		})
	}
}

func TestOIDC_PutsTheSecretWhereTheServiceWantsIt(t *testing.T) {
	c := newClock()
	p := newIdentity(t, jose.ES256, c.Now)
	p.methods = []string{"client_secret_post"}
	if number, _, err := attempt(t, p, newDesk(t, c, newOIDC(p, c.Now))); err != nil || number != "20260001" {
		t.Fatalf("%q %v", number, err)
	}
}

func TestOIDC_RefusesTokensThatDoNotHold(t *testing.T) {
	c := newClock()
	set := func(name string, value any) func(*identity) {
		return func(p *identity) { p.claims = func(claims map[string]any) { claims[name] = value } }
	}
	for name, change := range map[string]func(*identity){
		"another nonce":    set("nonce", "other"),
		"no nonce":         func(p *identity) { p.claims = func(claims map[string]any) { delete(claims, "nonce") } },
		"another audience": set("aud", "library"),
		"another issuer":   set("iss", "https://evil.example"),
		"expired":          set("exp", c.Now().Add(-time.Second).Unix()),
		"not yet":          set("nbf", c.Now().Add(time.Hour).Unix()),
		"no number":        func(p *identity) { p.claims = func(claims map[string]any) { delete(claims, "employee_number") } },
		"empty number":     set("employee_number", ""),
		"a list of them":   set("employee_number", []string{"20260001"}),
		"another key": func(p *identity) {
			other := newIdentity(t, jose.RS256, c.Now)
			p.signed = func(payload []byte) string { other.signed = nil; return other.resign(payload) }
		},
		"alg none": func(p *identity) {
			p.signed = func(payload []byte) string {
				b64 := base64.RawURLEncoding
				return b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b64.EncodeToString(payload) + "."
			}
		},
		"the public key as an HMAC secret": func(p *identity) {
			p.signed = func(payload []byte) string {
				signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, nil)
				ok(t, err)
				s, err := signer.Sign(payload)
				ok(t, err)
				raw, err := s.CompactSerialize()
				ok(t, err)
				return raw
			}
		},
		"no ID token": func(p *identity) {
			p.answer(func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				p.write(w, map[string]any{"access_token": "at", "token_type": "Bearer"})
				return true
			})
		},
		"no token but a page": func(p *identity) {
			p.signed = func([]byte) string { return "<script>alert(1)</script>" }
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIdentity(t, jose.RS256, c.Now)
			change(p)
			number, _, err := attempt(t, p, newDesk(t, c, newOIDC(p, c.Now)))
			if !errors.Is(err, sso.ErrRefused) || number != "" {
				t.Fatalf("%q, %v, want ErrRefused", number, err)
			}
		})
	}
}

// resign signs bytes with this provider's key.
func (p *identity) resign(payload []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: jose.JSONWebKey{Key: p.key, KeyID: "k1"}}, nil)
	ok(p.t, err)
	s, err := signer.Sign(payload)
	ok(p.t, err)
	raw, err := s.CompactSerialize()
	ok(p.t, err)
	return raw
}

func TestOIDC_ACodeIsGoodOnceAndForItsOwnLoginOnly(t *testing.T) {
	c := newClock()
	p := newIdentity(t, jose.ES256, c.Now)
	d := newDesk(t, c, newOIDC(p, c.Now))
	begin := func() (code, state, cookie string) {
		address, cookie, _, err := d.Begin(t.Context(), "oidc", "campus", "")
		ok(t, err)
		code, state = p.Authorize(address)
		return code, state, cookie
	}
	code, state, cookie := begin()
	query := url.Values{"code": {code}, "state": {state}}
	_, _, err := d.End(t.Context(), "oidc", "campus", cookie, query)
	ok(t, err)
	if _, _, err = d.End(t.Context(), "oidc", "campus", cookie, query); !errors.Is(err, sso.ErrRefused) {
		t.Errorf("again: %v", err)
	}
	// The code of somebody else's login, put into this browser: PKCE.
	_, state, cookie = begin()
	foreign, _, _ := begin()
	if _, _, err = d.End(t.Context(), "oidc", "campus", cookie, url.Values{"code": {foreign}, "state": {state}}); !errors.Is(err, sso.ErrRefused) {
		t.Errorf("another's code: %v", err)
	}
}

func TestTicket_IsOfThisBrowserServiceAndTime(t *testing.T) {
	c := newClock()
	p := newIdentity(t, jose.ES256, c.Now)
	d := newDesk(t, c, newOIDC(p, c.Now), sso.NewCAS(sso.CASConfig{ID: "campus", Name: "CAS", URL: p.URL, Callback: callback}))
	address, cookie, _, err := d.Begin(t.Context(), "oidc", "campus", "")
	ok(t, err)
	code, state := p.Authorize(address)
	_, other, _, err := d.Begin(t.Context(), "oidc", "campus", "")
	ok(t, err)
	good := url.Values{"code": {code}, "state": {state}}
	for name, bad := range map[string]struct {
		kind, id, cookie string
		query            url.Values
	}{
		"none":            {"oidc", "campus", "", good},
		"junk":            {"oidc", "campus", "%%%", good},
		"changed":         {"oidc", "campus", "A" + cookie[1:], good},
		"another login's": {"oidc", "campus", other, good},
		"no state":        {"oidc", "campus", cookie, url.Values{"code": {code}}},
		"another state":   {"oidc", "campus", cookie, url.Values{"code": {code}, "state": {"x"}}},
		"another service": {"cas", "campus", cookie, url.Values{"ticket": {code}, "state": {state}}},
		"unknown service": {"oidc", "none", cookie, good},
	} {
		if number, _, err := d.End(t.Context(), bad.kind, bad.id, bad.cookie, bad.query); !errors.Is(err, sso.ErrTicket) || number != "" {
			t.Errorf("%s: %q, %v", name, number, err)
		}
	}
	if _, _, err := d.End(t.Context(), "oidc", "campus", cookie, url.Values{"error": {"access_denied"}, "state": {state}}); !errors.Is(err, sso.ErrRefused) {
		t.Errorf("denied: %v", err)
	}
	c.pass(sso.TicketLife)
	if _, _, err := d.End(t.Context(), "oidc", "campus", cookie, good); !errors.Is(err, sso.ErrTicket) {
		t.Errorf("too old: %v", err)
	}
	if _, _, known, err := d.Begin(t.Context(), "oidc", "none", ""); known || err != nil {
		t.Errorf("an unknown service begins: %v, %v", known, err)
	}
}

func TestOIDC_ServiceFaults(t *testing.T) {
	c := newClock()
	t.Run("down and up again", func(t *testing.T) {
		p := newIdentity(t, jose.ES256, c.Now)
		d := newDesk(t, c, newOIDC(p, c.Now))
		p.found = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true }
		if _, _, known, err := d.Begin(t.Context(), "oidc", "campus", ""); !known || !errors.Is(err, sso.ErrUnreachable) {
			t.Fatalf("got %v", err)
		}
		p.found = nil
		if number, _, err := attempt(t, p, d); err != nil || number != "20260001" {
			t.Errorf("%q %v", number, err)
		}
	})
	t.Run("endless discovery", func(t *testing.T) {
		p := newIdentity(t, jose.ES256, c.Now)
		p.found = func(w http.ResponseWriter) bool {
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
					return true
				}
			}
		}
		_, _, _, err := newDesk(t, c, newOIDC(p, c.Now)).Begin(t.Context(), "oidc", "campus", "")
		if !errors.Is(err, sso.ErrUnreachable) || len(err.Error()) > 200 {
			t.Errorf("got %.300v", err)
		}
	})
	t.Run("another issuer in discovery", func(t *testing.T) {
		p := newIdentity(t, jose.ES256, c.Now)
		p.found = func(w http.ResponseWriter) bool {
			p.write(w, map[string]any{"issuer": "https://evil.example", "authorization_endpoint": p.URL, "token_endpoint": p.URL, "jwks_uri": p.URL})
			return true
		}
		if _, _, _, err := newDesk(t, c, newOIDC(p, c.Now)).Begin(t.Context(), "oidc", "campus", ""); !errors.Is(err, sso.ErrUnreachable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("token endpoint fails, or has given the token and cannot say so", func(t *testing.T) {
		for name, answer := range map[string]func(http.ResponseWriter){
			"failed": func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
			"failed but done": func(w http.ResponseWriter) {
				conn, _, err := http.NewResponseController(w).Hijack()
				ok(t, err)
				ok(t, conn.Close())
			},
		} {
			p := newIdentity(t, jose.ES256, c.Now)
			p.answer(func(w http.ResponseWriter, _ *http.Request, _ string) bool { answer(w); return true })
			d := newDesk(t, c, newOIDC(p, c.Now))
			number, _, err := attempt(t, p, d)
			if !errors.Is(err, sso.ErrUnreachable) || number != "" || strings.Contains(err.Error(), "code-") {
				t.Errorf("%s: %q, %v", name, number, err)
			}
			p.answer(nil)
			if number, _, err = attempt(t, p, d); err != nil || number != "20260001" {
				t.Errorf("%s: the next try: %q, %v", name, number, err)
			}
		}
	})
}

func TestLanding_LeadsToOurOwnPagesOnly(t *testing.T) {
	for _, good := range []string{"/m/", "/m/passes?tab=1#x", "/console/flows/7", "/V/ABCDEF"} {
		if got := sso.Landing(good); got != good {
			t.Errorf("%s: %s", good, got)
		}
	}
	for _, bad := range []string{
		"", "/", "m/", "/mail", "//evil.example/m/", "https://evil.example/m/", "/\\evil.example/m/", "/m/..//evil.example", "/m/../api/v1/me",
		"/m/%2e%2e/api", "/m//x", "\\/m/", "javascript:alert(1)", "/m/\r\nSet-Cookie: a=b", "http:/m/", "/m/\x00", "/api/v1/logout", "/V/a b", "%2f/m/", "/m/\\..", "/m/%5c..",
	} {
		if got := sso.Landing(bad); got != "/m/" {
			t.Errorf("%q leads to %q", bad, got)
		}
	}
}
