package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"campusgate/server/people"
	"campusgate/server/store"
)

// Why a caller is turned away.
var (
	// ErrNoToken: none was shown.
	ErrNoToken = errors.New("no token")
	// ErrBadToken: unknown, expired or revoked; which of them is not said.
	ErrBadToken = errors.New("token not accepted")
	// ErrTooMany: this address has guessed too often.
	ErrTooMany = errors.New("too many failed attempts")
	// ErrForbidden: a known caller without the scope.
	ErrForbidden = errors.New("lacks the scope")
	// ErrNoPerson: a token, where only a person in a session is let in.
	ErrNoPerson = errors.New("a token is nobody")
)

const (
	prefix      = "cg_"
	secretBytes = 20
)

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Store is what auth needs of the database.
type Store interface {
	AddToken(ctx context.Context, actor string, k store.Token) (store.Token, error)
	TokenByHash(ctx context.Context, hash []byte) (store.Token, error)
}

// Caller is who makes a call: a token, or a person in a session.
type Caller struct {
	Actor   string // for the trail: "token 3 (desk)", or the person's id
	Scopes  Scopes
	TokenID int64 // 0 = a session

	Person  string        // id, "" = a token
	Name    string        // of the person
	Posts   []people.Post // held today
	Gate    uint16        // of a guard's post; 0 = none
	Session int64         // 0 = a token

	// MustChange: the password is one that somebody else gave; nothing is
	// allowed but to change it.
	MustChange bool
}

// May reports whether the caller has a scope.
func (c Caller) May(s Scope) bool { return c.Scopes.May(s) }

// Auth checks tokens. Safe for concurrent use.
type Auth struct {
	store  Store
	now    func() time.Time
	random io.Reader
	guards *guards
}

// New makes an Auth.
func New(s Store, now func() time.Time, random io.Reader) *Auth {
	return &Auth{store: s, now: now, random: random, guards: newGuards()}
}

// Create makes a token and gives its text, which cannot be had again. A life
// of zero is for ever. Errors wrap ErrScope or are the database's.
func (a *Auth) Create(ctx context.Context, actor, name string, scopes Scopes, life time.Duration) (string, store.Token, error) {
	scopes, err := ParseScopes(strings.Fields(scopes.String())...)
	if err != nil {
		return "", store.Token{}, err
	}
	secret := make([]byte, secretBytes)
	if _, err := io.ReadFull(a.random, secret); err != nil {
		return "", store.Token{}, fmt.Errorf("make a token: %w", err)
	}
	plain := prefix + strings.ToLower(encoding.EncodeToString(secret))
	token := store.Token{Hash: hashOf(plain), Name: name, Scopes: scopes.String()}
	if life > 0 {
		token.ExpiresAt = a.now().Add(life).UnixMilli()
	}
	kept, err := a.store.AddToken(ctx, actor, token)
	return plain, kept, err
}

// Check finds the caller of a request. Bearer is the token as shown, remote the
// caller's address without port. Errors wrap ErrNoToken, ErrBadToken or
// ErrTooMany, or are the database's.
func (a *Auth) Check(ctx context.Context, bearer, remote string) (Caller, error) {
	if bearer == "" {
		return Caller{}, ErrNoToken
	}
	now := a.now()
	caller, err := a.find(ctx, bearer, now)
	if !errors.Is(err, ErrBadToken) {
		return caller, err
	}
	// Only who guesses has to wait: a campus behind one address must not be
	// locked out by one of its PCs.
	if a.guards.shut(remote, now) {
		return Caller{}, ErrTooMany
	}
	a.guards.failed(remote, now)
	return Caller{}, err
}

func (a *Auth) find(ctx context.Context, bearer string, now time.Time) (Caller, error) {
	if !strings.HasPrefix(bearer, prefix) || len(bearer) != len(prefix)+encoding.EncodedLen(secretBytes) {
		return Caller{}, ErrBadToken
	}
	hash := hashOf(bearer)
	token, err := a.store.TokenByHash(ctx, hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Caller{}, ErrBadToken
	case err != nil:
		return Caller{}, err
	case subtle.ConstantTimeCompare(hash, token.Hash) != 1,
		token.RevokedAt != 0,
		token.ExpiresAt != 0 && now.UnixMilli() >= token.ExpiresAt:
		return Caller{}, ErrBadToken
	}
	scopes, err := ParseScopes(strings.Fields(token.Scopes)...)
	if err != nil {
		return Caller{}, fmt.Errorf("token %d: %w", token.ID, err)
	}
	return Caller{Actor: fmt.Sprintf("token %d (%s)", token.ID, token.Name), TokenID: token.ID, Scopes: scopes}, nil
}
