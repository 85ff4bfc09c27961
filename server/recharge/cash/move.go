package cash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Move is money that went over the counter.
type Move struct {
	ID         string
	Shift      int64
	Kind       ledger.Kind // ledger.KindCash or KindPayout
	Account    uint64
	Fen        int64
	BalanceFen int64 // of the card after it
	At         int64
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

func scanMove(rows *sql.Rows) (m Move, err error) {
	err = rows.Scan(&m.ID, &m.Shift, &m.Kind, &m.Account, &m.Fen, &m.BalanceFen, &m.At)
	return m, err
}

const moveColumns = "SELECT id, shift, kind, account, fen, balance, at FROM cash_moves"

// Moves gives what a shift moved, oldest first.
func (d *Desk) Moves(ctx context.Context, shift int64) ([]Move, error) {
	return store.List(ctx, d.Store.Reader(), scanMove, moveColumns+" WHERE shift = $1 ORDER BY at, id", shift)
}

// before finds a move with this id: the same again is the answer of the first
// time, another one recharge.ErrKey.
func before(t *store.Tx, clerk string, m Move) (found *Move, refusal, err error) {
	all, err := store.List(t.Context(), t, scanMove, moveColumns+" WHERE id = $1", m.ID)
	if err != nil || len(all) == 0 {
		return nil, nil, err
	}
	s, err := shift(t.Context(), t, " WHERE s.id = $1", all[0].Shift)
	if err != nil {
		return nil, nil, err
	}
	if s.Clerk != clerk || all[0].Kind != m.Kind || all[0].Account != m.Account || m.Fen != 0 && m.Fen != all[0].Fen {
		return nil, recharge.ErrKey, nil
	}
	return &all[0], nil, nil
}

// move does what recharges and payouts have in common. entries says what the
// card's side is, in the change; fen 0 there = all that the card has.
func (d *Desk) move(ctx context.Context, clerk, account string, m Move, entries func(*store.Tx, Shift, recharge.Card) ([]ledger.Entry, error, error)) (Move, error) {
	if !keyForm.MatchString(m.ID) {
		return m, &recharge.Fault{Field: "id", ZH: "编号应为 8 到 64 位字母、数字或短横线", EN: "want 8 to 64 letters, digits or dashes"}
	}
	card, err := d.Cards.Named(ctx, d.Store.Reader(), account)
	if err != nil {
		return m, err
	}
	m.Account = card.Account
	asked := m
	err = d.change(ctx, func(t *store.Tx) (refusal, err error) {
		m = asked
		found, refusal, err := before(t, clerk, m)
		if err != nil || refusal != nil {
			return refusal, err
		}
		if found != nil {
			m = *found
			return nil, nil
		}
		s, err := current(t.Context(), t, clerk)
		if errors.Is(err, ErrNoShift) {
			return ErrNoShift, nil
		}
		if err != nil {
			return nil, err
		}
		card, err := d.Cards.Find(t.Context(), t, m.Account)
		if err != nil {
			return nil, err
		}
		lines, refusal, err := entries(t, s, card)
		if err != nil || refusal != nil {
			return refusal, err
		}
		var sum int64
		for _, e := range lines {
			sum += e.Fen
		}
		out, err := d.Ledger.Post(t, ledger.Transfer{
			ID: string(m.Kind) + "/" + m.ID, Kind: m.Kind, At: t.Now(), Day: d.day(t.Now()), Card: m.Account, Place: "现金窗口",
			Entries: append(lines, ledger.Entry{Account: ledger.Drawer(s.ID), Fen: -sum}),
		})
		if err != nil {
			return nil, err
		}
		if out.State != ledger.Posted {
			return fmt.Errorf("%w: %s", ErrLedger, out.State), nil
		}
		m.Shift, m.Fen, m.BalanceFen, m.At = s.ID, max(sum, -sum), out.BalanceFen, t.Now()
		if err := t.Exec("INSERT INTO cash_moves (id, shift, kind, account, fen, balance, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			m.ID, m.Shift, string(m.Kind), int64(m.Account), m.Fen, m.BalanceFen, m.At); err != nil {
			return nil, err
		}
		return nil, t.Trail(clerk, "cash."+string(m.Kind), m.ID, map[string]any{"shift": s.ID, "fen": m.Fen})
	})
	return m, err
}

// Recharge takes cash for an account, named by its number. Errors: *Fault,
// ErrNoShift, recharge.ErrNoCard, ErrCardClosed, ErrKey, ErrLedger.
func (d *Desk) Recharge(ctx context.Context, clerk, id, account string, fen int64) (Move, error) {
	if fen <= 0 || fen > d.Max {
		return Move{}, &recharge.Fault{
			Field: "amount_fen", ZH: "金额应在 0.01 元到 " + recharge.Yuan(d.Max) + " 元之间", EN: "want 0.01 to " + recharge.Yuan(d.Max) + " yuan",
		}
	}
	m := Move{ID: id, Kind: ledger.KindCash, Fen: fen}
	return d.move(ctx, clerk, account, m, func(t *store.Tx, _ Shift, card recharge.Card) ([]ledger.Entry, error, error) {
		if card.State == wire.CardClosed {
			return nil, recharge.ErrCardClosed, nil
		}
		lines, err := d.Ledger.Refill(t.Context(), t, card.Account, fen)
		return lines, nil, err
	})
}

// Payout pays out in cash what is in the main account, less what is owed. A
// subsidy is not paid out. Errors: *Fault, ErrNoShift, recharge.ErrNoCard,
// ErrKey, ErrHeld, ErrNothing, ErrDrawer, ErrLedger.
func (d *Desk) Payout(ctx context.Context, clerk, id, account string) (Move, error) {
	m := Move{ID: id, Kind: ledger.KindPayout}
	return d.move(ctx, clerk, account, m, func(t *store.Tx, s Shift, card recharge.Card) ([]ledger.Entry, error, error) {
		b, err := d.Ledger.Balance(t.Context(), t, card.Account)
		if err != nil {
			return nil, nil, err
		}
		drawer, err := d.Ledger.BalanceOf(t.Context(), t, ledger.Drawer(s.ID))
		switch {
		case err != nil:
			return nil, nil, err
		case b.HeldFen > 0 || card.State == wire.CardLost || card.State == wire.CardFrozen:
			return nil, ErrHeld, nil
		case b.MainFen+b.DebtFen <= 0:
			return nil, ErrNothing, nil
		case b.MainFen+b.DebtFen > -drawer:
			return nil, ErrDrawer, nil
		}
		lines := []ledger.Entry{{Account: ledger.Main(card.Account), Fen: -b.MainFen}}
		if b.DebtFen < 0 {
			lines = append(lines, ledger.Entry{Account: ledger.Debt(card.Account), Fen: -b.DebtFen})
		}
		return lines, nil, nil
	})
}
