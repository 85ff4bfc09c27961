package server

import (
	"context"
	"errors"
	"io"
	"time"
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
