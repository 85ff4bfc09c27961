package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/auth"
)

// maxFlows is the largest file of flows, as JSON text.
const maxFlows = 2 << 20

// Flow is a definition that was published.
type Flow struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Office      string `json:"office"`
	Version     int    `json:"version"`
	PublishedAt int64  `json:"published_at"`
	PublishedBy string `json:"published_by"`
	On          bool   `json:"on" doc:"people can start it"`
	Assumed     bool   `json:"assumed" doc:"its source does not name every step or field"`
}

// FlowDetail is a definition with its text.
type FlowDetail struct {
	Flow
	File  string      `json:"file" doc:"name of the file that it was published in"`
	YAML  string      `json:"yaml" doc:"of the whole file"`
	Steps []FlowStep  `json:"steps"`
	Form  []FlowField `json:"form"`
}

// FlowStep is one step of a definition.
type FlowStep struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Kind string   `json:"kind"`
	Mode string   `json:"mode"`
	Who  []string `json:"who" doc:"seats, as the file words them"`
}

// FlowField is one field of a definition.
type FlowField struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// FlowFile is a file to be checked or published.
type FlowFile struct {
	Name string `json:"name" maxLength:"100" doc:"of the file, for messages"`
	YAML string `json:"yaml"`
}

// errFlows: a file of flows cannot be used.
var errFlows = errors.New("faults in a file of flows")

type flowsOutput struct {
	Body struct {
		Items []Flow `json:"items"`
	}
}

type flowOutput struct{ Body FlowDetail }

type flowFileInput struct{ Body FlowFile }

type flowCheckOutput struct {
	Body struct {
		Faults []approval.Fault `json:"faults"`
		Flows  []string         `json:"flows" doc:"ids"`
	}
}

type publishedOutput struct {
	Body struct {
		Changed []string `json:"changed" doc:"ids of the flows that have a new version"`
	}
}

type flowStateInput struct {
	FlowPath
	Body struct {
		On bool `json:"on"`
	}
}

func (a *API) flowRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/flows", scope: auth.FlowsWrite, also: auth.Stats, id: "list-flows", text: "流程列表 The flows",
	}, func(context.Context, *struct{}) (*flowsOutput, error) {
		out := &flowsOutput{}
		out.Body.Items = mapped(a.Apply.Flows(), flowBody)
		return out, nil
	})
	add(a, route{
		method: http.MethodGet, path: prefix + "/flows/{flow}", scope: auth.FlowsWrite, also: auth.Stats, id: "get-flow",
		text: "查看流程 A flow and the text of its file", errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *FlowPath) (*flowOutput, error) { return a.flow(in.Flow) })
	add(a, route{
		method: http.MethodPost, path: prefix + "/flows/check", scope: auth.FlowsWrite, id: "check-flows", body: maxFlows,
		text: "检查流程文件 Check a file of flows; nothing changes",
	}, func(_ context.Context, in *flowFileInput) (*flowCheckOutput, error) { return checkFlows(in.Body) })
	add(a, route{
		method: http.MethodPost, path: prefix + "/flows", scope: auth.FlowsWrite, id: "publish-flows", body: maxFlows,
		text: "发布流程文件 Publish a file: every flow in it that says something new gets its next version", status: http.StatusCreated,
	}, func(ctx context.Context, in *flowFileInput) (*publishedOutput, error) {
		changed, err := a.Apply.Publish(ctx, caller(ctx).Actor, in.Body.Name, in.Body.YAML)
		if _, faulty := errors.AsType[*approval.Faults](err); faulty {
			err = fmt.Errorf("%w: %w", errFlows, err)
		}
		out := &publishedOutput{}
		out.Body.Changed = changed
		return out, err
	})
	add(a, route{
		method: http.MethodPut, path: prefix + "/flows/{flow}/state", scope: auth.FlowsWrite, id: "switch-flow",
		text: "开通或停用流程 Let people start a flow, or stop that; what is under way goes on", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *flowStateInput) (*flowOutput, error) {
		if err := a.Apply.SetFlow(ctx, caller(ctx).Actor, in.Flow, in.Body.On); err != nil {
			return nil, err
		}
		return a.flow(in.Flow)
	})
}

func flowBody(f apply.FlowStatus) Flow {
	return Flow{
		ID: f.Flow.ID, Name: f.Flow.Name, Office: f.Flow.Office, Version: f.Flow.Version, PublishedAt: f.PublishedAt,
		PublishedBy: f.PublishedBy, On: f.On, Assumed: f.Flow.Assumed,
	}
}

func (a *API) flow(id string) (*flowOutput, error) {
	f, err := a.Apply.Flow(id)
	if err != nil {
		return nil, err
	}
	return &flowOutput{FlowDetail{
		Flow: flowBody(f), File: f.File, YAML: f.YAML,
		Steps: mapped(f.Flow.Steps, func(n *approval.Node) FlowStep {
			return FlowStep{n.ID, n.Name, string(n.Kind), string(n.Mode), mapped(n.Who, func(s approval.Seat) string { return s.Text })}
		}),
		Form: mapped(f.Flow.Form, func(f *approval.Field) FlowField { return FlowField{f.ID, f.Name, string(f.Type)} }),
	}}, nil
}

func checkFlows(in FlowFile) (*flowCheckOutput, error) {
	out := &flowCheckOutput{}
	out.Body.Faults, out.Body.Flows = []approval.Fault{}, []string{}
	file, err := approval.Load(in.Name, []byte(in.YAML))
	if faults, ok := errors.AsType[*approval.Faults](err); ok {
		out.Body.Faults = faults.List
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range file.Flows {
		out.Body.Flows = append(out.Body.Flows, f.ID)
	}
	return out, nil
}
