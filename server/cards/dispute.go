package cards

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/store"
)

// DisputeState is how far a dispute has come.
type DisputeState string

// The states.
const (
	DisputeOpen     DisputeState = "open"
	DisputeMerchant DisputeState = "merchant" // decided for the merchant: the payment stands
	DisputeHolder   DisputeState = "holder"   // decided for the holder
	DisputeDismiss  DisputeState = "dismiss"  // there was nothing to decide
)

// ByHolder is the kind of a dispute that the holder raised. Others are named by
// what the server found, such as "second_use".
const ByHolder = "holder"

// Dispute is a payment that somebody has to look into. There is one for each.
type Dispute struct {
	ID        int64
	Account   uint64
	Transfer  string
	Kind      string
	Text      string
	OpenedAt  int64
	State     DisputeState
	DecidedAt int64
	DecidedBy string
	Decision  string
}

const disputeColumns = `SELECT id, account, transfer, kind, text, opened_at, state, coalesce(decided_at, 0), coalesce(decided_by, ''),
	coalesce(decision, '') FROM disputes`

func scanDispute(rows *sql.Rows) (d Dispute, err error) {
	var account int64
	err = rows.Scan(&d.ID, &account, &d.Transfer, &d.Kind, &d.Text, &d.OpenedAt, &d.State, &d.DecidedAt, &d.DecidedBy, &d.Decision)
	d.Account = uint64(account)
	return d, err
}

// maxDisputeText is the longest text of a dispute, in characters.
const maxDisputeText = 500

// Dispute opens one in the holder's name: store.ErrNotFound for what is no
// payment of this card, ErrDisputed the second time, a *people.Fault of field
// "text".
func (s *Service) Dispute(ctx context.Context, actor string, account uint64, transfer, text string) (Dispute, error) {
	text, err := people.CheckText("text", strings.NewReplacer("\r\n", " ", "\n", " ").Replace(text), maxDisputeText)
	if err != nil {
		return Dispute{}, err
	}
	var made Dispute
	err = s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		record, known, err := s.Ledger.Find(t.Context(), t, transfer)
		if err != nil {
			return nil, err
		}
		if !known || record.Card != account || record.Kind != ledger.KindCharge {
			return fmt.Errorf("%w: payment", store.ErrNotFound), nil
		}
		var opened bool
		made, opened, err = OpenDispute(t, actor, Dispute{Account: account, Transfer: transfer, Kind: ByHolder, Text: text})
		if err == nil && !opened {
			return ErrDisputed, nil
		}
		return nil, err
	})
	if err != nil {
		return Dispute{}, err
	}
	return made, nil
}

// OpenDispute opens one as a part of a larger change, which need not know
// whether there is one of this transfer: opened = there was none.
func OpenDispute(t *store.Tx, actor string, d Dispute) (_ Dispute, opened bool, err error) {
	n, err := t.Affect(`INSERT INTO disputes (account, transfer, kind, text, opened_at, state) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (transfer) DO NOTHING`, int64(d.Account), d.Transfer, d.Kind, d.Text, t.Now(), string(DisputeOpen))
	if err != nil {
		return d, false, err
	}
	all, err := store.List(t.Context(), t, scanDispute, disputeColumns+" WHERE transfer = $1", d.Transfer)
	if err != nil {
		return d, false, err
	}
	d = all[0]
	if n == 0 {
		return d, false, nil
	}
	return d, true, t.Trail(actor, "dispute.opened", "transfer "+d.Transfer, map[string]any{"dispute": d.ID, "kind": d.Kind})
}

// ResolveDispute closes one, in the change that does what was decided.
// store.ErrNotFound, and store.ErrState when it is closed: both before anything
// was written.
func ResolveDispute(t *store.Tx, actor string, id int64, state DisputeState, text string) (Dispute, error) {
	all, err := store.List(t.Context(), t, scanDispute, disputeColumns+" WHERE id = $1", id)
	switch {
	case err != nil:
		return Dispute{}, err
	case len(all) == 0:
		return Dispute{}, fmt.Errorf("%w: dispute %d", store.ErrNotFound, id)
	case all[0].State != DisputeOpen:
		return all[0], fmt.Errorf("%w: dispute %d is decided", store.ErrState, id)
	}
	d := all[0]
	d.State, d.DecidedAt, d.DecidedBy, d.Decision = state, t.Now(), actor, text
	err = t.Exec("UPDATE disputes SET state = $1, decided_at = $2, decided_by = $3, decision = $4 WHERE id = $5",
		string(d.State), d.DecidedAt, d.DecidedBy, d.Decision, id)
	if err != nil {
		return d, err
	}
	return d, t.Trail(actor, "dispute.decided", "transfer "+d.Transfer, map[string]any{"dispute": id, "for": state})
}

// Disputes lists those in a state ("" = any) after one, oldest first.
func Disputes(ctx context.Context, src store.Source, state DisputeState, after int64, limit int) ([]Dispute, error) {
	return store.List(ctx, src, scanDispute, disputeColumns+" WHERE id > $1 AND ($2 = '' OR state = $3) ORDER BY id LIMIT $4",
		after, string(state), string(state), limit)
}

// disputed are the transfers of a card that are not decided.
func (s *Service) disputed(ctx context.Context, account uint64) (map[string]bool, error) {
	open, err := store.List(ctx, s.Store.Reader(), scanDispute, disputeColumns+" WHERE account = $1 AND state = 'open'", int64(account))
	all := map[string]bool{}
	for _, d := range open {
		all[d.Transfer] = true
	}
	return all, err
}
