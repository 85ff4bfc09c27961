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
