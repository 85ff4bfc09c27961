package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/store"
	"campusgate/signing"
)

// Conflict is a pass with more admissions than it allows.
type Conflict struct {
	ID         string      `json:"id" doc:"its name for ever; a further admission of the pass makes another conflict of it"`
	PassID     string      `json:"pass_id"`
	Allowed    uint32      `json:"allowed"`
	DetectedAt int64       `json:"detected_at"`
	Admissions []Admission `json:"admissions" doc:"in order of time"`
	SeenAt     int64       `json:"seen_at,omitempty" doc:"when somebody looked into it; absent = nobody has"`
	SeenBy     string      `json:"seen_by,omitempty"`
	Remark     string      `json:"remark,omitempty"`
}

// Admission is one counted use. What the journal of its gate says is empty
// until that has come, and again once it was forgotten.
type Admission struct {
	Ref       string `json:"ref" doc:"event that counted it, or claim: and the claim that the server granted"`
	Gate      uint16 `json:"gate"`
	GateName  string `json:"gate_name"`
	At        int64  `json:"at"`
	Event     string `json:"event,omitempty" doc:"the gate's own scan"`
	Mode      string `json:"mode,omitempty" enum:"owner,online,first_seen" doc:"who decided at that gate, then"`
	Offline   bool   `json:"offline"`
	Guard     string `json:"guard,omitempty" doc:"number of the guard on shift"`
	GuardName string `json:"guard_name,omitempty" doc:"where the server knows it"`
	Opinion   string `json:"opinion,omitempty" doc:"the server's of that scan; empty until it has looked"`
}

type conflictsInput struct {
	Limit  int  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Unseen bool `query:"unseen" doc:"only those that nobody has looked into"`
}

type conflictsOutput struct {
	Body struct {
		Conflicts []Conflict `json:"conflicts" doc:"newest first"`
	}
}

type seenInput struct {
	Pass string `path:"pass" maxLength:"16"`
	Body struct {
		Ref    string `json:"ref" maxLength:"100" doc:"what follows the slash in the id of the conflict"`
		Remark string `json:"remark" maxLength:"500" doc:"what was found out; it is kept, so name nobody"`
	}
}

func (a *API) conflictRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/conflicts", scope: auth.EventsRead, id: "list-conflicts",
		text: "超次使用的通行证 Passes with more admissions than they allow",
	}, a.listConflicts)
	add(a, route{
		method: http.MethodPost, path: prefix + "/conflicts/{pass}/seen", scope: auth.GatesWrite, id: "see-conflict", status: http.StatusNoContent,
		text:   "已查看超次使用 Somebody looked into a conflict; a further admission opens it again",
		errors: []int{http.StatusNotFound},
	}, a.seeConflict)
}

func (a *API) listConflicts(ctx context.Context, in *conflictsInput) (*conflictsOutput, error) {
	read := a.Store.Conflicts
	if in.Unseen {
		read = a.Store.Unseen
	}
	found, err := read(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for i := range found {
		for _, u := range found[i].Admissions {
			if _, asked := names[u.Guard]; asked || u.Guard == "" {
				continue
			}
			p, err := a.People.Find(ctx, a.Store.Reader(), u.Guard)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			names[u.Guard] = p.Name
		}
	}
	out := &conflictsOutput{}
	out.Body.Conflicts = mapped(found, func(c store.Conflict) Conflict { return conflictBody(&c, names) })
	return out, nil
}

func conflictBody(c *store.Conflict, names map[string]string) Conflict {
	return Conflict{
		ID: c.ID(), PassID: c.Pass.String(), Allowed: c.Allowed, DetectedAt: c.DetectedAt,
		SeenAt: c.SeenAt, SeenBy: c.SeenBy, Remark: c.Remark,
		Admissions: mapped(c.Admissions, func(u store.Admission) Admission {
			out := Admission{
				Ref: u.Ref, Gate: u.Gate, GateName: u.GateName, At: u.At, Mode: string(u.Mode), Offline: u.Offline,
				Guard: u.Guard, GuardName: names[u.Guard],
			}
			if u.Event.Seq > 0 {
				out.Event = u.Event.String()
			}
			if u.Opinion != 0 {
				out.Opinion = u.Opinion.String()
			}
			return out
		}),
	}
}

func (a *API) seeConflict(ctx context.Context, in *seenInput) (*struct{}, error) {
	pass, err := signing.ParsePassID(in.Pass)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrNotFound, err)
	}
	return nil, a.Store.SeeConflict(ctx, caller(ctx).Actor, pass, in.Body.Ref, in.Body.Remark)
}
