package ledger_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

var bigPostings = flag.Int("postings", 0, "build ledgers of ten thousand and of so many postings and compare what takes how long")

const (
	pageLines   = 20
	sampleCards = 100
	maxSlower   = 1.5 // than with ten thousand postings
)

// scaled is a ledger with many charges by cards 1 … cards.
type scaled struct {
	*world
	cards int
	seq   int // of the charges that are posted while it is measured
}

// build fills a ledger with recharges and charges, two postings each, by direct
// inserts that follow each other as Post's do.
func build(t testing.TB, postings, cards int) *scaled {
	t.Helper()
	w := newWorld(t)
	ok(t, w.db.Close())
	db := must(sql.Open("sqlite", "file:"+w.path+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-1000000)"))(t)
	db.SetMaxOpenConns(1)
	triggers := must(store.Triggers(t.Context(), db))(t)
	for _, name := range slices.Sorted(maps.Keys(triggers)) {
		must(db.Exec("DROP TRIGGER " + name))(t)
	}
	must(db.Exec("BEGIN"))(t)
	b := bulk{t: t, db: db, accounts: map[ledger.Account]*running{}, lines: make([]int64, cards+1), totals: make([]int64, cards+1)}
	r := rand.New(rand.NewPCG(1, 2))
	for seq := 1; seq <= postings/2; seq++ {
		card := uint64(1 + r.IntN(cards))
		if seq <= cards {
			card = uint64(seq)
		}
		tr := ledger.Transfer{Kind: ledger.KindCharge, At: 1_700_000_000_000 + int64(seq)*1000, Day: time.Unix(1_700_000_000+int64(seq), 0).UTC().Format(time.DateOnly), Card: card}
		fen := int64(300 + r.IntN(1500))
		if b.accounts[ledger.Main(card)] == nil || b.accounts[ledger.Main(card)].balance < fen {
			tr.ID, tr.Kind, tr.Place = fmt.Sprintf("recharge/R%012d", seq), ledger.KindRecharge, "微信"
			tr.Entries = []ledger.Entry{{Account: ledger.Main(card), Fen: 100_000}, {Account: ledger.Clearing("wechat"), Fen: -100_000}}
		} else {
			tr.ID, tr.Place = fmt.Sprintf("charge/%d-1-%d", seq%50+1, seq/50+1), fmt.Sprintf("一食堂 %d 号窗口", seq%50+1)
			tr.Entries = []ledger.Entry{{Account: ledger.Main(card), Fen: -fen}, {Account: ledger.Merchant(int64(seq % 20)), Fen: fen}}
		}
		b.add(int64(seq), tr)
	}
	b.flush()
	for name, a := range b.accounts {
		must(db.Exec("INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", a.id, string(name), side(name), a.balance, a.count))(t)
	}
	must(db.Exec("COMMIT"))(t)
	for _, text := range triggers {
		must(db.Exec(text))(t)
	}
	ok(t, db.Close())
	w.open(t, storetest.Open)
	return &scaled{world: w, cards: cards}
}

func side(a ledger.Account) int {
	if card, _ := a.Card(); card == 0 {
		return 0
	}
	return 1 // nobody has a debt here
}

type running struct{ id, balance, count int64 }

// bulk writes rows by the hundred.
type bulk struct {
	t             testing.TB
	db            *sql.DB
	accounts      map[ledger.Account]*running
	lines, totals []int64 // by card
	transfers     []any
	postings      []any
}

const (
	transferCells = 14
	bulkRows      = 100
)

func (b *bulk) add(seq int64, tr ledger.Transfer) {
	var amount int64
	for i, e := range tr.Entries {
		a := b.accounts[e.Account]
		if a == nil {
			a = &running{id: int64(len(b.accounts) + 1)}
			b.accounts[e.Account] = a
		}
		a.balance += e.Fen
		a.count++
		if card, _ := e.Account.Card(); card != 0 {
			amount += e.Fen
		}
		b.postings = append(b.postings, seq, i+1, a.id, a.count, e.Fen, a.balance)
	}
	b.lines[tr.Card]++
	b.totals[tr.Card] += amount
	b.transfers = append(b.transfers, seq, tr.ID, string(tr.Kind), tr.At, tr.At+500, tr.Day, int64(tr.Card), b.lines[tr.Card],
		amount, b.totals[tr.Card], nil, tr.Place, nil, tr.Hash())
	if len(b.transfers) == bulkRows*transferCells {
		b.flush()
	}
}

func (b *bulk) flush() {
	insert := func(table string, cells int, values []any) {
		row := "(" + strings.TrimSuffix(strings.Repeat("?,", cells), ",") + ")"
		n := len(values) / cells
		must(b.db.Exec("INSERT INTO "+table+" VALUES "+strings.TrimSuffix(strings.Repeat(row+",", n), ","), values...))(b.t)
	}
	if len(b.transfers) > 0 {
		insert("transfers", transferCells, b.transfers)
		insert("postings", 6, b.postings)
	}
	b.transfers, b.postings = b.transfers[:0], b.postings[:0]
}

// sample is the same cards every time.
func (s *scaled) sample() (list []uint64) {
	r := rand.New(rand.NewPCG(3, 4))
	for range sampleCards {
		list = append(list, uint64(1+r.IntN(s.cards)))
	}
	return list
}

// operations are what people and tills wait for.
func (s *scaled) operations(t testing.TB) map[string]func(card uint64) {
	ctx := context.Background()
	return map[string]func(uint64){
		"balance": func(card uint64) {
			if must(s.Balance(ctx, s.db.Reader(), card))(t).Total() == 0 {
				t.Fatal("nothing on the card")
			}
		},
		"last page": func(card uint64) {
			if n := len(must(s.Lines(ctx, s.db.Reader(), card, 0, pageLines))(t)); n != pageLines {
				t.Fatalf("%d lines", n)
			}
		},
		"charge": func(card uint64) {
			s.seq++
			s.change(t, func(tx *store.Tx) error {
				lines, err := s.Spend(ctx, tx, card, 1)
				if err != nil {
					return err
				}
				o, err := s.Post(tx, complete(ledger.Transfer{
					ID: fmt.Sprintf("charge/99-1-%d", s.seq), Kind: ledger.KindCharge, Card: card, Place: "二食堂 3 号窗口",
					Entries: append(lines, ledger.Entry{Account: ledger.Merchant(shop), Fen: 1}),
				}))
				if o.State != ledger.Posted {
					t.Fatalf("%+v", o)
				}
				return err
			})
		},
	}
}

// A charge, a balance and the last page of a statement take no longer with ten
// million postings than with ten thousand.
func TestScale_TakesAsLongWithManyPostingsAsWithFew(t *testing.T) {
	if *bigPostings == 0 {
		t.Skip("go test ./server/ledger -run Scale -postings=10000000 -timeout 1h")
	}
	began := time.Now()
	small, big := build(t, 10_000, 100), build(t, *bigPostings, max(100, *bigPostings/300))
	t.Logf("built in %s", time.Since(began).Round(time.Second))
	few, many := small.operations(t), big.operations(t)
	for _, name := range slices.Sorted(maps.Keys(few)) {
		var a, b []time.Duration
		for round := range 8 { // the first is to warm up
			for i := range sampleCards {
				a = append(a, stopwatch(func() { few[name](small.sample()[i]) }))
				b = append(b, stopwatch(func() { many[name](big.sample()[i]) }))
			}
			if round == 0 {
				a, b = nil, nil
			}
		}
		x, y := median(a), median(b)
		ratio := float64(y) / float64(x)
		t.Logf("%-10s %8s with 10,000 postings, %8s with %d: %.2f", name, x, y, *bigPostings, ratio)
		if ratio > maxSlower {
			t.Errorf("%s takes %.2f times as long, more than %.1f", name, ratio, maxSlower)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began = time.Now()
	r := must(big.Verify(t.Context(), func(_, _ int64) {
		if runtime.ReadMemStats(&after); after.HeapAlloc > 256<<20 {
			t.Fatalf("the proof needs %d MB", after.HeapAlloc>>20)
		}
	}))(t)
	t.Logf("proof of %d postings in %s, heap at its end %d MB", r.Postings, time.Since(began).Round(time.Second), after.HeapAlloc>>20)
	if !r.Sound() {
		t.Errorf("%+v", r.Faults)
	}
}

func stopwatch(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

func median[T int64 | float64 | time.Duration](all []T) T {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
