package charges_test

import (
	"crypto/rand"
	"testing"
	"time"

	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/people"
	"campusgate/server/store"
)

// What a till took while a card was reported lost is marked, also when the report
// was lifted before the till's journal came.
func TestHolders_CM084_ALossThatIsOverStillMarksWhatWasTakenInIt(t *testing.T) {
	w := newWorld(t)
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	now := func() time.Time { return time.UnixMilli(w.clock.Load()) }
	staff := people.New(people.Config{Store: w.db, Vault: vault, Now: now, Location: w.Location, Random: rand.Reader})
	ok(t, staff.Change(t.Context(), func(tx *store.Tx) error {
		_, err := staff.AddPerson(tx, "test", people.Person{ID: "T1", Name: "江望舒", Kind: people.Staff})
		return err
	}))
	desk := cards.New(cards.Config{Store: w.db, People: staff, Vault: vault, Ledger: w.money, Now: now, Random: rand.Reader, Location: w.Location})
	w.Cards = charges.Holders{Service: desk}
	_, err = desk.OpenAll(t.Context(), "test", people.Staff, "")
	ok(t, err)
	c, err := desk.OfPerson(t.Context(), w.db.Reader(), "T1")
	ok(t, err)
	_, err = desk.SetPassword(t.Context(), "test", c.Account, "", "274081")
	ok(t, err)
	_, err = desk.ReportLoss(t.Context(), "test", c.Account, "丢失")
	ok(t, err)
	w.clock.Store(noon + 2_000)
	_, err = desk.LiftLoss(t.Context(), "test", c.Account, "274081")
	ok(t, err)
	k := w.till(t)
	for i, one := range []struct {
		at   int64
		want string
	}{{noon, "0"}, {noon + 1, "1"}, {noon + 1_999, "1"}, {noon + 2_000, "0"}} {
		id := k.charge(t, sale{account: c.Account, ctr: uint64(i + 1), fen: 100, offline: true, at: one.at})
		k.post(t)
		if got := w.row(t, id, "after_loss"); got != one.want {
			t.Errorf("at %+d ms: %s, want %s", one.at-noon, got, one.want)
		}
	}
}
