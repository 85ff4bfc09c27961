package sso

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDCConfig names an OpenID Connect service.
type OIDCConfig struct {
	ID, Name     string
	Issuer       string // address, as the service itself writes it
	ClientID     string
	ClientSecret string // "" = a public client; PKCE is used either way
	NumberClaim  string // claim of the ID token with the staff or student number
	Callback     string // address of ours that is registered there
}

// OIDC is an OpenID Connect service.
type OIDC struct {
	config OIDCConfig
	now    func() time.Time
	client *http.Client

	provider atomic.Pointer[oidc.Provider]
}

// NewOIDC makes a Provider. The service is asked for its addresses when
// somebody first wants to sign in there, so that ours starts without it.
func NewOIDC(c OIDCConfig, now func() time.Time) *OIDC {
	return &OIDC{config: c, now: now, client: client()}
}

// ID and the others make an OIDC a Provider.
func (o *OIDC) ID() string { return o.config.ID }

// Name is what people read.
func (o *OIDC) Name() string { return o.config.Name }

// Kind is "oidc".
func (o *OIDC) Kind() string { return "oidc" }

// discovered asks the service for its addresses, until it has answered once.
// Nobody waits for a lock while somebody else waits for the service.
func (o *OIDC) discovered(ctx context.Context) (*oidc.Provider, error) {
	if p := o.provider.Load(); p != nil {
		return p, nil
	}
	// Its key set keeps this context: not one that ends with a request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: discovery: %w", ErrUnreachable, cause(err))
	}
	o.provider.Store(p)
	return p, nil
}

func (o *OIDC) oauth(p *oidc.Provider) *oauth2.Config {
	at := p.Endpoint()
	at.AuthStyle = o.authStyle(p)
	return &oauth2.Config{
		ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, Endpoint: at,
		RedirectURL: o.config.Callback, Scopes: []string{oidc.ScopeOpenID, "profile"},
	}
}

// authStyle says where the client secret goes. Left alone, the library would try
// both, and the second try finds a code that the first has used up.
func (o *OIDC) authStyle(p *oidc.Provider) oauth2.AuthStyle {
	var said struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	err := p.Claims(&said)
	if o.config.ClientSecret == "" || err == nil && len(said.Methods) > 0 && !slices.Contains(said.Methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// Start sends the browser to the service's authorization endpoint.
func (o *OIDC) Start(ctx context.Context, t *Ticket) (string, error) {
	p, err := o.discovered(ctx)
	if err != nil {
		return "", err
	}
	return o.oauth(p).AuthCodeURL(t.State, oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)), nil
}

// Finish exchanges the code and checks the ID token: signature, issuer,
// audience, time, nonce.
func (o *OIDC) Finish(ctx context.Context, t Ticket, query url.Values) (string, error) {
	if query.Get("code") == "" {
		return "", fmt.Errorf("%w: no code", ErrRefused) // what the service says instead may be anything
	}
	p, err := o.discovered(ctx)
	if err != nil {
		return "", err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	answer, err := o.oauth(p).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(t.Verifier))
	var said *oauth2.RetrieveError
	if errors.As(err, &said) && said.Response.StatusCode < 500 {
		return "", fmt.Errorf("%w: token endpoint: status %d", ErrRefused, said.Response.StatusCode)
	}
	if err != nil {
		return "", fmt.Errorf("%w: token endpoint: %w", ErrUnreachable, cause(err))
	}
	raw, _ := answer.Extra("id_token").(string)
	if raw == "" {
		return "", fmt.Errorf("%w: no ID token", ErrRefused)
	}
	token, err := p.VerifierContext(ctx, &oidc.Config{ClientID: o.config.ClientID, Now: o.now}).Verify(ctx, raw)
	if err != nil {
		return "", fmt.Errorf("%w: ID token: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(t.Nonce)) != 1 {
		return "", fmt.Errorf("%w: ID token: another nonce", ErrRefused)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return "", fmt.Errorf("%w: claims cannot be read", ErrRefused)
	}
	number, _ := claims[o.config.NumberClaim].(string)
	if number == "" {
		return "", fmt.Errorf("%w: the ID token has no text in claim %q", ErrRefused, o.config.NumberClaim)
	}
	return number, nil
}
