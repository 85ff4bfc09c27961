package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/cards"
	"campusgate/server/people"
	"campusgate/signing/wire"
)

// CardPath names a card in an address.
type CardPath struct {
	Account string `path:"account" maxLength:"20" doc:"number of the account"`
}

// CardLimits is what the office sets for one card; what is left out stays, a
// negative number is as the campus has it.
type CardLimits struct {
	PerTxFen   *int64 `json:"per_tx_fen,omitempty"`
	PerMealFen *int64 `json:"per_meal_fen,omitempty"`
	PerDayFen  *int64 `json:"per_day_fen,omitempty"`
}

// CardOffline is the same for payments without a network.
type CardOffline struct {
	Enabled   *string `json:"enabled,omitempty" enum:"yes,no,campus"`
	PerTxFen  *int64  `json:"per_tx_fen,omitempty"`
	PerDayFen *int64  `json:"per_day_fen,omitempty"`
	MaxTx     *int64  `json:"max_tx,omitempty"`
}

type (
	openCardInput struct {
		Body struct {
			Person string      `json:"person" maxLength:"64" doc:"staff or student number"`
			Limits *CardLimits `json:"limits,omitempty"`
		}
	}
	openCardsInput struct {
		Body struct {
			Kind string `json:"kind,omitempty" enum:",staff,contract,worker,retired,student,resident,outside"`
			Unit string `json:"unit,omitempty" maxLength:"64" doc:"id; those below count as well"`
		}
	}
	changeCardInput struct {
		CardPath
		Body struct {
			Limits  *CardLimits  `json:"limits,omitempty"`
			Offline *CardOffline `json:"offline,omitempty"`
		}
	}
	reasonInput struct {
		CardPath
		Body struct {
			Reason string `json:"reason"`
		}
	}
	writeOffInput struct {
		CardPath
		Body struct {
			ID     string `json:"id" pattern:"^[0-9A-Za-z-]{8,64}$" doc:"made by the caller: the same again changes nothing"`
			Reason string `json:"reason"`
		}
	}
	openingInput struct {
		CardPath
		Body struct {
			AmountFen int64 `json:"amount_fen"`
		}
	}
	cardsInput struct {
		Q     string `query:"q" maxLength:"100" doc:"in number or name, or a whole account number"`
		State string `query:"state" enum:",active,lost,frozen,closed"`
		After string `query:"after" maxLength:"20" doc:"account of the last one of the page before"`
		Limit int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
	}
	cardSettingsInput struct{ Body cards.Terms }
)

type (
	cardsOutput struct {
		Body struct {
			Items []OfficeCard `json:"items"`
			Next  string       `json:"next" doc:"after= of the next page; empty = there is none"`
		}
	}
	openedOutput struct {
		Body struct {
			Opened int `json:"opened"`
		}
	}
	cardSettingsOutput struct{ Body cards.Terms }
)

func (a *API) cardOfficeRoutes() {
	office := func(method, path, id, text string, scope, also auth.Scope) route {
		return route{
			method: method, path: prefix + "/cards" + path, scope: scope, also: also, id: id, text: text,
			errors: []int{http.StatusNotFound, http.StatusConflict},
		}
	}
	read := func(path, id, text string) route { return office("GET", path, id, text, auth.Cards, auth.Finance) }
	add(a, read("", "list-cards", "校园卡列表 List the cards"), a.listCards)
	open := office("POST", "", "open-card", "开卡 Open a card for somebody", auth.Cards, "")
	open.status = http.StatusCreated
	add(a, open, a.openCard)
	add(a, office("POST", "/bulk", "open-cards", "批量开卡 Open cards for all of a kind or unit who have none", auth.Cards, ""), a.openCards)
	add(a, read("/settings", "card-settings", "校园卡默认限额 Limits of every card that has none of its own"), a.cardSettings)
	add(a, office("PUT", "/settings", "set-card-settings", "设置默认限额 Set them", auth.Finance, ""), a.setCardSettings)
	add(a, read("/{account}", "get-card", "校园卡详情 One card"), a.getCard)
	add(a, office("PATCH", "/{account}", "change-card", "修改限额 Set limits of one card", auth.Cards, ""), a.changeCard)
	add(a, read("/{account}/entries", "card-entries", "交易记录 What a card was used for, newest first"), a.officeEntries)
	add(a, read("/{account}/statement", "card-statement", "月结单 A month of a card"), a.officeStatement)
	type act = func(context.Context, string, uint64, string) (cards.Account, error)
	reset := func(ctx context.Context, actor string, account uint64, reason string) (cards.Account, error) {
		return a.Cards.ClearPassword(ctx, actor, account, reason, nil)
	}
	for _, r := range []struct {
		name, text string
		do         act
	}{
		{"loss", "挂失 Report a card lost", a.Cards.ReportLoss},
		{"lift", "解挂 A lost card was found", a.Cards.Lift},
		{"freeze", "冻结 Freeze a card", a.Cards.Freeze},
		{"unfreeze", "解冻 Unfreeze a card", a.Cards.Unfreeze},
		{"reissue", "补卡 Withdraw every credential of a card", a.Cards.Reissue},
		{"close", "销户 Close a card for good; its money has been paid out before", a.Cards.Close},
		{"password-reset", "清除卡密码 Take the card password away", reset},
	} {
		add(a, office("POST", "/{account}/"+r.name, r.name+"-card", r.text, auth.Cards, ""), a.cardAct(r.do))
	}
	add(a, office("POST", "/{account}/write-off", "write-off-card", "核销欠款 Write a debt off", auth.Finance, ""), a.writeOff)
	add(a, office("POST", "/{account}/opening", "card-opening", "转入原系统余额 Take a balance over from an older system, once", auth.Finance, ""), a.takeOver)
}

func (a *API) card(ctx context.Context, in CardPath) (cards.Account, error) {
	return a.Cards.ByDisplay(ctx, a.Store.Reader(), in.Account)
}

func (a *API) listCards(ctx context.Context, in *cardsInput) (*cardsOutput, error) {
	found, err := a.Cards.List(ctx, a.Store.Reader(), cards.Query{
		Text: in.Q, State: wire.CardState(in.State), After: in.After, Limit: in.Limit + 1,
	})
	if err != nil {
		return nil, err
	}
	out := &cardsOutput{}
	out.Body.Items = []OfficeCard{}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Body.Next = found[in.Limit-1].Display
	}
	for _, c := range found {
		body, err := a.officeBody(ctx, c)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, body)
	}
	return out, nil
}

func (a *API) openCard(ctx context.Context, in *openCardInput) (*officeCardOutput, error) {
	actor := caller(ctx).Actor
	c, err := a.Cards.Open(ctx, actor, in.Body.Person)
	if l := in.Body.Limits; err == nil && l != nil {
		c, err = a.Cards.Override(ctx, actor, c.Account, l.overrides(), false)
	}
	return a.officeCard(ctx, c, err)
}

func (l *CardLimits) overrides() cards.Overrides {
	if l == nil {
		return cards.Overrides{}
	}
	return cards.Overrides{PerTxFen: l.PerTxFen, PerMealFen: l.PerMealFen, PerDayFen: l.PerDayFen}
}

func (a *API) openCards(ctx context.Context, in *openCardsInput) (*openedOutput, error) {
	n, err := a.Cards.OpenAll(ctx, caller(ctx).Actor, people.Kind(in.Body.Kind), in.Body.Unit)
	out := &openedOutput{}
	out.Body.Opened = n
	return out, err
}

func (a *API) cardSettings(ctx context.Context, _ *struct{}) (*cardSettingsOutput, error) {
	v, err := a.Cards.Terms(ctx)
	return &cardSettingsOutput{v}, err
}

func (a *API) setCardSettings(ctx context.Context, in *cardSettingsInput) (*cardSettingsOutput, error) {
	if err := a.Cards.PutTerms(ctx, caller(ctx).Actor, in.Body); err != nil {
		return nil, err
	}
	return a.cardSettings(ctx, nil)
}

func (a *API) getCard(ctx context.Context, in *CardPath) (*officeCardOutput, error) {
	c, err := a.card(ctx, *in)
	return a.officeCard(ctx, c, err)
}

func (a *API) changeCard(ctx context.Context, in *changeCardInput) (*officeCardOutput, error) {
	c, err := a.card(ctx, in.CardPath)
	if err != nil {
		return nil, err
	}
	set, asCampus := in.Body.Limits.overrides(), false
	if o := in.Body.Offline; o != nil {
		set.OfflinePerTxFen, set.OfflinePerDayFen, set.OfflineMaxTx = o.PerTxFen, o.PerDayFen, o.MaxTx
		if o.Enabled != nil {
			on := *o.Enabled == "yes"
			set.Offline, asCampus = &on, *o.Enabled == "campus"
		}
	}
	c, err = a.Cards.Override(ctx, caller(ctx).Actor, c.Account, set, asCampus)
	return a.officeCard(ctx, c, err)
}

func (a *API) officeEntries(ctx context.Context, in *struct {
	CardPath
	EntriesQuery
},
) (*cardEntriesOutput, error) {
	c, err := a.card(ctx, in.CardPath)
	if err != nil {
		return nil, err
	}
	return a.cardEntries(ctx, c.Account, in.EntriesQuery)
}

func (a *API) officeStatement(ctx context.Context, in *struct {
	CardPath
	MonthQuery
},
) (*cardStatementOutput, error) {
	c, err := a.card(ctx, in.CardPath)
	if err != nil {
		return nil, err
	}
	return a.cardStatement(ctx, c.Account, in.Month)
}

// maxReason is the longest reason, in characters.
const maxReason = 200

// cardAct serves what the office does to a card for a reason.
func (a *API) cardAct(do func(context.Context, string, uint64, string) (cards.Account, error)) func(context.Context, *reasonInput) (*officeCardOutput, error) {
	return func(ctx context.Context, in *reasonInput) (*officeCardOutput, error) {
		c, err := a.card(ctx, in.CardPath)
		if err != nil {
			return nil, err
		}
		reason, err := people.CheckText("reason", in.Body.Reason, maxReason)
		if err == nil {
			c, err = do(ctx, caller(ctx).Actor, c.Account, reason)
		}
		return a.officeCard(ctx, c, err)
	}
}

func (a *API) writeOff(ctx context.Context, in *writeOffInput) (*officeCardOutput, error) {
	c, err := a.card(ctx, in.CardPath)
	if err != nil {
		return nil, err
	}
	reason, err := people.CheckText("reason", in.Body.Reason, maxReason)
	if err == nil {
		err = a.Cards.WriteOff(ctx, caller(ctx).Actor, c.Account, in.Body.ID, reason)
	}
	return a.officeCard(ctx, c, err)
}

func (a *API) takeOver(ctx context.Context, in *openingInput) (*officeCardOutput, error) {
	c, err := a.card(ctx, in.CardPath)
	if err == nil {
		err = a.Cards.TakeOver(ctx, caller(ctx).Actor, c.Account, in.Body.AmountFen)
	}
	return a.officeCard(ctx, c, err)
}
