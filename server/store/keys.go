package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/wire"
)

// Key is an issuer key with its history. Times are ms, 0 = not yet.
type Key struct {
	signing.Key
	Sealed        []byte // private key, sealed by package issue; nil once it no longer signs
	PublishedAt   int64
	ActiveAt      int64
	RetiredAt     int64
	CompromisedAt int64
	DroppedAt     int64 // left the keyring
	LastExpiry    int64 // seconds: the end of the last credential it signed
}

const keyColumns = `SELECT kid, purpose, kinds, state, public, sealed, not_before, published_at,
	coalesce(active_at, 0), coalesce(retired_at, 0), coalesce(compromised_at, 0), coalesce(dropped_at, 0), last_expiry
	FROM keys`

func (s *Store) scanKey(rows *sql.Rows) (k Key, err error) {
	var kid, public []byte
	err = rows.Scan(&kid, &k.Purpose, &k.Kinds, &k.State, &public, &k.Sealed, &k.NotBefore, &k.PublishedAt,
		&k.ActiveAt, &k.RetiredAt, &k.CompromisedAt, &k.DroppedAt, &k.LastExpiry)
	if err != nil {
		return k, err
	}
	copy(k.ID[:], kid)
	k.Public, k.Site = public, s.Site().Name
	return k, nil
}

// Keys lists the issuer keys that were ever made, oldest first.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	return s.keys(ctx, s.read)
}

// Keys is Store.Keys within a change.
func (t *Tx) Keys(ctx context.Context) ([]Key, error) { return t.store.keys(ctx, t) }

func (s *Store) keys(ctx context.Context, src Source) ([]Key, error) {
	return List(ctx, src, s.scanKey, keyColumns+" ORDER BY published_at, kid")
}

// Keyring gives the newest signed keyring. ErrNotFound before the first.
func (s *Store) Keyring(ctx context.Context) (serial uint64, signed []byte, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT serial, signed FROM keyrings ORDER BY serial DESC LIMIT 1").
		Scan(&serial, &signed)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: keyring", ErrNotFound)
	}
	return serial, signed, err
}

// KeyChange is what a change of keys comes to.
type KeyChange struct {
	Keys   []Key  // changed or new; the others stay
	Signed []byte // the keyring with the serial that was given, or with Serial
	Serial uint64 // a higher one than was given; 0 = that one
	Action string // for the trail, such as key.rotated
	Target string
	Notes  map[string]any
}

// ChangeKeys gives plan the keys as they are and the serial of the next
// keyring, and commits what it returns: keys, keyring, feed and trail at once.
// A nil KeyChange changes nothing. ErrTaken when a new key's id is in use.
// plan runs in the writer and must not call the store.
func (s *Store) ChangeKeys(ctx context.Context, actor string, plan func(keys []Key, serial uint64, now int64) (*KeyChange, error)) error {
	return s.Change(ctx, func(t *Tx) error {
		keys, err := s.keys(t.ctx, t)
		if err != nil {
			return err
		}
		var serial uint64
		if err := t.QueryRowContext(t.ctx, "SELECT coalesce(max(serial), 0) + 1 FROM keyrings").Scan(&serial); err != nil {
			return err
		}
		c, err := plan(keys, serial, t.now)
		if err != nil || c == nil {
			return err
		}
		serial = max(serial, c.Serial)
		for i := range c.Keys {
			if err := t.putKey(&c.Keys[i], keys); err != nil {
				return err
			}
		}
		err = t.Exec("INSERT INTO keyrings (serial, signed, made_at) VALUES ($1, $2, $3)", int64(serial), c.Signed, t.now)
		if err != nil {
			return err
		}
		if err := t.put(rankKeyring, "", wire.SignedKeyring{Signed: c.Signed}, 0); err != nil {
			return err
		}
		if c.Notes == nil {
			c.Notes = map[string]any{}
		}
		c.Notes["serial"] = serial
		return t.Trail(actor, c.Action, c.Target, c.Notes)
	})
}

func (t *Tx) putKey(k *Key, before []Key) error {
	for _, b := range before {
		if b.ID != k.ID {
			continue
		}
		if !b.Public.Equal(k.Public) {
			return fmt.Errorf("%w: key id %s", ErrTaken, k.ID)
		}
		return t.Exec(`UPDATE keys SET state = $1, sealed = $2, not_before = $3, active_at = $4, retired_at = $5,
			compromised_at = $6, dropped_at = $7 WHERE kid = $8`,
			string(k.State), k.Sealed, k.NotBefore, nullable(k.ActiveAt), nullable(k.RetiredAt),
			nullable(k.CompromisedAt), nullable(k.DroppedAt), k.ID[:])
	}
	return t.Exec(`INSERT INTO keys (kid, purpose, kinds, state, public, sealed, not_before, published_at, active_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		k.ID[:], string(k.Purpose), int64(k.Kinds), string(k.State), []byte(k.Public), k.Sealed, k.NotBefore,
		k.PublishedAt, nullable(k.ActiveAt))
}

// SignedWith records that a key signed a credential that ends at expiry. The
// key must still be the active one: ErrState when it was rotated meanwhile.
func (t *Tx) SignedWith(kid signing.KeyID, expiry int64) error {
	n, err := t.Affect(`UPDATE keys SET last_expiry = CASE WHEN last_expiry < $1 THEN $2 ELSE last_expiry END
		WHERE kid = $3 AND state = $4`, expiry, expiry, kid[:], string(signing.KeyActive))
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: key %s is not active", ErrState, kid)
	}
	return err
}
