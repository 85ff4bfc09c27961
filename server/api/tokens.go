package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"campusgate/server/auth"
	"campusgate/server/store"
)

// Token is what is kept of an API token.
type Token struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes"`
	CreatedAt int64    `json:"created_at"`
	CreatedBy string   `json:"created_by"`
	ExpiresAt int64    `json:"expires_at,omitempty"`
	RevokedAt int64    `json:"revoked_at,omitempty"`
	Token     string   `json:"token,omitempty" doc:"the token itself, in the answer that makes it and never again"`
}

// TokenRequest makes a token.
type TokenRequest struct {
	Name      string   `json:"name" doc:"who or what will use it"`
	Scopes    []string `json:"scopes" minItems:"1" doc:"what it allows; no more than the caller's own token does"`
	ExpiresIn int64    `json:"expires_in,omitempty" minimum:"0" maximum:"315360000" doc:"seconds; 0 = never"`
}

// Entry is a line of the audit trail.
type Entry struct {
	ID      int64  `json:"id"`
	At      int64  `json:"at"`
	Actor   string `json:"actor"`
	Action  string `json:"action"`
	Target  string `json:"target"`
	Details any    `json:"details"`
	Hash    []byte `json:"hash" doc:"over this entry and the one before it, base64"`
}

type tokenInput struct {
	ID int64 `path:"id" minimum:"1" doc:"token number"`
}

type tokenOutput struct{ Body Token }

type tokensOutput struct {
	Body struct {
		Tokens []Token `json:"tokens"`
	}
}

type trailOutput struct {
	Body struct {
		Entries []Entry `json:"entries"`
		Next    int64   `json:"next"`
	}
}

func (a *API) tokenRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/tokens", scope: auth.TokensWrite, id: "create-token",
		text: "新建令牌 Make a token", status: http.StatusCreated,
	}, a.createToken)
	add(a, route{
		method: http.MethodGet, path: prefix + "/tokens", scope: auth.TokensWrite, id: "list-tokens", text: "令牌列表 List the tokens",
	}, a.listTokens)
	add(a, route{
		method: http.MethodPost, path: prefix + "/tokens/{id}/revoke", scope: auth.TokensWrite, id: "revoke-token",
		text: "吊销令牌 End a token", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.revokeToken)
	add(a, route{
		method: http.MethodGet, path: prefix + "/audit", scope: auth.AuditRead, id: "read-trail",
		text: "操作记录 Who changed what",
	}, a.readTrail)
}

func tokenBody(k store.Token) Token {
	return Token{
		ID: k.ID, Name: k.Name, Scopes: strings.Fields(k.Scopes), CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt,
	}
}

func (a *API) createToken(ctx context.Context, in *struct{ Body TokenRequest }) (*tokenOutput, error) {
	name, err := place(in.Body.Name)
	if err != nil {
		return nil, err
	}
	scopes, err := auth.ParseScopes(in.Body.Scopes...)
	if err != nil {
		return nil, err
	}
	who := caller(ctx)
	if !who.Scopes.Covers(scopes) {
		return nil, fmt.Errorf("%w: nobody gives away more than they have", auth.ErrForbidden)
	}
	plain, row, err := a.Auth.Create(ctx, who.Actor, name, scopes, time.Duration(in.Body.ExpiresIn)*time.Second)
	if err != nil {
		return nil, err
	}
	out := &tokenOutput{tokenBody(row)}
	out.Body.Token = plain
	return out, nil
}

func (a *API) listTokens(ctx context.Context, _ *struct{}) (*tokensOutput, error) {
	tokens, err := a.Store.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	out := &tokensOutput{}
	out.Body.Tokens = mapped(tokens, tokenBody)
	return out, nil
}

func (a *API) revokeToken(ctx context.Context, in *tokenInput) (*tokenOutput, error) {
	if err := a.Store.RevokeToken(ctx, caller(ctx).Actor, in.ID, string(auth.Admin)); err != nil {
		return nil, err
	}
	tokens, err := a.Store.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range tokens {
		if k.ID == in.ID {
			return &tokenOutput{tokenBody(k)}, nil
		}
	}
	return nil, fmt.Errorf("%w: token %d", store.ErrNotFound, in.ID)
}

// trailInput reads onwards, or backwards from the latest entry.
type trailInput struct {
	Page
	Order string `query:"order" enum:"oldest,newest" default:"oldest" doc:"newest: from the end; after is then the next of the page before all the same"`
}

func (a *API) readTrail(ctx context.Context, in *trailInput) (*trailOutput, error) {
	read := a.Store.Trail
	if in.Order == "newest" {
		read = a.Store.TrailBefore
	}
	entries, err := read(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &trailOutput{}
	out.Body.Next = in.After
	out.Body.Entries = mapped(entries, func(e store.Entry) Entry {
		return Entry{ID: e.ID, At: e.At, Actor: e.Actor, Action: e.Action, Target: e.Target, Details: e.Details, Hash: e.Hash}
	})
	if n := len(entries); n > 0 {
		out.Body.Next = entries[n-1].ID
	}
	return out, nil
}
