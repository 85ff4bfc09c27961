package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

const (
	benchWriters = 64
	benchCards   = 5000
	benchCharges = 4000 // of a round
	benchRounds  = 7

	leastShare = 0.3    // of the speed of bare inserts
	leastRate  = 2000.0 // charges/s
)

// BenchmarkPost_64WritersAgainstBareInserts posts charges from many writers at
// once, each waiting for its own commit, in turns with inserts of the same rows
// in batches without a ledger.
func BenchmarkPost_64WritersAgainstBareInserts(b *testing.B) {
	w, bare := newWorld(b), newWorld(b)
	for card := range uint64(benchCards) {
		w.recharge(b, fmt.Sprint(card), card+1, 1_000_000)
	}
	plain := bareTables(b, bare)
	var posted, inserted, shares []float64
	for b.Loop() {
		for range benchRounds {
			from := int64(w.count(b, "transfers"))
			posted = append(posted, benchCharges/postRound(b, w, from).Seconds())
			inserted = append(inserted, benchCharges/bareRound(b, w, plain, from).Seconds())
			shares = append(shares, posted[len(posted)-1]/inserted[len(inserted)-1])
		}
	}
	b.ReportMetric(median(posted), "charges/s")
	b.ReportMetric(median(inserted), "bare/s")
	b.ReportMetric(median(shares), "share")
	if median(shares) < leastShare || median(posted) < leastRate {
		b.Errorf("%.0f charges/s, %.2f of bare inserts", median(posted), median(shares))
	}
}

// postRound posts charges as tills' events come in.
func postRound(b *testing.B, w *world, from int64) time.Duration {
	var wg sync.WaitGroup
	began := time.Now()
	for writer := range benchWriters {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(writer), uint64(from)))
			for i := writer; i < benchCharges; i += benchWriters {
				card := uint64(1 + r.IntN(benchCards))
				fen := int64(1 + r.IntN(2000))
				err := w.db.Change(context.Background(), func(tx *store.Tx) error {
					lines, err := w.Spend(context.Background(), tx, card, fen)
					if err != nil {
						return err
					}
					o, err := w.Post(tx, ledger.Transfer{
						ID: fmt.Sprintf("charge/%d-1-%d", writer, from+int64(i)), Kind: ledger.KindCharge, At: 1_795_000_000_000, Day: day, Card: card,
						Place:   "一食堂 1 号窗口",
						Entries: append(lines, ledger.Entry{Account: ledger.Merchant(int64(writer % 20)), Fen: fen}),
					})
					if err == nil && o.State != ledger.Posted {
						b.Errorf("%+v", o)
					}
					return err
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}

// bareTables has the tables and indexes of the ledger without its triggers and
// foreign keys.
func bareTables(b *testing.B, w *world) *sql.DB {
	ok(b, w.db.Close())
	db := must(sql.Open("sqlite", "file:"+w.path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(0)&_pragma=wal_autocheckpoint(8000)&_pragma=cache_size(-65536)&_txlock=immediate"))(b)
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	for _, name := range slices.Sorted(maps.Keys(must(store.Triggers(b.Context(), db))(b))) {
		must(db.Exec("DROP TRIGGER " + name))(b)
	}
	return db
}

// bareRound inserts the rows that a round has posted, a prepared statement each,
// as many to a transaction as there are writers to wait for one.
func bareRound(b *testing.B, w *world, db *sql.DB, from int64) time.Duration {
	const batch = benchWriters
	transfers := cells(b, w, transferCells, "SELECT * FROM transfers WHERE seq > $1 ORDER BY seq", from)
	postings := cells(b, w, 6, "SELECT * FROM postings WHERE transfer > $1 ORDER BY transfer, line", from)
	if len(transfers) != benchCharges || len(postings) != 2*benchCharges {
		b.Fatalf("%d transfers, %d postings", len(transfers), len(postings))
	}
	insert := func(table string, cells int) *sql.Stmt {
		return must(db.Prepare("INSERT INTO " + table + " VALUES (" + strings.TrimSuffix(strings.Repeat("?,", cells), ",") + ")"))(b)
	}
	a, p := insert("transfers", transferCells), insert("postings", 6)
	defer func() { ok(b, a.Close()); ok(b, p.Close()) }()
	began := time.Now()
	for len(transfers) > 0 {
		tx := must(db.Begin())(b)
		ta, tp := tx.Stmt(a), tx.Stmt(p)
		for i := range min(batch, len(transfers)) {
			must(ta.Exec(transfers[i]...))(b)
			must(tp.Exec(postings[2*i]...))(b)
			must(tp.Exec(postings[2*i+1]...))(b)
		}
		n := min(batch, len(transfers))
		transfers, postings = transfers[n:], postings[2*n:]
		ok(b, tx.Commit())
	}
	return time.Since(began)
}

// cells reads rows as they are.
func cells(b *testing.B, w *world, n int, query string, args ...any) [][]any {
	return must(store.List(b.Context(), w.db.Reader(), func(rows *sql.Rows) ([]any, error) {
		row, into := make([]any, n), make([]any, n)
		for i := range row {
			into[i] = &row[i]
		}
		err := rows.Scan(into...)
		return row, err
	}, query, args...))(b)
}
