package api

import (
	"context"
	"net/http"
	"time"

	"campusgate/server/auth"
	"campusgate/server/verify"
	"campusgate/signing/verdict"
)

// Look is what a guard sees of a pass on a phone.
type Look struct {
	Verdict   LookVerdict    `json:"verdict"`
	Pass      *LookPass      `json:"pass" required:"false" doc:"null when the code is not genuine"`
	Holder    *LookHolder    `json:"holder" required:"false" doc:"null when nobody here knows"`
	Gate      LookGate       `json:"gate" doc:"the guard's"`
	Decider   uint16         `json:"decider" doc:"gate that decides a counted pass; 0 = the server"`
	Documents []LookDocument `json:"documents" nullable:"true" doc:"that may be ticked; null where none is asked for"`
	Ticket    string         `json:"ticket" doc:"to admit with; empty when there is nothing to admit"`
	EventID   string         `json:"event_id" doc:"of the event that this made; empty when it made none"`
}

// LookVerdict is a verdict in words.
type LookVerdict struct {
	Reason string                  `json:"reason"`
	Kind   string                  `json:"kind" enum:"granted,denied,needs_input"`
	Need   string                  `json:"need" enum:",document,claim"`
	Rule   string                  `json:"rule,omitempty" doc:"of the guideline, by which documents admitted"`
	First  *Use                    `json:"first,omitempty"`
	Text   map[string]verdict.Text `json:"text" doc:"by language, zh and en"`
}

// LookPass is what the pass says.
type LookPass struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Doc4  string `json:"doc4"`
	From  string `json:"from" doc:"first day"`
	Until string `json:"until" doc:"last day"`
	Uses  uint32 `json:"uses" doc:"0 = unlimited"`
	Used  uint32 `json:"used"`
}

// LookHolder is who the pass belongs to.
type LookHolder struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Reason string `json:"reason" doc:"for which the pass was asked"`
}

// LookGate is a gate by number and name.
type LookGate struct {
	ID   uint16 `json:"id"`
	Name string `json:"name"`
}

// LookDocument is a kind of document.
type LookDocument struct {
	ID string `json:"id"`
	ZH string `json:"zh"`
	EN string `json:"en"`
}

type lookInput struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"2000" doc:"what stands after /V/, or the whole text of a code"`
	}
}

type admitInput struct {
	Body struct {
		Ticket    string   `json:"ticket" pattern:"^[0-9a-f]{32}$"`
		Documents []string `json:"documents,omitempty" maxItems:"20" doc:"kinds that were shown"`
	}
}

type lookOutput struct{ Body Look }

func (a *API) verifyRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/verify", scope: auth.Guard, id: "verify-code",
		text: "门卫查验通行码 A guard looks at a code", errors: []int{http.StatusConflict},
	}, a.look)
	add(a, route{
		method: http.MethodPost, path: prefix + "/verify/admit", scope: auth.Guard, id: "admit-code",
		text: "同意通行 A guard admits whoever was looked at", errors: []int{http.StatusConflict},
	}, a.admit)
}

// guard is who calls; a token is nobody, and no guard.
func (a *API) guard(ctx context.Context) (verify.Guard, error) {
	person, err := a.person(ctx)
	return verify.Guard{Person: person, Gate: caller(ctx).Gate}, err
}

func (a *API) look(ctx context.Context, in *lookInput) (*lookOutput, error) {
	g, err := a.guard(ctx)
	if err != nil {
		return nil, err
	}
	r, err := a.Verify.Look(ctx, g, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return &lookOutput{a.lookBody(r)}, nil
}

func (a *API) admit(ctx context.Context, in *admitInput) (*lookOutput, error) {
	g, err := a.guard(ctx)
	if err != nil {
		return nil, err
	}
	r, err := a.Verify.Admit(ctx, g, in.Body.Ticket, in.Body.Documents)
	if err != nil {
		return nil, err
	}
	return &lookOutput{a.lookBody(r)}, nil
}

func (a *API) lookBody(r verify.Result) Look {
	v := r.Verdict
	out := Look{
		Verdict: LookVerdict{
			Reason: v.Reason.String(), Kind: "denied", Need: string(v.Need), Rule: v.Rule, First: useBody(v.First), Text: map[string]verdict.Text{},
		},
		Gate: LookGate{r.Gate.ID, r.Gate.Name}, Decider: r.Decider, Ticket: r.Ticket,
	}
	switch {
	case v.Opens():
		out.Verdict.Kind = "granted"
	case v.Reason == verdict.NeedsInput:
		out.Verdict.Kind = "needs_input"
	}
	for _, lang := range []string{verdict.Chinese, verdict.English} {
		out.Verdict.Text[lang] = verdict.TextOfVerdict(v, lang)
	}
	if r.Event.Seq != 0 {
		out.EventID = r.Event.String()
	}
	if r.Kind == 0 {
		return out
	}
	day := func(seconds int64) string { return time.Unix(seconds, 0).In(a.Location).Format(time.DateOnly) }
	out.Pass = &LookPass{
		ID: r.ID.String(), Kind: r.Kind.String(), Name: r.Name, Doc4: r.Doc4, From: day(r.From), Until: day(r.Until - 1), Uses: r.Uses, Used: r.Used,
	}
	if h := r.Holder; h != (verify.Holder{}) {
		out.Holder = &LookHolder{h.Number, h.Name, h.Unit, h.Reason}
	}
	if r.Documents {
		out.Documents = mapped(r.Offered, func(d verdict.DocumentKind) LookDocument { return LookDocument{d.ID, d.Name.ZH, d.Name.EN} })
	}
	return out
}
