package cash_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/recharge/cash"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing/wire"
)

var campus = time.FixedZone("CST", 8*3600)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one is the only card.
type one struct{ recharge.Card }

func (o *one) OfPerson(context.Context, store.Source, string) (recharge.Card, error) {
	return o.Card, nil
}

func (o *one) Find(context.Context, store.Source, uint64) (recharge.Card, error) { return o.Card, nil }

func (o *one) Named(_ context.Context, _ store.Source, number string) (recharge.Card, error) {
	if number != o.Number {
		return recharge.Card{}, recharge.ErrNoCard
	}
	return o.Card, nil
}

type world struct {
	*cash.Desk
	db    *store.Store
	money *ledger.Ledger
	card  *one
	fault func() (bool, error)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, campus) }
	w := &world{card: &one{recharge.Card{Account: 1, Number: "10000017", State: wire.CardActive}}}
	w.db, _ = storetest.Found(t, t.TempDir(), store.Options{Now: now, Fault: func() (bool, error) {
		if w.fault == nil {
			return true, nil
		}
		return w.fault()
	}})
	t.Cleanup(func() { ok(t, w.db.Close()) })
	w.money = ledger.New(ledger.Config{Store: w.db, Now: now, Location: campus})
	w.Desk = cash.New(cash.Config{Store: w.db, Ledger: w.money, Cards: w.card, Location: campus, Max: 50000})
	return w
}

func (w *world) account(t testing.TB, a ledger.Account, want int64) {
	t.Helper()
	if fen, err := w.money.BalanceOf(t.Context(), w.db.Reader(), a); err != nil || fen != want {
		t.Errorf("%s has %d fen, want %d (%v)", a, fen, want, err)
	}
}

// post moves money beside the desk.
func (w *world) post(t testing.TB, id string, card uint64, entries ...ledger.Entry) {
	t.Helper()
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		out, err := w.money.Post(tx, ledger.Transfer{ID: id, Kind: ledger.KindAdjust, At: tx.Now(), Day: "2026-11-21", Card: card, Entries: entries})
		if err == nil && out.State != ledger.Posted {
			t.Errorf("%s: %+v", id, out)
		}
		return err
	}))
}

func TestShift_TheDrawerIsCountedAtTheEnd(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Recharge(t.Context(), "lin", "move-0001", "10000017", 1000); !errors.Is(err, cash.ErrNoShift) {
		t.Errorf("without a shift: %v", err)
	}
	s, err := w.Open(t.Context(), "lin", 20000)
	ok(t, err)
	if _, err := w.Open(t.Context(), "lin", 1); !errors.Is(err, cash.ErrShiftOpen) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := w.Open(t.Context(), "xu", 0); err != nil {
		t.Errorf("another clerk: %v", err)
	}
	var wait sync.WaitGroup
	for range 4 { // the key is pressed more than once
		wait.Go(func() {
			if m, err := w.Recharge(context.Background(), "lin", "move-0001", "10000017", 5000); err != nil || m.BalanceFen != 5000 || m.Shift != s.ID {
				t.Errorf("%+v %v", m, err)
			}
		})
	}
	wait.Wait()
	if _, err := w.Recharge(t.Context(), "lin", "move-0001", "10000017", 5001); !errors.Is(err, recharge.ErrKey) {
		t.Errorf("another amount under the same id: %v", err)
	}
	if _, err := w.Recharge(t.Context(), "xu", "move-0001", "10000017", 5000); !errors.Is(err, recharge.ErrKey) {
		t.Errorf("another clerk under the same id: %v", err)
	}
	w.account(t, ledger.Drawer(s.ID), -25000)
	if s, err = w.Current(t.Context(), "lin"); err != nil || s.ExpectedFen != 25000 || s.InFen != 5000 || s.Moves != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := w.Close(t.Context(), "xu", s.ID, 25000); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another's shift: %v", err)
	}
	for range 2 {
		s, err = w.Close(t.Context(), "lin", s.ID, 24900)
		if err != nil || s.ExpectedFen != 25000 || s.CountedFen != 24900 || s.DifferenceFen != -100 || s.ClosedAt == 0 {
			t.Errorf("%+v %v", s, err)
		}
	}
	if _, err := w.Close(t.Context(), "lin", s.ID, 25000); !errors.Is(err, store.ErrState) {
		t.Errorf("counted again: %v", err)
	}
	w.account(t, ledger.Drawer(s.ID), 0)
	w.account(t, ledger.Clearing(cash.Difference), -100)
	w.account(t, ledger.Clearing(cash.Safe), 20000-24900)
	all, total, err := w.Shifts(t.Context(), 10, 0)
	if err != nil || total != 2 || len(all) != 2 {
		t.Errorf("%+v %d %v", all, total, err)
	}
	r, err := w.money.Verify(t.Context(), nil)
	if err != nil || r.FaultsAll > 0 || r.SumFen != 0 {
		t.Errorf("ledger: %+v %v", r, err)
	}
}

func TestPayout_GivesWhatIsTheHolders(t *testing.T) {
	w := newWorld(t)
	s, err := w.Open(t.Context(), "lin", 4000)
	ok(t, err)
	if _, err := w.Payout(t.Context(), "lin", "out-00001", "10000017"); !errors.Is(err, cash.ErrNothing) {
		t.Errorf("an empty account: %v", err)
	}
	w.post(t, "a", 1, ledger.Entry{Account: ledger.Opening, Fen: -9000}, ledger.Entry{Account: ledger.Main(1), Fen: 6000}, ledger.Entry{Account: ledger.Subsidy(1), Fen: 3000})
	w.post(t, "b", 1, ledger.Entry{Account: ledger.Merchant(1), Fen: 1500}, ledger.Entry{Account: ledger.Debt(1), Fen: -1500})
	if _, err := w.Payout(t.Context(), "lin", "out-00001", "10000017"); !errors.Is(err, cash.ErrDrawer) {
		t.Errorf("more than is in the drawer: %v", err)
	}
	_, err = w.Open(t.Context(), "xu", 10000)
	ok(t, err)
	for _, state := range []wire.CardState{wire.CardLost, wire.CardFrozen} {
		w.card.State = state
		if _, err := w.Payout(t.Context(), "xu", "out-00001", "10000017"); !errors.Is(err, cash.ErrHeld) {
			t.Errorf("%s: %v", state, err)
		}
	}
	w.card.State = wire.CardActive
	for range 2 {
		m, err := w.Payout(t.Context(), "xu", "out-00001", "10000017")
		if err != nil || m.Fen != 4500 || m.BalanceFen != 3000 {
			t.Errorf("%+v %v", m, err)
		}
	}
	w.account(t, ledger.Main(1), 0)
	w.account(t, ledger.Debt(1), 0)
	w.account(t, ledger.Subsidy(1), 3000)
	w.account(t, ledger.Drawer(s.ID+1), -5500)
	moves, err := w.Moves(t.Context(), s.ID+1)
	if err != nil || len(moves) != 1 || moves[0].Kind != ledger.KindPayout {
		t.Errorf("%+v %v", moves, err)
	}
}

func TestRecharge_PaysDebtFirstAndRefusesNonsense(t *testing.T) {
	w := newWorld(t)
	_, err := w.Open(t.Context(), "lin", 0)
	ok(t, err)
	w.post(t, "b", 1, ledger.Entry{Account: ledger.Merchant(1), Fen: 1500}, ledger.Entry{Account: ledger.Debt(1), Fen: -1500})
	m, err := w.Recharge(t.Context(), "lin", "move-0001", "10000017", 2000)
	if err != nil || m.BalanceFen != 500 {
		t.Errorf("%+v %v", m, err)
	}
	for name, c := range map[string]struct {
		id, account string
		fen         int64
		want        error
	}{
		"nothing": {"move-0002", "10000017", 0, recharge.ErrInvalid}, "minus": {"move-0002", "10000017", -5, recharge.ErrInvalid},
		"too much": {"move-0002", "10000017", 50001, recharge.ErrInvalid}, "no id": {"", "10000017", 100, recharge.ErrInvalid},
		"a long id": {strings.Repeat("x", 65), "10000017", 100, recharge.ErrInvalid}, "a formula": {"=1+1-0000", "10000017", 100, recharge.ErrInvalid},
		"no account": {"move-0002", "'; DROP TABLE x", 100, recharge.ErrNoCard},
	} {
		if _, err := w.Recharge(t.Context(), "lin", c.id, c.account, c.fen); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.card.State = wire.CardClosed
	if _, err := w.Recharge(t.Context(), "lin", "move-0003", "10000017", 100); !errors.Is(err, recharge.ErrCardClosed) {
		t.Errorf("closed: %v", err)
	}
	for _, float := range []int64{-1, cash.MaxFloat + 1} {
		if _, err := w.Open(t.Context(), "xu", float); !errors.Is(err, recharge.ErrInvalid) {
			t.Errorf("float %d: %v", float, err)
		}
	}
}

func TestRecharge_AnAnswerThatWasLostIsRepeated(t *testing.T) {
	w := newWorld(t)
	_, err := w.Open(t.Context(), "lin", 0)
	ok(t, err)
	for _, done := range []bool{false, true} {
		w.fault = func() (bool, error) { return done, errors.New("disk") }
		if _, err := w.Recharge(t.Context(), "lin", "move-0001", "10000017", 700); err == nil {
			t.Error("no error")
		}
	}
	w.fault = nil
	m, err := w.Recharge(t.Context(), "lin", "move-0001", "10000017", 700)
	if err != nil || m.BalanceFen != 700 {
		t.Errorf("%+v %v", m, err)
	}
	w.account(t, ledger.Main(1), 700)
}
