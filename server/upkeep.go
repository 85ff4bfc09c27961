package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"campusgate/server/retention"
	"campusgate/server/store"
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

// VerifyTrail walks the audit trail's hash chain and gives its end. It wraps
// store.ErrBroken at the first entry that does not fit, and when the trail does
// not hold one of the heads that were noted before. Of a trail that was cut off
// at its end the chain alone says nothing.
func VerifyTrail(ctx context.Context, s Settings, now func() time.Time, random io.Reader, noted ...store.TrailHead) (head store.TrailHead, err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	n, err := db.VerifyTrail(ctx)
	if err != nil || n == 0 {
		return head, err
	}
	for _, h := range noted {
		if err := db.HoldsTrail(ctx, h); err != nil {
			return head, err
		}
	}
	return db.TrailHead(ctx)
}

// noteTrail writes the end of the audit trail into the log, which is kept
// elsewhere than the database: gateserver audit verify -head compares.
func (srv *Server) noteTrail(ctx context.Context) error {
	head, err := srv.db.TrailHead(ctx)
	if err == nil {
		srv.deps.Log.Info("audit trail", "head", head.String())
	}
	return err
}
