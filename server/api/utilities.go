package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/recharge"
	"campusgate/server/utility"
)

// UtilityKind is something that can be paid for, and the meters of who asks.
type UtilityKind struct {
	Kind       string          `json:"kind" enum:"electricity,hot_water"`
	Name       recharge.Name   `json:"name"`
	Meters     []utility.Meter `json:"meters"`
	Available  bool            `json:"available" doc:"false = the system of the meters does not answer"`
	AmountsFen []int64         `json:"amounts_fen"`
	MaxFen     int64           `json:"max_fen"`
}

// UtilityPayment is money for a meter.
type UtilityPayment struct {
	ID        string        `json:"id"`
	State     string        `json:"state" enum:"pending,done,failed" doc:"pending: paid, the meter has not answered; failed: the money was given back"`
	Kind      string        `json:"kind"`
	Name      recharge.Name `json:"name"`
	Meter     string        `json:"meter"`
	Room      string        `json:"room"`
	AmountFen int64         `json:"amount_fen"`
	CreatedAt int64         `json:"created_at"`
	DoneAt    int64         `json:"done_at,omitempty"`
	FailedAt  int64         `json:"failed_at,omitempty"`
}

type utilitiesOutput struct {
	Body struct {
		Kinds []UtilityKind `json:"kinds"`
	}
}

type utilityPayInput struct {
	Kind string `path:"kind" maxLength:"20"`
	Body struct {
		ID        string `json:"id" minLength:"8" maxLength:"64" doc:"made by the caller: the same again is the same payment"`
		Meter     string `json:"meter" maxLength:"64"`
		AmountFen int64  `json:"amount_fen" minimum:"1"`
	}
}

type utilityPaymentOutput struct{ Body UtilityPayment }

type utilityPaymentsOutput struct {
	Body struct {
		Items []UtilityPayment `json:"items"`
		Next  int64            `json:"next" doc:"before of the next page; 0 = there is none"`
	}
}

func (a *API) utilityRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/utilities", scope: auth.Self, id: "utilities", text: "缴电费、热水充值 What I can pay for, and my meters",
	}, a.utilities)
	add(a, route{
		method: http.MethodPost, path: prefix + "/utilities/{kind}/payments", scope: auth.Self, id: "pay-utility", status: http.StatusCreated,
		text: "缴费 Pay for a meter from my card", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.payUtility)
	add(a, route{
		method: http.MethodGet, path: prefix + "/utilities/payments", scope: auth.Self, id: "utility-payments", text: "我的缴费 My payments, newest first",
	}, a.utilityPayments)
}

func (a *API) utilities(ctx context.Context, _ *struct{}) (*utilitiesOutput, error) {
	out := &utilitiesOutput{}
	out.Body.Kinds = []UtilityKind{}
	for _, o := range a.Utility.Offers(ctx, caller(ctx).Person) {
		k := UtilityKind{
			Kind: o.Kind.ID, Name: o.Kind.Name, Meters: o.Meters, Available: o.Meters != nil, AmountsFen: a.Utility.Amounts, MaxFen: a.Utility.Max,
		}
		if k.Meters == nil {
			k.Meters = []utility.Meter{}
		}
		out.Body.Kinds = append(out.Body.Kinds, k)
	}
	return out, nil
}

func (a *API) payUtility(ctx context.Context, in *utilityPayInput) (*utilityPaymentOutput, error) {
	p, err := a.Utility.Pay(ctx, utility.Paying{
		Person: caller(ctx).Person, Key: in.Body.ID, Kind: in.Kind, Meter: in.Body.Meter, Fen: in.Body.AmountFen,
	})
	if err != nil {
		return nil, err
	}
	return &utilityPaymentOutput{a.paymentBody(p)}, nil
}

func (a *API) utilityPayments(ctx context.Context, in *BeforeQuery) (*utilityPaymentsOutput, error) {
	found, err := a.Utility.List(ctx, caller(ctx).Person, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &utilityPaymentsOutput{}
	out.Body.Items = mapped(found, a.paymentBody)
	if len(found) == in.Limit {
		out.Body.Next = found[len(found)-1].CreatedAt
	}
	return out, nil
}

func (a *API) paymentBody(p utility.Payment) UtilityPayment {
	return UtilityPayment{
		ID: p.ID, State: string(p.State()), Kind: p.Kind, Name: a.Utility.NameOf(p.Kind), Meter: p.Meter, Room: p.Room, AmountFen: p.Fen,
		CreatedAt: p.CreatedAt, DoneAt: p.DoneAt, FailedAt: p.ReversedAt,
	}
}
