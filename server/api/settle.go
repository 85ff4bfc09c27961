package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/settle"
	"campusgate/server/store"
)

// DayPath names a business day. It is exported for the HTTP library, which looks
// into no other embedded struct.
type DayPath struct {
	Day string `path:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"business day"`
	address
}

type reportOutput struct{ Body *settle.DayReport }

type closeInput struct {
	DayPath
}

type waiveInput struct {
	DayPath
	Body struct {
		settle.Journal
		From   uint64 `json:"from" minimum:"1"`
		To     uint64 `json:"to" minimum:"1"`
		Reason string `json:"reason" minLength:"2" maxLength:"400" doc:"in your own words; it is kept with your name"`
	}
}

type acceptInput struct {
	DayPath
	Body struct {
		What   string `json:"what" enum:"till,merchant,batch"`
		Ref    string `json:"ref" maxLength:"64"`
		Reason string `json:"reason" minLength:"2" maxLength:"400" doc:"in your own words; it is kept with your name"`
	}
}

type refundInput struct {
	Body struct {
		ID     string `json:"id" minLength:"8" maxLength:"64" pattern:"^[A-Za-z0-9-]+$" doc:"made by the caller: the same again changes nothing"`
		Charge string `json:"charge" maxLength:"64" doc:"record, agent-epoch-seq"`
		Fen    int64  `json:"amount_fen" minimum:"1"`
		Reason string `json:"reason" minLength:"2" maxLength:"400"`
	}
}

type payInput struct {
	Body struct {
		ID       string `json:"id" minLength:"8" maxLength:"64" pattern:"^[A-Za-z0-9-]+$" doc:"made by the caller: the same again changes nothing"`
		Merchant int64  `json:"merchant"`
		Day      string `json:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"closed; up to and with it"`
	}
}

type statementInput struct {
	ID   int64  `path:"id"`
	From string `query:"from" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
	To   string `query:"to" required:"true" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
	address
}

type decideInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Decision cards.DisputeState `json:"decision" enum:"merchant,holder,dismiss" doc:"in whose favour; dismiss: the campus bears what is in suspense"`
		Text     string             `json:"text" minLength:"2" maxLength:"400"`
	}
	address
}

// Debtor is a card that owes.
type Debtor struct {
	Account string `json:"account"`
	settle.Debtor
}

// Disputed is a charge that waits, or waited, for a person's word.
type Disputed struct {
	ID        int64              `json:"id"`
	Account   string             `json:"account"`
	Transfer  string             `json:"transfer"`
	Kind      string             `json:"kind" doc:"holder, or what the server found: second_use"`
	AmountFen int64              `json:"amount_fen"`
	Text      string             `json:"text"`
	OpenedAt  int64              `json:"opened_at"`
	State     cards.DisputeState `json:"state"`
	DecidedAt int64              `json:"decided_at,omitempty"`
	DecidedBy string             `json:"decided_by,omitempty"`
	Decision  string             `json:"decision,omitempty" doc:"in words"`
}

func (a *API) disputed(ctx context.Context, d settle.Dispute) (Disputed, error) {
	number, err := a.cardNumber(ctx, d.Account)
	return Disputed{d.ID, number, d.Transfer, d.Kind, d.Fen, d.Text, d.OpenedAt, d.State, d.DecidedAt, d.DecidedBy, d.Decision}, err
}

// cardNumber is the number that people know an account by; "" = there is none.
func (a *API) cardNumber(ctx context.Context, account uint64) (string, error) {
	c, err := a.Cards.Find(ctx, a.Store.Reader(), account)
	if errors.Is(err, cards.ErrNoCard) {
		return "", nil // a till can report a card that was never opened here
	}
	return c.Display, err
}

// Proof is what a proof of the whole ledger found.
type Proof struct {
	At        int64     `json:"at"`
	Sound     bool      `json:"sound"`
	Transfers int64     `json:"transfers"`
	Postings  int64     `json:"postings"`
	Accounts  int64     `json:"accounts"`
	SumFen    int64     `json:"sum_fen" doc:"of all balances: zero"`
	FaultsAll int64     `json:"faults_all"`
	Faults    []Unsound `json:"faults" doc:"the first of them"`
}

// Unsound is something that a sound ledger has not.
type Unsound struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

func proofOf(r ledger.Report) *proofOutput {
	p := Proof{r.At, r.Sound(), r.Transfers, r.Postings, r.Accounts, r.SumFen, r.FaultsAll, []Unsound{}}
	for _, f := range r.Faults {
		p.Faults = append(p.Faults, Unsound(f))
	}
	return &proofOutput{p}
}

type proofOutput struct{ Body Proof }

func (a *API) settleRoutes() {
	a.suspenseRoute()
	add(a, route{
		method: http.MethodGet, path: prefix + "/days", scope: auth.Finance, id: "list-days",
		text: "营业日 Business days, newest first",
	}, a.listDays)
	add(a, route{
		method: http.MethodGet, path: prefix + "/days/{day}", scope: auth.Finance, id: "get-day",
		text: "营业日对账 Totals, batches, missing numbers and differences of a day",
	}, a.getDay)
	add(a, route{
		method: http.MethodPost, path: prefix + "/days/{day}/close", scope: auth.Finance, id: "close-day",
		text: "日结 Close a day; refused while numbers are missing or sums differ", errors: []int{http.StatusConflict},
	}, a.closeDay)
	add(a, route{
		method: http.MethodPost, path: prefix + "/days/{day}/waivers", scope: auth.Finance, id: "waive-gap", status: http.StatusCreated,
		text: "缺号放行 Answer for numbers that are missing", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.waive)
	add(a, route{
		method: http.MethodPost, path: prefix + "/days/{day}/differences", scope: auth.Finance, id: "accept-difference",
		text: "差异认领 Answer for a difference", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.accept)
	for _, format := range []settle.Format{settle.CSV, settle.XLSX} {
		media := map[settle.Format]string{settle.CSV: csvType, settle.XLSX: xlsxType}[format]
		add(a, route{
			method: http.MethodGet, path: prefix + "/days/{day}/export." + string(format), scope: auth.Finance, id: "export-day-" + string(format),
			text: "导出当日流水 Every record that is settled with a day, as a file", media: media,
		}, func(ctx context.Context, in *closeInput) (*huma.StreamResponse, error) {
			return a.file(in.Day, format, func(w io.Writer) error {
				return a.Settle.ExportDay(ctx, caller(ctx).Actor, in.Day, format, w)
			})
		})
		add(a, route{
			method: http.MethodGet, path: prefix + "/merchants/{id}/statement." + string(format), scope: auth.Finance,
			id: "export-statement-" + string(format), text: "导出商户对账单 A merchant's statement, as a file", media: media,
			errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *statementInput) (*huma.StreamResponse, error) {
			return a.file(fmt.Sprintf("merchant-%d-%s-%s", in.ID, in.From, in.To), format, func(w io.Writer) error {
				return a.Settle.ExportStatement(ctx, caller(ctx).Actor, in.ID, in.From, in.To, format, w)
			})
		})
	}
	add(a, route{
		method: http.MethodGet, path: prefix + "/merchants/{id}/statement", scope: auth.Finance, also: auth.Canteen, id: "get-statement",
		text: "商户对账单 What a merchant took and was paid on closed days; managers see their own", errors: []int{http.StatusNotFound},
	}, a.statement)
	add(a, route{
		method: http.MethodPost, path: prefix + "/refunds", scope: auth.Finance, id: "make-refund", status: http.StatusCreated,
		text: "退款 Give back money of a charge", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.refund)
	add(a, route{
		method: http.MethodGet, path: prefix + "/days/{day}/refunds", scope: auth.Finance, id: "list-refunds",
		text: "当日退款 Refunds that are settled with a day",
	}, a.listRefunds)
	add(a, route{
		method: http.MethodPost, path: prefix + "/settlements", scope: auth.Finance, id: "pay-merchant", status: http.StatusCreated,
		text: "商户结算 Record that a merchant was paid what it is owed up to a closed day", errors: []int{http.StatusConflict},
	}, a.pay)
	add(a, route{
		method: http.MethodGet, path: prefix + "/disputes", scope: auth.Cards, also: auth.Finance, id: "list-disputes",
		text: "争议 Charges that wait for a person's word, oldest first",
	}, a.listDisputes)
	add(a, route{
		method: http.MethodPost, path: prefix + "/disputes/{id}/resolve", scope: auth.Finance, id: "resolve-dispute",
		text: "争议裁定 Decide who bears a charge", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.decide)
	add(a, route{
		method: http.MethodGet, path: prefix + "/debts", scope: auth.Cards, also: auth.Finance, id: "list-debts",
		text: "欠款 Cards that owe, the largest debt first",
	}, a.listDebts)
	add(a, route{
		method: http.MethodGet, path: prefix + "/ledger/proof", scope: auth.Finance, id: "get-proof",
		text: "账本核对结果 The last proof of the whole ledger", errors: []int{http.StatusNotFound},
	}, a.lastProof)
	add(a, route{
		method: http.MethodPost, path: prefix + "/ledger/proof", scope: auth.Finance, id: "prove-ledger",
		text: "核对账本 Prove the whole ledger now",
	}, a.prove)
}

func (a *API) listDays(ctx context.Context, _ *struct{}) (*itemsOutput[settle.BusinessDay], error) {
	days, err := a.Settle.Days(ctx, 400)
	return whole(days), err
}

func (a *API) getDay(ctx context.Context, in *closeInput) (*reportOutput, error) {
	r, err := a.Settle.Report(ctx, in.Day)
	return &reportOutput{r}, err
}

func (a *API) closeDay(ctx context.Context, in *closeInput) (*reportOutput, error) {
	r, err := a.Settle.Close(ctx, caller(ctx).Actor, in.Day)
	return &reportOutput{r}, err
}

func (a *API) waive(ctx context.Context, in *waiveInput) (*struct{ Body settle.Gap }, error) {
	gap, err := a.Settle.Waive(ctx, caller(ctx).Actor, in.Day,
		settle.Gap{Journal: in.Body.Journal, From: in.Body.From, To: in.Body.To}, in.Body.Reason)
	return &struct{ Body settle.Gap }{gap}, err
}

func (a *API) accept(ctx context.Context, in *acceptInput) (*reportOutput, error) {
	r, err := a.Settle.Accept(ctx, caller(ctx).Actor, in.Day, in.Body.What, in.Body.Ref, in.Body.Reason)
	return &reportOutput{r}, err
}

func (a *API) refund(ctx context.Context, in *refundInput) (*struct{ Body settle.Refund }, error) {
	r, err := a.Settle.Refund(ctx, caller(ctx).Actor, settle.Refund{
		ID: in.Body.ID, Charge: in.Body.Charge, Fen: in.Body.Fen, Reason: in.Body.Reason,
	})
	return &struct{ Body settle.Refund }{r}, err
}

func (a *API) listRefunds(ctx context.Context, in *closeInput) (*itemsOutput[settle.Refund], error) {
	list, err := a.Settle.Refunds(ctx, in.Day)
	return whole(list), err
}

func (a *API) pay(ctx context.Context, in *payInput) (*struct{ Body settle.MerchantPayment }, error) {
	p, err := a.Settle.Pay(ctx, caller(ctx).Actor, in.Body.ID, in.Body.Merchant, in.Body.Day)
	return &struct{ Body settle.MerchantPayment }{p}, err
}

func (a *API) statement(ctx context.Context, in *statementInput) (*struct{ Body *settle.MerchantStatement }, error) {
	mine, err := a.Canteen.Merchants(ctx, a.Store.Reader(), sight(ctx))
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(mine, func(m canteen.Merchant) bool { return m.ID == in.ID }) {
		return nil, fmt.Errorf("%w: merchant %d", store.ErrNotFound, in.ID)
	}
	s, err := a.Settle.Statement(ctx, in.ID, in.From, in.To)
	return &struct{ Body *settle.MerchantStatement }{s}, err
}

func (a *API) listDisputes(ctx context.Context, in *struct {
	State string `query:"state" enum:",open,merchant,holder,dismiss"`
	After int64  `query:"after" minimum:"0"`
},
) (*itemsOutput[Disputed], error) {
	list, err := a.Settle.Disputes(ctx, cards.DisputeState(in.State), in.After, 500)
	if err != nil {
		return nil, err
	}
	items := make([]Disputed, len(list))
	for i, d := range list {
		if items[i], err = a.disputed(ctx, d); err != nil {
			return nil, err
		}
	}
	return whole(items), nil
}

func (a *API) decide(ctx context.Context, in *decideInput) (*struct{ Body Disputed }, error) {
	d, err := a.Settle.Resolve(ctx, caller(ctx).Actor, in.ID, in.Body.Decision, in.Body.Text)
	if err != nil {
		return nil, err
	}
	body, err := a.disputed(ctx, d)
	return &struct{ Body Disputed }{body}, err
}

func (a *API) listDebts(ctx context.Context, _ *struct{}) (*itemsOutput[Debtor], error) {
	list, err := a.Settle.Debts(ctx, 1000)
	if err != nil {
		return nil, err
	}
	items := make([]Debtor, len(list))
	for i, d := range list {
		items[i].Debtor = d
		if items[i].Account, err = a.cardNumber(ctx, d.Account); err != nil {
			return nil, err
		}
	}
	return whole(items), nil
}

// file answers with what write writes: all of it, or a problem.
func (a *API) file(name string, format settle.Format, write func(io.Writer) error) (*huma.StreamResponse, error) {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		return nil, err
	}
	kind := xlsxType
	if format == settle.CSV {
		kind = csvType + "; charset=utf-8"
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", kind)
		hc.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + "." + string(format)}))
		if _, err := body.WriteTo(hc.BodyWriter()); err != nil {
			a.Log.Debug("export not read to its end", "err", err)
		}
	}}, nil
}

func (a *API) lastProof(ctx context.Context, _ *struct{}) (*proofOutput, error) {
	r, found, err := a.Ledger.LastProof(ctx, a.Store.Reader())
	if err == nil && !found {
		err = fmt.Errorf("%w: the ledger was never proved", store.ErrNotFound)
	}
	return proofOf(r), err
}

func (a *API) prove(ctx context.Context, _ *struct{}) (*proofOutput, error) {
	r, err := a.Ledger.Prove(ctx)
	return proofOf(r), err
}
