package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/server/store"
)

// maxFaults are named in a report; the rest are counted.
const maxFaults = 100

// progressEvery is after how many transfers a proof says how far it is.
const progressEvery = 100_000

// Report is what a proof of the whole ledger found.
type Report struct {
	At        int64   `json:"at"` // unix ms
	Transfers int64   `json:"transfers"`
	Postings  int64   `json:"postings"`
	Accounts  int64   `json:"accounts"`
	SumFen    int64   `json:"sum_fen"` // of all balances: zero
	FaultsAll int64   `json:"faults_all"`
	Faults    []Fault `json:"faults"` // the first of them
}

// Fault is something that a sound ledger has not.
type Fault struct {
	Where string `json:"where"` // "transfer 17 charge/7-2-1205", "account 5 card/7/main", "trigger postings_stay"
	What  string `json:"what"`
}

// Sound reports that there is no fault.
func (r *Report) Sound() bool { return r.FaultsAll == 0 }

// proof is a ledger being gone through, transfer by transfer. It needs memory
// for the accounts and the cards, not for the postings.
type proof struct {
	Report
	accounts   map[int64]*folded
	cards      map[uint64]*statement
	statements map[uint64][]*folded // the accounts of a card
	last       int64                // place of the last transfer
}

// folded is an account and what its postings come to so far.
type folded struct {
	account
	fold, folds int64
}

// statement is the last line of a card's so far.
type statement struct{ line, balance int64 }

// Verify proves the ledger from its first transfer to its last, in one read
// transaction: every transfer sums to zero, follows the one before and is what
// its hash says; every balance is the fold of the postings before it and on its
// side of zero; every statement adds up to the card's accounts; nothing was
// taken back beyond what there was; and the triggers that keep it so are there.
// progress may be nil, and is told the transfers gone through and their number.
func (l *Ledger) Verify(ctx context.Context, progress func(done, all int64)) (Report, error) {
	p := &proof{accounts: map[int64]*folded{}, cards: map[uint64]*statement{}, statements: map[uint64][]*folded{}}
	p.At, p.Faults = l.Now().UnixMilli(), []Fault{}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	err := l.Store.Snapshot(ctx, func(src store.Source) error {
		for _, step := range []func() error{
			func() error { return p.triggers(ctx, src) },
			func() error { return p.load(ctx, src) },
			func() error { return p.walk(ctx, src, progress) },
			func() error { return p.reversals(ctx, src) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		p.finish()
		return nil
	})
	if err != nil {
		return p.Report, fmt.Errorf("prove ledger: %w", err)
	}
	return p.Report, nil
}

func (p *proof) fault(where, format string, args ...any) {
	if p.FaultsAll++; len(p.Faults) < maxFaults {
		p.Faults = append(p.Faults, Fault{where, fmt.Sprintf(format, args...)})
	}
}

// load reads the accounts.
func (p *proof) load(ctx context.Context, src store.Source) error {
	all, err := store.List(ctx, src, func(rows *sql.Rows) (*folded, error) {
		var a folded
		var side int64
		err := rows.Scan(&a.id, &a.name, &side, &a.balance, &a.count)
		if err == nil && side != a.name.side() {
			p.fault(a.where(), "side %d", side)
		}
		return &a, err
	}, "SELECT id, name, side, balance, postings FROM accounts ORDER BY id")
	for _, a := range all {
		p.accounts[a.id] = a
		if card, _ := a.name.Card(); card != 0 {
			p.statements[card] = append(p.statements[card], a)
		}
	}
	p.Accounts = int64(len(all))
	return err
}

func (a *folded) where() string { return fmt.Sprintf("account %d %s", a.id, a.name) }

// posting is a row of postings.
type posting struct{ transfer, line, account, place, fen, balance int64 }

// walk goes through transfers and postings side by side.
func (p *proof) walk(ctx context.Context, src store.Source, progress func(done, all int64)) (err error) {
	var all int64
	if err := src.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM transfers").Scan(&all); err != nil {
		return err
	}
	transfers, err := src.QueryContext(ctx, recordColumns+"ORDER BY t.seq")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, transfers.Err(), transfers.Close()) }()
	postings, err := src.QueryContext(ctx, "SELECT transfer, line, account, place, fen, balance FROM postings ORDER BY transfer, line")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, postings.Err(), postings.Close()) }()

	var next posting
	advance := func() (more bool, err error) {
		if !postings.Next() {
			return false, postings.Err()
		}
		p.Postings++
		return true, postings.Scan(&next.transfer, &next.line, &next.account, &next.place, &next.fen, &next.balance)
	}
	more, err := advance()
	var rows []posting
	for err == nil && transfers.Next() {
		var r Record
		var hash []byte
		if r, hash, err = scanRecord(transfers.Scan); err != nil {
			return err
		}
		if p.Transfers++; p.Transfers%progressEvery == 0 {
			progress(p.Transfers, all)
		}
		rows = rows[:0]
		for ; more && err == nil && next.transfer <= r.Seq; more, err = advance() {
			if next.transfer < r.Seq {
				p.fault(fmt.Sprintf("transfer %d", next.transfer), "it is gone, and its posting %d is there", next.line)
			} else {
				rows = append(rows, next)
			}
		}
		p.transfer(&r, rows, hash)
	}
	for ; more && err == nil; more, err = advance() {
		p.fault(fmt.Sprintf("transfer %d", next.transfer), "it is gone, and its posting %d is there", next.line)
	}
	progress(p.Transfers, all)
	return err
}

// transfer proves one, and moves the folds.
func (p *proof) transfer(r *Record, rows []posting, hash []byte) {
	where := fmt.Sprintf("transfer %d %s", r.Seq, r.ID)
	if r.Seq != p.last+1 {
		p.fault(where, "the one before it is %d", p.last)
	}
	p.last = r.Seq
	for i, row := range rows {
		if row.line != int64(i)+1 {
			p.fault(where, "posting %d is number %d", row.line, i+1)
		}
		a := p.accounts[row.account]
		if a == nil {
			p.fault(where, "posting %d is on account %d, which is gone", row.line, row.account)
			continue
		}
		r.Entries = append(r.Entries, Entry{a.name, row.fen})
		if a.folds+1 != row.place {
			p.fault(where, "posting %d is number %d of %s, after %d", row.line, row.place, a.name, a.folds)
		}
		if a.fold+row.fen != row.balance {
			p.fault(where, "posting %d: %s had %d, moved by %d and has %d", row.line, a.name, a.fold, row.fen, row.balance)
		}
		if a.name.side()*row.balance < 0 {
			p.fault(where, "posting %d leaves %d on %s", row.line, row.balance, a.name)
		}
		a.fold, a.folds = row.balance, row.place
	}
	if sum := r.sum(); sum != 0 || len(r.Entries) == 0 {
		p.fault(where, "%d postings, sum %d", len(rows), sum)
	}
	if why := r.wrong(); why != "" {
		p.fault(where, "not to be posted: %s", why)
	}
	if !bytes.Equal(r.hash(), hash) {
		p.fault(where, "it is not what its hash says")
	}
	if r.Card != 0 {
		p.line(where, r)
	} else if r.AmountFen != 0 || r.BalanceFen != 0 {
		p.fault(where, "it is on nobody's statement, with %d and %d", r.AmountFen, r.BalanceFen)
	}
}

// line proves the transfer's line of its card's statement.
func (p *proof) line(where string, r *Record) {
	last := p.cards[r.Card]
	if last == nil {
		last = &statement{}
		p.cards[r.Card] = last
	}
	if r.Line != last.line+1 {
		p.fault(where, "line %d of card %d, after %d", r.Line, r.Card, last.line)
	}
	if r.AmountFen != r.amount() {
		p.fault(where, "the line says %d, the postings %d", r.AmountFen, r.amount())
	}
	if last.balance+r.AmountFen != r.BalanceFen {
		p.fault(where, "the statement had %d, moved by %d and has %d", last.balance, r.AmountFen, r.BalanceFen)
	}
	var total int64
	for _, a := range p.statements[r.Card] {
		total += a.fold
	}
	if total != r.BalanceFen {
		p.fault(where, "the statement has %d, the accounts of the card %d", r.BalanceFen, total)
	}
	last.line, last.balance = r.Line, r.BalanceFen
}

// finish compares the folds with what the accounts say.
func (p *proof) finish() {
	for _, a := range p.accounts {
		if p.SumFen += a.balance; a.balance != a.fold || a.count != a.folds {
			p.fault(a.where(), "it says %d after %d postings; they are %d and come to %d", a.balance, a.count, a.folds, a.fold)
		}
	}
	if p.SumFen != 0 {
		p.fault("accounts", "their sum is %d", p.SumFen)
	}
}

// reversals proves that nothing was taken back that there was not.
func (p *proof) reversals(ctx context.Context, src store.Source) (err error) {
	rows, err := src.QueryContext(ctx, "SELECT reverses, seq, id, kind FROM transfers WHERE reverses IS NOT NULL ORDER BY reverses, seq")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	var target int64
	var left []Entry
	for before := 0; rows.Next(); before++ {
		var of, seq int64
		var id string
		var kind Kind
		if err := rows.Scan(&of, &seq, &id, &kind); err != nil {
			return err
		}
		if of != target {
			all, err := entriesOf(ctx, src, of)
			if err != nil {
				return err
			}
			target, left, before = of, sides(all), 0
		}
		all, err := entriesOf(ctx, src, seq)
		if err != nil {
			return err
		}
		where, taken := fmt.Sprintf("transfer %d %s", seq, id), sides(all)
		if of >= seq {
			p.fault(where, "it takes back %d, which is no earlier one", of)
		}
		if why := exceeds(left, taken, kind == KindVoid); why != "" {
			p.fault(where, "it takes back too much of %d: %s", of, why)
		}
		if kind == KindVoid && before > 0 {
			p.fault(where, "it takes back %d, which was taken back before", of)
		}
		left = less(left, taken)
	}
	return nil
}
