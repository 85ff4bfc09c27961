package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

var errDisk = errors.New("disk")

// cards and their neighbours: few, so that they meet often.
var cards = []uint64{7, 8, 1<<53 - 1}

// model is what the ledger must say, kept the plain way.
type model struct {
	balances map[ledger.Account]int64
	known    map[string]ledger.Transfer
	order    []string
	taken    map[string]int64 // of a charge, by refunds and voids
	next     int
}

// machine posts whatever happens to money, in any order, on commits that fail
// as they like.
type machine struct {
	*world
	model
}

func newMachine(w *world) *machine {
	return &machine{world: w, model: model{balances: map[ledger.Account]int64{}, known: map[string]ledger.Transfer{}, taken: map[string]int64{}}}
}

// ask posts a transfer and repeats it, as every caller does, until it was told
// what became of it.
func (m *machine) ask(t *rapid.T, tr ledger.Transfer) ledger.Outcome {
	tr = complete(tr)
	failures := rapid.SliceOfN(rapid.Bool(), 0, 2).Draw(t, "commits that fail (done all the same)")
	n := 0
	m.fault = func() (bool, error) {
		if n++; n <= len(failures) {
			return failures[n-1], errDisk
		}
		return true, nil
	}
	defer func() { m.fault = nil }()
	before, done := m.count(t, "transfers"), false
	for {
		var o ledger.Outcome
		err := m.db.Change(context.Background(), func(tx *store.Tx) (err error) {
			o, err = m.Post(tx, tr)
			return err
		})
		if err == nil {
			m.keep(t, tr, o, done, before)
			return o
		}
		if !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		done = done || failures[n-1] && o.State == ledger.Posted
	}
}

// keep enters what was posted into the model.
func (m *machine) keep(t *rapid.T, tr ledger.Transfer, o ledger.Outcome, done bool, before int) {
	if done && o.State != ledger.Repeated {
		t.Fatalf("%s was done already, and is %s", tr.ID, o.State)
	}
	if o.State == ledger.Posted || done {
		for _, e := range tr.Entries {
			m.balances[e.Account] += e.Fen
		}
		m.known[tr.ID] = tr
		m.order = append(m.order, tr.ID)
		before++
	}
	if n := m.count(t, "transfers"); n != before {
		t.Fatalf("%s is %s, and there are %d transfers, not %d", tr.ID, o.State, n, before)
	}
}

func (m *machine) id(kind string) string { m.next++; return fmt.Sprintf("%s/%d", kind, m.next) }

func (m *machine) card(t *rapid.T) uint64 { return rapid.SampledFrom(cards).Draw(t, "card") }

func fen(t *rapid.T) int64 { return rapid.Int64Range(1, 1000).Draw(t, "fen") }

func (m *machine) actions() map[string]func(*rapid.T) {
	read := func() store.Source { return m.db.Reader() }
	ctx := context.Background()
	in := func(kind ledger.Kind, from ledger.Account) func(*rapid.T) {
		return func(t *rapid.T) {
			card, fen := m.card(t), fen(t)
			lines := must(m.Refill(ctx, read(), card, fen))(t)
			m.ask(t, ledger.Transfer{ID: m.id(string(kind)), Kind: kind, Card: card, Entries: append(lines, ledger.Entry{Account: from, Fen: -fen})})
		}
	}
	out := func(kind ledger.Kind, to ledger.Account) func(*rapid.T) {
		return func(t *rapid.T) {
			card, fen := m.card(t), fen(t)
			lines := must(m.Spend(ctx, read(), card, fen))(t)
			m.ask(t, ledger.Transfer{ID: m.id(string(kind)), Kind: kind, Card: card, Entries: append(lines, ledger.Entry{Account: to, Fen: fen})})
		}
	}
	between := func(kind ledger.Kind, a func(card uint64) ledger.Account, b ledger.Account) func(*rapid.T) {
		return func(t *rapid.T) { // may overdraw: then it is refused
			card, fen := m.card(t), fen(t)
			m.ask(t, ledger.Transfer{ID: m.id(string(kind)), Kind: kind, Card: card, Entries: []ledger.Entry{{Account: a(card), Fen: fen}, {Account: b, Fen: -fen}}})
		}
	}
	reverse := func(kind ledger.Kind, part bool) func(*rapid.T) {
		return func(t *rapid.T) {
			if len(m.order) == 0 {
				t.Skip("nothing to take back")
			}
			target := m.known[rapid.SampledFrom(m.order).Draw(t, "target")]
			var some int64
			if part {
				some = fen(t)
			}
			lines := must(m.TakeBack(ctx, read(), target.ID, some))(t)
			o := m.ask(t, ledger.Transfer{ID: m.id(string(kind)), Kind: kind, Card: target.Card, Entries: lines, Reverses: target.ID})
			m.tookBack(t, target, o, lines)
		}
	}
	return map[string]func(*rapid.T){
		"recharge": in(ledger.KindRecharge, ledger.Clearing("wechat")),
		"cash":     in(ledger.KindCash, ledger.Drawer(1)),
		"charge":   out(ledger.KindCharge, ledger.Merchant(shop)),
		"utility":  out(ledger.KindUtility, ledger.Utility("electricity")),
		"subsidy":  between(ledger.KindSubsidy, ledger.Subsidy, ledger.Subsidies),
		"expiry": func(t *rapid.T) {
			card, fen := m.card(t), fen(t)
			m.ask(t, ledger.Transfer{ID: m.id("expiry"), Kind: ledger.KindExpiry, Card: card, Entries: []ledger.Entry{{Account: ledger.Subsidy(card), Fen: -fen}, {Account: ledger.Subsidies, Fen: fen}}})
		},
		"payout": func(t *rapid.T) {
			card, fen := m.card(t), fen(t)
			m.ask(t, ledger.Transfer{ID: m.id("payout"), Kind: ledger.KindPayout, Card: card, Entries: []ledger.Entry{{Account: ledger.Main(card), Fen: -fen}, {Account: ledger.Drawer(1), Fen: fen}}})
		},
		"adjust": func(t *rapid.T) {
			card, fen := m.card(t), rapid.SampledFrom([]int64{-300, -1, 1, 300}).Draw(t, "fen")
			m.ask(t, ledger.Transfer{ID: m.id("adjust"), Kind: ledger.KindAdjust, Card: card, Entries: []ledger.Entry{{Account: ledger.Main(card), Fen: -fen}, {Account: ledger.Subsidy(card), Fen: fen}}})
		},
		"settle": func(t *rapid.T) {
			fen := fen(t)
			m.ask(t, ledger.Transfer{ID: m.id("settle"), Kind: ledger.KindSettle, Entries: []ledger.Entry{{Account: ledger.Merchant(shop), Fen: -fen}, {Account: ledger.Clearing("bank"), Fen: fen}}})
		},
		"void":   reverse(ledger.KindVoid, false),
		"refund": reverse(ledger.KindRefund, true),
		"again": func(t *rapid.T) { // the same, whatever has happened since
			if len(m.order) == 0 {
				t.Skip("nothing to repeat")
			}
			if o := m.ask(t, m.known[rapid.SampledFrom(m.order).Draw(t, "again")]); o.State != ledger.Repeated {
				t.Fatalf("%+v", o)
			}
		},
	}
}

// tookBack: what was taken back of a transfer is at most what it was.
func (m *machine) tookBack(t *rapid.T, target ledger.Transfer, o ledger.Outcome, lines []ledger.Entry) {
	if o.State != ledger.Posted && o.State != ledger.Repeated {
		return
	}
	for _, e := range lines {
		if card, _ := e.Account.Card(); card == 0 {
			m.taken[target.ID+string(e.Account)] += e.Fen
		}
	}
	for _, e := range target.Entries {
		taken := -m.taken[target.ID+string(e.Account)]
		if card, _ := e.Account.Card(); card == 0 && (taken*e.Fen < 0 || max(taken, -taken) > max(e.Fen, -e.Fen)) {
			t.Fatalf("%d of %d was taken back from %s, %s", taken, e.Fen, target.ID, e.Account)
		}
	}
}

// check is what holds after every commit.
func (m *machine) check(t *rapid.T) {
	ctx, src := context.Background(), m.db.Reader()
	var rows, sum int64
	ok(t, src.QueryRowContext(ctx, "SELECT coalesce(sum(fen), 0) FROM postings").Scan(&rows))
	balances := map[ledger.Account]int64{}
	must(store.List(ctx, src, func(rows *sql.Rows) (ledger.Account, error) {
		var a ledger.Account
		var fen int64
		err := rows.Scan(&a, &fen)
		balances[a] = fen
		sum += fen
		return a, err
	}, "SELECT name, balance FROM accounts"))(t)
	if sum != 0 || rows != 0 || !maps.Equal(balances, m.balances) {
		t.Fatalf("all balances come to %d, all postings to %d; %v, want %v", sum, rows, balances, m.balances)
	}
	for _, card := range cards {
		b := m.balance(t, card)
		if b.MainFen < 0 || b.SubsidyFen < 0 || b.DebtFen > 0 {
			t.Fatalf("card %d has %+v", card, b)
		}
		addsUp(t, m.lines(t, card), b.Total())
	}
}

// addsUp: each row's balance is the one of the row below plus its own amount.
func addsUp(t fatal, lines []ledger.Line, balance int64) {
	t.Helper()
	for i, line := range lines {
		below := int64(0)
		if i+1 < len(lines) {
			below = lines[i+1].BalanceFen
		}
		if line.BalanceFen != balance || line.BalanceFen != below+line.AmountFen || line.Seq != int64(len(lines)-i) {
			t.Fatalf("line %d of %d: %+v, below %d, want balance %d", i, len(lines), line, below, balance)
		}
		balance = below
	}
	if balance != 0 {
		t.Fatalf("the statement begins with %d", balance)
	}
}

// I1 (conservation), with I2 (nothing is taken back twice), I3 (once per id,
// also when a commit failed or failed though it was done) and the statements of
// CM-077 and CM-078, in any order of events.
func TestLedger_I1_I2_I3_CM077_CM078_HoldInEveryOrderOfEventsAndFaults(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		defer func() { ok(r, w.db.Close()) }()
		m := newMachine(w)
		actions := m.actions()
		actions[""] = m.check
		r.Repeat(actions)
		report := must(w.Verify(context.Background(), nil))(r)
		if !report.Sound() || report.Transfers != int64(len(m.order)) || report.SumFen != 0 {
			r.Fatalf("%+v", report)
		}
	})
}
