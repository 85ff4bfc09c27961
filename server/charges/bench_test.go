package charges_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"campusgate/server/store"
)

// BenchmarkCharges has 64 tills ask, report and be posted, against the same rows
// written by themselves in transactions of a thousand.
func BenchmarkCharges(b *testing.B) {
	b.Run("authorise-and-post", func(b *testing.B) {
		w := newWorld(b)
		const askers = 64
		var accounts []uint64
		var tills []*till
		for range askers {
			accounts, tills = append(accounts, w.account(b, 1_000_000_000, 0)), append(tills, w.till(b))
		}
		ctx, stop := context.WithCancel(b.Context())
		posted := make(chan error, 1)
		b.ResetTimer()
		go func() { posted <- w.Run(ctx) }()
		var wg sync.WaitGroup
		for n, k := range tills {
			wg.Go(func() {
				for i := n; i < b.N; i += askers {
					s := sale{account: accounts[(n+i/askers)%askers], ctr: uint64(i + 1), fen: 100}
					claim := k.ask(s)
					if _, err := w.Authorise(b.Context(), claim); err != nil {
						b.Error(err)
						return
					}
					s.claim = claim.ID
					k.charge(b, s)
					if len(k.journal)%20 == 0 {
						k.upload(b, 0, 0)
						w.Wake()
					}
				}
				k.upload(b, 0, 0)
			})
		}
		wg.Wait()
		stop()
		if err := <-posted; !errors.Is(err, context.Canceled) {
			b.Error(err)
		}
		if err := w.CatchUp(b.Context()); err != nil {
			b.Error(err)
		}
		b.StopTimer()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
		if n := w.list(b, "SELECT count(*) FROM charges WHERE transfer IS NOT NULL")[0]; n != fmt.Sprint(b.N) {
			b.Errorf("%s posted of %d", n, b.N)
		}
	})
	b.Run("rows-alone", func(b *testing.B) {
		w := newWorld(b)
		a := w.account(b, 1_000_000_000, 0)
		k := w.till(b)
		k.charge(b, sale{account: a, ctr: 1, fen: 100})
		k.post(b)
		b.ResetTimer()
		for i := 0; i < b.N; {
			to := min(b.N, i+1000)
			ok(b, w.db.Change(b.Context(), func(t *store.Tx) error {
				for n := i; n < to; n++ {
					if err := copyRows(t, n); err != nil {
						return err
					}
				}
				return nil
			}))
			i = to
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
	})
}

// copyRows writes the rows that a charge with a question leaves, and no more.
func copyRows(t *store.Tx, n int) error {
	at := int64(n) + 1_000
	for _, row := range []struct {
		text string
		args []any
	}{
		{`INSERT INTO events SELECT $1, agent, epoch, $2, hash, body, at, received_at, gate, type, pass, reason, offline, claim, opinion, judged_at
			FROM events WHERE position = 1`, []any{at, at}},
		{`INSERT INTO charge_claims (id, sum, gate, account, phone, ctr, amount_fen, day, period, decided_at, answer)
			SELECT $1, phone, gate, account, phone, $2, amount_fen, day, period, at, config FROM charges WHERE position = 1`, []any{fmt.Sprintf("9-1-%d", n), at}},
		{`INSERT INTO holds (id, card, fen, granted, made_at, expires_at, ended_at) VALUES ($1, 7, 100, 1, 1, 1, 1)`, []any{fmt.Sprintf("9-1-%d", n)}},
		{
			`INSERT INTO charges SELECT $1, $2, agent, epoch, $3, kind, gate, merchant, account, phone, $4, at, received_at, day, settle_day, period,
			batch, $5, sum_fen, amount_fen, entry, items, config, offline, reason, claim, cashier, $6, main_fen, subsidy_fen, debt_fen, suspense_fen,
			voids, voided_by, late, after_loss, duplicate FROM charges WHERE position = 1`,
			[]any{at, fmt.Sprintf("9-1-%d", n), at, at, at, fmt.Sprintf("charge/9-1-%d", n)},
		},
	} {
		if err := t.Exec(row.text, row.args...); err != nil {
			return err
		}
	}
	return copyTransfer(t, n)
}

// copyTransfer is the ledger's part: the sale of the first record once more.
func copyTransfer(t *store.Tx, n int) error {
	err := t.Exec(`INSERT INTO transfers (id, kind, at, posted_at, day, card, line, amount, balance, place, data, hash)
		SELECT $1, kind, at, posted_at, day, card, line + $2, amount, balance, place, data, hash FROM transfers WHERE seq = 2`,
		fmt.Sprintf("charge/9-1-%d", n), n+1)
	if err != nil {
		return err
	}
	return t.Exec(`INSERT INTO postings SELECT (SELECT max(seq) FROM transfers), line, account, place + $1, fen, balance + fen * $2
		FROM postings WHERE transfer = 2`, n+1, n+1)
}
