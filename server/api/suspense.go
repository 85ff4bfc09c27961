package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
)

// maxSuspense is how many entries of each kind a list holds.
const maxSuspense = 500

// SuspenseEntry is money that waits for a person's word.
type SuspenseEntry struct {
	Kind      string   `json:"kind" enum:"charge,recharge" doc:"charge: the merchant has it, and nobody has paid; recharge: it was paid, and nobody has it"`
	Reason    string   `json:"reason" enum:"second_use,account_closed,other" doc:"why it is here"`
	Ref       string   `json:"ref" doc:"event of the charge, or order of the recharge"`
	Account   string   `json:"account" doc:"number of the card; empty = none that we know"`
	Place     string   `json:"place" doc:"name of the till, or payment channel"`
	AmountFen int64    `json:"amount_fen" doc:"as in the ledger: negative of a charge"`
	At        int64    `json:"at" doc:"when it happened"`
	Since     int64    `json:"since" doc:"when it came here, unix ms"`
	Ways      []string `json:"ways" doc:"what can be done: merchant, holder, dismiss (POST /disputes/{dispute}/resolve), move (POST /recharges/issues/{issue}/resolve), refund (POST /refunds, or at the channel)"`
	Dispute   int64    `json:"dispute,omitempty"`
	Issue     int64    `json:"issue,omitempty"`
}

type suspenseOutput struct {
	Body struct {
		Items      []SuspenseEntry `json:"items" doc:"charges and then recharges, each oldest first"`
		SumFen     int64           `json:"sum_fen" doc:"of the items"`
		BalanceFen int64           `json:"balance_fen" doc:"of the account of suspense in the ledger; other than the sum = there is more than the list holds, or somebody has to look"`
	}
}

func (a *API) suspenseRoute() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/suspense", scope: auth.Cards, also: auth.Finance, id: "list-suspense",
		text: "挂账 Money that waits for a person's word: why, since when, and what can be done",
	}, a.suspense)
}

func (a *API) suspense(ctx context.Context, _ *struct{}) (*suspenseOutput, error) {
	out := &suspenseOutput{}
	out.Body.Items = []SuspenseEntry{}
	put := func(e SuspenseEntry, account uint64) (err error) {
		e.Account, err = a.cardNumber(ctx, account)
		out.Body.Items = append(out.Body.Items, e)
		out.Body.SumFen += e.AmountFen
		return err
	}
	found, err := a.Settle.Suspense(ctx, maxSuspense)
	if err != nil {
		return nil, err
	}
	for _, u := range found {
		e := SuspenseEntry{
			Kind: "charge", Reason: "other", Ref: u.Event, Place: u.TillName, AmountFen: -u.Fen, At: u.At, Since: u.Since,
			Ways: []string{"refund"}, Dispute: u.Dispute,
		}
		if u.Reason == "second_use" {
			e.Reason = u.Reason
		}
		if u.Dispute != 0 {
			e.Ways = []string{"merchant", "holder", "dismiss"}
		}
		if err := put(e, u.Account); err != nil {
			return nil, err
		}
	}
	paid, err := a.Recharge.Suspense(ctx, maxSuspense)
	if err != nil {
		return nil, err
	}
	for _, o := range paid {
		e := SuspenseEntry{
			Kind: "recharge", Reason: "account_closed", Ref: o.ID, Place: o.Channel, AmountFen: o.Fen, At: o.PaidAt, Since: o.CreditedAt,
			Ways: []string{"refund"}, Issue: o.Issue,
		}
		if o.Issue != 0 {
			e.Ways = []string{"move", "refund"}
		}
		if err := put(e, o.Account); err != nil {
			return nil, err
		}
	}
	out.Body.BalanceFen, err = a.Settle.SuspenseFen(ctx)
	return out, err
}
