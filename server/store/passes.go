package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Pass is an issued pass. From and Until are seconds, as signed; the rest of
// the times are ms.
type Pass struct {
	ID           signing.PassID
	Kind         signing.Kind
	Name         string
	Doc4         string
	From         int64
	Until        int64 // first moment after
	Uses         uint32
	Zones        signing.Zones
	Owner        uint16
	Bound        bool
	Key          signing.KeyID
	Code         string // static code; "" when bound
	IssuedAt     int64
	IssuedBy     string
	RevokedAt    int64 // 0 = holds
	RevokeReason string
}

// PassStatus is a pass with what became of it.
type PassStatus struct {
	Pass
	KeyCompromised bool
	Used           uint32       // counted admissions
	First          *verdict.Use // the first of them
	Moved          uint16       // the gate that it was moved to; 0 = as signed
	Moves          uint32       // how often it was moved
}

// AddPass stores a pass that was just signed. ErrTaken when the id is in use,
// ErrState when the key that signed is not the active one any more.
func (s *Store) AddPass(ctx context.Context, p Pass) error {
	return s.Change(ctx, func(t *Tx) error { return t.AddPass(p) })
}

// AddPass is Store.AddPass as a part of a larger change.
func (t *Tx) AddPass(p Pass) error {
	if err := t.SignedWith(p.Key, p.Until); err != nil {
		return err
	}
	err := t.Exec(`INSERT INTO passes (id, kind, name, doc4, valid_from, valid_until, uses, zones, owner, bound, kid,
		code, issued_at, issued_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		p.ID[:], int64(p.Kind), p.Name, p.Doc4, p.From, p.Until, p.Uses, int64(p.Zones), p.Owner, p.Bound, p.Key[:],
		p.Code, p.IssuedAt, p.IssuedBy)
	if IsUnique(err) {
		return fmt.Errorf("%w: pass id %s", ErrTaken, p.ID)
	}
	if err == nil {
		err = t.putPass(&p)
	}
	if err != nil {
		return err
	}
	return t.Trail(p.IssuedBy, "pass.issued", passTarget(p.ID), map[string]any{
		"kind": p.Kind, "from": p.From, "until": p.Until, "uses": p.Uses, "zones": p.Zones.List(), "owner": p.Owner, "key": p.Key,
	})
}

const passColumns = `SELECT p.id, p.kind, p.name, p.doc4, p.valid_from, p.valid_until, p.uses, p.zones, p.owner, p.bound,
	p.kid, p.code, p.issued_at, p.issued_by, coalesce(p.revoked_at, 0), coalesce(p.revoke_reason, ''),
	coalesce(k.compromised_at, 0) > 0, coalesce(o.gate, 0), coalesce(o.epoch, 0)
	FROM passes p LEFT JOIN keys k ON k.kid = p.kid LEFT JOIN ownerships o ON o.pass = p.id`

func scanPass(rows *sql.Rows) (p PassStatus, err error) {
	var id, kid []byte
	err = rows.Scan(&id, &p.Kind, &p.Name, &p.Doc4, &p.From, &p.Until, &p.Uses, &p.Zones, &p.Owner, &p.Bound,
		&kid, &p.Code, &p.IssuedAt, &p.IssuedBy, &p.RevokedAt, &p.RevokeReason, &p.KeyCompromised,
		&p.Moved, &p.Moves)
	copy(p.ID[:], id)
	copy(p.Key[:], kid)
	return p, err
}

// Pass gives a pass and what became of it, or ErrNotFound.
func (s *Store) Pass(ctx context.Context, id signing.PassID) (PassStatus, error) {
	return passOf(ctx, s.read, id)
}

func passOf(ctx context.Context, src Source, id signing.PassID) (PassStatus, error) {
	p, err := findPass(ctx, src, id)
	if err != nil {
		return p, err
	}
	p.Used, p.First, err = standing(ctx, src, id)
	return p, err
}

func findPass(ctx context.Context, src Source, id signing.PassID) (PassStatus, error) {
	found, err := List(ctx, src, scanPass, passColumns+" WHERE p.id = $1", id[:])
	if err != nil {
		return PassStatus{}, err
	}
	if len(found) == 0 {
		return PassStatus{}, fmt.Errorf("%w: pass %s", ErrNotFound, id)
	}
	return found[0], nil
}

// RevokePass takes a pass back and tells every agent. Doing it again changes
// nothing. ErrNotFound.
func (s *Store) RevokePass(ctx context.Context, actor string, id signing.PassID, reason string) error {
	return s.Change(ctx, func(t *Tx) error { return t.RevokePass(actor, id, reason) })
}

// RevokePass is Store.RevokePass as a part of a larger change.
func (t *Tx) RevokePass(actor string, id signing.PassID, reason string) error {
	p, err := findPass(t.ctx, t, id)
	if err != nil || p.RevokedAt > 0 {
		return err
	}
	return errors.Join(
		t.Exec("UPDATE passes SET revoked_at = $1, revoke_reason = $2 WHERE id = $3", t.now, reason, id[:]),
		t.put(rankRevocation, id.String(), wire.Revocation{At: t.now, Reason: reason, Expires: p.Until}, p.Until*1000),
		t.Trail(actor, "pass.revoked", passTarget(id), map[string]any{"reason": reason}),
	)
}

// Pass is Store.Pass within a change.
func (t *Tx) Pass(id signing.PassID) (PassStatus, error) { return passOf(t.ctx, t, id) }

func passTarget(id signing.PassID) string { return "pass " + id.String() }

// CountPassesOf counts the passes that a key signed, that hold and that have
// not ended at the given time (seconds).
func (s *Store) CountPassesOf(ctx context.Context, kid signing.KeyID, now int64) (n int, err error) {
	err = s.read.QueryRowContext(ctx,
		"SELECT count(*) FROM passes WHERE kid = $1 AND valid_until > $2 AND revoked_at IS NULL", kid[:], now).Scan(&n)
	return n, err
}
