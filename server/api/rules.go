package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	rulebook "campusgate/server/rules"
	"campusgate/server/store"
	"campusgate/signing/verdict"
)

// Documents is the guideline of the gates.
type Documents struct {
	YAML string `json:"yaml" doc:"as written; configs/documents.yaml explains every key"`
}

// Register is a line of a register: somebody who left and came back, or who
// came and left.
type Register struct {
	Kind      string          `json:"kind" enum:"student,relative"`
	Person    string          `json:"person"`
	Number    string          `json:"number" doc:"of a student"`
	Relation  string          `json:"relation" doc:"of a relative, as the guideline names it"`
	Staff     string          `json:"staff" doc:"to whom the relative is related"`
	Began     *RegisterMoment `json:"began,omitempty" doc:"a student left, a relative came; absent where that is not on record"`
	Ended     *RegisterMoment `json:"ended,omitempty" doc:"absent = not yet"`
	Collected bool            `json:"collected" doc:"the paper stayed at the gate"`
}

// RegisterMoment is when and where.
type RegisterMoment struct {
	At    int64  `json:"at"`
	Gate  uint16 `json:"gate"`
	Guard string `json:"guard" doc:"number"`
	Event string `json:"event"`
}

type documentsOutput struct{ Body Documents }

type registersInput struct {
	ListQuery
	Kind string `query:"kind" enum:"student,relative"`
	Open string `query:"open" enum:"true,false" doc:"only those who are still out or in, or only the others"`
	Q    string `query:"q" maxLength:"100" doc:"in a name or number"`
}

func (a *API) ruleRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/documents", scope: auth.SettingsWrite, also: auth.Guard, id: "get-documents",
		text: "门岗证件规则 Which documents let whom in", errors: []int{http.StatusNotFound},
	}, a.getDocuments)
	add(a, route{
		method: http.MethodPut, path: prefix + "/documents", scope: auth.SettingsWrite, id: "put-documents", body: 2 * rulebook.MaxYAML,
		text: "修改门岗证件规则,立即发给每个校门 Change them at every gate; a fault names line and key, and changes nothing",
	}, a.putDocuments)
	add(a, route{
		method: http.MethodPut, path: prefix + "/people/{number}/pin", scope: auth.PeopleWrite, id: "set-pin", status: http.StatusNoContent,
		text: "设置门卫的值班口令 Set the PIN with which a guard begins a shift", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.setPIN)
	add(a, route{
		method: http.MethodGet, path: prefix + "/registers", scope: auth.EventsRead, id: "list-registers",
		text: "门岗登记:离校学生和教职工近亲属 The registers of the gates: students who left, relatives who came",
	}, a.listRegisters)
}

func (a *API) getDocuments(ctx context.Context, _ *struct{}) (*documentsOutput, error) {
	text, err := a.Rules.Text(ctx)
	return &documentsOutput{Documents{YAML: text}}, err
}

func (a *API) putDocuments(ctx context.Context, in *struct {
	Body struct {
		YAML string `json:"yaml" maxLength:"24576"`
	}
},
) (*documentsOutput, error) {
	if err := a.Rules.Put(ctx, caller(ctx).Actor, in.Body.YAML); err != nil {
		return nil, err
	}
	return a.getDocuments(ctx, nil)
}

func (a *API) setPIN(ctx context.Context, in *struct {
	Number string `path:"number" maxLength:"64"`
	Body   struct {
		PIN string `json:"pin" maxLength:"64" doc:"6 to 12 digits"`
	}
},
) (*struct{}, error) {
	by := overruling(ctx)
	err := a.People.Change(ctx, func(t *store.Tx) error { return a.overrules(t, by, in.Number) })
	if err != nil {
		return nil, err
	}
	return nil, a.Rules.SetPIN(ctx, by.Actor, in.Number, in.Body.PIN)
}

func (a *API) listRegisters(ctx context.Context, in *registersInput) (*pageOutput[Register], error) {
	q := rulebook.Query{Kind: verdict.RegisterKind(in.Kind), Text: in.Q}
	if in.Open != "" {
		open := in.Open == "true"
		q.Open = &open
	}
	all, err := a.Rules.Registers(ctx, q)
	if err != nil {
		return nil, err
	}
	from := min((in.Page-1)*in.Size, len(all))
	return pageOf(in.ListQuery, mapped(all[from:min(from+in.Size, len(all))], registerBody), len(all)), nil
}

func registerBody(e rulebook.Entry) Register {
	return Register{
		Kind: string(e.Kind), Person: e.Person, Number: e.Number, Relation: e.Relation, Staff: e.Staff,
		Began: registerMoment(e.Began), Ended: registerMoment(e.Ended), Collected: e.Collected,
	}
}

func registerMoment(m *rulebook.Moment) *RegisterMoment {
	if m == nil {
		return nil
	}
	return &RegisterMoment{At: m.At, Gate: m.Gate, Guard: m.Guard, Event: m.Event.String()}
}
