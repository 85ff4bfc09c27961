package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"campusgate/server/retention"
)

// Rotate makes the next issuer key sign, as the schedule would; a running
// server notices within a second. Unless forced it wraps issue.ErrNotReady while gates
// may not know that key yet.
func Rotate(ctx context.Context, s Settings, now func() time.Time, random io.Reader, force bool) (err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	signer, err := newSigner(s, db, now, random)
	if err != nil {
		return err
	}
	return signer.Rotate(ctx, "command", force)
}

// Erase takes away what says who a person was, also beside a running server. See
// retention.Service.Erase.
func Erase(ctx context.Context, s Settings, person, reason string, now func() time.Time, random io.Reader) (err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	d := Deps{Now: now, Rand: random, Log: slog.New(slog.DiscardHandler)}
	signer, err := newSigner(s, db, now, random)
	if err != nil {
		return err
	}
	p, err := newPersons(s, db, d)
	if err != nil {
		return err
	}
	m, err := newMatters(ctx, s, db, signer, p, d)
	if err != nil {
		return err
	}
	return retention.New(retention.Config{Store: db, Apply: m.apply, Policy: s.Retention, Now: now, Location: s.Location}).
		Erase(ctx, "command", person, reason)
}

// VerifyTrail walks the audit trail's hash chain and counts its entries. It
// wraps store.ErrBroken at the first that does not fit.
func VerifyTrail(ctx context.Context, s Settings, now func() time.Time, random io.Reader) (n int64, err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.VerifyTrail(ctx)
}
