package ledger_test

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// tampered copies the database without its triggers, changes it, puts the
// triggers back, and proves the copy.
func tampered(t *testing.T, w *world, keepTriggers bool, queries ...string) ledger.Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	copyTo(t, w, path)
	db := must(sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)"))(t)
	triggers := must(store.Triggers(t.Context(), db))(t)
	for _, name := range slices.Sorted(maps.Keys(triggers)) {
		must(db.Exec("DROP TRIGGER " + name))(t)
	}
	for _, q := range queries {
		if n := must(must(db.Exec(q))(t).RowsAffected())(t); n != 1 {
			t.Fatalf("%s: changed %d rows", q, n)
		}
	}
	if keepTriggers {
		for _, text := range triggers {
			must(db.Exec(text))(t)
		}
	}
	ok(t, db.Close())
	copied := must(store.Open(t.Context(), path, store.Options{Now: w.now}))(t)
	defer func() { ok(t, copied.Close()) }()
	return must(ledger.New(ledger.Config{Store: copied, Now: w.now, Location: time.UTC}).Verify(t.Context(), nil))(t)
}

func copyTo(t *testing.T, w *world, path string) {
	t.Helper()
	db := must(sql.Open("sqlite", "file:"+w.path))(t)
	defer func() { ok(t, db.Close()) }()
	must(db.Exec("VACUUM INTO ?", path))(t)
	ok(t, os.Chmod(path, 0o600))
}

func TestVerify_I1_I2_NamesTheOneValueThatWasChanged(t *testing.T) {
	w := charged(t)
	w.takeBack(t, ledger.KindRefund, "refund/1", "charge/1", 7, 600)
	for i := range 3 {
		w.charge(t, fmt.Sprint("more", i), 7, 50)
	}
	w.post(t, ledger.Transfer{ID: "settle/1", Kind: ledger.KindSettle, Entries: []ledger.Entry{
		{Account: ledger.Merchant(shop), Fen: -100}, {Account: ledger.Clearing("bank"), Fen: 100},
	}})
	if r := tampered(t, w, true); !r.Sound() || r.Transfers != 8 || r.Postings != 17 {
		t.Fatalf("the copy itself: %+v", r)
	}
	for _, c := range []struct{ query, where, what string }{
		{"UPDATE postings SET fen = fen + 1 WHERE transfer = 3 AND line = 1", "transfer 3 charge/1", "moved by -299 and has 0"},
		{"UPDATE postings SET balance = balance - 1 WHERE transfer = 3 AND line = 2", "transfer 3 charge/1", "posting 2: card/7/main had 900, moved by -700 and has 199"},
		{"UPDATE postings SET account = 1 WHERE transfer = 4 AND line = 1", "transfer 4 refund/1", "of card/7/main, after 2"},
		{"UPDATE postings SET place = 9 WHERE transfer = 4 AND line = 1", "transfer 4 refund/1", "is number 9 of"},
		{"DELETE FROM postings WHERE transfer = 5 AND line = 2", "transfer 5 charge/more0", "1 postings, sum -50"},
		{"UPDATE transfers SET amount = amount + 1 WHERE seq = 3", "transfer 3 charge/1", "the line says -999, the postings -1000"},
		{"UPDATE transfers SET balance = balance + 1 WHERE seq = 3", "transfer 3 charge/1", "the statement has 201, the accounts of the card 200"},
		{"UPDATE transfers SET line = 20 WHERE seq = 3", "transfer 3 charge/1", "line 20 of card 7, after 2"},
		{"UPDATE transfers SET at = at + 1 WHERE seq = 2", "transfer 2 subsidy/1", "hash"},
		{"UPDATE transfers SET day = '2026-11-20' WHERE seq = 2", "transfer 2 subsidy/1", "hash"},
		{"UPDATE transfers SET kind = 'adjust' WHERE seq = 2", "transfer 2 subsidy/1", "hash"},
		{"UPDATE transfers SET place = 'x' WHERE seq = 2", "transfer 2 subsidy/1", "hash"},
		{"UPDATE transfers SET data = '{}' WHERE seq = 2", "transfer 2 subsidy/1", "hash"},
		{"UPDATE transfers SET id = 'x' WHERE seq = 2", "transfer 2 x", "hash"},
		{"UPDATE transfers SET hash = zeroblob(32) WHERE seq = 2", "transfer 2 subsidy/1", "hash"},
		{"UPDATE transfers SET reverses = 5 WHERE seq = 4", "transfer 4 refund/1", "it takes back 5, which is no earlier one"},
		{"UPDATE transfers SET card = 8, line = 1 WHERE seq = 7", "transfer 7 charge/more2", "account of another card: card/7/main"},
		{"DELETE FROM transfers WHERE seq = 5", "transfer 5", "it is gone, and its posting 1 is there"},
		{"DELETE FROM transfers WHERE seq = 7", "transfer 7", "it is gone, and its posting 1 is there"},
		{"UPDATE accounts SET balance = balance + 1 WHERE name = 'card/7/main'", "card/7/main", "it says 651 after 6 postings; they are 6 and come to 650"},
		{"UPDATE accounts SET postings = 0 WHERE name = 'card/7/main'", "card/7/main", "it says 650 after 0 postings"},
		{"UPDATE accounts SET side = 0 WHERE name = 'card/7/main'", "card/7/main", "side 0"},
		{"DELETE FROM accounts WHERE name = 'merchant/3'", "transfer 3 charge/1", "which is gone"},
		{"INSERT INTO accounts (name, side, balance) VALUES ('drawer/1', 0, 5)", "account 7 drawer/1", "it says 5 after 0 postings"},
		{"INSERT INTO postings (transfer, line, account, place, fen, balance) VALUES (0, 1, 1, 0, 5, 5)", "transfer 0", "it is gone, and its posting 1 is there"},
		{"INSERT INTO postings (transfer, line, account, place, fen, balance) VALUES (99, 1, 1, 0, 5, 5)", "transfer 99", "it is gone, and its posting 1 is there"},
		{"DELETE FROM transfers WHERE seq = 6", "transfer 7 charge/more2", "the one before it is 5"},
		{"UPDATE transfers SET amount = amount + 1 WHERE seq = 5", "transfer 5 charge/more0", "the statement had 800, moved by -49 and has 750"},
		{"UPDATE accounts SET balance = balance + 1 WHERE name = 'merchant/3'", "accounts", "their sum is 1"},
		{"UPDATE transfers SET amount = 1 WHERE seq = 8", "transfer 8 settle/1", "it is on nobody's statement, with 1 and 0"},
	} {
		t.Run(c.query, func(t *testing.T) {
			r := tampered(t, w, true, c.query)
			if !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool {
				return strings.HasSuffix(f.Where, c.where) && strings.Contains(f.What, c.what)
			}) || r.FaultsAll > 20 {
				t.Errorf("want %q named, with %q: %+v", c.where, c.what, r)
			}
		})
	}
}

func TestVerify_I2_MissesATriggerThatIsGone(t *testing.T) {
	r := tampered(t, charged(t), false)
	names := []string{}
	for _, f := range r.Faults {
		names = append(names, strings.TrimPrefix(f.Where, "trigger "))
	}
	want := []string{
		"accounts_begin", "accounts_last", "accounts_move", "accounts_stay", "holds_last", "holds_stay",
		"postings_follow", "postings_last", "postings_stay", "transfers_last", "transfers_stay",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}
	w := newWorld(t)
	triggers := must(store.Triggers(t.Context(), w.db.Reader()))(t)
	ok(t, w.raw("DROP TRIGGER postings_stay"))
	ok(t, w.raw(strings.Replace(triggers["postings_stay"], "BEFORE UPDATE", "BEFORE UPDATE OF line", 1)))
	if r := must(w.Verify(t.Context(), nil))(t); r.FaultsAll != 1 || r.Faults[0].Where != "trigger postings_stay" {
		t.Errorf("%+v", r)
	}
}

func TestVerify_I2_FindsWhatWasTakenBackTwice(t *testing.T) {
	w := charged(t)
	w.charge(t, "2", 7, 100)
	w.takeBack(t, ledger.KindVoid, "void/1", "charge/1", 7, 0)
	w.takeBack(t, ledger.KindVoid, "void/2", "charge/2", 7, 0)
	w.charge(t, "3", 7, 100)
	w.takeBack(t, ledger.KindRefund, "refund/1", "charge/3", 7, 60)
	w.takeBack(t, ledger.KindRefund, "refund/2", "charge/3", 7, 40)
	for query, want := range map[string]ledger.Fault{
		"UPDATE transfers SET reverses = 3 WHERE seq = 6":  {"transfer 6 void/2", "it takes back too much of 3"},
		"UPDATE transfers SET kind = 'void' WHERE seq = 9": {"transfer 9 refund/2", "it takes back 7, which was taken back before"},
		"UPDATE transfers SET kind = 'void' WHERE seq = 8": {"transfer 8 refund/1", "it takes back too much of 7"},
	} {
		r := tampered(t, w, true, query)
		if !slices.ContainsFunc(r.Faults, func(f ledger.Fault) bool {
			return f.Where == want.Where && strings.HasPrefix(f.What, want.What)
		}) {
			t.Errorf("%s: %+v", query, r)
		}
	}
}

func TestVerify_CountsFaultsBeyondThoseItNames(t *testing.T) {
	w := newWorld(t)
	for i := range 150 {
		w.recharge(t, fmt.Sprint(i), uint64(i+1), 10)
	}
	path := filepath.Join(t.TempDir(), "x.db")
	copyTo(t, w, path)
	db := must(sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)"))(t)
	must(db.Exec("DROP TRIGGER transfers_stay"))(t)
	must(db.Exec("UPDATE transfers SET at = 0"))(t)
	ok(t, db.Close())
	copied := must(store.Open(t.Context(), path, store.Options{Now: w.now}))(t)
	defer func() { ok(t, copied.Close()) }()
	var done []int64
	l := ledger.New(ledger.Config{Store: copied, Now: w.now})
	r := must(l.Verify(t.Context(), func(n, all int64) { done = append(done, n, all) }))(t)
	if r.FaultsAll != 151 || len(r.Faults) != 100 || !slices.Equal(done, []int64{150, 150}) {
		t.Errorf("%d faults, %d named, progress %v", r.FaultsAll, len(r.Faults), done)
	}
}

func TestNightly_ProvesOnceANightAndKeepsTheReport(t *testing.T) {
	w := charged(t) // at noon
	proofs := func(want int) {
		t.Helper()
		ok(t, w.Nightly(t.Context()))
		if n := w.count(t, "proofs"); n != want {
			t.Errorf("at %s: %d proofs, want %d", w.now(), n, want)
		}
	}
	proofs(1) // last night's was missed
	proofs(1)
	w.ms.Add((13 * time.Hour).Milliseconds()) // 01:00
	proofs(1)
	w.ms.Add(time.Hour.Milliseconds())
	proofs(2)
	proofs(2)
	r, found, err := w.LastProof(t.Context(), w.db.Reader())
	if err != nil || !found || !r.Sound() || r.Transfers != 3 || r.At != w.ms.Load() || w.Alarms() != 0 {
		t.Errorf("%v %v %+v", err, found, r)
	}
	ok(t, w.raw("DROP TRIGGER postings_last"))
	w.ms.Add((24 * time.Hour).Milliseconds())
	trail := w.count(t, "trail")
	proofs(3)
	r, _, err = w.LastProof(t.Context(), w.db.Reader())
	if err != nil || r.Sound() || w.Alarms() != 1 || w.count(t, "trail") != trail+1 {
		t.Errorf("%v %+v, %d alarms", err, r, w.Alarms())
	}
}
