package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"

	"campusgate/server/store"
)

// Balance is what a card account has; nothing, for one that was never used.
func (l *Ledger) Balance(ctx context.Context, src store.Source, card uint64) (b Balance, err error) {
	err = src.QueryRowContext(ctx, selectWallets+`,
		coalesce((SELECT sum(fen) FROM holds WHERE card = $4 AND ended_at IS NULL), 0)`,
		string(Main(card)), string(Subsidy(card)), string(Debt(card)), int64(card)).
		Scan(&b.MainFen, &b.SubsidyFen, &b.DebtFen, &b.HeldFen)
	return b, err
}

// wallets is Balance without what is held.
func wallets(ctx context.Context, src store.Source, card uint64) (b Balance, err error) {
	err = src.QueryRowContext(ctx, selectWallets, string(Main(card)), string(Subsidy(card)), string(Debt(card))).
		Scan(&b.MainFen, &b.SubsidyFen, &b.DebtFen)
	return b, err
}

const selectWallets = `SELECT
	coalesce((SELECT balance FROM accounts WHERE name = $1), 0),
	coalesce((SELECT balance FROM accounts WHERE name = $2), 0),
	coalesce((SELECT balance FROM accounts WHERE name = $3), 0)`

// BalanceOf is what an account has; nothing, for one that was never used.
func (l *Ledger) BalanceOf(ctx context.Context, src store.Source, a Account) (fen int64, err error) {
	err = src.QueryRowContext(ctx, "SELECT coalesce((SELECT balance FROM accounts WHERE name = $1), 0)", string(a)).Scan(&fen)
	return fen, err
}

// Spend gives the entries that take fen from a card: from the subsidy first,
// then from the main account, and the rest is debt. Whether there may be a rest
// is the caller's business; so is what is held for others.
func (l *Ledger) Spend(ctx context.Context, src store.Source, card uint64, fen int64) ([]Entry, error) {
	b, err := wallets(ctx, src, card)
	if err != nil || fen <= 0 {
		return nil, err
	}
	subsidy := min(fen, b.SubsidyFen)
	main := min(fen-subsidy, b.MainFen)
	return entries(Entry{Subsidy(card), -subsidy}, Entry{Main(card), -main}, Entry{Debt(card), subsidy + main - fen}), nil
}

// Refill gives the entries that give fen to a card: debt is paid first.
func (l *Ledger) Refill(ctx context.Context, src store.Source, card uint64, fen int64) ([]Entry, error) {
	b, err := wallets(ctx, src, card)
	if err != nil || fen <= 0 {
		return nil, err
	}
	debt := min(fen, -b.DebtFen)
	return entries(Entry{Debt(card), debt}, Entry{Main(card), fen - debt}), nil
}

// entries leaves out those of nothing.
func entries(all ...Entry) (list []Entry) {
	for _, e := range all {
		if e.Fen != 0 {
			list = append(list, e)
		}
	}
	return list
}

// Lines is a page of a card's statement, newest first: at most limit lines that
// are older than line before. 0 = from the end. The Seq of a line is its number
// in the statement: 1, 2, 3 …
func (l *Ledger) Lines(ctx context.Context, src store.Source, card uint64, before int64, limit int) ([]Line, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return store.List(ctx, src, scanLine, `SELECT t.line, t.id, t.kind, t.at, t.posted_at, t.day, t.amount, t.balance, t.place,
		coalesce(r.id, ''), coalesce(t.data, '')
		FROM transfers t LEFT JOIN transfers r ON r.seq = t.reverses
		WHERE t.card = $1 AND t.line < $2 ORDER BY t.line DESC LIMIT $3`, int64(card), before, limit)
}

func scanLine(rows *sql.Rows) (l Line, err error) {
	var data string
	err = rows.Scan(&l.Seq, &l.Transfer, &l.Kind, &l.At, &l.PostedAt, &l.Day, &l.AmountFen, &l.BalanceFen, &l.Place, &l.Reverses, &data)
	if data != "" {
		l.Data = json.RawMessage(data)
	}
	return l, err
}
