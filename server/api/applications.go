package api

import (
	"context"
	"net/http"
	"strings"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/auth"
	"campusgate/server/cards"
	"campusgate/server/people"
	"campusgate/server/report"
)

// ApplicationPath names a matter in an address.
type ApplicationPath struct {
	ID string `path:"id" pattern:"^[0-9a-f]{16}$" doc:"application id"`
}

type applicationOutput struct{ Body apply.Application }

type createInput struct {
	Body struct {
		Flow   string         `json:"flow" maxLength:"64"`
		Form   map[string]any `json:"form,omitempty"`
		Submit bool           `json:"submit,omitempty" doc:"else a draft is kept"`
		CC     []string       `json:"cc,omitempty" maxItems:"50" doc:"numbers of people who get a copy"`
		Key    string         `json:"key,omitempty" maxLength:"64" doc:"made by the client: the same key again gives the same application"`
	}
}

type actInput struct {
	ApplicationPath
	Body struct {
		Verb        string         `json:"verb" maxLength:"20" doc:"save submit decide claim withdraw terminate void transfer reassign add_sign cc urge comment rate read discard"`
		Task        string         `json:"task,omitempty" maxLength:"20"`
		Outcome     string         `json:"outcome,omitempty" maxLength:"64" doc:"of decide"`
		Form        map[string]any `json:"form,omitempty"`
		Opinion     string         `json:"opinion,omitempty" doc:"also a reason, or the text of a comment"`
		Next        string         `json:"next,omitempty" maxLength:"64" doc:"chosen next step"`
		Handler     string         `json:"handler,omitempty" maxLength:"64" doc:"number of who is to handle it"`
		To          []string       `json:"to,omitempty" maxItems:"50" doc:"numbers of people"`
		At          string         `json:"at,omitempty" enum:"before,after,parallel" doc:"of add_sign"`
		Mode        string         `json:"mode,omitempty" enum:"any,all" doc:"of add_sign"`
		Target      string         `json:"target,omitempty" maxLength:"64" doc:"of rate"`
		Stars       int            `json:"stars,omitempty" minimum:"0" maximum:"5" doc:"of rate"`
		Attachments []string       `json:"attachments,omitempty" maxItems:"50"`
	}
}

type listInput struct {
	Box   string `query:"box" enum:"todo,done,started,cc,drafts" default:"todo"`
	Flow  string `query:"flow" maxLength:"64"`
	State string `query:"state" enum:"draft,running,completed,rejected,returned,withdrawn,terminated,voided"`
	Text  string `query:"q" maxLength:"200" doc:"in title, serial, or the applicant's name"`
	From  string `query:"from" format:"date" doc:"first day"`
	To    string `query:"to" format:"date" doc:"last day"`
	ListQuery
}

type listExportInput struct {
	Body struct {
		Box   string `json:"box" enum:"todo,done,started,cc,drafts"`
		Flow  string `json:"flow,omitempty" maxLength:"64"`
		State string `json:"state,omitempty" enum:",draft,running,completed,rejected,returned,withdrawn,terminated,voided"`
		Text  string `json:"q,omitempty" maxLength:"200" doc:"in title, serial, or the applicant's name"`
		From  string `json:"from,omitempty" pattern:"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$" doc:"first day"`
		To    string `json:"to,omitempty" pattern:"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$" doc:"last day"`
	}
}

type listExportOutput struct {
	Body struct {
		Items []apply.Row `json:"items" doc:"the first 1000"`
		Total int         `json:"total"`
	}
}

type listOutput struct {
	Body struct {
		Items  []apply.Row       `json:"items"`
		Total  int               `json:"total"`
		Page   int               `json:"page"`
		Size   int               `json:"size"`
		Counts map[apply.Box]int `json:"counts" doc:"in each list, whatever was asked for"`
	}
}

func (a *API) applicationRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/applications", scope: auth.Self, id: "apply", status: http.StatusCreated, body: maxForm,
		text:   "申请或存稿 Apply, or keep a draft",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.apply)
	add(a, route{
		method: http.MethodGet, path: prefix + "/applications", scope: auth.Self, id: "list-applications",
		text: "我的事项 My lists: to do, done, started by me, copies, drafts",
	}, a.listApplications)
	add(a, route{
		method: http.MethodPost, path: prefix + "/applications/export", scope: auth.Self, id: "export-applications",
		text: "导出我的事项 Rows of one of my lists to make a file of, names and numbers masked; the trail says who took them",
	}, a.exportApplications)
	add(a, route{
		method: http.MethodGet, path: prefix + "/applications/{id}", scope: auth.Self, id: "get-application",
		text: "查看事项 Look at a matter", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *ApplicationPath) (*applicationOutput, error) {
		return a.application(ctx, in.ID)
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/applications/{id}/act", scope: auth.Self, id: "act", body: maxForm,
		text:   "办理 Do something to a matter: decide, transfer, withdraw, comment …",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.act)
	add(a, route{
		method: http.MethodGet, path: prefix + "/notices", scope: auth.Self, id: "list-notices", text: "通知公告 What was published for me",
	}, a.listNotices)
	add(a, route{
		method: http.MethodGet, path: prefix + "/archive", scope: auth.Stats, id: "list-archive", text: "备案 What was filed",
	}, a.listArchive)
}

func (a *API) application(ctx context.Context, id string) (*applicationOutput, error) {
	view, err := a.Apply.View(ctx, actor(ctx), id)
	return &applicationOutput{view}, err
}

func (a *API) apply(ctx context.Context, in *createInput) (*applicationOutput, error) {
	b := &in.Body
	made, refusal, err := a.Apply.Create(ctx, actor(ctx), apply.Request{Flow: b.Flow, Form: b.Form, Submit: b.Submit, CC: b.CC, Key: b.Key})
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refused(ctx, refusal)
	}
	return a.application(ctx, made.ID)
}

func (a *API) act(ctx context.Context, in *actInput) (*applicationOutput, error) {
	b := &in.Body
	done, refusal, err := a.Apply.Act(ctx, actor(ctx), in.ID, approval.Act{
		Verb: approval.Verb(b.Verb), Task: b.Task, Outcome: b.Outcome, Form: b.Form, Opinion: strings.TrimSpace(b.Opinion), Next: b.Next,
		Handler: b.Handler, To: b.To, At: b.At, Mode: approval.Mode(b.Mode), Target: b.Target, Stars: b.Stars, Attachments: b.Attachments,
	})
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refused(ctx, refusal)
	}
	if done.State == apply.Discarded {
		return &applicationOutput{a.Apply.Gone(done)}, nil
	}
	return a.application(ctx, in.ID)
}

func (a *API) listApplications(ctx context.Context, in *listInput) (*listOutput, error) {
	who := actor(ctx)
	out := &listOutput{}
	var err error
	out.Body.Items, out.Body.Total, err = a.Apply.List(ctx, who, apply.Box(in.Box), apply.Query{
		Flow: in.Flow, State: approval.State(in.State), Text: in.Text, From: in.From, To: in.To, Page: in.Page, Size: in.Size,
	})
	if err != nil {
		return nil, err
	}
	out.Body.Page, out.Body.Size = in.Page, in.Size
	out.Body.Counts, err = a.Apply.Counts(ctx, who.Person)
	return out, err
}

func (a *API) exportApplications(ctx context.Context, in *listExportInput) (*listExportOutput, error) {
	b, out := &in.Body, &listExportOutput{}
	var err error
	out.Body.Items, out.Body.Total, err = a.Apply.Export(ctx, actor(ctx), apply.Box(b.Box), apply.Query{
		Flow: b.Flow, State: approval.State(b.State), Text: b.Text, From: b.From, To: b.To,
	})
	for i := range out.Body.Items {
		row := &out.Body.Items[i]
		flow, _ := a.Apply.Flow(row.Flow) // of a flow that is gone only the names of fields tell
		maskRow(row, flow.Flow)
	}
	return out, err
}

// maskRow masks names and numbers as exports of records do.
func maskRow(r *apply.Row, flow *approval.Flow) {
	name := r.Starter.Name
	r.Starter.Name, r.Starter.Number = cards.MaskName(name), people.Mask(r.Starter.Number)
	if name != "" {
		r.Title = strings.ReplaceAll(r.Title, name, r.Starter.Name)
	}
	r.Title = report.MaskDigits(r.Title)
	for i, one := range r.Waiting {
		r.Waiting[i] = cards.MaskName(one)
	}
	for i := range r.Summary {
		value := &r.Summary[i].Value
		if name != "" {
			*value = strings.ReplaceAll(*value, name, r.Starter.Name)
		}
		*value = maskField(flow, r.Summary[i].Name, *value)
	}
}

// maskField masks what a row shows of a field, of which it has the name.
func maskField(flow *approval.Flow, name, text string) string {
	if flow != nil {
		for _, f := range flow.Form {
			if f.Name == name {
				return report.MaskField(f.ID, f.Name, f.Type == approval.User, text)
			}
		}
	}
	return report.MaskField("", name, false, text)
}

type noticesOutput struct {
	Body struct {
		Items []apply.Bulletin `json:"items"`
		Total int              `json:"total"`
		Page  int              `json:"page"`
		Size  int              `json:"size"`
	}
}

func (a *API) listNotices(ctx context.Context, in *ListQuery) (*noticesOutput, error) {
	out := &noticesOutput{}
	var err error
	out.Body.Items, out.Body.Total, err = a.Apply.Bulletins(ctx, caller(ctx).Person, apply.Query{Page: in.Page, Size: in.Size})
	out.Body.Page, out.Body.Size = in.Page, in.Size
	return out, err
}

type archiveInput struct {
	Text string `query:"q" maxLength:"200" doc:"in title or serial"`
	ListQuery
}

type archiveOutput struct {
	Body struct {
		Items []apply.Archived `json:"items"`
		Total int              `json:"total"`
		Page  int              `json:"page"`
		Size  int              `json:"size"`
	}
}

func (a *API) listArchive(ctx context.Context, in *archiveInput) (*archiveOutput, error) {
	out := &archiveOutput{}
	var err error
	out.Body.Items, out.Body.Total, err = a.Apply.Archive(ctx, apply.Query{Text: in.Text, Page: in.Page, Size: in.Size})
	out.Body.Page, out.Body.Size = in.Page, in.Size
	return out, err
}
