package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/settle"
	"campusgate/server/store"
)

// money are the parts that keep cards, what is on them, and where it goes.
type money struct {
	ledger  *ledger.Ledger
	cards   *cards.Service
	canteen *canteen.Service
	charges *charges.Service
	settle  *settle.Service
}

func newMoney(s Settings, db *store.Store, signer *issue.Service, p persons, d Deps) (m money) {
	m.ledger = ledger.New(ledger.Config{
		Store: db, Now: d.Now, Location: s.Location, Alarm: func(what string) { d.Log.Error(what) },
	})
	m.cards = cards.New(cards.Config{
		Store: db, Issue: signer, People: p.people, Vault: p.vault, Ledger: m.ledger, Now: d.Now, Random: d.Rand, Location: s.Location,
	})
	m.canteen = canteen.New(canteen.Config{Store: db, People: p.people})
	m.charges = charges.New(charges.Config{
		Store: db, Ledger: m.ledger, Cards: charges.Holders{Service: m.cards}, Tills: m.canteen, Location: s.Location, Log: d.Log,
	})
	m.settle = settle.New(settle.Config{Store: db, Ledger: m.ledger, Now: d.Now, Location: s.Location, Ends: m.cards.Ends})
	return m
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

// Replay posts an event of money that was put aside, or all of them where none is
// named, also beside a running server. Failed says which of them cannot be posted
// still; of those nothing was changed. See charges.Service.Replay.
func Replay(ctx context.Context, s Settings, event string, now func() time.Time, random io.Reader) (done int, failed []error, err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	d := Deps{Now: now, Rand: random, Log: slog.New(slog.DiscardHandler)}
	signer, err := newSigner(s, db, now, random)
	if err != nil {
		return 0, nil, err
	}
	p, err := newPersons(s, db, d)
	if err != nil {
		return 0, nil, err
	}
	m := newMoney(s, db, signer, p, d)
	aside, err := m.charges.PutAside(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, a := range aside {
		if event != "" && a.Event != event {
			continue
		}
		posted, err := m.charges.Replay(ctx, "command", a.Event)
		switch {
		case errors.Is(err, charges.ErrAgain):
			failed = append(failed, err)
		case err != nil:
			return done, failed, err
		case posted:
			done++
		}
	}
	return done, failed, nil
}
