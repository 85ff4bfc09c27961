package ledger_test

import (
	"context"
	"crypto/ed25519"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

const (
	day  = "2026-11-21"
	shop = int64(3)
)

// world is a ledger on a database of its own, with a clock that tests move and
// commits that they let fail.
type world struct {
	*ledger.Ledger
	db     *store.Store
	path   string
	ms     atomic.Int64
	fault  func() (bool, error) // of the next commits; nil = none
	alarms []string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{path: filepath.Join(t.TempDir(), storetest.Database)}
	w.ms.Store(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC).UnixMilli())
	w.open(t, storetest.Found)
	return w
}

// open opens the database at path as found has it: new, or as it was left.
func (w *world) open(t testing.TB, found func(storetest.T, string, store.Options) (*store.Store, ed25519.PrivateKey)) {
	t.Helper()
	db, _ := found(t, filepath.Dir(w.path), store.Options{Now: w.now, Fault: func() (bool, error) {
		if w.fault == nil {
			return true, nil
		}
		return w.fault()
	}})
	t.Cleanup(func() { _ = db.Close() })
	w.db = db
	w.Ledger = ledger.New(ledger.Config{
		Store: db, Location: time.FixedZone("CST", 8*3600), Now: w.now,
		Alarm: func(what string) { w.alarms = append(w.alarms, what) },
	})
}

func (w *world) now() time.Time { return time.UnixMilli(w.ms.Load()) }

// fatal is what fails a test: testing's, or rapid's.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(fatal) T {
	return func(t fatal) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// change runs fn as a change, and posts nothing when it fails.
func (w *world) change(t fatal, fn func(*store.Tx) error) {
	t.Helper()
	ok(t, w.db.Change(context.Background(), fn))
}

// post posts a transfer with what is missing filled in.
func (w *world) post(t fatal, tr ledger.Transfer) (o ledger.Outcome) {
	t.Helper()
	w.change(t, func(tx *store.Tx) (err error) {
		o, err = w.Post(tx, complete(tr))
		return err
	})
	return o
}

func complete(tr ledger.Transfer) ledger.Transfer {
	if tr.At == 0 {
		tr.At = 1_795_000_000_000
	}
	if tr.Day == "" {
		tr.Day = day
	}
	return tr
}

// charge, recharge and the others are transfers as their callers make them.
func (w *world) charge(t fatal, id string, card uint64, fen int64) ledger.Outcome {
	t.Helper()
	lines := must(w.Spend(context.Background(), w.db.Reader(), card, fen))(t)
	return w.post(t, ledger.Transfer{
		ID: "charge/" + id, Kind: ledger.KindCharge, Card: card, Place: "一食堂 1 号窗口",
		Entries: append(lines, ledger.Entry{Account: ledger.Merchant(shop), Fen: fen}),
	})
}

func (w *world) recharge(t fatal, id string, card uint64, fen int64) ledger.Outcome {
	t.Helper()
	lines := must(w.Refill(context.Background(), w.db.Reader(), card, fen))(t)
	return w.post(t, ledger.Transfer{
		ID: "recharge/" + id, Kind: ledger.KindRecharge, Card: card, Place: "微信",
		Entries: append(lines, ledger.Entry{Account: ledger.Clearing("wechat"), Fen: -fen}),
	})
}

func (w *world) grant(t fatal, id string, card uint64, fen int64) ledger.Outcome {
	t.Helper()
	return w.post(t, ledger.Transfer{ID: "subsidy/" + id, Kind: ledger.KindSubsidy, Card: card, Entries: []ledger.Entry{
		{Account: ledger.Subsidies, Fen: -fen}, {Account: ledger.Subsidy(card), Fen: fen},
	}})
}

// takeBack reverses a transfer; fen 0 = all that is left.
func (w *world) takeBack(t fatal, kind ledger.Kind, id, target string, card uint64, fen int64) ledger.Outcome {
	t.Helper()
	lines := must(w.TakeBack(context.Background(), w.db.Reader(), target, fen))(t)
	return w.post(t, ledger.Transfer{ID: id, Kind: kind, Card: card, Entries: lines, Reverses: target})
}

func (w *world) balance(t fatal, card uint64) ledger.Balance {
	t.Helper()
	return must(w.Balance(context.Background(), w.db.Reader(), card))(t)
}

func (w *world) lines(t fatal, card uint64) []ledger.Line {
	t.Helper()
	return must(w.Lines(context.Background(), w.db.Reader(), card, 0, 1_000_000))(t)
}

// raw runs SQL behind the ledger's back.
func (w *world) raw(query string, args ...any) error {
	return w.db.Change(context.Background(), func(t *store.Tx) error { return t.Exec(query, args...) })
}

func (w *world) count(t fatal, table string) (n int) {
	t.Helper()
	ok(t, w.db.Reader().QueryRowContext(context.Background(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func (w *world) hold(t fatal, h ledger.Hold) (granted bool, free int64) {
	t.Helper()
	w.change(t, func(tx *store.Tx) (err error) {
		granted, free, err = w.Hold(tx, h)
		return err
	})
	return granted, free
}

func (w *world) release(t fatal, id string) {
	t.Helper()
	w.change(t, func(tx *store.Tx) error {
		_, err := w.Release(tx, id)
		return err
	})
}
