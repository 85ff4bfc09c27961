package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/recharge"
)

// RechargeOptions is what there is to know before a recharge.
type RechargeOptions struct {
	AmountsFen   []int64         `json:"amounts_fen"`
	MinFen       int64           `json:"min_fen"`
	MaxFen       int64           `json:"max_fen"`
	Channels     []recharge.Info `json:"channels"`
	Warning      recharge.Name   `json:"warning"`
	Account      string          `json:"account" doc:"number of the account to be credited"`
	HolderMasked string          `json:"holder_masked" doc:"whose it is; to be shown before paying"`
}

// Recharge is an order as whoever placed it sees it.
type Recharge struct {
	Order        string        `json:"order"`
	State        string        `json:"state" enum:"created,paid,failed,closed,refunded"`
	AmountFen    int64         `json:"amount_fen"`
	Account      string        `json:"account"`
	HolderMasked string        `json:"holder_masked"`
	Channel      string        `json:"channel"`
	Way          string        `json:"way"`
	Pay          *recharge.Pay `json:"pay" required:"false" doc:"how to pay; null once that is over, and while the channel has not answered"`
	Waits        bool          `json:"waits" doc:"paid, but the account is closed: the office decides"`
	CreatedAt    int64         `json:"created_at"`
	ExpiresAt    int64         `json:"expires_at"`
	PaidAt       int64         `json:"paid_at,omitempty"`
	CreditedAt   int64         `json:"credited_at,omitempty"`
	RefundedAt   int64         `json:"refunded_at,omitempty"`
}

// RechargeRequest places an order.
type RechargeRequest struct {
	ID        string `json:"id" minLength:"8" maxLength:"64" doc:"made by the caller: the same again is the same order"`
	AmountFen int64  `json:"amount_fen" minimum:"1"`
	Channel   string `json:"channel" maxLength:"20"`
	Way       string `json:"way" enum:"jsapi,native,page,wap,trial"`
	Account   string `json:"account,omitempty" maxLength:"20" doc:"number of the account; absent = mine"`
	Payer     string `json:"payer,omitempty" maxLength:"128" doc:"openid of who pays, for jsapi"`
}

type rechargeOptionsInput struct {
	Account string `query:"account" maxLength:"20" doc:"number of somebody's account; absent = mine"`
}

type rechargeOptionsOutput struct{ Body RechargeOptions }

type rechargeInput struct{ Body RechargeRequest }

type rechargeOutput struct{ Body Recharge }

// OrderPath names an order.
type OrderPath struct {
	Order string `path:"order" pattern:"^R[A-Z2-7]{26}$"`
}

type trialInput struct {
	OrderPath
	Body struct {
		OK bool `json:"ok" doc:"false = paying fails"`
	}
}

// BeforeQuery pages through what is listed newest first.
type BeforeQuery struct {
	Before int64 `query:"before" minimum:"0" doc:"next of the page before"`
	Limit  int   `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

type rechargesOutput struct {
	Body struct {
		Items []Recharge `json:"items"`
		Next  int64      `json:"next" doc:"before of the next page; 0 = there is none"`
	}
}

func (a *API) rechargeRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/recharge/options", scope: auth.Self, id: "recharge-options",
		text: "充值须知与可选项 What there is to know and to choose before a recharge", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.rechargeOptions)
	add(a, route{
		method: http.MethodPost, path: prefix + "/recharges", scope: auth.Self, id: "recharge", status: http.StatusCreated,
		text: "下充值单 Order a recharge", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.recharge)
	add(a, route{
		method: http.MethodGet, path: prefix + "/recharges", scope: auth.Self, id: "my-recharges", text: "我的充值 My recharges, newest first",
	}, a.myRecharges)
	add(a, route{
		method: http.MethodGet, path: prefix + "/recharges/{order}", scope: auth.Self, id: "my-recharge",
		text: "查到账 What became of an order; asks the channel while it waits", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *OrderPath) (*rechargeOutput, error) {
		if _, err := a.Recharge.Mine(ctx, caller(ctx).Person, in.Order); err != nil {
			return nil, err
		}
		o, err := a.Recharge.Refresh(ctx, in.Order)
		return a.rechargeOut(ctx, o, err)
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/recharges/{order}/trial", scope: auth.Self, id: "press-trial",
		text: "测试支付 Pay, or fail to, where the test channel is on", errors: []int{http.StatusNotFound},
	}, a.pressTrial)
	a.callbackRoute()
}

func (a *API) rechargeOptions(ctx context.Context, in *rechargeOptionsInput) (*rechargeOptionsOutput, error) {
	var o recharge.Options
	err := a.naming(ctx, in.Account, func() (err error) {
		o, err = a.Recharge.Options(ctx, caller(ctx).Person, in.Account)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &rechargeOptionsOutput{RechargeOptions{
		AmountsFen: o.Amounts, MinFen: o.Min, MaxFen: o.Max, Channels: o.Channels, Warning: recharge.Warning,
		Account: o.Card.Number, HolderMasked: o.Card.Holder,
	}}, nil
}

// naming makes an address wait that tries out numbers of accounts.
func (a *API) naming(ctx context.Context, account string, do func() error) error {
	if account == "" {
		return do()
	}
	return a.guarded(ctx, do)
}

func (a *API) recharge(ctx context.Context, in *rechargeInput) (*rechargeOutput, error) {
	b := in.Body
	var o recharge.Order
	err := a.naming(ctx, b.Account, func() (err error) {
		o, err = a.Recharge.Place(ctx, recharge.Placing{
			Person: caller(ctx).Person, Key: b.ID, Account: b.Account, Fen: b.AmountFen, Channel: b.Channel, Way: b.Way, Payer: b.Payer,
		})
		return err
	})
	return a.rechargeOut(ctx, o, err)
}

func (a *API) myRecharges(ctx context.Context, in *BeforeQuery) (*rechargesOutput, error) {
	found, _, err := a.Recharge.List(ctx, recharge.Filter{Person: caller(ctx).Person, Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &rechargesOutput{}
	out.Body.Items = []Recharge{}
	for _, o := range found {
		body, err := a.rechargeBody(ctx, o)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, body)
	}
	if len(found) == in.Limit {
		out.Body.Next = found[len(found)-1].CreatedAt
	}
	return out, nil
}

func (a *API) pressTrial(ctx context.Context, in *trialInput) (*rechargeOutput, error) {
	o, err := a.Recharge.Mine(ctx, caller(ctx).Person, in.Order)
	if err == nil && (a.Trial == nil || o.Channel != a.Trial.Info().ID) {
		err = recharge.ErrOff
	}
	if err == nil {
		err = a.Trial.Press(ctx, o.ID, in.Body.OK)
	}
	if err == nil {
		o, err = a.Recharge.Ask(ctx, o.ID)
	}
	return a.rechargeOut(ctx, o, err)
}

func (a *API) rechargeOut(ctx context.Context, o recharge.Order, err error) (*rechargeOutput, error) {
	if err != nil {
		return nil, err
	}
	body, err := a.rechargeBody(ctx, o)
	return &rechargeOutput{body}, err
}

func (a *API) rechargeBody(ctx context.Context, o recharge.Order) (Recharge, error) {
	card, err := a.Recharge.Cards.Find(ctx, a.Store.Reader(), o.Account)
	if err != nil {
		return Recharge{}, err
	}
	r := Recharge{
		Order: o.ID, State: string(o.State()), AmountFen: o.Fen, Account: card.Number, HolderMasked: card.Holder, Channel: o.Channel, Way: o.Way,
		Waits: o.Suspended, CreatedAt: o.CreatedAt, ExpiresAt: o.ExpiresAt, PaidAt: o.PaidAt, CreditedAt: o.CreditedAt, RefundedAt: o.RefundedAt,
	}
	if o.State() == recharge.StateCreated && a.Now().UnixMilli() < o.ExpiresAt {
		r.Pay = o.Pay
	}
	return r, nil
}
