package server

import (
	"context"
	"errors"
	"io"
	"time"

	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/store"
)

// money are the parts that keep cards and what is on them.
type money struct {
	ledger *ledger.Ledger
	cards  *cards.Service
}

func newMoney(s Settings, db *store.Store, signer *issue.Service, p persons, d Deps) (m money) {
	m.ledger = newLedger(s, db, d)
	m.cards = cards.New(cards.Config{
		Store: db, Issue: signer, People: p.people, Vault: p.vault, Ledger: m.ledger, Now: d.Now, Random: d.Rand, Location: s.Location,
	})
	return m
}

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
