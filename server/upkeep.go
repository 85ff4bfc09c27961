package server

import (
	"context"
	"errors"
	"io"
	"time"

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

// Restored is for a database that was put back from a backup. Agents may have
// been told things that the backup lacks: each gets a whole snapshot when it
// connects next, and forgets what was not in it; and the keyring gets a serial
// that they have not seen. It gives the number of agents, and wraps ErrInUse
// while a server runs, and issue.ErrRootAbsent without the site root.
func Restored(ctx context.Context, s Settings, now func() time.Time, random io.Reader) (agents int, err error) {
	lock, err := hold(s)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	db, err := open(ctx, s, now, random)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	signer, err := newSigner(s, db, now, random)
	if err != nil {
		return 0, err
	}
	if err := signer.Republish(ctx, "command"); err != nil {
		return 0, err
	}
	if err := db.NewLineage(ctx, "command"); err != nil {
		return 0, err
	}
	all, err := db.Agents(ctx)
	for _, a := range all {
		if a.RevokedAt == 0 {
			agents++
		}
	}
	return agents, err
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
