package server

import (
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
	m.ledger = ledger.New(ledger.Config{
		Store: db, Location: s.Location, Alarm: func(what string) { d.Log.Error("ledger", "alarm", what) },
	})
	m.cards = cards.New(cards.Config{
		Store: db, Issue: signer, People: p.people, Vault: p.vault, Ledger: m.ledger, Now: d.Now, Random: d.Rand, Location: s.Location,
	})
	return m
}
