package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/recharge/cash"
)

// CashShift is a clerk's time at the cash desk.
type CashShift struct {
	ID            int64  `json:"id"`
	Clerk         string `json:"clerk"`
	State         string `json:"state" enum:"open,closed"`
	FloatFen      int64  `json:"float_fen"`
	InFen         int64  `json:"in_fen"`
	OutFen        int64  `json:"out_fen"`
	Moves         int    `json:"moves"`
	ExpectedFen   int64  `json:"expected_fen" doc:"in the drawer"`
	CountedFen    int64  `json:"counted_fen" doc:"at the close"`
	DifferenceFen int64  `json:"difference_fen" doc:"counted less expected"`
	OpenedAt      int64  `json:"opened_at"`
	ClosedAt      int64  `json:"closed_at,omitempty"`
}

// CashMove is money over the counter.
type CashMove struct {
	ID         string `json:"id"`
	Shift      int64  `json:"shift"`
	Kind       string `json:"kind" enum:"cash,payout"`
	Account    string `json:"account"`
	Holder     string `json:"holder_masked"`
	AmountFen  int64  `json:"amount_fen"`
	BalanceFen int64  `json:"balance_fen" doc:"of the account after it"`
	At         int64  `json:"at"`
}

type shiftOutput struct{ Body CashShift }

type moveOutput struct{ Body CashMove }

type openShiftInput struct {
	Body struct {
		FloatFen int64 `json:"float_fen" minimum:"0" doc:"in the drawer at the start"`
	}
}

type closeShiftInput struct {
	ID   int64 `path:"id" minimum:"1"`
	Body struct {
		CountedFen int64 `json:"counted_fen" minimum:"0"`
	}
}

type cashRechargeInput struct {
	Body struct {
		ID        string `json:"id" minLength:"8" maxLength:"64" doc:"made by the desk: the same again is the same move"`
		Account   string `json:"account" maxLength:"20"`
		AmountFen int64  `json:"amount_fen" minimum:"1"`
	}
}

type payoutInput struct {
	Body struct {
		ID      string `json:"id" minLength:"8" maxLength:"64" doc:"made by the desk: the same again is the same move"`
		Account string `json:"account" maxLength:"20"`
	}
}

func (a *API) cashRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/cash/shifts", scope: auth.Cards, id: "open-shift", status: http.StatusCreated,
		text: "开班 Begin a shift at the cash desk", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, in *openShiftInput) (*shiftOutput, error) {
		return shiftOut(a.Cash.Open(ctx, caller(ctx).Actor, in.Body.FloatFen))
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/cash/shifts/current", scope: auth.Cards, id: "current-shift",
		text: "当前班次 My open shift", errors: []int{http.StatusConflict},
	}, func(ctx context.Context, _ *struct{}) (*shiftOutput, error) {
		return shiftOut(a.Cash.Current(ctx, caller(ctx).Actor))
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/cash/shifts/{id}/close", scope: auth.Cards, id: "close-shift",
		text: "交班清点 End my shift with what was counted", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *closeShiftInput) (*shiftOutput, error) {
		return shiftOut(a.Cash.Close(ctx, caller(ctx).Actor, in.ID, in.Body.CountedFen))
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/cash/shifts", scope: auth.Cards, also: auth.Finance, id: "list-shifts",
		text: "班次记录 Shifts of the cash desk, newest first",
	}, func(ctx context.Context, in *ListQuery) (*pageOutput[CashShift], error) {
		found, total, err := a.Cash.Shifts(ctx, in.Size, in.offset())
		if err != nil {
			return nil, err
		}
		return pageOf(*in, mapped(found, shiftBody), total), nil
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/cash/recharges", scope: auth.Cards, id: "cash-recharge", status: http.StatusCreated,
		text: "现金充值 Take cash for an account", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *cashRechargeInput) (*moveOutput, error) {
		m, err := a.Cash.Recharge(ctx, caller(ctx).Actor, in.Body.ID, in.Body.Account, in.Body.AmountFen)
		return a.moveOut(ctx, m, err)
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/cash/payouts", scope: auth.Cards, id: "cash-payout", status: http.StatusCreated,
		text: "退卡取现 Pay an account out in cash", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *payoutInput) (*moveOutput, error) {
		m, err := a.Cash.Payout(ctx, caller(ctx).Actor, in.Body.ID, in.Body.Account)
		return a.moveOut(ctx, m, err)
	})
}

func shiftOut(s cash.Shift, err error) (*shiftOutput, error) {
	if err != nil {
		return nil, err
	}
	return &shiftOutput{shiftBody(s)}, nil
}

func shiftBody(s cash.Shift) CashShift {
	state := "open"
	if s.ClosedAt > 0 {
		state = "closed"
	}
	return CashShift{
		ID: s.ID, Clerk: s.Clerk, State: state, FloatFen: s.FloatFen, InFen: s.InFen, OutFen: s.OutFen, Moves: s.Moves,
		ExpectedFen: s.ExpectedFen, CountedFen: s.CountedFen, DifferenceFen: s.DifferenceFen, OpenedAt: s.OpenedAt, ClosedAt: s.ClosedAt,
	}
}

func (a *API) moveOut(ctx context.Context, m cash.Move, err error) (*moveOutput, error) {
	if err != nil {
		return nil, err
	}
	card, err := a.Cash.Cards.Find(ctx, a.Store.Reader(), m.Account)
	return &moveOutput{CashMove{
		ID: m.ID, Shift: m.Shift, Kind: string(m.Kind), Account: card.Number, Holder: card.Holder,
		AmountFen: m.Fen, BalanceFen: m.BalanceFen, At: m.At,
	}}, err
}
