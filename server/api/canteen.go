package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/canteen"
	"campusgate/server/charges"
	"campusgate/signing/wire"
)

// Merchant is who sells at tills and is paid for it.
type Merchant struct {
	ID        int64    `json:"id"`
	Name      string   `json:"name"`
	Managers  []string `json:"managers" doc:"numbers of persons, who see and keep its tills"`
	Active    bool     `json:"active" doc:"else its tills get no money online"`
	CreatedAt int64    `json:"created_at"`
}

// MerchantRequest makes a merchant.
type MerchantRequest struct {
	Name     string   `json:"name"`
	Managers []string `json:"managers,omitempty" maxItems:"50" doc:"numbers of persons"`
}

// MerchantChange changes what is given.
type MerchantChange struct {
	Name     *string   `json:"name,omitempty"`
	Managers *[]string `json:"managers,omitempty" maxItems:"50"`
	Active   *bool     `json:"active,omitempty"`
}

// TillRules are the rules of a till. Amounts are fen; 0 = no limit.
type TillRules struct {
	Entry       wire.EntryMode    `json:"entry" enum:"amount,fixed,period,menu" doc:"that a new sale begins in"`
	FixedFen    int64             `json:"fixed_fen,omitempty"`
	Menu        []wire.MenuKey    `json:"menu,omitempty" doc:"keys 1 to 99"`
	Periods     []wire.MealPeriod `json:"periods,omitempty" doc:"in order of the day, not overlapping; minutes after campus midnight"`
	DayStart    int               `json:"day_start,omitempty" doc:"when a business day begins, minutes after campus midnight"`
	PinAboveFen int64             `json:"pin_above_fen,omitempty"`
	PerTxFen    int64             `json:"per_tx_fen,omitempty"`
	PerDayFen   int64             `json:"per_day_fen,omitempty" doc:"of one account, at this till"`
	PerMealFen  int64             `json:"per_meal_fen,omitempty"`
	PerMealTx   int               `json:"per_meal_tx,omitempty"`
	Offline     wire.OfflineCaps  `json:"offline" doc:"what it accepts without the server"`
}

func (r *TillRules) rules() *wire.Till {
	if r == nil {
		return nil
	}
	return &wire.Till{
		Entry: r.Entry, FixedFen: r.FixedFen, Menu: r.Menu, Periods: r.Periods, DayStart: r.DayStart, PinAboveFen: r.PinAboveFen,
		PerTxFen: r.PerTxFen, PerDayFen: r.PerDayFen, PerMealFen: r.PerMealFen, PerMealTx: r.PerMealTx, Offline: r.Offline,
	}
}

func rulesBody(t *wire.Till) TillRules {
	return TillRules{
		Entry: t.Entry, FixedFen: t.FixedFen, Menu: t.Menu, Periods: t.Periods, DayStart: t.DayStart, PinAboveFen: t.PinAboveFen,
		PerTxFen: t.PerTxFen, PerDayFen: t.PerDayFen, PerMealFen: t.PerMealFen, PerMealTx: t.PerMealTx, Offline: t.Offline,
	}
}

// Till is a till with its rules and the state of its program.
type Till struct {
	ID           uint16     `json:"id" doc:"a number as gates have; POST /tills/{id}/enrolments makes its code"`
	Name         string     `json:"name"`
	Zone         int        `json:"zone"`
	Place        string     `json:"place"`
	Merchant     int64      `json:"merchant"`
	MerchantName string     `json:"merchant_name"`
	Version      int64      `json:"version" doc:"of the rules; rises with every change"`
	Rules        TillRules  `json:"rules"`
	Agent        *Agent     `json:"agent,omitempty" doc:"absent = never enrolled; live.queue is its backlog, live.offset_ms its drift"`
	LastBatch    *TillBatch `json:"last_batch,omitempty"`
}

// TillBatch is a batch of a till, by its own report and by ours.
type TillBatch struct {
	Number    uint32 `json:"number"`
	OpenedAt  int64  `json:"opened_at,omitempty"`
	ClosedAt  int64  `json:"closed_at,omitempty" doc:"absent = open; then there are no totals yet"`
	Charges   int    `json:"charges"`
	Voids     int    `json:"voids"`
	TotalFen  int64  `json:"total_fen"`
	ServerFen int64  `json:"server_fen" doc:"what its records come to here"`
}

// TillRequest makes a till.
type TillRequest struct {
	Name     string    `json:"name"`
	Zone     int       `json:"zone,omitempty" minimum:"1" maximum:"32" default:"1"`
	Place    string    `json:"place,omitempty"`
	Merchant int64     `json:"merchant" minimum:"1"`
	Rules    TillRules `json:"rules"`
}

// TillChange changes what is given; rules as a whole.
type TillChange struct {
	Name     *string    `json:"name,omitempty"`
	Zone     *int       `json:"zone,omitempty" minimum:"1" maximum:"32"`
	Place    *string    `json:"place,omitempty"`
	Merchant *int64     `json:"merchant,omitempty" minimum:"1"`
	Rules    *TillRules `json:"rules,omitempty"`
}

type (
	merchantOutput struct{ Body Merchant }
	tillOutput     struct{ Body Till }
)

type merchantsOutput struct {
	Body struct {
		Merchants []Merchant `json:"merchants"`
	}
}

type tillsOutput struct {
	Body struct {
		Tills []Till `json:"tills"`
	}
}

type tillsInput struct {
	Merchant int64 `query:"merchant" minimum:"0" doc:"0 = all"`
}

func (a *API) canteenRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/merchants", scope: auth.Canteen, also: auth.Finance, id: "list-merchants",
		text: "商户列表(自己管理的,财务看全部) The merchants that one manages; finance sees all",
	}, a.listMerchants)
	add(a, route{
		method: http.MethodPost, path: prefix + "/merchants", scope: auth.Finance, id: "create-merchant",
		text: "新建商户 Make a merchant", status: http.StatusCreated, errors: []int{http.StatusConflict},
	}, a.createMerchant)
	add(a, route{
		method: http.MethodPatch, path: prefix + "/merchants/{id}", scope: auth.Finance, id: "change-merchant",
		text: "修改商户 Change a merchant", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changeMerchant)
	add(a, route{
		method: http.MethodGet, path: prefix + "/tills", scope: auth.Canteen, also: auth.Finance, id: "list-tills",
		text: "收银点列表 The tills, with the state of their programs",
	}, a.listTills)
	add(a, route{
		method: http.MethodPost, path: prefix + "/tills", scope: auth.Finance, id: "create-till", body: 256 << 10,
		text: "新建收银点 Make a till", status: http.StatusCreated, errors: []int{http.StatusConflict},
	}, a.createTill)
	add(a, route{
		method: http.MethodPatch, path: prefix + "/tills/{id}", scope: auth.Canteen, also: auth.Finance, id: "change-till", body: 256 << 10,
		text:   "修改收银点;收费规则整体替换并下发 Change a till; its rules are replaced as a whole and sent to it",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changeTill)
	add(a, route{
		method: http.MethodPost, path: prefix + "/tills/{id}/enrolments", scope: auth.Canteen, also: auth.Finance, id: "create-till-enrolment",
		text:   "生成收银点登记码 Make a one-time code for a till's agent; a merchant's manager does for their own tills",
		status: http.StatusCreated, errors: []int{http.StatusNotFound},
	}, a.createTillEnrolment)
}

// createTillEnrolment answers as though there were no till where the caller sees
// none, which every gate is to this route.
func (a *API) createTillEnrolment(ctx context.Context, in *GatePath) (*enrolmentOutput, error) {
	if _, err := a.Canteen.Till(ctx, a.Store.Reader(), sight(ctx), in.ID); err != nil {
		return nil, err
	}
	return a.createEnrolment(ctx, in)
}

// sight is whose merchants the caller sees.
func sight(ctx context.Context) canteen.Sight {
	who := caller(ctx)
	return canteen.Sight{All: who.May(auth.Finance), Person: who.Person}
}

func merchantBody(m canteen.Merchant) Merchant { return Merchant(m) }

func (a *API) listMerchants(ctx context.Context, _ *struct{}) (*merchantsOutput, error) {
	all, err := a.Canteen.Merchants(ctx, a.Store.Reader(), sight(ctx))
	if err != nil {
		return nil, err
	}
	out := &merchantsOutput{}
	out.Body.Merchants = mapped(all, merchantBody)
	return out, nil
}

func (a *API) createMerchant(ctx context.Context, in *struct{ Body MerchantRequest }) (*merchantOutput, error) {
	m, err := a.Canteen.AddMerchant(ctx, caller(ctx).Actor, canteen.Merchant{Name: in.Body.Name, Managers: in.Body.Managers})
	if err != nil {
		return nil, err
	}
	return &merchantOutput{merchantBody(m)}, nil
}

func (a *API) changeMerchant(ctx context.Context, in *struct {
	ID   int64 `path:"id" minimum:"1"`
	Body MerchantChange
},
) (*merchantOutput, error) {
	m, err := a.Canteen.ChangeMerchant(ctx, caller(ctx).Actor, in.ID, canteen.MerchantChange(in.Body))
	if err != nil {
		return nil, err
	}
	return &merchantOutput{merchantBody(m)}, nil
}

func (a *API) listTills(ctx context.Context, in *tillsInput) (*tillsOutput, error) {
	tills, err := a.Canteen.Tills(ctx, a.Store.Reader(), sight(ctx), in.Merchant)
	if err != nil {
		return nil, err
	}
	more, err := a.aroundTills(ctx)
	if err != nil {
		return nil, err
	}
	out := &tillsOutput{}
	out.Body.Tills = mapped(tills, more.body)
	return out, nil
}

// tillNews is what is known of tills beside their own rows.
type tillNews struct {
	agents  map[uint16]Agent
	batches map[uint16]charges.Batch
}

func (a *API) aroundTills(ctx context.Context) (n tillNews, err error) {
	agents, err := a.Store.Agents(ctx)
	if err != nil {
		return n, err
	}
	n.agents = map[uint16]Agent{}
	live := a.Hub.States()
	for _, g := range agents {
		n.agents[g.Gate] = a.agentBody(g, live)
	}
	n.batches, err = a.Charges.LastBatches(ctx)
	return n, err
}

func (n tillNews) body(t canteen.Till) Till {
	out := Till{
		ID: t.Gate, Name: t.Name, Zone: t.Zone, Place: t.Place, Merchant: t.Merchant, MerchantName: t.MerchantName, Version: t.Version,
		Rules: rulesBody(&t.Rules),
	}
	if agent, enrolled := n.agents[t.Gate]; enrolled {
		out.Agent = &agent
	}
	if b, any := n.batches[t.Gate]; any {
		last := TillBatch(b)
		out.LastBatch = &last
	}
	return out
}

func (a *API) tillAnswer(ctx context.Context, t canteen.Till) (*tillOutput, error) {
	more, err := a.aroundTills(ctx)
	if err != nil {
		return nil, err
	}
	return &tillOutput{more.body(t)}, nil
}

func (a *API) createTill(ctx context.Context, in *struct{ Body TillRequest }) (*tillOutput, error) {
	b := &in.Body
	t, err := a.Canteen.AddTill(ctx, caller(ctx).Actor, canteen.Till{
		Name: b.Name, Zone: b.Zone, Place: b.Place, Merchant: b.Merchant, Rules: *b.Rules.rules(),
	})
	if err != nil {
		return nil, err
	}
	return a.tillAnswer(ctx, t)
}

func (a *API) changeTill(ctx context.Context, in *struct {
	GatePath
	Body TillChange
},
) (*tillOutput, error) {
	b := &in.Body
	t, err := a.Canteen.ChangeTill(ctx, caller(ctx).Actor, sight(ctx), in.ID, canteen.TillChange{
		Name: b.Name, Zone: b.Zone, Place: b.Place, Merchant: b.Merchant, Rules: b.Rules.rules(),
	})
	if err != nil {
		return nil, err
	}
	return a.tillAnswer(ctx, t)
}
