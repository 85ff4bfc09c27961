package server

import (
	"context"
	"errors"
	"io"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

func newLedger(s Settings, db *store.Store, d Deps) *ledger.Ledger {
	return ledger.New(ledger.Config{
		Store: db, Now: d.Now, Location: s.Location, Alarm: func(what string) { d.Log.Error(what) },
	})
}

// VerifyLedger proves the ledger of a site, also beside a running server. What
// is wrong with it is in the report; progress may be nil.
func VerifyLedger(ctx context.Context, s Settings, now func() time.Time, random io.Reader, progress func(done, all int64)) (r ledger.Report, err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return ledger.New(ledger.Config{Store: db, Now: now, Location: s.Location}).Verify(ctx, progress)
}
