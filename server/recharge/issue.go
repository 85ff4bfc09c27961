package recharge

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode"

	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// The kinds of an Issue.
const (
	Mismatch      = "mismatch"       // amount, currency, merchant or order are not ours; nothing was credited
	AccountClosed = "account_closed" // paid into a closed account: the money is in suspense
	PaidTwice     = "paid_twice"     // one order, two payments: the second was not credited
	PartRefund    = "part_refund"    // the merchant gave a part back at the channel; nothing was booked
	RefundUnknown = "refund_unknown" // given back before it was credited, nobody knows how much
	NotPosted     = "not_posted"     // the ledger would not take it
)

// Issue is something about a recharge that a person has to look at.
type Issue struct {
	ID         int64
	Kind       string
	Channel    string
	Order      string // as the channel said it
	What       string
	Fen        int64
	FoundAt    int64
	ResolvedAt int64 // 0 = not yet
	ResolvedBy string
	Note       string

	isNew bool
}

// raise stores an issue, unless it is there.
func raise(t *store.Tx, i Issue) (Issue, error) {
	i.Order = clean(i.Order)
	n, err := t.Affect(`INSERT INTO recharge_issues (kind, channel, recharge, what, fen, found_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, channel, recharge, what) DO NOTHING`, i.Kind, i.Channel, i.Order, i.What, i.Fen, t.Now())
	if err != nil {
		return i, err
	}
	i.isNew = n > 0
	err = t.QueryRowContext(t.Context(), "SELECT id FROM recharge_issues WHERE kind = $1 AND channel = $2 AND recharge = $3 AND what = $4",
		i.Kind, i.Channel, i.Order, i.What).Scan(&i.ID)
	return i, err
}

// clean makes a short plain text of what another system said.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if r := []rune(text); len(r) > 64 {
		return string(r[:63]) + "…"
	}
	return text
}

const issueColumns = `SELECT id, kind, channel, recharge, what, fen, found_at, coalesce(resolved_at, 0), coalesce(resolved_by, ''), coalesce(note, '')
	FROM recharge_issues`

func scanIssue(rows *sql.Rows) (i Issue, err error) {
	err = rows.Scan(&i.ID, &i.Kind, &i.Channel, &i.Order, &i.What, &i.Fen, &i.FoundAt, &i.ResolvedAt, &i.ResolvedBy, &i.Note)
	return i, err
}

// Issues gives issues, newest first: those that are open, or all.
func (s *Service) Issues(ctx context.Context, all bool, limit, offset int) (found []Issue, total int, err error) {
	src := s.Store.Reader()
	const where = " WHERE ($1 OR resolved_at IS NULL)"
	if err := src.QueryRowContext(ctx, "SELECT count(*) FROM recharge_issues"+where, all).Scan(&total); err != nil {
		return nil, 0, err
	}
	found, err = store.List(ctx, src, scanIssue, issueColumns+where+" ORDER BY id DESC LIMIT $2 OFFSET $3", all, limit, offset)
	return found, total, err
}

// Resolve closes an issue with the note of whoever did. With an account, money
// that waits in suspense goes there: Card.Number. Errors: store.ErrNotFound,
// store.ErrState where it was resolved before or is nothing to move, ErrNoCard,
// ErrCardClosed, *Fault.
func (s *Service) Resolve(ctx context.Context, actor string, id int64, account, note string) (i Issue, err error) {
	if note = strings.TrimSpace(note); note == "" || len([]rune(note)) > 500 {
		return i, &Fault{"note", "请写明处理结果,最多 500 字", "say what was done, in at most 500 characters"}
	}
	var card Card
	if account != "" {
		if card, err = s.Cards.Named(ctx, s.Store.Reader(), account); err != nil {
			return i, err
		}
	}
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		i, refusal = Issue{}, nil
		found, err := store.List(t.Context(), t, scanIssue, issueColumns+" WHERE id = $1", id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			refusal = store.ErrNotFound
			return nil
		}
		// With an account also one that was closed with a word, its money left here.
		if i = found[0]; i.ResolvedAt > 0 {
			again, err := waits(t.Context(), t, i)
			if err != nil {
				return err
			}
			if !again || account == "" {
				refusal = store.ErrState
				return nil
			}
		}
		if account != "" {
			if refusal, err = s.release(t, i, card); err != nil || refusal != nil {
				return err
			}
		}
		i.ResolvedAt, i.ResolvedBy, i.Note = t.Now(), actor, note
		if err := t.Exec("UPDATE recharge_issues SET resolved_at = $1, resolved_by = $2, note = $3 WHERE id = $4", t.Now(), actor, note, id); err != nil {
			return err
		}
		return t.Trail(actor, "recharge.resolved", fmt.Sprint(id), map[string]any{"kind": i.Kind, "order": i.Order, "moved": account != ""})
	})
	if err == nil {
		err = refusal
	}
	return i, err
}

// release moves what an order left in suspense to an account.
func (s *Service) release(t *store.Tx, i Issue, card Card) (refusal, err error) {
	o, err := find(t.Context(), t, i.Order)
	if err != nil {
		return nil, err
	}
	if i.Kind != AccountClosed || !o.Suspended || o.RefundedAt > 0 {
		return store.ErrState, nil
	}
	if card, err = s.Cards.Find(t.Context(), t, card.Account); err != nil {
		return nil, err
	}
	if card.State == wire.CardClosed {
		return ErrCardClosed, nil
	}
	lines, err := s.Ledger.Refill(t.Context(), t, card.Account, o.Fen)
	if err != nil {
		return nil, err
	}
	out, err := s.Ledger.Post(t, ledger.Transfer{
		ID: o.Transfer() + "/release", Kind: ledger.KindRecharge, At: t.Now(), Day: s.day(t.Now()), Card: card.Account, Place: s.place(o.Channel),
		Data: data(o, o.Trade), Entries: append(lines, ledger.Entry{Account: ledger.Suspense, Fen: -o.Fen}),
	})
	if err != nil {
		return nil, err
	}
	if out.State != ledger.Posted && out.State != ledger.Repeated {
		return fmt.Errorf("%w: ledger: %s", store.ErrState, out.State), nil
	}
	return nil, t.Exec("UPDATE recharges SET suspended = 0, account = $1 WHERE id = $2", int64(card.Account), o.ID)
}
