package settle

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// Dispute is money that waits for a person's word: a further charge of one
// payment code, whose money is in suspense, or a charge that its holder
// complains of.
type Dispute struct {
	ID         int64  `json:"id"`
	Kind       string `json:"kind"` // duplicate or holder
	Transfer   string `json:"transfer"`
	Account    uint64 `json:"-"`
	Fen        int64  `json:"amount_fen"`
	Text       string `json:"text"`
	State      string `json:"state"` // open, or the decision
	OpenedAt   int64  `json:"opened_at"`
	OpenedBy   string `json:"opened_by"`
	ResolvedAt int64  `json:"resolved_at,omitempty"`
	ResolvedBy string `json:"resolved_by,omitempty"`
	Words      string `json:"words,omitempty"`
}

// Decision says who bears the money of a dispute.
type Decision string

// The decisions. Dismiss leaves a holder's complaint without effect; the money
// of a duplicate is then the campus's loss.
const (
	BearsMerchant Decision = "merchant"
	BearsHolder   Decision = "holder"
	Dismiss       Decision = "dismiss"
)

const kindDuplicate = "duplicate"

const disputeColumns = `SELECT id, kind, transfer, account, amount_fen, text, state, opened_at, opened_by,
	coalesce(resolved_at, 0), coalesce(resolved_by, ''), coalesce(words, '') FROM disputes `

func scanDispute(rows *sql.Rows) (d Dispute, err error) {
	var account int64
	err = rows.Scan(&d.ID, &d.Kind, &d.Transfer, &account, &d.Fen, &d.Text, &d.State, &d.OpenedAt, &d.OpenedBy,
		&d.ResolvedAt, &d.ResolvedBy, &d.Words)
	d.Account = uint64(account)
	return d, err
}

// Disputes lists those in a state ("" = all), newest first.
func (s *Service) Disputes(ctx context.Context, state string, limit int) ([]Dispute, error) {
	return store.List(ctx, s.Store.Reader(), scanDispute, disputeColumns+"WHERE $1 = '' OR state = $2 ORDER BY id DESC LIMIT $3",
		state, state, limit)
}

// Resolve decides a dispute and moves its money. ErrNothing, ErrDecided, and
// ErrAmount where the merchant has not so much of the charge any more.
func (s *Service) Resolve(ctx context.Context, actor string, id int64, decision Decision, words string) (d Dispute, err error) {
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		refusal = nil
		found, err := store.List(t.Context(), t, scanDispute, disputeColumns+"WHERE id = $1", id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			refusal = fmt.Errorf("%w: dispute %d", ErrNothing, id)
			return nil
		}
		if d = found[0]; d.State != "open" {
			refusal = fmt.Errorf("%w: dispute %d", ErrDecided, id)
			return nil
		}
		if refusal, err = s.bear(t, actor, &d, decision, words); err != nil || refusal != nil {
			return err
		}
		d.State, d.ResolvedAt, d.ResolvedBy, d.Words = string(decision), t.Now(), actor, words
		err = t.Exec("UPDATE disputes SET state = $1, resolved_at = $2, resolved_by = $3, words = $4 WHERE id = $5",
			d.State, d.ResolvedAt, actor, words, id)
		if err != nil {
			return err
		}
		return t.Trail(actor, "dispute.resolved", d.Transfer, map[string]any{"decision": decision, "fen": d.Fen})
	})
	if err == nil {
		err = refusal
	}
	return d, err
}

// bear moves the money of a dispute to who bears it.
func (s *Service) bear(t *store.Tx, actor string, d *Dispute, decision Decision, words string) (refusal, err error) {
	ctx := t.Context()
	if decision == BearsMerchant {
		// The office's refund: the merchant gives it back to the card, or to suspense.
		event, err := eventOf(ctx, t, d.Transfer)
		if err != nil {
			return nil, err
		}
		c, err := findCharge(ctx, t, event)
		if err != nil {
			return err, nil //nolint:nilerr // a refusal is a result
		}
		return s.refund(t, actor, &Refund{ID: fmt.Sprintf("dispute-%d", d.ID), Charge: event, Fen: d.Fen, Reason: words}, &c)
	}
	if d.Kind != kindDuplicate {
		return nil, nil // the holder bore it, and goes on to
	}
	from := []ledger.Entry{{Account: Losses, Fen: -d.Fen}}
	card := uint64(0)
	if decision == BearsHolder {
		card = d.Account
		if from, err = s.Ledger.Spend(ctx, t, card, d.Fen); err != nil {
			return nil, err
		}
	}
	out, err := s.Ledger.Post(t, ledger.Transfer{
		ID: fmt.Sprintf("dispute/%d", d.ID), Kind: ledger.KindAdjust, At: t.Now(),
		Day: time.UnixMilli(t.Now()).In(s.Location).Format(time.DateOnly), Card: card,
		Entries: append(from, ledger.Entry{Account: ledger.Suspense, Fen: d.Fen}),
	})
	if err == nil && out.State != ledger.Posted {
		return fmt.Errorf("%w: %s: %s", ErrAmount, out.State, out.Why), nil
	}
	return nil, err
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
