package api

import (
	"context"
	"net/http"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/auth"
	"campusgate/server/people"
)

// maxForm is the largest form: a dozen texts of 1000 characters.
const maxForm = 256 << 10

type servicesOutput struct {
	Body struct {
		Items []apply.ServiceOf `json:"items"`
	}
}

// FlowPath names a flow in an address.
type FlowPath struct {
	Flow string `path:"flow" maxLength:"64" doc:"id of a flow, such as cqu.work_pass"`
}

type serviceOutput struct{ Body apply.Blank }

type previewInput struct {
	FlowPath
	Body struct {
		Form map[string]any `json:"form,omitempty"`
	}
}

// Planned is a step that a form would go through.
type Planned struct {
	ID     string      `json:"id"`
	Name   string      `json:"name"`
	EN     string      `json:"en"`
	Kind   string      `json:"kind"`
	Mode   string      `json:"mode"`
	Auto   bool        `json:"auto" doc:"the system will agree"`
	Choice bool        `json:"choice" doc:"done only when a handler before chooses it, or decides so"`
	Pick   bool        `json:"pick" doc:"one of the people, whom the handler before chooses"`
	People []apply.Who `json:"people"`
}

type previewOutput struct {
	Body struct {
		Steps []Planned `json:"steps"`
	}
}

func (a *API) serviceRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/services", scope: auth.Self, id: "list-services", text: "我可以办理的事项 What I may apply for",
	}, func(ctx context.Context, _ *struct{}) (*servicesOutput, error) {
		items, err := a.Apply.Services(ctx, actor(ctx))
		out := &servicesOutput{}
		out.Body.Items = items
		return out, err
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/services/{flow}", scope: auth.Self, id: "get-service",
		text: "空白申请表 A blank form, filled in with what is known of me", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *FlowPath) (*serviceOutput, error) {
		blank, err := a.Apply.Blank(ctx, actor(ctx), in.Flow)
		return &serviceOutput{blank}, err
	})
	add(a, route{
		method: http.MethodPost, path: prefix + "/services/{flow}/preview", scope: auth.Self, id: "preview-service", body: maxForm,
		text: "检查审核人 Who would review this form", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.preview)
}

// actor is who applies or decides.
func actor(ctx context.Context) apply.Actor {
	who := caller(ctx)
	return apply.Actor{
		Person: who.Person, Admin: who.May(auth.Admin), Stats: who.May(auth.Stats), Name: who.Actor,
		Posts: mapped(who.Posts, func(p people.Post) string { return p.Role }),
	}
}

func (a *API) preview(ctx context.Context, in *previewInput) (*previewOutput, error) {
	steps, refusal, err := a.Apply.Preview(ctx, actor(ctx), in.Flow, in.Body.Form)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, refused(ctx, refusal)
	}
	out := &previewOutput{}
	out.Body.Steps = mapped(steps, func(p approval.Planned) Planned {
		return Planned{
			ID: p.Step, Name: p.Name, EN: apply.StepEN(in.Flow, p.Step), Kind: string(p.Kind), Mode: string(p.Mode), Auto: p.Auto, Choice: p.Choice, Pick: p.Pick,
			People: mapped(p.People, func(p approval.Person) apply.Who { return apply.Who{Number: p.ID, Name: p.Name, Unit: p.UnitName} }),
		}
	})
	return out, nil
}

// refused is the problem of something that is not done: 422 where the form is
// to blame, 409 otherwise.
func refused(ctx context.Context, r *approval.Refusal) *Problem {
	status := http.StatusConflict
	if r.Code == approval.FieldRequired || r.Code == approval.FieldInvalid {
		status = http.StatusUnprocessableEntity
	}
	text := r.Say
	if r.En != "" {
		text += " " + r.En
	}
	p := newProblem(ctx, status, r.Code, text)
	for k, v := range r.Details {
		p.Details[k] = v
	}
	if r.Field != "" {
		p.Details["field"] = r.Field
	}
	return p
}
