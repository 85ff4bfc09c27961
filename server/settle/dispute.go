package settle

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/store"
)

// Dispute is one of package cards with the money that it is about.
type Dispute struct {
	cards.Dispute
	Fen int64 // that the merchant still has of the charge
}

// Disputes lists those in a state ("" = all) after one, oldest first.
func (s *Service) Disputes(ctx context.Context, state cards.DisputeState, after int64, limit int) ([]Dispute, error) {
	src := s.Store.Reader()
	list, err := cards.Disputes(ctx, src, state, after, limit)
	all := make([]Dispute, 0, len(list))
	for _, d := range list {
		var record ledger.Record
		if record, _, err = s.Ledger.Find(ctx, src, d.Transfer); err != nil {
			return nil, err
		}
		all = append(all, Dispute{d, leftOf(&record)})
	}
	return all, err
}

// Resolve decides a dispute in somebody's favour and moves its money: for the
// merchant a charge stands, and one in suspense is taken from the card; for the
// holder it is refunded; dismissed, a charge stands, and what is in suspense is the
// campus's loss. store.ErrNotFound, and store.ErrState for one that was decided.
func (s *Service) Resolve(ctx context.Context, actor string, id int64, state cards.DisputeState, words string) (d Dispute, err error) {
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		refusal = nil
		d.Dispute, err = cards.ResolveDispute(t, actor, id, state, words)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrState) {
			refusal = err
			return nil
		}
		if err != nil {
			return err
		}
		record, found, err := s.Ledger.Find(t.Context(), t, d.Transfer)
		if err != nil || !found {
			return err
		}
		d.Fen = leftOf(&record)
		return s.bear(t, actor, &d, &record)
	})
	if err == nil {
		err = refusal
	}
	return d, err
}

// bear moves the money of a dispute that was decided. Nothing is left to move of
// a charge that was taken back already.
func (s *Service) bear(t *store.Tx, actor string, d *Dispute, record *ledger.Record) error {
	ctx := t.Context()
	suspended := record.Card == 0
	switch {
	case d.Fen == 0, d.State != cards.DisputeHolder && !suspended:
		return nil
	case d.State == cards.DisputeHolder:
		// The office's refund: the merchant gives it back to the card, or to suspense.
		event, err := eventOf(ctx, t, d.Transfer)
		if err != nil {
			return err
		}
		c, err := findCharge(ctx, t, event)
		if err != nil {
			return err
		}
		refusal, err := s.refund(t, actor, &Refund{ID: fmt.Sprintf("dispute-%d", d.ID), Charge: event, Fen: d.Fen, Reason: d.Decision}, &c)
		return errors.Join(refusal, err)
	}
	if d.State == cards.DisputeMerchant {
		return s.charge(t, d, record)
	}
	return s.adjust(t, d, record, "", 0, "", []ledger.Entry{{Account: ledger.WrittenOff, Fen: -d.Fen}, {Account: ledger.Suspense, Fen: d.Fen}})
}

// charge takes what is left of a charge in suspense from the card after all. The
// charge is that transfer from then on: taken back, it comes back to the card.
func (s *Service) charge(t *store.Tx, d *Dispute, record *ledger.Record) error {
	ctx := t.Context()
	back, err := s.Ledger.TakeBack(ctx, t, d.Transfer, 0)
	if err != nil {
		return err
	}
	if err := s.adjust(t, d, record, "/back", 0, d.Transfer, back); err != nil {
		return err
	}
	from, err := s.Ledger.Spend(ctx, t, d.Account, d.Fen)
	if err != nil {
		return err
	}
	paid := map[ledger.Account]int64{}
	for _, e := range from {
		paid[e.Account] = -e.Fen
	}
	for _, e := range back {
		if e.Account != ledger.Suspense {
			from = append(from, ledger.Entry{Account: e.Account, Fen: -e.Fen})
		}
	}
	if err := s.adjust(t, d, record, "", d.Account, "", from); err != nil {
		return err
	}
	return t.Exec(`UPDATE charges SET transfer = $1, main_fen = $2, subsidy_fen = $3, debt_fen = $4, suspense_fen = 0
		WHERE transfer = $5 AND kind = 'charge'`,
		fmt.Sprintf("dispute/%d", d.ID), paid[ledger.Main(d.Account)], paid[ledger.Subsidy(d.Account)], paid[ledger.Debt(d.Account)], d.Transfer)
}

// adjust posts a transfer of a dispute; what tells several of one dispute apart.
func (s *Service) adjust(t *store.Tx, d *Dispute, record *ledger.Record, what string, card uint64, reverses string, entries []ledger.Entry) error {
	out, err := s.Ledger.Post(t, ledger.Transfer{
		ID: fmt.Sprintf("dispute/%d%s", d.ID, what), Kind: ledger.KindAdjust, At: t.Now(),
		Day: time.UnixMilli(t.Now()).In(s.Location).Format(time.DateOnly), Card: card, Entries: entries, Reverses: reverses, Place: record.Place,
	})
	if err == nil && out.State != ledger.Posted {
		err = fmt.Errorf("%w: %s: %s", ErrAmount, out.State, out.Why)
	}
	return err
}

// eventOf is the event of a charge's transfer; "" where it is of none.
func eventOf(ctx context.Context, src store.Source, transfer string) (string, error) {
	found, err := store.List(ctx, src, func(rows *sql.Rows) (event string, err error) {
		err = rows.Scan(&event)
		return event, err
	}, "SELECT event FROM charges WHERE transfer = $1 AND kind = 'charge'", transfer)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// Debtor is a card that owes.
type Debtor struct {
	Account uint64 `json:"-"`
	Fen     int64  `json:"debt_fen"` // negative
	Since   int64  `json:"since_at"` // of its last transfer
}

// Debts lists the cards that owe, the largest first.
func (s *Service) Debts(ctx context.Context, limit int) ([]Debtor, error) {
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (d Debtor, err error) {
		var name string
		if err := rows.Scan(&name, &d.Fen, &d.Since); err != nil {
			return d, err
		}
		_, err = fmt.Sscanf(name, "card/%d/debt", &d.Account)
		return d, err
	}, `SELECT a.name, a.balance, coalesce((SELECT max(t.posted_at) FROM postings p JOIN transfers t ON t.seq = p.transfer
			WHERE p.account = a.id AND p.place = a.postings), 0)
		FROM accounts a WHERE a.side = -1 AND a.balance < 0 ORDER BY a.balance, a.name LIMIT $1`, limit)
}
