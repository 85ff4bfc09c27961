package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/call"
)

// HelpCall is somebody who called for help at a gate where nobody stands.
type HelpCall struct {
	ID           string `json:"id"`
	Gate         uint16 `json:"gate"`
	GateName     string `json:"gate_name"`
	Lane         string `json:"lane"`
	Reason       string `json:"reason" enum:"help,document"`
	At           int64  `json:"at"`
	State        string `json:"state" enum:"calling,ringing,coming,admitted,refused,missed,cancelled,over" doc:"the first three are open"`
	AnsweredGate uint16 `json:"answered_gate,omitempty"`
	AnsweredName string `json:"answered_gate_name,omitempty"`
	Guard        string `json:"guard,omitempty" doc:"number of who answered"`
	AnsweredAt   int64  `json:"answered_at,omitempty"`
	EndedAt      int64  `json:"ended_at,omitempty"`
	Verdict      string `json:"verdict,omitempty" doc:"of the scan that was settled"`
}

// CallAnswers says who answers the calls of a gate.
type CallAnswers struct {
	AnsweredBy []uint16 `json:"answered_by" maxItems:"64" doc:"gate numbers; none = all gates of the same zone"`
}

type callsOutput struct {
	Body struct {
		Calls []HelpCall `json:"calls"`
	}
}

type callAnswersOutput struct{ Body CallAnswers }

func (a *API) callRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/calls", scope: auth.EventsRead, id: "list-calls",
		text: "求助呼叫,新的在前 Calls for help, newest first",
	}, a.listCalls)
	add(a, route{
		method: http.MethodGet, path: prefix + "/gates/{id}/calls", scope: auth.GatesRead, id: "get-call-answers",
		text: "由哪些校门接听本门的呼叫 Which gates answer the calls of a gate", errors: []int{http.StatusNotFound},
	}, a.callAnswers)
	add(a, route{
		method: http.MethodPut, path: prefix + "/gates/{id}/calls", scope: auth.GatesWrite, id: "put-call-answers",
		text:   "设定由哪些校门接听本门的呼叫 Name the gates that answer the calls of a gate",
		errors: []int{http.StatusNotFound},
	}, a.setCallAnswers)
}

func (a *API) listCalls(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
},
) (*callsOutput, error) {
	list, err := a.Calls.List(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	gates, err := a.Store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	names := map[uint16]string{}
	for _, g := range gates {
		names[g.ID] = g.Name
	}
	out := &callsOutput{}
	out.Body.Calls = mapped(list, func(c call.Call) HelpCall {
		return HelpCall{
			ID: c.ID, Gate: c.Gate, GateName: names[c.Gate], Lane: c.Lane, Reason: string(c.Reason), At: c.At, State: string(c.State),
			AnsweredGate: c.AnsweredGate, AnsweredName: names[c.AnsweredGate], Guard: c.Guard,
			AnsweredAt: c.AnsweredAt, EndedAt: c.EndedAt, Verdict: c.Verdict,
		}
	})
	return out, nil
}

func (a *API) callAnswers(ctx context.Context, in *GatePath) (*callAnswersOutput, error) {
	if _, err := a.Store.Gate(ctx, in.ID); err != nil {
		return nil, err
	}
	by, err := a.Calls.Answers(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &callAnswersOutput{CallAnswers{AnsweredBy: by}}, nil
}

func (a *API) setCallAnswers(ctx context.Context, in *struct {
	GatePath
	Body CallAnswers
},
) (*callAnswersOutput, error) {
	if err := a.Calls.SetAnswers(ctx, caller(ctx).Actor, in.ID, in.Body.AnsweredBy); err != nil {
		return nil, err
	}
	return a.callAnswers(ctx, &in.GatePath)
}
