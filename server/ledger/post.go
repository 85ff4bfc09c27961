package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"campusgate/server/store"
)

// Post adds a transfer, in the caller's change. What became of it is in the
// outcome; an error is a fault of the database. The same transfer again changes
// nothing and gets the answer of the first time: as "the same" counts what was
// asked for, and not which of the card's accounts bore it.
func (l *Ledger) Post(t *store.Tx, tr Transfer) (Outcome, error) {
	if why := tr.wrong(); why != "" {
		return Outcome{State: Invalid, Why: why}, nil
	}
	hash := tr.hash()
	at, old, oldHash, err := stand(t, &tr)
	switch {
	case err != nil:
		return Outcome{}, err
	case old.Seq != 0 && bytes.Equal(hash, oldHash):
		old.State = Repeated
		return old, nil
	case old.Seq != 0:
		return Outcome{State: Quarantined, Why: "the id was posted with other content"}, l.putAside(t, tr, hash)
	}
	var target any // the place of what is reversed
	if tr.Reverses != "" {
		seq, o, err := l.reversible(t, tr)
		if err != nil || o.State != "" {
			return o, err
		}
		target = seq
	}
	if len(tr.Entries) == 0 || tr.sum() != 0 {
		return Outcome{State: Unbalanced, Why: fmt.Sprintf("%d entries, sum %d", len(tr.Entries), tr.sum())}, nil
	}
	accounts, err := touched(t.Context(), t, tr)
	if err != nil {
		return Outcome{}, err
	}
	var total int64 // of the card
	for i := range accounts {
		a := &accounts[i]
		if after := a.balance + a.fen; a.name.side()*after < 0 {
			return Outcome{State: Overdrawn, Why: fmt.Sprintf("%s would be %d", a.name, after)}, nil
		}
		if a.name.side() != 0 {
			total += a.balance + a.fen
		}
	}
	err = insert(t, &tr, at, accounts, total, target, hash)
	return Outcome{State: Posted, Seq: at.seq, BalanceFen: total}, err
}

// spot is where a transfer goes: its place in the ledger and on its card's
// statement.
type spot struct{ seq, line int64 }

// stand says where a transfer would go, and what was posted under its id: Seq 0
// = nothing.
func stand(t *store.Tx, tr *Transfer) (at spot, old Outcome, hash []byte, err error) {
	err = t.QueryRowContext(t.Context(), `SELECT
		(SELECT coalesce(max(seq), 0) + 1 FROM transfers), (SELECT coalesce(max(line), 0) + 1 FROM transfers WHERE card = $1),
		coalesce(t.seq, 0), coalesce(t.balance, 0), t.hash
		FROM (SELECT 1) LEFT JOIN transfers t ON t.id = $2`, int64(tr.Card), tr.ID).
		Scan(&at.seq, &at.line, &old.Seq, &old.BalanceFen, &hash)
	return at, old, hash, err
}

// account is a row of accounts, and what a transfer changes it by.
type account struct {
	name    Account
	id      int64 // 0 = there is none yet
	balance int64
	count   int64 // postings
	fen     int64
}

// touched reads the accounts of a transfer: those of its entries in their order,
// then the rest of the card's.
func touched(ctx context.Context, src store.Source, tr Transfer) ([]account, error) {
	all := make([]account, 0, len(tr.Entries)+3)
	for _, e := range tr.Entries {
		all = append(all, account{name: e.Account, fen: e.Fen})
	}
	if tr.Card != 0 {
		for _, name := range []Account{Main(tr.Card), Subsidy(tr.Card), Debt(tr.Card)} {
			if !slices.ContainsFunc(all, func(a account) bool { return a.name == name }) {
				all = append(all, account{name: name})
			}
		}
	}
	names := make([]any, len(all))
	for i := range all {
		names[i] = string(all[i].name)
	}
	rows, err := src.QueryContext(ctx, selectAccounts[len(all)], names...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a account
		if err := rows.Scan(&a.name, &a.id, &a.balance, &a.count); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(b account) bool { return b.name == a.name })
		a.fen = all[i].fen
		all[i] = a
	}
	return all, rows.Err()
}

// The statements for so many accounts or rows, whose texts are long.
var (
	selectAccounts = texts("SELECT name, id, balance, postings FROM accounts WHERE name IN (", "?", ")")
	insertPostings = texts("INSERT INTO postings (transfer, line, account, place, fen, balance) VALUES ", "(?, ?, ?, ?, ?, ?)", "")
)

func texts(before, each, after string) (list [maxEntries + 4]string) {
	for n := range list {
		list[n] = before + strings.TrimSuffix(strings.Repeat(each+", ", n), ", ") + after
	}
	return list
}

func insert(t *store.Tx, tr *Transfer, at spot, accounts []account, total int64, target any, hash []byte) error {
	card := sql.NullInt64{Int64: int64(tr.Card), Valid: tr.Card != 0}
	err := t.Exec(`INSERT INTO transfers (seq, id, kind, at, posted_at, day, card, line, amount, balance, reverses, place, data, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		at.seq, tr.ID, string(tr.Kind), tr.At, t.Now(), tr.Day, card, sql.NullInt64{Int64: at.line, Valid: card.Valid},
		tr.amount(), total, target, tr.Place, sql.NullString{String: string(tr.Data), Valid: len(tr.Data) > 0}, hash)
	if err != nil {
		return err
	}
	values := make([]any, 0, 6*len(tr.Entries))
	for i := range tr.Entries {
		a := &accounts[i]
		if a.id == 0 {
			err := t.QueryRowContext(t.Context(), "INSERT INTO accounts (name, side) VALUES ($1, $2) RETURNING id",
				string(a.name), a.name.side()).Scan(&a.id)
			if err != nil {
				return err
			}
		}
		values = append(values, at.seq, i+1, a.id, a.count+1, a.fen, a.balance+a.fen)
	}
	return t.Exec(insertPostings[len(tr.Entries)], values...)
}

// putAside keeps a transfer whose id was posted with other content, for a person
// to look at. Each content raises one alarm.
func (l *Ledger) putAside(t *store.Tx, tr Transfer, hash []byte) error {
	body, err := json.Marshal(tr)
	if err != nil {
		return err
	}
	n, err := t.Affect(`INSERT INTO transfers_aside (transfer, hash, at, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT DO NOTHING`, tr.ID, hash, t.Now(), string(body))
	if err != nil || n == 0 {
		return err
	}
	l.alarm("ledger: transfer " + tr.ID + " came again with other content")
	return t.Trail("ledger", "transfer.quarantined", tr.ID, map[string]any{"kind": tr.Kind})
}
