package snapshot_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/signing/wire"
)

// tillStore is a store that keeps cards.
func tillStore(t *testing.T) *store {
	t.Helper()
	s := newStore(t)
	s.asTill(true)
	return s
}

// asTill opens the snapshot again as a till's, or a gate's.
func (s *store) asTill(yes bool) {
	s.tb.Helper()
	open := snapshot.Open
	if yes {
		open = snapshot.OpenTill
	}
	id := s.j.Identity()
	s.Snapshot = must[*snapshot.Snapshot](s.tb)(open(s.db, id.Gate, id.Site, id.Root))
}

func cardItem(tb testing.TB, account uint64, c wire.Card) wire.Item {
	return wire.Item{Kind: wire.ItemCard, Key: fmt.Sprint(account), Body: raw(tb, c)}
}

func tillItem(tb testing.TB, key string, fen int64) wire.Item {
	return wire.Item{Kind: wire.ItemTill, Key: key, Body: raw(tb, wire.Till{Version: "v", Entry: wire.EntryFixed, FixedFen: fen})}
}

func (s *store) card(account uint64) (c wire.Card) {
	s.tb.Helper()
	check(s.tb, journal.Till{Journal: s.j}.Update(func(book till.Book) error {
		st, err := book.Standing(till.Query{Account: account})
		c = st.Card
		return err
	}))
	return c
}

func TestApply_CardsAreKeptByATillOnly(t *testing.T) {
	const huge = 1<<64 - 1
	lost := wire.Card{State: wire.CardLost, Epoch: 3, At: nowMS}
	s := tillStore(t)
	check(t, s.Apply(group(true, 1, cardItem(t, 4711, lost), cardItem(t, huge, wire.Card{State: wire.CardActive, Epoch: 2, At: 1, Expires: far}))))
	if c := s.card(4711); c != lost {
		t.Fatalf("%+v", c)
	}
	if c := s.card(huge); c.Epoch != 2 {
		t.Fatalf("%+v", c)
	}
	check(t, s.Apply(group(false, 2, gone(cardItem(t, 4711, lost)), cardItem(t, 5, lost))))
	if s.card(4711) != (wire.Card{}) || s.card(5) != lost {
		t.Fatal("a card in order is still kept, or another is not")
	}
	// Thousands come by way of another generation.
	var many []wire.Item
	for n := range uint64(3_000) {
		many = append(many, cardItem(t, n+10, lost))
	}
	many = append(many, gone(cardItem(t, 12, lost)))
	check(t, s.Apply(group(false, 3, many...)))
	if s.card(5) != lost || s.card(10) != lost || s.card(3_009) != lost || s.card(12) != (wire.Card{}) {
		t.Fatal("a large group of cards")
	}
	check(t, s.j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: (far + 2*86400) * 1000}) }))
	check(t, s.Prune(time.Unix(far+2*86400, 0)))
	if s.card(huge) != (wire.Card{}) || s.card(5) != lost {
		t.Fatal("what is forgotten and what never is")
	}
	check(t, s.Apply(group(true, 1, cardItem(t, 1, lost))))
	if n := s.rows("cards"); n != 1 {
		t.Fatalf("%d cards after a reset", n)
	}
	s = newStore(t)
	check(t, s.Apply(group(true, 1, cardItem(t, 4711, lost))))
	if n := s.rows("cards"); n != 0 {
		t.Fatalf("a gate keeps %d cards", n)
	}
}

// A gate's snapshot has no cards: as a till's it is worth nothing.
func TestOpenTill_BeginsAnewWhereCardsWereNotKept(t *testing.T) {
	s := newStore(t)
	check(t, s.Apply(group(true, 7, cardItem(t, 1, wire.Card{State: wire.CardLost}))))
	check(t, s.Current(time.UnixMilli(nowMS)))
	s.asTill(true)
	if c := s.Cursor(); c != (wire.Cursor{}) || s.Confirmed() != 0 {
		t.Fatalf("cursor %+v, confirmed %d", c, s.Confirmed())
	}
	check(t, s.Apply(group(true, 8, cardItem(t, 1, wire.Card{State: wire.CardLost}))))
	s.asTill(true)
	if c := s.Cursor(); c.Revision != 8 {
		t.Fatalf("cursor %+v", c)
	}
	s.asTill(false)
	s.asTill(true)
	if c := s.Cursor(); c != (wire.Cursor{}) {
		t.Fatalf("cursor %+v after a time as a gate", c)
	}
}

func TestApply_RulesOfThisTill(t *testing.T) {
	s := tillStore(t)
	want := func(fen int64) {
		t.Helper()
		if r := s.Till(); (r == nil) != (fen == 0) || r != nil && r.FixedFen != fen {
			t.Fatalf("%+v, want a price of %d fen", r, fen)
		}
	}
	want(0)
	check(t, s.Apply(group(true, 1, tillItem(t, "3", 300), tillItem(t, "9", 900))))
	want(300)
	check(t, s.Apply(group(false, 2, tillItem(t, "3", 400), gone(tillItem(t, "9", 0)))))
	want(400)
	s.asTill(true)
	want(400)
	check(t, s.Apply(group(false, 3, gone(tillItem(t, "3", 0)))))
	want(0)
	check(t, s.Apply(group(false, 4, tillItem(t, "3", 500))))
	check(t, s.Apply(group(true, 5)))
	want(0)
	for name, it := range map[string]wire.Item{
		"no price":      tillItem(t, "3", 0),
		"no number":     tillItem(t, "x", 300),
		"no account":    cardItem(t, 0, wire.Card{State: wire.CardLost}),
		"account":       {Kind: wire.ItemCard, Key: "-1", Body: raw(t, wire.Card{State: wire.CardLost})},
		"state":         cardItem(t, 1, wire.Card{State: "=1+1"}),
		"body":          {Kind: wire.ItemCard, Key: "1", Body: raw(t, 7)},
		"rules of text": {Kind: wire.ItemTill, Key: "3", Body: raw(t, "x")},
	} {
		if err := s.Apply(group(false, 6, it)); !errors.Is(err, snapshot.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestApply_Supervisors(t *testing.T) {
	s := tillStore(t)
	g := guardItem(t, "S1", "秦砚书")
	g.Body = raw(t, wire.Guard{Name: "秦砚书", Hash: "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Supervisor: true})
	check(t, s.Apply(group(true, 1, g, guardItem(t, "C1", "何收银"))))
	s.asTill(true)
	if boss, _ := s.Guard("S1"); !boss.Supervisor {
		t.Error("the supervisor is none")
	}
	if c, _ := s.Guard("C1"); c.Supervisor {
		t.Error("the cashier is a supervisor")
	}
}
