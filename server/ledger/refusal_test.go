package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// charged is a ledger in which card 7 has paid 1000: 300 subsidy, 700 main.
func charged(t *testing.T) *world {
	w := newWorld(t)
	w.recharge(t, "1", 7, 900)
	w.grant(t, "1", 7, 300)
	if o := w.charge(t, "1", 7, 1000); o.State != ledger.Posted {
		t.Fatalf("%+v", o)
	}
	return w
}

func TestLedger_I1_WhatDoesNotBalanceIsNotPosted(t *testing.T) {
	main, shop := ledger.Main(7), ledger.Merchant(shop)
	long := strings.Repeat("长", 400)
	for name, c := range map[string]struct {
		tr   ledger.Transfer
		want ledger.State
	}{
		"no entries":       {ledger.Transfer{}, ledger.Unbalanced},
		"one entry":        {ledger.Transfer{Entries: []ledger.Entry{{Account: main, Fen: 1}}}, ledger.Unbalanced},
		"sum of one":       {ledger.Transfer{Entries: []ledger.Entry{{Account: main, Fen: -10}, {Account: shop, Fen: 11}}}, ledger.Unbalanced},
		"nothing moves":    {ledger.Transfer{Entries: []ledger.Entry{{Account: main}, {Account: shop}}}, ledger.Invalid},
		"account twice":    {ledger.Transfer{Entries: []ledger.Entry{{Account: main, Fen: -10}, {Account: shop, Fen: 20}, {Account: main, Fen: -10}}}, ledger.Invalid},
		"another's card":   {ledger.Transfer{Entries: []ledger.Entry{{Account: ledger.Main(8), Fen: -10}, {Account: shop, Fen: 10}}}, ledger.Invalid},
		"no such part":     {ledger.Transfer{Entries: []ledger.Entry{{Account: "card/7/gold", Fen: 10}, {Account: shop, Fen: -10}}}, ledger.Invalid},
		"other spelling":   {ledger.Transfer{Entries: []ledger.Entry{{Account: "card/07/main", Fen: 10}, {Account: shop, Fen: -10}}}, ledger.Invalid},
		"nobody's card":    {ledger.Transfer{Entries: []ledger.Entry{{Account: "card/0/main", Fen: 10}, {Account: shop, Fen: -10}}}, ledger.Invalid},
		"card too great":   {ledger.Transfer{Card: 1 << 63, Entries: []ledger.Entry{{Account: "suspense", Fen: 10}, {Account: shop, Fen: -10}}}, ledger.Invalid},
		"overflow":         {ledger.Transfer{Entries: []ledger.Entry{{Account: shop, Fen: -1 << 63}, {Account: "suspense", Fen: -1 << 63}}}, ledger.Invalid},
		"no account":       {ledger.Transfer{Entries: []ledger.Entry{{Account: "", Fen: 10}, {Account: shop, Fen: -10}}}, ledger.Invalid},
		"bad UTF-8":        {ledger.Transfer{Place: "\xff\xfe"}, ledger.Invalid},
		"zero byte":        {ledger.Transfer{Place: "a\x00b"}, ledger.Invalid},
		"long place":       {ledger.Transfer{Place: long}, ledger.Invalid},
		"long id":          {ledger.Transfer{ID: long}, ledger.Invalid},
		"no such kind":     {ledger.Transfer{Kind: "gift"}, ledger.Invalid},
		"no such day":      {ledger.Transfer{Day: "2026-02-30"}, ledger.Invalid},
		"day of a formula": {ledger.Transfer{Day: "=1+1"}, ledger.Invalid},
		"not JSON":         {ledger.Transfer{Data: []byte("{")}, ledger.Invalid},
		"reverses itself":  {ledger.Transfer{Reverses: "x"}, ledger.Invalid},
		"main below zero":  {ledger.Transfer{Entries: []ledger.Entry{{Account: main, Fen: -201}, {Account: shop, Fen: 201}}}, ledger.Overdrawn},
		"no subsidy left":  {ledger.Transfer{Entries: []ledger.Entry{{Account: ledger.Subsidy(7), Fen: -1}, {Account: shop, Fen: 1}}}, ledger.Overdrawn},
		"debt above zero":  {ledger.Transfer{Entries: []ledger.Entry{{Account: ledger.Debt(7), Fen: 1}, {Account: shop, Fen: -1}}}, ledger.Overdrawn},
	} {
		t.Run(name, func(t *testing.T) {
			w := charged(t)
			tr := c.tr
			if tr.ID == "" {
				tr.ID = "x"
			}
			if tr.Kind == "" {
				tr.Kind = ledger.KindAdjust
			}
			if tr.Card == 0 {
				tr.Card = 7
			}
			before := w.balance(t, 7)
			if o := w.post(t, tr); o.State != c.want || o.Seq != 0 || o.Why == "" {
				t.Fatalf("%+v, want %s", o, c.want)
			}
			if w.balance(t, 7) != before || w.count(t, "transfers") != 3 || w.count(t, "postings") != 7 || w.count(t, "accounts") != 5 {
				t.Error("something was written")
			}
		})
	}
}

// What people wrote is kept as they wrote it, and is never SQL.
func TestLedger_I1_TextIsKeptAsItIs(t *testing.T) {
	w := newWorld(t)
	for i, text := range []string{"=1+1", "@SUM(A1)", "'; DROP TABLE transfers; --", "<script>", "👨‍👩‍👧 \u202eoffice", "a\tb\r\n", strings.Repeat("x", 1000)} {
		tr := ledger.Transfer{ID: text, Kind: ledger.KindAdjust, Card: 7, Place: text, Entries: []ledger.Entry{
			{Account: ledger.Opening, Fen: -10}, {Account: ledger.Main(7), Fen: 10},
		}}
		if o := w.post(t, tr); o.State != ledger.Posted {
			t.Fatalf("%q: %+v", text, o)
		}
		if line := w.lines(t, 7)[0]; line.Place != text || line.Transfer != text || line.BalanceFen != int64(i+1)*10 {
			t.Errorf("%q became %+v", text, line)
		}
	}
}

func TestLedger_I2_NothingIsUpdatedOrDeleted(t *testing.T) {
	w := charged(t)
	w.hold(t, ledger.Hold{ID: "a", Card: 7, Fen: 100})
	for _, query := range []string{
		"UPDATE transfers SET amount = 1 WHERE seq = 1",
		"UPDATE transfers SET place = place",
		"DELETE FROM transfers WHERE seq = 3",
		"INSERT OR REPLACE INTO transfers SELECT * FROM transfers WHERE seq = 1",
		"INSERT INTO transfers (id, kind, at, posted_at, day, amount, balance, place, hash) SELECT id, kind, at, posted_at, day, 0, 0, place, hash FROM transfers WHERE seq = 1",
		"INSERT OR REPLACE INTO transfers SELECT seq, id, 'adjust', at, posted_at, day, card, line, amount, balance, reverses, place, data, hash FROM transfers WHERE seq = 1",
		"INSERT OR REPLACE INTO transfers SELECT 4, id, kind, at, posted_at, day, NULL, NULL, 0, 0, reverses, place, data, hash FROM transfers WHERE seq = 1",
		"INSERT OR REPLACE INTO transfers SELECT 4, 'x', kind, at, posted_at, day, card, line, 0, 0, reverses, place, data, hash FROM transfers WHERE seq = 1",
		"UPDATE postings SET fen = 1 WHERE transfer = 1",
		"UPDATE postings SET balance = balance",
		"DELETE FROM postings",
		"INSERT OR REPLACE INTO postings SELECT * FROM postings WHERE transfer = 1 AND line = 1",
		"INSERT OR REPLACE INTO postings SELECT transfer, line, account, place, fen - 1, balance - 1 FROM postings WHERE transfer = 1 AND line = 1",
		"INSERT INTO postings SELECT 3, 9, id, postings + 1, 50, balance + 51 FROM accounts WHERE id = 1",
		"INSERT INTO postings SELECT 3, 9, id, postings + 2, 50, balance + 50 FROM accounts WHERE id = 1",
		"INSERT INTO postings VALUES (9, 1, 1, 2, 50, 50)",
		"INSERT INTO accounts (name, side, balance) VALUES ('card/9/main', 1, 500)",
		"UPDATE accounts SET balance = balance + 1 WHERE name = 'card/7/main'",
		"UPDATE accounts SET name = 'card/9/main' WHERE name = 'card/7/main'",
		"UPDATE accounts SET side = 0",
		"DELETE FROM accounts WHERE name = 'card/7/main'",
		"DELETE FROM accounts",
		"INSERT OR REPLACE INTO accounts SELECT * FROM accounts WHERE name = 'card/7/main'",
		"INSERT OR REPLACE INTO accounts (id, name, side) SELECT id, name, side FROM accounts WHERE name = 'card/7/main'",
		"INSERT OR REPLACE INTO postings SELECT 1, 1, id, postings + 1, 50, balance + 50 FROM accounts WHERE id = 1",
		"INSERT OR REPLACE INTO holds SELECT id, card, 1, granted, made_at, expires_at, ended_at FROM holds",
		"UPDATE holds SET fen = 1",
		"UPDATE holds SET granted = 0",
		"DELETE FROM holds",
	} {
		if err := w.raw(query); err == nil {
			t.Errorf("%s: was done", query)
		}
	}
	if r := must(w.Verify(t.Context(), nil))(t); !r.Sound() || w.balance(t, 7).Total() != 200 {
		t.Errorf("%+v", r)
	}
}

func TestLedger_I2_ATransferIsTakenBackOnceInFullOrInPartsUpToIt(t *testing.T) {
	w := charged(t)
	if b := w.balance(t, 7); b.MainFen != 200 || b.SubsidyFen != 0 {
		t.Fatalf("%+v", b)
	}
	take := func(kind ledger.Kind, id, target string, fen int64, want ledger.State) {
		t.Helper()
		if o := w.takeBack(t, kind, id, target, 7, fen); o.State != want {
			t.Errorf("%s: %+v, want %s", id, o, want)
		}
	}
	take(ledger.KindRefund, "r1", "charge/1", 600, ledger.Posted)
	take(ledger.KindRefund, "r2", "charge/1", 401, ledger.Reversed)
	take(ledger.KindVoid, "v1", "charge/1", 0, ledger.Reversed) // not the whole any more
	take(ledger.KindRefund, "r3", "charge/1", 400, ledger.Posted)
	take(ledger.KindRefund, "r4", "charge/1", 1, ledger.Reversed)
	take(ledger.KindRefund, "r5", "r1", 1, ledger.Reversed)
	if b := w.balance(t, 7); b.MainFen != 900 || b.SubsidyFen != 300 {
		t.Errorf("main gets back its part first: %+v", b)
	}
	w.charge(t, "2", 7, 1500) // debt 300
	w.recharge(t, "2", 7, 100)
	take(ledger.KindVoid, "v2", "charge/2", 1499, ledger.Reversed) // in part
	take(ledger.KindVoid, "v3", "charge/2", 0, ledger.Posted)
	take(ledger.KindVoid, "v4", "charge/2", 0, ledger.Reversed)
	if b := w.balance(t, 7); b.MainFen != 1000 || b.SubsidyFen != 300 || b.DebtFen != 0 {
		t.Errorf("a void pays the debt that is there, and gives the rest back: %+v", b)
	}
	o := w.post(t, ledger.Transfer{ID: "v5", Kind: ledger.KindVoid, Card: 7, Reverses: "charge/9", Entries: []ledger.Entry{{Account: ledger.Main(7), Fen: 1}, {Account: ledger.Merchant(shop), Fen: -1}}})
	if o.State != ledger.Missing {
		t.Errorf("%+v", o)
	}
	o = w.post(t, ledger.Transfer{ID: "v6", Kind: ledger.KindRefund, Card: 8, Reverses: "recharge/1", Entries: []ledger.Entry{{Account: ledger.Clearing("wechat"), Fen: 1}, {Account: ledger.Main(8), Fen: -1}}})
	if o.State != ledger.Reversed {
		t.Errorf("of another card: %+v", o)
	}
	take(ledger.KindRefund, "v7", "recharge/1", 900, ledger.Posted)
	take(ledger.KindExpiry, "v8", "subsidy/1", 300, ledger.Posted)
	if r, _, err := w.Find(t.Context(), w.db.Reader(), "charge/1"); err != nil || r.LeftFen() != 0 || len(r.Left) != 0 || len(r.Reversals) != 2 {
		t.Errorf("%v %+v", err, r)
	}
	if r := must(w.Verify(t.Context(), nil))(t); !r.Sound() {
		t.Errorf("%+v", r)
	}
}

func TestLedger_I3_TheSameAgainIsAnsweredAsBeforeAndOtherContentIsPutAside(t *testing.T) {
	w := charged(t)
	first, _, err := w.Find(t.Context(), w.db.Reader(), "charge/1")
	ok(t, err)
	w.recharge(t, "2", 7, 5000)
	if o := w.charge(t, "1", 7, 1000); o.State != ledger.Repeated || o.Seq != 3 || o.BalanceFen != 200 { // main alone would bear it now
		t.Errorf("%+v", o)
	}
	for name, change := range map[string]func(*ledger.Transfer){
		"amount": func(tr *ledger.Transfer) {
			tr.Entries = []ledger.Entry{{Account: ledger.Main(7), Fen: -999}, {Account: ledger.Merchant(shop), Fen: 999}}
		},
		"merchant": func(tr *ledger.Transfer) {
			tr.Entries = []ledger.Entry{{Account: ledger.Main(7), Fen: -1000}, {Account: ledger.Merchant(4), Fen: 1000}}
		},
		"kind":  func(tr *ledger.Transfer) { tr.Kind = ledger.KindUtility },
		"day":   func(tr *ledger.Transfer) { tr.Day = "2026-11-22" },
		"at":    func(tr *ledger.Transfer) { tr.At++ },
		"place": func(tr *ledger.Transfer) { tr.Place += "1" },
		"data":  func(tr *ledger.Transfer) { tr.Data = []byte("{}") },
	} {
		t.Run(name, func(t *testing.T) {
			aside, trail, alarms := w.count(t, "transfers_aside"), w.count(t, "trail"), w.Alarms()
			other := first.Transfer
			change(&other)
			for range 3 {
				if o := w.post(t, other); o.State != ledger.Quarantined || o.Seq != 0 {
					t.Errorf("%+v", o)
				}
			}
			if w.count(t, "transfers_aside") != aside+1 || w.count(t, "trail") != trail+1 || w.Alarms() != alarms+1 || len(w.alarms) != int(alarms)+1 {
				t.Error("not put aside with one alarm and one entry in the trail")
			}
			if w.count(t, "transfers") != 4 || w.balance(t, 7).Total() != 5200 {
				t.Error("something was posted")
			}
		})
	}
}

func TestLedger_I3_ACommitThatFailedIsRepeatedWithoutHarm(t *testing.T) {
	for name, done := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.recharge(t, "1", 7, 900)
			tr := complete(ledger.Transfer{ID: "c", Kind: ledger.KindCharge, Card: 7, Entries: []ledger.Entry{{Account: ledger.Main(7), Fen: -200}, {Account: ledger.Merchant(shop), Fen: 200}}})
			h := ledger.Hold{ID: "h", Card: 7, Fen: 300}
			var o ledger.Outcome
			change := func(tx *store.Tx) (err error) {
				if o, err = w.Post(tx, tr); err == nil {
					_, _, err = w.Hold(tx, h)
				}
				return err
			}
			w.fault = func() (bool, error) { return done, errDisk }
			if err := w.db.Change(t.Context(), change); !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
			w.fault = nil
			want := ledger.Balance{MainFen: 900}
			if done {
				want = ledger.Balance{MainFen: 700, HeldFen: 300}
			}
			if b := w.balance(t, 7); b != want {
				t.Errorf("after the fault: %+v", b)
			}
			ok(t, w.db.Change(t.Context(), change))
			if state := map[bool]ledger.State{false: ledger.Posted, true: ledger.Repeated}[done]; o.State != state || o.BalanceFen != 700 || o.Seq != 2 {
				t.Errorf("%+v", o)
			}
			if b := w.balance(t, 7); b != (ledger.Balance{MainFen: 700, HeldFen: 300}) {
				t.Errorf("after the repeat: %+v", b)
			}
		})
	}
}
