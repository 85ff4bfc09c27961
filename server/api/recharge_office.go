package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/recharge"
)

// OfficeRecharge is an order as the office sees it.
type OfficeRecharge struct {
	Recharge
	Person string `json:"person" doc:"who placed it"`
	Trade  string `json:"trade" doc:"the channel's own number"`
}

// RechargeIssue is something that a person has to look at.
type RechargeIssue struct {
	ID         int64  `json:"id"`
	Kind       string `json:"kind" enum:"mismatch,account_closed,paid_twice,part_refund,refund_unknown,not_posted"`
	Channel    string `json:"channel"`
	Order      string `json:"order" doc:"as the channel said it"`
	What       string `json:"what"`
	AmountFen  int64  `json:"amount_fen"`
	FoundAt    int64  `json:"found_at"`
	ResolvedAt int64  `json:"resolved_at,omitempty"`
	ResolvedBy string `json:"resolved_by,omitempty"`
	Note       string `json:"note,omitempty"`
}

// Bill is a channel's bill of a day, compared with our orders.
type Bill struct {
	Channel      string                `json:"channel"`
	Day          string                `json:"day"`
	FetchedAt    int64                 `json:"fetched_at"`
	FetchedBy    string                `json:"fetched_by"`
	Lines        int                   `json:"lines"`
	PaidFen      int64                 `json:"paid_fen"`
	RefundedFen  int64                 `json:"refunded_fen"`
	Matched      int                   `json:"matched"`
	Recovered    int                   `json:"recovered" doc:"of these, credited because of the bill"`
	MissingHere  []recharge.Difference `json:"missing_here"`
	MissingThere []recharge.Difference `json:"missing_there"`
	Differs      []recharge.Difference `json:"differs"`
}

type allRechargesInput struct {
	ListQuery
	State   string `query:"state" enum:",created,paid,failed,closed,refunded"`
	Channel string `query:"channel" maxLength:"20"`
	Day     string `query:"day" doc:"campus day of the order, 2026-05-01"`
}

type officeRechargeOutput struct{ Body OfficeRecharge }

type issuesInput struct {
	ListQuery
	All bool `query:"all" doc:"also those that were resolved"`
}

type resolveInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		Note    string `json:"note" maxLength:"2000" doc:"what was done"`
		Account string `json:"account,omitempty" maxLength:"20" doc:"number of the account that gets what waits in suspense"`
	}
}

type issueOutput struct{ Body RechargeIssue }

type billsInput struct {
	Channel string `query:"channel" maxLength:"20"`
	Day     string `query:"day" maxLength:"10"`
	ListQuery
}

type billsOutput struct {
	Body struct {
		Items []Bill `json:"items"`
	}
}

// BillPath names a bill.
type BillPath struct {
	Channel string `path:"channel" maxLength:"20"`
	Day     string `path:"day" maxLength:"10"`
}

type billOutput struct{ Body Bill }

func (a *API) rechargeOfficeRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/recharges/all", scope: auth.Cards, also: auth.Finance, id: "list-recharges",
		text: "全部充值单 All orders, newest first",
	}, a.allRecharges)
	add(a, route{
		method: http.MethodPost, path: prefix + "/recharges/{order}/query", scope: auth.Cards, also: auth.Finance, id: "query-recharge",
		text: "向支付渠道查单 Ask the channel what became of an order", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *OrderPath) (*officeRechargeOutput, error) {
		o, err := a.Recharge.Ask(ctx, in.Order)
		if err != nil {
			return nil, err
		}
		body, err := a.officeRecharge(ctx, o)
		return &officeRechargeOutput{body}, err
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/recharges/issues", scope: auth.Cards, also: auth.Finance, id: "list-recharge-issues",
		text: "充值异常 What a person has to look at, newest first",
	}, func(ctx context.Context, in *issuesInput) (*pageOutput[RechargeIssue], error) {
		found, total, err := a.Recharge.Issues(ctx, in.All, in.Size, in.offset())
		if err != nil {
			return nil, err
		}
		return pageOf(in.ListQuery, mapped(found, issueBody), total), nil
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/recharges/issues/{id}/resolve", scope: auth.Cards, also: auth.Finance, id: "resolve-recharge-issue",
		text: "处理充值异常 Say what was done, and move what waits in suspense", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *resolveInput) (*issueOutput, error) {
		i, err := a.Recharge.Resolve(ctx, caller(ctx).Actor, in.ID, in.Body.Account, in.Body.Note)
		if err != nil {
			return nil, err
		}
		return &issueOutput{issueBody(i)}, nil
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/bills", scope: auth.Cards, also: auth.Finance, id: "list-bills",
		text: "渠道对账 Bills of channels, newest day first",
	}, func(ctx context.Context, in *billsInput) (*billsOutput, error) {
		found, err := a.Recharge.Bills(ctx, in.Channel, in.Day, in.Size, in.offset())
		if err != nil {
			return nil, err
		}
		out := &billsOutput{}
		out.Body.Items = mapped(found, billBody)
		return out, nil
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/bills/{channel}/{day}", scope: auth.Cards, also: auth.Finance, id: "fetch-bill",
		text: "下载账单并对账 Fetch a bill and compare it", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *BillPath) (*billOutput, error) {
		b, err := a.Recharge.FetchBill(ctx, caller(ctx).Actor, in.Channel, in.Day)
		if err != nil {
			return nil, err
		}
		return &billOutput{billBody(b)}, nil
	})
}

func (a *API) allRecharges(ctx context.Context, in *allRechargesInput) (*pageOutput[OfficeRecharge], error) {
	from, until, err := a.span(DateRange{From: in.Day, To: in.Day})
	if err != nil {
		return nil, err
	}
	f := recharge.Filter{State: recharge.State(in.State), Channel: in.Channel, Limit: in.Size, Offset: in.offset()}
	if in.Day != "" {
		f.From, f.Until = from.UnixMilli(), until.UnixMilli()
	}
	found, total, err := a.Recharge.List(ctx, f)
	if err != nil {
		return nil, err
	}
	items := make([]OfficeRecharge, len(found))
	for i, o := range found {
		if items[i], err = a.officeRecharge(ctx, o); err != nil {
			return nil, err
		}
	}
	return pageOf(in.ListQuery, items, total), nil
}

func (a *API) officeRecharge(ctx context.Context, o recharge.Order) (OfficeRecharge, error) {
	body, err := a.rechargeBody(ctx, o)
	body.Pay = nil // the payer's
	return OfficeRecharge{body, o.Person, o.Trade}, err
}

func issueBody(i recharge.Issue) RechargeIssue {
	return RechargeIssue{
		ID: i.ID, Kind: i.Kind, Channel: i.Channel, Order: i.Order, What: i.What, AmountFen: i.Fen,
		FoundAt: i.FoundAt, ResolvedAt: i.ResolvedAt, ResolvedBy: i.ResolvedBy, Note: i.Note,
	}
}

func billBody(b recharge.Bill) Bill {
	out := Bill{
		Channel: b.Channel, Day: b.Day, FetchedAt: b.FetchedAt, FetchedBy: b.FetchedBy, Lines: b.Lines, PaidFen: b.PaidFen, RefundedFen: b.RefundedFen,
		Matched: b.Matched, Recovered: b.Recovered,
		MissingHere: []recharge.Difference{}, MissingThere: []recharge.Difference{}, Differs: []recharge.Difference{},
	}
	lists := map[string]*[]recharge.Difference{
		recharge.MissingHere: &out.MissingHere, recharge.MissingThere: &out.MissingThere, recharge.Differs: &out.Differs,
	}
	for _, d := range b.Differences {
		if list := lists[d.Kind]; list != nil {
			*list = append(*list, d)
		}
	}
	return out
}
