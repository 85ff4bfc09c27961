package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/wire"
)

// Phone is a phone key that stands, or stood, for a pass.
type Phone struct {
	ID         signing.PhoneID
	Key        signing.PhoneKey
	EnrolledAt int64
	RenewedAt  int64
	Expires    int64 // seconds: the end of its last credential
	ReplacedAt int64 // 0 = it is the one
}

// AddNonce keeps a nonce that a phone is to sign for a pass until expires (ms).
func (s *Store) AddNonce(ctx context.Context, pass signing.PassID, nonce []byte, expires int64) error {
	return s.Change(ctx, func(t *Tx) error {
		if _, err := findPass(t.ctx, t, pass); err != nil {
			return err
		}
		// A few are enough for phones that start over; all are tried at a proof.
		err := t.Exec(`DELETE FROM nonces WHERE pass = $1 AND nonce NOT IN
			(SELECT nonce FROM nonces WHERE pass = $2 ORDER BY expires_at DESC LIMIT 3)`, pass[:], pass[:])
		if err != nil {
			return err
		}
		return t.Exec("INSERT INTO nonces (nonce, pass, expires_at) VALUES ($1, $2, $3)", nonce, pass[:], expires)
	})
}

// Nonces lists the nonces of a pass that have not expired, newest first.
func (s *Store) Nonces(ctx context.Context, pass signing.PassID) ([][]byte, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (nonce []byte, err error) {
		err = rows.Scan(&nonce)
		return nonce, err
	}, "SELECT nonce FROM nonces WHERE pass = $1 AND expires_at > $2 ORDER BY expires_at DESC", pass[:], s.now().UnixMilli())
}

// PutPhone makes a phone key the one of its pass, or renews it, and takes the
// nonce that it signed. A key that takes another's place goes into the feed,
// so that gates refuse the other at once. The key that signed the credential
// must still be active. Errors: ErrNotFound for the pass or the nonce, ErrEnded for a nonce
// that expired and for a pass that was revoked meanwhile, ErrState for the
// issuer key.
func (s *Store) PutPhone(ctx context.Context, actor string, pass signing.PassID, nonce []byte, kid signing.KeyID, p Phone) error {
	return s.Change(ctx, func(t *Tx) error {
		if err := t.takeNonce(pass, nonce); err != nil {
			return err
		}
		if err := t.SignedWith(kid, p.Expires); err != nil {
			return err
		}
		held, err := findPass(t.ctx, t, pass)
		if err != nil {
			return err
		}
		if held.RevokedAt > 0 {
			return fmt.Errorf("%w: pass %s", ErrEnded, pass)
		}
		point := p.Key.Compressed()
		replaced, err := t.Affect("UPDATE phones SET replaced_at = $1 WHERE pass = $2 AND phone <> $3 AND replaced_at IS NULL",
			t.now, pass[:], p.ID[:])
		if err != nil {
			return err
		}
		err = t.Exec(`INSERT INTO phones (pass, phone, public, kid, enrolled_at, renewed_at, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (pass, phone) DO UPDATE SET kid = excluded.kid, renewed_at = excluded.renewed_at,
				expires = excluded.expires, replaced_at = NULL`,
			pass[:], p.ID[:], point[:], kid[:], t.now, t.now, p.Expires)
		if err != nil {
			return err
		}
		if replaced > 0 {
			if err := t.announce(pass, p.ID); err != nil {
				return err
			}
		}
		return t.Trail(actor, "phone.enrolled", passTarget(pass), map[string]any{
			"phone": p.ID, "expires": p.Expires, "replaced": replaced,
		})
	})
}

// announce tells the gates which phone key of a pass stands. They need to know
// until the last credential of every other one has ended: a pass whose phone
// never changed, or changed long ago, is not in the feed.
func (t *Tx) announce(pass signing.PassID, phone signing.PhoneID) error {
	var last int64
	err := t.QueryRowContext(t.ctx, "SELECT max(expires) FROM phones WHERE pass = $1 AND phone <> $2", pass[:], phone[:]).Scan(&last)
	if err != nil {
		return err
	}
	return t.put(rankPhone, pass.String(), wire.Phone{Phone: phone, Expires: last}, last*1000)
}

func (t *Tx) takeNonce(pass signing.PassID, nonce []byte) error {
	var expires int64
	err := t.QueryRowContext(t.ctx, "DELETE FROM nonces WHERE nonce = $1 AND pass = $2 RETURNING expires_at", nonce, pass[:]).
		Scan(&expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: nonce", ErrNotFound)
	case err == nil && t.now >= expires:
		return fmt.Errorf("%w: nonce", ErrEnded)
	}
	return err
}

// Phones lists the phone keys of a pass, newest first.
func (s *Store) Phones(ctx context.Context, pass signing.PassID) ([]Phone, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (p Phone, err error) {
		var id, point []byte
		err = rows.Scan(&id, &point, &p.EnrolledAt, &p.RenewedAt, &p.Expires, &p.ReplacedAt)
		if err != nil {
			return p, err
		}
		copy(p.ID[:], id)
		p.Key, err = signing.ParsePhoneKey(point)
		return p, err
	}, `SELECT phone, public, enrolled_at, renewed_at, expires, coalesce(replaced_at, 0) FROM phones
		WHERE pass = $1 ORDER BY renewed_at DESC, phone`, pass[:])
}
