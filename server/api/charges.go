package api

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/issue"
	"campusgate/server/settle"
	"campusgate/signing/wire"
)

// Charge is what a till reported of money.
type Charge struct {
	Event       string            `json:"event" doc:"agent-epoch-seq"`
	Kind        string            `json:"kind" enum:"charge,void,declined"`
	Till        uint16            `json:"till"`
	TillName    string            `json:"till_name"`
	Merchant    int64             `json:"merchant"`
	Account     string            `json:"account" doc:"number of the card's account; empty = none that we know"`
	At          int64             `json:"at" doc:"the till's corrected clock"`
	ReceivedAt  int64             `json:"received_at"`
	Day         string            `json:"day" doc:"business day"`
	SettleDay   string            `json:"settle_day" doc:"business day that it is settled with: a later one where its own was closed"`
	Period      string            `json:"period" doc:"meal period; empty = between meals"`
	Batch       uint32            `json:"batch"`
	Flow        uint64            `json:"flow" doc:"running number of the till's journal"`
	AmountFen   int64             `json:"amount_fen" doc:"positive, of a void too"`
	Entry       wire.EntryMode    `json:"entry"`
	Items       []wire.ChargeItem `json:"items"`
	Cashier     string            `json:"cashier" doc:"number"`
	Reason      string            `json:"reason" doc:"the till's decision"`
	Transfer    string            `json:"transfer" doc:"in the ledger; empty = no money was moved"`
	MainFen     int64             `json:"main_fen" doc:"who paid; of a void, who was paid back"`
	SubsidyFen  int64             `json:"subsidy_fen"`
	DebtFen     int64             `json:"debt_fen"`
	SuspenseFen int64             `json:"suspense_fen" doc:"waits for a person's word"`
	Voids       string            `json:"voids,omitempty" doc:"of a void: event"`
	VoidedBy    string            `json:"voided_by,omitempty" doc:"of a charge: event"`
	Flags       []string          `json:"flags" doc:"offline, late, after_loss, disputed, debt, voided, declined"`
}

// Turnover is what was taken of one part of a business day.
type Turnover struct {
	Key      string `json:"key" doc:"hour, number of a merchant or till, or id of a meal period"`
	Name     string `json:"name" doc:"of a merchant or till"`
	Charges  int    `json:"charges"`
	Voids    int    `json:"voids"`
	TakenFen int64  `json:"taken_fen"`
	BackFen  int64  `json:"back_fen" doc:"of voids"`
	NetFen   int64  `json:"net_fen"`
}

// ChargeFilter chooses charges. It is exported for the HTTP library, which looks
// into no other embedded struct.
type ChargeFilter struct {
	Merchant int64  `query:"merchant" minimum:"0" doc:"0 = any"`
	Till     uint16 `query:"till" maximum:"65535" doc:"0 = any"`
	Day      string `query:"day" maxLength:"10" doc:"business day"`
	Period   string `query:"period" maxLength:"64"`
	Account  string `query:"account" maxLength:"20" doc:"number of the card's account"`
	Flag     string `query:"flag" enum:",offline,late,after_loss,disputed,debt,voided,declined"`
}

type chargesInput struct {
	ChargeFilter
	After int64 `query:"after" minimum:"0" default:"0" doc:"the next of the page before; 0 = from the newest"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type chargesExportInput struct{ ChargeFilter }

type chargesOutput struct {
	Body struct {
		Charges []Charge `json:"charges" doc:"the last to arrive first"`
		Next    int64    `json:"next" doc:"after, for the next page; 0 = there is none"`
	}
}

type turnoverInput struct {
	Day string `query:"day" maxLength:"10" doc:"business day; empty = that of now"`
	By  string `query:"by" enum:"hour,merchant,till,period" default:"hour"`
}

type turnoverOutput struct {
	Body struct {
		Day  string     `json:"day"`
		By   string     `json:"by"`
		Rows []Turnover `json:"rows"`
	}
}

func (a *API) chargeRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/charges", scope: auth.Canteen, also: auth.Finance, id: "list-charges",
		text: "消费记录 What tills reported of money, newest first",
	}, a.listCharges)
	for _, format := range []settle.Format{settle.CSV, settle.XLSX} {
		add(a, route{
			method: http.MethodGet, path: prefix + "/charges/export." + string(format), scope: auth.Canteen, also: auth.Finance, id: "export-charges-" + string(format),
			text:  "导出消费记录 The same as a file of at most 100,000 rows; numbers of accounts and cashiers are masked, what could be a formula is made inert",
			media: map[settle.Format]string{settle.CSV: csvType, settle.XLSX: xlsxType}[format],
		}, func(ctx context.Context, in *chargesExportInput) (*huma.StreamResponse, error) {
			q, err := a.chargeQuery(ctx, in.ChargeFilter)
			if err != nil {
				return nil, err
			}
			return a.file("charges-"+a.Now().In(a.Location).Format("20060102-1504"), format, func(w io.Writer) error {
				return a.Settle.ExportCharges(ctx, caller(ctx).Actor, a.Charges, q, format, w)
			})
		})
	}
	add(a, route{
		method: http.MethodGet, path: prefix + "/turnover", scope: auth.Canteen, also: auth.Finance, id: "turnover",
		text: "营业额统计 What was taken on a business day",
	}, a.turnover)
}

func (a *API) listCharges(ctx context.Context, in *chargesInput) (*chargesOutput, error) {
	out := &chargesOutput{}
	q, err := a.chargeQuery(ctx, in.ChargeFilter)
	if err != nil {
		return nil, err
	}
	q.Before, q.Limit = in.After, in.Limit
	found, err := a.Charges.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out.Body.Charges = mapped(found, chargeBody)
	if n := len(found); n == in.Limit {
		out.Body.Next = found[n-1].Position
	}
	return out, nil
}

// noAccount is the number of none.
const noAccount = math.MaxInt64

// chargeQuery is what the caller may see of what a filter chooses.
func (a *API) chargeQuery(ctx context.Context, f ChargeFilter) (q charges.Query, err error) {
	q = charges.Query{By: sight(ctx), Merchant: f.Merchant, Till: f.Till, Period: f.Period, Flag: f.Flag}
	if q.Day, err = businessDay(f.Day); err != nil || f.Account == "" {
		return q, err
	}
	card, err := a.Cards.ByDisplay(ctx, a.Store.Reader(), f.Account)
	if errors.Is(err, cards.ErrNoCard) {
		q.Account = noAccount
		return q, nil
	}
	q.Account = card.Account
	return q, err
}

func chargeBody(c charges.Charge) Charge {
	items := c.Items
	if items == nil {
		items = []wire.ChargeItem{}
	}
	return Charge{
		Event: c.Event, Kind: c.Kind, Till: c.Till, TillName: c.TillName, Merchant: c.Merchant, Account: c.Display, At: c.At,
		ReceivedAt: c.ReceivedAt, Day: c.Day, SettleDay: c.SettleDay, Period: c.Period, Batch: c.Batch, Flow: c.Flow,
		AmountFen: c.AmountFen, Entry: c.Entry, Items: items, Cashier: c.Cashier, Reason: c.Reason.String(), Transfer: c.Transfer,
		MainFen: c.MainFen, SubsidyFen: c.SubsidyFen, DebtFen: c.DebtFen, SuspenseFen: c.SuspenseFen, Voids: c.Voids,
		VoidedBy: c.VoidedBy, Flags: c.Flags(),
	}
}

func (a *API) turnover(ctx context.Context, in *turnoverInput) (*turnoverOutput, error) {
	day, err := businessDay(in.Day)
	if err != nil {
		return nil, err
	}
	if day == "" {
		day = a.Now().In(a.Location).Format(time.DateOnly)
	}
	rows, err := a.Charges.Turnover(ctx, sight(ctx), day, in.By)
	if err != nil {
		return nil, err
	}
	out := &turnoverOutput{}
	out.Body.Day, out.Body.By = day, in.By
	out.Body.Rows = mapped(rows, func(u charges.Turnover) Turnover {
		return Turnover{
			Key: u.Key, Name: u.Name, Charges: u.Charges, Voids: u.Voids, TakenFen: u.FenIn, BackFen: u.FenBack, NetFen: u.FenIn - u.FenBack,
		}
	})
	return out, nil
}

// businessDay checks a day; none is none.
func businessDay(text string) (string, error) {
	if _, err := time.Parse(time.DateOnly, text); text != "" && err != nil {
		return "", &issue.Fault{Field: "day", ZH: "应为 2026-05-01 这样的日期", EN: "want a day such as 2026-05-01"}
	}
	return text, nil
}
