package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/paper"
	"campusgate/server/people"
)

// DeskNow is a desk, and whether it is open.
type DeskNow struct {
	paper.Desk
	Open bool `json:"open" readOnly:"true" doc:"now"`
}

// Paper is a pass on paper.
type Paper struct {
	Number     string   `json:"number"`
	Desk       string   `json:"desk"`
	Household  int64    `json:"household,omitempty"`
	Person     string   `json:"person,omitempty"`
	Name       string   `json:"name"`
	Doc4       string   `json:"doc4"`
	Address    string   `json:"address"`
	Documents  []string `json:"documents"`
	Note       string   `json:"note"`
	State      string   `json:"state" enum:"issued,returned,lost"`
	From       string   `json:"from" doc:"first day"`
	Until      string   `json:"until" doc:"last day"`
	IssuedBy   string   `json:"issued_by"`
	IssuedAt   int64    `json:"issued_at"`
	ReturnedBy string   `json:"returned_by,omitempty"`
	ReturnedAt int64    `json:"returned_at,omitempty"`
	LostBy     string   `json:"lost_by,omitempty"`
	LostAt     int64    `json:"lost_at,omitempty"`
	Pass       Pass     `json:"pass"`
}

// PaperRequest asks for one.
type PaperRequest struct {
	Desk      string   `json:"desk"`
	Household int64    `json:"household,omitempty" doc:"household or person, or both"`
	Person    string   `json:"person,omitempty" doc:"number of somebody who has retired"`
	Name      string   `json:"name,omitempty" maxLength:"48" doc:"absent = the person's, or the head of household's"`
	Doc4      string   `json:"doc4,omitempty" maxLength:"16" doc:"last four characters of the document"`
	Until     string   `json:"until,omitempty" doc:"last day; absent = 30 days"`
	Documents []string `json:"documents" maxItems:"20" doc:"that were shown"`
	Note      string   `json:"note,omitempty" maxLength:"1000"`
}

type desksOutput struct {
	Body struct {
		Items     []DeskNow         `json:"items"`
		Documents map[string]string `json:"documents" doc:"kinds that a desk can ask for, with their names"`
	}
}

type desksInput struct {
	Body struct {
		Items []paper.Desk `json:"items" maxItems:"50"`
	}
}

type paperInput struct {
	Body PaperRequest
	address
}

// PaperPath names a paper pass in an address.
type PaperPath struct {
	Number string `path:"number" pattern:"^P[0-9]{8}-[0-9]{4,6}$"`
	address
}

type paperOutput struct{ Body Paper }

type papersInput struct {
	ListQuery
	Q     string `query:"q" maxLength:"100" doc:"in the number, name or address"`
	State string `query:"state" enum:",issued,returned,lost"`
	address
}

func (a *API) paperRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/desks", scope: auth.Self, id: "list-desks", text: "纸质通行证窗口 Desks that hand out paper passes",
	}, func(ctx context.Context, _ *struct{}) (*desksOutput, error) { return a.desks(ctx) })
	add(a, route{
		method: http.MethodPut, path: prefix + "/desks", scope: auth.SettingsWrite, id: "set-desks", text: "设置窗口 Write down all desks anew",
	}, func(ctx context.Context, in *desksInput) (*desksOutput, error) {
		if err := a.Papers.SetDesks(ctx, caller(ctx).Actor, in.Body.Items); err != nil {
			return nil, err
		}
		return a.desks(ctx)
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/papers", scope: auth.Desk, id: "issue-paper", status: http.StatusCreated,
		text: "发放纸质通行证 Hand out a paper pass", errors: []int{http.StatusConflict},
	}, a.issuePaper)
	add(a, route{
		method: http.MethodGet, path: prefix + "/papers", scope: auth.Desk, id: "list-papers", text: "纸质通行证 Paper passes, newest first",
	}, a.listPapers)
	add(a, route{
		method: http.MethodGet, path: prefix + "/papers/{number}", scope: auth.Desk, id: "get-paper", text: "查看纸质通行证 Look at a paper pass",
		errors: []int{http.StatusNotFound},
	}, a.paper)
	add(a, route{
		method: http.MethodPost, path: prefix + "/papers/{number}/return", scope: auth.Desk, id: "return-paper",
		text: "收回纸质通行证 Take a paper pass back", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PaperPath) (*paperOutput, error) {
		if err := a.Papers.Return(ctx, caller(ctx).Actor, in.Number); err != nil {
			return nil, err
		}
		return a.paper(ctx, in)
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/papers/{number}/lost", scope: auth.Desk, id: "lose-paper",
		text: "挂失纸质通行证 Report a paper pass lost", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PaperPath) (*paperOutput, error) {
		if err := a.Papers.Lose(ctx, caller(ctx).Actor, in.Number); err != nil {
			return nil, err
		}
		return a.paper(ctx, in)
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/papers/{number}/qr.png", scope: auth.Desk, id: "get-paper-qr", media: "image/png",
		text: "纸质通行证的二维码 The code for the sheet", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *PaperPath) (*pngOutput, error) {
		p, err := a.Papers.Find(ctx, a.Store.Reader(), in.Number)
		if err != nil {
			return nil, err
		}
		return a.passQR(ctx, &qrInput{PassPath: PassPath{ID: p.Pass.String()}, Scale: 8})
	})
}

func (a *API) desks(ctx context.Context) (*desksOutput, error) {
	desks, err := a.Papers.Desks(ctx, a.Store.Reader())
	if err != nil {
		return nil, err
	}
	out := &desksOutput{}
	out.Body.Items = mapped(desks, func(d paper.Desk) DeskNow { return DeskNow{Desk: d, Open: a.Papers.Open(d)} })
	out.Body.Documents = map[string]string{}
	for id, names := range paper.Documents {
		out.Body.Documents[id] = names[0] + " " + names[1]
	}
	return out, nil
}

// clerk says at which desks a caller works: a token and an administrator at
// all of them.
func clerk(c auth.Caller) paper.Clerk {
	out := paper.Clerk{Actor: c.Actor}
	if c.Person == "" || c.May(auth.Admin) {
		out.Units = []string{""}
	}
	for _, p := range c.Posts {
		if p.Role == people.Desk {
			out.Units = append(out.Units, p.Unit)
		}
	}
	return out
}

func (a *API) issuePaper(ctx context.Context, in *paperInput) (*paperOutput, error) {
	b := in.Body
	p, refusal, err := a.Papers.Issue(ctx, clerk(caller(ctx)), paper.Request{
		Desk: b.Desk, Household: b.Household, Person: b.Person, Name: b.Name, Doc4: b.Doc4, Until: b.Until, Documents: b.Documents, Note: b.Note,
	})
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refused(ctx, refusal)
	}
	return a.paper(ctx, &PaperPath{Number: p.Number, address: in.address})
}

func (a *API) paper(ctx context.Context, in *PaperPath) (*paperOutput, error) {
	p, err := a.Papers.Find(ctx, a.Store.Reader(), in.Number)
	if err != nil {
		return nil, err
	}
	body, err := a.paperBody(ctx, p, in.address)
	return &paperOutput{body}, err
}

func (a *API) paperBody(ctx context.Context, p paper.Paper, at address) (Paper, error) {
	pass, err := a.Store.Pass(ctx, p.Pass)
	if err != nil {
		return Paper{}, err
	}
	return Paper{
		Number: p.Number, Desk: p.Desk, Household: p.Household, Person: p.Person, Name: p.Name, Doc4: p.Doc4, Address: p.Address,
		Documents: p.Documents, Note: p.Note, State: p.State(), From: p.From, Until: p.To, IssuedBy: p.IssuedBy, IssuedAt: p.IssuedAt,
		ReturnedBy: p.ReturnedBy, ReturnedAt: p.ReturnedAt, LostBy: p.LostBy, LostAt: p.LostAt, Pass: a.passBody(pass, at),
	}, nil
}

func (a *API) listPapers(ctx context.Context, in *papersInput) (*pageOutput[Paper], error) {
	found, total, err := a.Papers.List(ctx, paper.Filter{Text: in.Q, State: in.State, Limit: in.Size, Offset: in.offset()})
	if err != nil {
		return nil, err
	}
	items := make([]Paper, len(found))
	for i, p := range found {
		if items[i], err = a.paperBody(ctx, p, in.address); err != nil {
			return nil, err
		}
	}
	return pageOf(in.ListQuery, items, total), nil
}
