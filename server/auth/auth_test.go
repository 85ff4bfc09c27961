package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"campusgate/server/auth"
	"campusgate/server/store"
)

// shelf keeps tokens in memory.
type shelf struct {
	tokens map[string]store.Token
	fault  error
}

func (s *shelf) AddToken(_ context.Context, actor string, k store.Token) (store.Token, error) {
	if s.fault != nil {
		return store.Token{}, s.fault
	}
	k.ID, k.CreatedBy = int64(len(s.tokens)+1), actor
	s.tokens[string(k.Hash)] = k
	return k, nil
}

func (s *shelf) TokenByHash(_ context.Context, hash []byte) (store.Token, error) {
	k, ok := s.tokens[string(hash)]
	switch {
	case s.fault != nil:
		return store.Token{}, s.fault
	case !ok:
		return store.Token{}, store.ErrNotFound
	}
	return k, nil
}

type bench struct {
	*auth.Auth
	shelf *shelf
	now   time.Time
}

func newBench() *bench {
	b := &bench{shelf: &shelf{tokens: map[string]store.Token{}}, now: time.UnixMilli(1_788_000_000_000)}
	b.Auth = auth.New(b.shelf, func() time.Time { return b.now }, rand.Reader)
	return b
}

func (b *bench) create(t *testing.T, life time.Duration, names ...string) string {
	t.Helper()
	scopes, err := auth.ParseScopes(names...)
	if err != nil {
		t.Fatal(err)
	}
	plain, _, err := b.Create(t.Context(), "test", "desk", scopes, life)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestCheck_OK(t *testing.T) {
	b := newBench()
	plain := b.create(t, 0, "passes:write", "events:read")
	c, err := b.Check(t.Context(), plain, "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if c.Actor != "token 1 (desk)" || !c.May(auth.PassesWrite) || !c.May(auth.EventsRead) || c.May(auth.PassesRead) || c.May(auth.Admin) {
		t.Errorf("caller %+v", c)
	}
	for hash, k := range b.shelf.tokens {
		if strings.Contains(hash+k.Name+k.Scopes, plain) {
			t.Error("the token itself was stored")
		}
	}
}

func TestCheck_Refuses(t *testing.T) {
	b := newBench()
	plain := b.create(t, time.Hour, "admin")
	for name, c := range map[string]struct {
		bearer string
		want   error
	}{
		"ErrNoToken":  {"", auth.ErrNoToken},
		"Short":       {plain[:len(plain)-1], auth.ErrBadToken},
		"Long":        {plain + "a", auth.ErrBadToken},
		"OtherPrefix": {"xx_" + plain[3:], auth.ErrBadToken},
		"OtherCase":   {strings.ToUpper(plain), auth.ErrBadToken},
		"OneLetter":   {plain[:10] + flip(plain[10]) + plain[11:], auth.ErrBadToken},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := b.Check(t.Context(), c.bearer, name); !errors.Is(err, c.want) || got.Scopes != nil {
				t.Errorf("got %+v, %v; want %v", got, err, c.want)
			}
		})
	}
	if _, err := b.Check(t.Context(), plain, "a"); err != nil {
		t.Fatalf("before its end: %v", err)
	}
	b.now = b.now.Add(time.Hour)
	if _, err := b.Check(t.Context(), plain, "a"); !errors.Is(err, auth.ErrBadToken) {
		t.Errorf("at its end: %v", err)
	}
}

func flip(c byte) string {
	if c == 'a' {
		return "b"
	}
	return "a"
}

func TestCheck_Revoked(t *testing.T) {
	b := newBench()
	plain := b.create(t, 0, "admin")
	for hash, k := range b.shelf.tokens {
		k.RevokedAt = b.now.UnixMilli()
		b.shelf.tokens[hash] = k
	}
	if _, err := b.Check(t.Context(), plain, "a"); !errors.Is(err, auth.ErrBadToken) {
		t.Errorf("got %v", err)
	}
}

// A faulty database is not a bad token, and does not count against the caller.
func TestCheck_DatabaseFaultIsPassedOn(t *testing.T) {
	b := newBench()
	plain := b.create(t, 0, "admin")
	b.shelf.fault = errors.New("disk")
	for range 30 {
		if _, err := b.Check(t.Context(), plain, "a"); !errors.Is(err, b.shelf.fault) {
			t.Fatalf("got %v", err)
		}
	}
	b.shelf.fault = nil
	if _, err := b.Check(t.Context(), plain, "a"); err != nil {
		t.Errorf("after the fault: %v", err)
	}
}

func TestCheck_GuessingAddressWaits(t *testing.T) {
	b := newBench()
	plain := b.create(t, 0, "admin")
	for range 10 {
		if _, err := b.Check(t.Context(), "cg_guess", "a"); !errors.Is(err, auth.ErrBadToken) {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := b.Check(t.Context(), "cg_guess", "a"); !errors.Is(err, auth.ErrTooMany) {
		t.Errorf("the eleventh guess: %v", err)
	}
	if _, err := b.Check(t.Context(), plain, "a"); err != nil {
		t.Errorf("a good token from the same address: %v", err)
	}
	if _, err := b.Check(t.Context(), "cg_guess", "b"); !errors.Is(err, auth.ErrBadToken) {
		t.Errorf("another address: %v", err)
	}
	b.now = b.now.Add(time.Minute)
	if _, err := b.Check(t.Context(), "cg_guess", "a"); !errors.Is(err, auth.ErrBadToken) {
		t.Errorf("after the wait: %v", err)
	}
}

func TestParseScopes(t *testing.T) {
	set, err := auth.ParseScopes("gates:write", "passes:read", "gates:write")
	if err != nil || set.String() != "passes:read gates:write" {
		t.Errorf("got %q, %v", set, err)
	}
	for _, names := range [][]string{{}, {"root"}, {"admin", ""}} {
		if _, err := auth.ParseScopes(names...); !errors.Is(err, auth.ErrScope) {
			t.Errorf("%q: %v", names, err)
		}
	}
	admin := auth.Scopes{auth.Admin}
	if !admin.Covers(auth.AllScopes()) || set.Covers(admin) || !set.Covers(auth.Scopes{auth.PassesRead}) {
		t.Error("covers")
	}
}
