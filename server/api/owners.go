package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"campusgate/server/apply"
	"campusgate/server/auth"
	"campusgate/server/owners"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// errNotOff: a pass is issued anew only where somebody has seen that its gate is off.
var errNotOff = errors.New("say that the gate is off: as long as it works it admits by the old code")

// Owning is a gate that a pass can be moved to.
type Owning struct {
	ID   uint16 `json:"id"`
	Name string `json:"name"`
	Here bool   `json:"here" doc:"it is connected"`
}

type owningOutput struct {
	Body struct {
		Items []Owning `json:"items"`
	}
}

func (a *API) ownerRoutes() {
	clash := []int{http.StatusNotFound, http.StatusConflict}
	add(a, route{
		method: http.MethodGet, path: prefix + "/passes/{id}/owner", scope: auth.PassesWrite, also: auth.Desk, id: "pass-owners",
		text: "可判定此通行证的校门 Gates that could decide a pass", errors: clash[:1],
	}, a.passOwners)
	add(a, route{
		method: http.MethodPost, path: prefix + "/passes/{id}/owner", scope: auth.PassesWrite, also: auth.Desk, id: "move-pass",
		text: "改由另一校门判定 Have another gate decide a pass, while the present one is connected", errors: clash,
	}, a.movePass)
	add(a, route{
		method: http.MethodPost, path: prefix + "/passes/{id}/reissue", scope: auth.PassesWrite, also: auth.Desk, id: "reissue-pass",
		text: "校门停用时作废并重新签发 Revoke a pass whose gate is off, and issue it anew for another", errors: clash, status: http.StatusCreated,
	}, a.reissuePass)
	add(a, route{
		method: http.MethodGet, path: prefix + "/me/passes/{id}/owner", scope: auth.Self, id: "my-pass-owners",
		text: "可改走的校门 Gates that could decide a pass of mine", errors: clash[:1],
	}, a.myPassOwners)
	add(a, route{
		method: http.MethodPost, path: prefix + "/me/passes/{id}/owner", scope: auth.Self, id: "move-my-pass",
		text: "改走另一校门 Have another gate decide a single-use pass of mine, before it is used", errors: clash,
	}, a.moveMyPass)
}

func (a *API) owners() *owners.Service {
	return &owners.Service{Store: a.Store, Hub: a.Hub, Rand: a.Rand}
}

// ownerOf adds what is known of the gate that decides.
func (a *API) ownerOf(ctx context.Context, p *Pass) error {
	if p.OwnerGate == 0 {
		return nil
	}
	_, p.OwnerHere = a.Hub.Connected()[p.OwnerGate]
	g, err := a.Store.Gate(ctx, p.OwnerGate)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	p.OwnerName = g.Name
	return err
}

// owning lists the gates that a pass can be moved to.
func (a *API) owning(ctx context.Context, p *store.PassStatus) (*owningOutput, error) {
	gates, err := a.Store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	agents, err := a.Store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	out, there := &owningOutput{}, a.Hub.Connected()
	out.Body.Items = []Owning{}
	for _, g := range gates {
		stands := slices.ContainsFunc(agents, func(s store.Agent) bool { return s.Gate == g.ID && s.RevokedAt == 0 })
		if stands && g.Mode == verdict.Owner && g.ID != p.Decider() && p.Zones.Admit(g.Zone) {
			_, here := there[g.ID]
			out.Body.Items = append(out.Body.Items, Owning{g.ID, g.Name, here})
		}
	}
	return out, nil
}

func (a *API) passOwners(ctx context.Context, in *PassPath) (*owningOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	p, err := a.Store.Pass(ctx, id)
	if err != nil {
		return nil, err
	}
	return a.owning(ctx, &p)
}

type moveInput struct {
	PassPath
	Body struct {
		Gate uint16 `json:"gate" minimum:"1" doc:"that is to decide the pass"`
	}
}

func (a *API) movePass(ctx context.Context, in *moveInput) (*passOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := a.owners().Move(ctx, caller(ctx).Actor, id, in.Body.Gate); err != nil {
		return nil, err
	}
	return a.pass(ctx, &in.PassPath)
}

type reissueInput struct {
	PassPath
	Body struct {
		Gate      uint16 `json:"gate" minimum:"1" doc:"that is to decide the new pass"`
		GateIsOff bool   `json:"gate_is_off" doc:"somebody has seen that the gate that decides it now is off"`
		Reason    string `json:"reason,omitempty" maxLength:"200" doc:"for the trail and for the guard"`
	}
}

func (a *API) reissuePass(ctx context.Context, in *reissueInput) (*passOutput, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if !in.Body.GateIsOff {
		return nil, errNotOff
	}
	p, err := a.Store.Pass(ctx, id)
	if err == nil {
		err = a.owners().Dead(ctx, &p)
	}
	if err != nil {
		return nil, err
	}
	next, err := a.Apply.Reissue(ctx, caller(ctx).Actor, id, in.Body.Gate, strings.TrimSpace(in.Body.Reason))
	if err != nil {
		return nil, err
	}
	in.ID = next.ID.String()
	return a.pass(ctx, &in.PassPath)
}

// mine gives a pass of the caller's that its holder may move.
func (a *API) mine(ctx context.Context, in *PassPath) (*apply.Held, error) {
	held, err := a.Apply.Passes(ctx, caller(ctx).Person, maxMyPasses)
	if err != nil {
		return nil, err
	}
	for i := range held {
		if held[i].ID.String() == in.ID && held[i].Kind == signing.ResidentSingle {
			return &held[i], nil
		}
	}
	return nil, errNoPass
}

func (a *API) myPassOwners(ctx context.Context, in *PassPath) (*owningOutput, error) {
	p, err := a.mine(ctx, in)
	if err != nil {
		return nil, err
	}
	return a.owning(ctx, &p.PassStatus)
}

func (a *API) moveMyPass(ctx context.Context, in *moveInput) (*myMovedOutput, error) {
	p, err := a.mine(ctx, &in.PassPath)
	if err != nil {
		return nil, err
	}
	if err := a.owners().Move(ctx, caller(ctx).Actor, p.ID, in.Body.Gate); err != nil {
		return nil, err
	}
	g, err := a.Store.Gate(ctx, in.Body.Gate)
	if err != nil {
		return nil, err
	}
	out := &myMovedOutput{}
	out.Body.Gate, out.Body.Name = g.ID, g.Name
	return out, nil
}

type myMovedOutput struct {
	Body struct {
		Gate uint16 `json:"gate"`
		Name string `json:"name" doc:"of the gate that decides the pass now"`
	}
}
