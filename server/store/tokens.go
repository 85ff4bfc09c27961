package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Token is what is kept of an API token: never the token itself.
type Token struct {
	ID        int64
	Hash      []byte // SHA-256
	Name      string
	Scopes    string // separated by spaces
	CreatedAt int64
	CreatedBy string
	ExpiresAt int64 // 0 = never
	RevokedAt int64 // 0 = holds
}

const tokenColumns = `SELECT id, hash, name, scopes, created_at, created_by, coalesce(expires_at, 0), coalesce(revoked_at, 0)
	FROM tokens`

func scanToken(rows *sql.Rows) (k Token, err error) {
	err = rows.Scan(&k.ID, &k.Hash, &k.Name, &k.Scopes, &k.CreatedAt, &k.CreatedBy, &k.ExpiresAt, &k.RevokedAt)
	return k, err
}

// AddToken stores a token by its hash and gives it a number.
func (s *Store) AddToken(ctx context.Context, actor string, k Token) (Token, error) {
	err := s.Change(ctx, func(t *Tx) error {
		k.CreatedAt, k.CreatedBy = t.now, actor
		err := t.QueryRowContext(t.ctx, `INSERT INTO tokens (hash, name, scopes, created_at, created_by, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
			k.Hash, k.Name, k.Scopes, k.CreatedAt, k.CreatedBy, nullable(k.ExpiresAt)).Scan(&k.ID)
		if err != nil {
			return err
		}
		return t.Trail(actor, "token.created", fmt.Sprintf("token %d", k.ID), map[string]any{
			"name": k.Name, "scopes": k.Scopes, "expires_at": k.ExpiresAt,
		})
	})
	return k, err
}

// Tokens lists every token, oldest first.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return List(ctx, s.read, scanToken, tokenColumns+" ORDER BY id")
}

// TokenByHash finds a token, or ErrNotFound.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (Token, error) {
	found, err := List(ctx, s.read, scanToken, tokenColumns+" WHERE hash = $1", hash)
	if err != nil {
		return Token{}, err
	}
	if len(found) == 0 {
		return Token{}, fmt.Errorf("%w: token", ErrNotFound)
	}
	return found[0], nil
}

// RevokeToken ends a token; ending it again changes nothing. ErrNotFound, and
// ErrState for the last token that may do everything: without it nobody could
// make another.
func (s *Store) RevokeToken(ctx context.Context, actor string, id int64, admin string) error {
	return s.Change(ctx, func(t *Tx) error {
		var scopes string
		var revoked bool
		err := t.QueryRowContext(t.ctx, "SELECT scopes, revoked_at IS NOT NULL FROM tokens WHERE id = $1", id).
			Scan(&scopes, &revoked)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("%w: token %d", ErrNotFound, id)
		case err != nil || revoked:
			return err
		}
		if scopes == admin {
			var others int
			err := t.QueryRowContext(t.ctx, `SELECT count(*) FROM tokens WHERE id <> $1 AND scopes = $2
				AND revoked_at IS NULL AND expires_at IS NULL`, id, admin).Scan(&others)
			if err != nil {
				return err
			}
			if others == 0 {
				return fmt.Errorf("%w: token %d is the last with scope %s", ErrState, id, admin)
			}
		}
		if err := t.Exec("UPDATE tokens SET revoked_at = $1 WHERE id = $2", t.now, id); err != nil {
			return err
		}
		return t.Trail(actor, "token.revoked", fmt.Sprintf("token %d", id), nil)
	})
}

// AddLink keeps the hash of a one-time link for a first sign-in until expires.
func (s *Store) AddLink(ctx context.Context, actor, purpose string, hash []byte, expires int64) error {
	return s.Change(ctx, func(t *Tx) error {
		err := t.Exec("INSERT INTO links (hash, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4)",
			hash, purpose, t.now, expires)
		if err != nil {
			return err
		}
		return t.Trail(actor, "link.created", purpose, map[string]any{"expires_at": expires})
	})
}
