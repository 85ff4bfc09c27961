package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"campusgate/server/store"
)

// Record is a transfer as it was posted.
type Record struct {
	Transfer
	Seq        int64 // place in the ledger
	PostedAt   int64 // unix ms
	Line       int64 // of the card's statement; 0 = of none
	AmountFen  int64 // what the card's accounts changed by
	BalanceFen int64 // what they came to
	Reversals  []Reversal
	// Left is what can still be taken back, by account, the card's as one
	// ("card/7") where there is another side.
	Left []Entry
}

// Reversal is a transfer that took back another, whole or in part.
type Reversal struct {
	ID        string
	Kind      Kind
	AmountFen int64 // what the card's accounts changed by
}

// LeftFen is how much of what the card's accounts changed by was not taken back.
func (r *Record) LeftFen() (fen int64) {
	fen = r.AmountFen
	for _, v := range r.Reversals {
		fen += v.AmountFen
	}
	return fen
}

const recordColumns = `SELECT t.seq, t.id, t.kind, t.at, t.posted_at, t.day, coalesce(t.card, 0), coalesce(t.line, 0),
	t.amount, t.balance, coalesce(r.id, ''), t.place, coalesce(t.data, ''), t.hash
	FROM transfers t LEFT JOIN transfers r ON r.seq = t.reverses `

// scanRecord reads a row of recordColumns, and what its content should hash to.
func scanRecord(scan func(...any) error) (r Record, hash []byte, err error) {
	var data string
	err = scan(&r.Seq, &r.ID, &r.Kind, &r.At, &r.PostedAt, &r.Day, &r.Card, &r.Line,
		&r.AmountFen, &r.BalanceFen, &r.Reverses, &r.Place, &data, &hash)
	if data != "" {
		r.Data = json.RawMessage(data)
	}
	return r, hash, err
}

// Find gives a transfer by its id, with its entries and what became of it.
func (l *Ledger) Find(ctx context.Context, src store.Source, id string) (r Record, found bool, err error) {
	r, _, err = scanRecord(src.QueryRowContext(ctx, recordColumns+"WHERE t.id = $1", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	if r.Entries, err = entriesOf(ctx, src, r.Seq); err != nil {
		return r, false, err
	}
	return r, true, reversalsOf(ctx, src, &r)
}

func entriesOf(ctx context.Context, src store.Source, seq int64) ([]Entry, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (e Entry, err error) {
		err = rows.Scan(&e.Account, &e.Fen)
		return e, err
	}, "SELECT a.name, p.fen FROM postings p JOIN accounts a ON a.id = p.account WHERE p.transfer = $1 ORDER BY p.line", seq)
}

// reversalsOf finds what took a transfer back, and what is left of it.
func reversalsOf(ctx context.Context, src store.Source, r *Record) error {
	type reversal struct {
		Reversal
		seq int64
	}
	all, err := store.List(ctx, src, func(rows *sql.Rows) (v reversal, err error) {
		err = rows.Scan(&v.seq, &v.ID, &v.Kind, &v.AmountFen)
		return v, err
	}, "SELECT seq, id, kind, amount FROM transfers WHERE reverses = $1 ORDER BY seq", r.Seq)
	if err != nil {
		return err
	}
	r.Left = sides(r.Entries)
	for _, v := range all {
		r.Reversals = append(r.Reversals, v.Reversal)
		taken, err := entriesOf(ctx, src, v.seq)
		if err != nil {
			return err
		}
		r.Left = less(r.Left, sides(taken))
	}
	return nil
}

// Query says what to sum up. The zero value is everything.
type Query struct {
	Accounts string // one, such as "merchant/7", or a kind of them, such as "merchant"; "" = all
	Kind     Kind   // "" = all
	From, To string // business days, both included; "" = open
}

// Sum is what moved on an account by transfers of a kind on a business day.
type Sum struct {
	Account Account
	Kind    Kind
	Day     string
	Count   int64 // postings
	InFen   int64 // of those that raised the account
	OutFen  int64 // of those that lowered it: zero or negative
}

// Totals sums postings up by account, kind and business day, in that order. It
// reads every transfer of those days.
func (l *Ledger) Totals(ctx context.Context, src store.Source, q Query) ([]Sum, error) {
	if q.To == "" {
		q.To = "9999-12-31"
	}
	return store.List(ctx, src, func(rows *sql.Rows) (s Sum, err error) {
		err = rows.Scan(&s.Account, &s.Kind, &s.Day, &s.Count, &s.InFen, &s.OutFen)
		return s, err
	}, `SELECT a.name, t.kind, t.day, count(*), sum(max(p.fen, 0)), sum(min(p.fen, 0))
		FROM transfers t JOIN postings p ON p.transfer = t.seq JOIN accounts a ON a.id = p.account
		WHERE t.day BETWEEN $1 AND $2 AND ($3 = '' OR t.kind = $4)
		AND ($5 = '' OR a.name = $6 OR substr(a.name, 1, length($7) + 1) = $8 || '/')
		GROUP BY a.name, t.kind, t.day ORDER BY a.name, t.kind, t.day`,
		q.From, q.To, string(q.Kind), string(q.Kind), q.Accounts, q.Accounts, q.Accounts, q.Accounts)
}
