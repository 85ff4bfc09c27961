package api

import (
	"context"

	"campusgate/server/cards"
)

// Card is a campus card as its holder sees it.
type Card struct {
	Account    string        `json:"account" doc:"number of the account, with a check digit"`
	Number     string        `json:"number" doc:"staff or student number"`
	NameMasked string        `json:"name_masked" doc:"all but the last character is hidden"`
	State      string        `json:"state" enum:"active,lost,frozen,closed"`
	BalanceFen int64         `json:"balance_fen" doc:"main, subsidy and debt together"`
	MainFen    int64         `json:"main_fen"`
	SubsidyFen int64         `json:"subsidy_fen"`
	DebtFen    int64         `json:"debt_fen" doc:"0 or negative"`
	HeldFen    int64         `json:"held_fen" doc:"promised to tills that have not reported yet"`
	Limits     cards.Caps    `json:"limits" doc:"in force"`
	Offline    cards.Offline `json:"offline" doc:"in force: payments without a network"`
	Most       cards.Terms   `json:"most" doc:"what the holder can ask for at most"`
	Password   bool          `json:"has_password"`
	LostAt     int64         `json:"lost_at,omitempty"`
	Phone      *CardPhone    `json:"phone,omitempty" doc:"that pays; absent = none"`
}

// CardPhone is the phone that pays with a card.
type CardPhone struct {
	ID         string `json:"id"`
	EnrolledAt int64  `json:"enrolled_at"`
	ExpiresAt  int64  `json:"expires_at" doc:"end of its last credential"`
}

// OfficeCard is a card as the card office sees it.
type OfficeCard struct {
	Card
	Name         string `json:"name"`
	OpenedAt     int64  `json:"opened_at"`
	BoundAt      int64  `json:"bound_at,omitempty" doc:"by its holder"`
	FrozenAt     int64  `json:"frozen_at,omitempty"`
	FreezeReason string `json:"freeze_reason,omitempty"`
	ClosedAt     int64  `json:"closed_at,omitempty"`
	Epoch        uint32 `json:"epoch" doc:"of the credentials that are good"`
}

// CardEntry is a row of a statement: each balance is that of the row before it
// plus the amount.
type CardEntry struct {
	Seq        int64       `json:"seq"`
	ID         string      `json:"id" doc:"of the transfer"`
	Kind       string      `json:"kind"`
	Title      cards.Title `json:"title"`
	At         int64       `json:"at" doc:"when it happened"`
	PostedAt   int64       `json:"posted_at"`
	AmountFen  int64       `json:"amount_fen" doc:"with its sign"`
	BalanceFen int64       `json:"balance_fen" doc:"after it"`
	Place      string      `json:"place"`
	Flags      []string    `json:"flags" doc:"offline, late, after_loss, disputed, converted, debt"`
	Order      string      `json:"order,omitempty" doc:"of a recharge"`
}

// CardEntries is a page of a statement, newest first.
type CardEntries struct {
	Entries []CardEntry `json:"entries"`
	Next    int64       `json:"next" doc:"before= of the next page; 0 = there is none"`
}

// CardStatement is a month, oldest first.
type CardStatement struct {
	Month      string      `json:"month"`
	OpeningFen int64       `json:"opening_fen"`
	ClosingFen int64       `json:"closing_fen"`
	InFen      int64       `json:"in_fen"`
	OutFen     int64       `json:"out_fen" doc:"without a sign"`
	Entries    []CardEntry `json:"entries"`
}

type (
	cardOutput          struct{ Body Card }
	officeCardOutput    struct{ Body OfficeCard }
	cardEntriesOutput   struct{ Body CardEntries }
	cardStatementOutput struct{ Body CardStatement }
)

// EntriesQuery pages through a statement. The queries that are part of others are
// exported for the HTTP library, which looks into no other embedded struct.
type EntriesQuery struct {
	Before int64 `query:"before" minimum:"0" doc:"seq; 0 = from the newest"`
	Limit  int   `query:"limit" default:"20" minimum:"1" maximum:"200"`
}

// MonthQuery names a month.
type MonthQuery struct {
	Month string `query:"month" required:"true" maxLength:"7" doc:"2026-11"`
}

func (a *API) cardBody(ctx context.Context, c cards.Account) (Card, error) {
	src := a.Store.Reader()
	b, err := a.Ledger.Balance(ctx, src, c.Account)
	if err != nil {
		return Card{}, err
	}
	body := Card{
		Account: c.Display, Number: c.Person, NameMasked: cards.MaskName(c.Name), State: string(c.State),
		BalanceFen: b.Total(), MainFen: b.MainFen, SubsidyFen: b.SubsidyFen, DebtFen: b.DebtFen, HeldFen: b.HeldFen,
		Limits: c.Limits, Offline: c.Offline, Most: c.Ceiling, Password: c.HasPassword, LostAt: c.LostAt,
	}
	p, there, err := a.Cards.PhoneOf(ctx, src, c.Account, c.Epoch)
	if there {
		body.Phone = &CardPhone{ID: p.ID.String(), EnrolledAt: p.EnrolledAt, ExpiresAt: p.Expires * 1000}
	}
	return body, err
}

func (a *API) officeBody(ctx context.Context, c cards.Account) (OfficeCard, error) {
	body, err := a.cardBody(ctx, c)
	return OfficeCard{
		Card: body, Name: c.Name, OpenedAt: c.OpenedAt, BoundAt: c.BoundAt, FrozenAt: c.FrozenAt, FreezeReason: c.FreezeReason,
		ClosedAt: c.ClosedAt, Epoch: c.Epoch,
	}, err
}

// myCard and officeCard are the answers to what changes a card.
func (a *API) myCard(ctx context.Context, c cards.Account, err error) (*cardOutput, error) {
	if err != nil {
		return nil, err
	}
	body, err := a.cardBody(ctx, c)
	return &cardOutput{body}, err
}

func (a *API) officeCard(ctx context.Context, c cards.Account, err error) (*officeCardOutput, error) {
	if err != nil {
		return nil, err
	}
	body, err := a.officeBody(ctx, c)
	return &officeCardOutput{body}, err
}

func cardEntry(e cards.Entry) CardEntry {
	return CardEntry{
		Seq: e.Seq, ID: e.ID, Kind: string(e.Kind), Title: e.Title, At: e.At, PostedAt: e.PostedAt, AmountFen: e.AmountFen,
		BalanceFen: e.BalanceFen, Place: e.Place, Flags: e.Flags, Order: e.Order,
	}
}

func (a *API) cardEntries(ctx context.Context, account uint64, in EntriesQuery) (*cardEntriesOutput, error) {
	page, next, err := a.Cards.Entries(ctx, account, in.Before, in.Limit)
	return &cardEntriesOutput{CardEntries{mapped(page, cardEntry), next}}, err
}

func (a *API) cardStatement(ctx context.Context, account uint64, month string) (*cardStatementOutput, error) {
	m, err := a.Cards.Statement(ctx, account, month)
	return &cardStatementOutput{CardStatement{
		Month: m.Month, OpeningFen: m.OpeningFen, ClosingFen: m.ClosingFen, InFen: m.InFen, OutFen: m.OutFen,
		Entries: mapped(m.Entries, cardEntry),
	}}, err
}
