package sso_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"campusgate/server/auth/sso"
	"campusgate/server/people"
)

const callback = "http://127.0.0.1:8443/api/v1/login/oidc/campus/callback"

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// granted is what an authorization endpoint remembers of a code.
type granted struct {
	nonce, challenge string
}

// identity is an OpenID Connect provider: discovery, keys and token endpoint over
// real HTTP, ID tokens really signed. Its authorization endpoint is Authorize,
// since a person would click there.
type identity struct {
	*httptest.Server
	t       testing.TB
	now     func() time.Time
	key     crypto.Signer
	alg     jose.SignatureAlgorithm
	mu      sync.Mutex
	codes   map[string]granted
	methods []string                                              // of the token endpoint; nil = it does not say
	claims  func(map[string]any)                                  // changes what the ID token says
	token   func(http.ResponseWriter, *http.Request, string) bool // answers instead; true = done
	found   func(http.ResponseWriter) bool                        // discovery instead
	signed  func(payload []byte) string                           // signs instead
}

func newIdentity(t testing.TB, alg jose.SignatureAlgorithm, now func() time.Time) *identity {
	t.Helper()
	p := &identity{t: t, now: now, alg: alg, codes: map[string]granted{}}
	var err error
	if alg == jose.RS256 {
		p.key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	ok(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if p.found != nil && p.found(w) {
			return
		}
		p.write(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{string(alg)}, "token_endpoint_auth_methods_supported": p.methods,
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: string(alg), Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.serveToken)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *identity) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

// Authorize is the person who signs in there: it gives the code for the address
// that Begin gave.
func (p *identity) Authorize(address string) (code, state string) {
	p.t.Helper()
	u, err := url.Parse(address)
	ok(p.t, err)
	q := u.Query()
	if q.Get("client_id") != "campusgate" || q.Get("redirect_uri") != callback || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("nonce") == q.Get("state") {
		p.t.Fatalf("asked for %v", q)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code = fmt.Sprintf("code-%d", len(p.codes)+1)
	p.codes[code] = granted{q.Get("nonce"), q.Get("code_challenge")}
	return code, q.Get("state")
}

func (p *identity) serveToken(w http.ResponseWriter, r *http.Request) {
	code := r.FormValue("code")
	p.mu.Lock()
	g, known := p.codes[code]
	delete(p.codes, code) // once
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, password, _ := r.BasicAuth()
	if p.methods != nil {
		id, password = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if !known || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge || id != "campusgate" || password != "s3cret" ||
		r.FormValue("redirect_uri") != callback {
		w.WriteHeader(http.StatusBadRequest)
		p.write(w, map[string]any{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": p.URL, "aud": "campusgate", "sub": "u-17", "nonce": g.nonce, "employee_number": "20260001",
		"iat": p.now().Unix(), "exp": p.now().Add(time.Minute).Unix(),
	}
	if p.claims != nil {
		p.claims(claims)
	}
	raw := p.sign(claims)
	p.mu.Lock()
	instead := p.token
	p.mu.Unlock()
	if instead != nil && instead(w, r, raw) {
		return
	}
	p.write(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": raw})
}

// answer makes the token endpoint answer in another way; nil = as it should.
func (p *identity) answer(with func(http.ResponseWriter, *http.Request, string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = with
}

func (p *identity) sign(claims map[string]any) string {
	if p.signed != nil {
		payload, err := json.Marshal(claims)
		ok(p.t, err)
		return p.signed(payload)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: jose.JSONWebKey{Key: p.key, KeyID: "k1"}}, nil)
	ok(p.t, err)
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	ok(p.t, err)
	return raw
}

// clock is a wall clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Unix(1_788_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newDesk(t testing.TB, c *clock, providers ...sso.Provider) *sso.Desk {
	t.Helper()
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	return &sso.Desk{Providers: providers, Seal: vault, Now: c.Now, Random: rand.Reader}
}

func newOIDC(p *identity, now func() time.Time) *sso.OIDC {
	return sso.NewOIDC(sso.OIDCConfig{
		ID: "campus", Name: "统一身份认证", Issuer: p.URL, ClientID: "campusgate", ClientSecret: "s3cret",
		NumberClaim: "employee_number", Callback: callback,
	}, now)
}
