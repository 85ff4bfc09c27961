package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// The states of a claim that the server decides.
const (
	claimGranted  = "granted"
	claimUsed     = "used"
	claimReleased = "released" // granted, and given back
	claimDead     = "dead"     // given back before the question came
)

// Decide answers a claim that the server decides. The answer is committed
// before it is given, and the same claim id gets the same answer for ever,
// unless it was given back meanwhile: then silent. Dark are the gates of the
// policy first_seen that may have admitted the pass on their own. Also silent, and kept
// nowhere, is the answer about a revoked pass and about one that a gate may
// still be deciding: see ownedElsewhere. Errors are faults of the database,
// and ErrState for a claim that asks nothing or differs from an earlier one of
// the same id.
func (s *Store) Decide(ctx context.Context, c wire.Claim) (a wire.Answer, err error) {
	if c.ID == "" || c.Pass.IsZero() || c.Gate == 0 {
		return wire.Answer{}, fmt.Errorf("%w: a claim names itself, a pass and a gate", ErrState)
	}
	err = s.submit(&job{ctx: ctx, rows: 3, fn: func(t *Tx) (err error) {
		a, err = t.decide(&c)
		return err
	}}, true)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("decide: %w", err)
	}
	switch a.State {
	case verdict.ClaimGranted:
		s.stats.granted.Add(1)
	case verdict.ClaimUsed:
		s.stats.used.Add(1)
	default:
		s.stats.silent.Add(1)
	}
	return a, nil
}

func (t *Tx) decide(c *wire.Claim) (wire.Answer, error) {
	a, found, err := t.decided(c)
	if err != nil || found && a.State != verdict.ClaimGranted {
		return a, err
	}
	silent := wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	if c.Reserve != wire.ReserveNone {
		silent.State = verdict.ClaimRefused // silence would be taken for leave to ask others
	}
	p, known, err := t.terms(c.Pass)
	switch {
	case err != nil:
		return wire.Answer{}, err
	case !known:
		p.uses, p.expires = c.Uses, c.Expires
	case p.revoked && !found:
		return silent, nil
	}
	s, err := t.shared(c, &p)
	switch {
	case err != nil:
		return wire.Answer{}, err
	case s.yes && found:
		return t.decideShared(c, &s, &p, &a)
	case s.yes:
		return t.decideShared(c, &s, &p, nil)
	case found:
		return a, nil
	}
	if elsewhere, err := t.ownedElsewhere(p.owner); err != nil || elsewhere {
		return silent, err
	}
	if unheard, err := t.unheardOf(); err != nil || unheard {
		return silent, err
	}
	count, first, err := standing(t.ctx, t, c.Pass)
	if err != nil {
		return wire.Answer{}, err
	}
	a = wire.Answer{ID: c.ID, State: verdict.ClaimGranted}
	if p.uses > 0 && count >= p.uses {
		a.State, a.First = verdict.ClaimUsed, first
	}
	return a, t.keepClaim(c, &a, p)
}

// decided looks for the answer that the same claim got before.
func (t *Tx) decided(c *wire.Claim) (a wire.Answer, found bool, err error) {
	var (
		pass       []byte
		state      string
		first      verdict.Use
		at, gateOf sql.NullInt64
	)
	err = t.QueryRowContext(t.ctx, "SELECT pass, state, first_at, first_gate FROM claims WHERE id = $1", c.ID).
		Scan(&pass, &state, &at, &gateOf)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	if string(pass) != string(c.Pass[:]) {
		t.store.stats.alarms.Add(1)
		return a, false, fmt.Errorf("%w: claim %s asked for pass %x before", ErrState, c.ID, pass)
	}
	a = wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	switch state {
	case claimGranted:
		a.State = verdict.ClaimGranted
	case claimUsed:
		first.At, first.Gate = at.Int64, uint16(gateOf.Int64)
		a.State, a.First = verdict.ClaimUsed, &first
	}
	return a, true, nil
}

// ownedElsewhere reports that a pass was signed for a gate which may be deciding
// it now, or may have decided it without the server having heard: a gate that
// is not in mode online, or became so and has not been confirmed as drained.
// An answer of the server's could then be a second admission.
func (t *Tx) ownedElsewhere(owner uint16) (bool, error) {
	if owner == 0 {
		return false, nil
	}
	var mode string
	var draining bool
	err := t.QueryRowContext(t.ctx, "SELECT mode, draining_since IS NOT NULL FROM gates WHERE id = $1", owner).
		Scan(&mode, &draining)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return verdict.Mode(mode) != verdict.Online || draining, err
}

func (t *Tx) keepClaim(c *wire.Claim, a *wire.Answer, p terms) error {
	state, first := claimGranted, verdict.Use{}
	if a.State == verdict.ClaimUsed {
		state = claimUsed
		if a.First != nil {
			first = *a.First
		}
	}
	err := t.Exec(`INSERT INTO claims (id, pass, gate, at, decided_at, state, first_at, first_gate, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.ID, c.Pass[:], c.Gate, c.At, t.now, state, nullable(first.At), nullable(int64(first.Gate)), p.expires)
	if err != nil || state == claimUsed || p.uses == 0 {
		return err
	}
	return t.addUses([]use{{
		pass: c.Pass, ref: claimRef(c.ID), claim: c.ID, gate: c.Gate, at: c.At, allowed: p.uses, expires: p.expires,
	}})
}
