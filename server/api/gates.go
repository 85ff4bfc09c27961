package api

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// maxPlace bounds the names of gates and zones, in bytes.
const maxPlace = 64

// Gate is a way into the campus.
type Gate struct {
	ID            uint16       `json:"id"`
	Name          string       `json:"name"`
	Zone          int          `json:"zone"`
	Policy        string       `json:"policy" enum:"owner,online,first_seen" doc:"who decides a counted pass"`
	Offline       *GateOffline `json:"offline,omitempty" doc:"of first_seen"`
	Documents     string       `json:"documents" enum:"none,required" doc:"whether the guard must see one"`
	OwnsFrom      int64        `json:"owns_from,omitempty" doc:"unix seconds: its agent does not decide passes issued before, until drained"`
	DrainingSince int64        `json:"draining_since,omitempty" doc:"an earlier decider may hold admissions unknown here"`
	CreatedAt     int64        `json:"created_at"`
}

// GateRequest makes a gate.
type GateRequest struct {
	Name      string             `json:"name"`
	Zone      int                `json:"zone" minimum:"1" maximum:"32" doc:"a zone comes to be with its first gate"`
	Policy    string             `json:"policy,omitempty" enum:"owner,online,first_seen" default:"owner" doc:"first_seen: gates that cannot reach each other may each admit the same pass; that is reported as a conflict"`
	Offline   *GateOfflineChange `json:"offline,omitempty" doc:"with first_seen"`
	Documents string             `json:"documents,omitempty" enum:"none,required" default:"none"`
}

// GateChange changes what is given.
type GateChange struct {
	Name      *string            `json:"name,omitempty"`
	Zone      *int               `json:"zone,omitempty" minimum:"1" maximum:"32"`
	Policy    *string            `json:"policy,omitempty" enum:"owner,online,first_seen"`
	Offline   *GateOfflineChange `json:"offline,omitempty" doc:"with first_seen"`
	Documents *string            `json:"documents,omitempty" enum:"none,required"`
}

// Zone is a part of the campus.
type Zone struct {
	ID   int    `json:"id" minimum:"1" maximum:"32"`
	Name string `json:"name"`
}

// GatePath names a gate in an address.
type GatePath struct {
	ID uint16 `path:"id" minimum:"1" maximum:"65535" doc:"gate number"`
}

type (
	gateOutput struct{ Body Gate }
	zoneOutput struct{ Body Zone }
)

type gatesOutput struct {
	Body struct {
		Gates []Gate `json:"gates"`
	}
}

type zonesOutput struct {
	Body struct {
		Zones []Zone `json:"zones"`
	}
}

func (a *API) gateRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/gates", scope: auth.GatesWrite, id: "create-gate",
		text: "新建校门 Make a gate", status: http.StatusCreated, errors: []int{http.StatusConflict},
	}, a.createGate)
	add(a, route{
		method: http.MethodGet, path: prefix + "/gates", scope: auth.GatesRead, id: "list-gates", text: "校门列表 List the gates",
	}, a.listGates)
	add(a, route{
		method: http.MethodPatch, path: prefix + "/gates/{id}", scope: auth.GatesWrite, id: "change-gate",
		text:   "修改校门 Change a gate; one that hands its decisions over to the server, or leaves first_seen, is draining until you say otherwise",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changeGate)
	add(a, route{
		method: http.MethodPost, path: prefix + "/gates/{id}/drained", scope: auth.GatesWrite, id: "gate-drained",
		text: "确认旧的记录已全部上传,或旧设备不再放行 " +
			"Confirm that no earlier decider of the gate holds admissions that are unknown here",
		errors: []int{http.StatusNotFound},
	}, a.gateDrained)
	add(a, route{
		method: http.MethodPost, path: prefix + "/zones", scope: auth.GatesWrite, id: "name-zone",
		text: "命名区域 Name a zone", errors: []int{http.StatusConflict},
	}, a.nameZone)
	add(a, route{
		method: http.MethodGet, path: prefix + "/zones", scope: auth.GatesRead, id: "list-zones", text: "区域列表 List the zones",
	}, a.listZones)
}

func gateBody(g store.Gate) Gate {
	return Gate{
		ID: g.ID, Name: g.Name, Zone: g.Zone, Policy: string(g.Mode), Offline: offlineBody(&g), Documents: documents(g.Documents),
		OwnsFrom: g.OwnsFrom, DrainingSince: g.DrainingSince, CreatedAt: g.CreatedAt,
	}
}

func documents(required bool) string {
	if required {
		return "required"
	}
	return "none"
}

// place checks the name of a gate or zone.
func place(name string) (string, error) {
	name = norm.NFC.String(strings.TrimSpace(name))
	if name == "" {
		return "", &issue.Fault{Field: "name", ZH: "缺少名称", EN: "missing"}
	}
	if err := signing.CheckWords(name, maxPlace); err != nil {
		return "", &issue.Fault{Field: "name", ZH: "太长(最多 64 字节)或含有不能显示的字符", EN: err.Error()}
	}
	return name, nil
}

func (a *API) createGate(ctx context.Context, in *struct{ Body GateRequest }) (*gateOutput, error) {
	g := store.Gate{Zone: in.Body.Zone, Mode: verdict.Mode(in.Body.Policy), Documents: in.Body.Documents == documents(true)}
	var err error
	if g.Name, err = place(in.Body.Name); err != nil {
		return nil, err
	}
	if err = limits(&g, in.Body.Offline); err != nil {
		return nil, err
	}
	if g, err = a.Store.AddGate(ctx, caller(ctx).Actor, g); err != nil {
		return nil, err
	}
	return &gateOutput{gateBody(g)}, nil
}

func (a *API) listGates(ctx context.Context, _ *struct{}) (*gatesOutput, error) {
	gates, err := a.Store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	out := &gatesOutput{}
	out.Body.Gates = mapped(gates, gateBody)
	return out, nil
}

func (a *API) changeGate(ctx context.Context, in *struct {
	GatePath
	Body GateChange
},
) (*gateOutput, error) {
	g, err := a.Store.ChangeGate(ctx, caller(ctx).Actor, in.ID, func(g *store.Gate) (err error) {
		b := &in.Body
		if b.Name != nil {
			if g.Name, err = place(*b.Name); err != nil {
				return err
			}
		}
		if b.Policy != nil {
			g.Mode = verdict.Mode(*b.Policy)
		}
		if b.Zone != nil {
			g.Zone = *b.Zone
		}
		if b.Documents != nil {
			g.Documents = *b.Documents == documents(true)
		}
		return limits(g, b.Offline)
	})
	if err != nil {
		return nil, err
	}
	return &gateOutput{gateBody(g)}, nil
}

func (a *API) gateDrained(ctx context.Context, in *GatePath) (*gateOutput, error) {
	g, err := a.Store.Drained(ctx, caller(ctx).Actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &gateOutput{gateBody(g)}, nil
}

func (a *API) nameZone(ctx context.Context, in *struct{ Body Zone }) (*zoneOutput, error) {
	name, err := place(in.Body.Name)
	if err != nil {
		return nil, err
	}
	z := store.Zone{ID: in.Body.ID, Name: name}
	if err := a.Store.PutZone(ctx, caller(ctx).Actor, z); err != nil {
		return nil, err
	}
	return &zoneOutput{Zone(z)}, nil
}

func (a *API) listZones(ctx context.Context, _ *struct{}) (*zonesOutput, error) {
	zones, err := a.Store.Zones(ctx)
	if err != nil {
		return nil, err
	}
	out := &zonesOutput{}
	out.Body.Zones = mapped(zones, func(z store.Zone) Zone { return Zone(z) })
	return out, nil
}

// mapped translates a list; none is an empty list.
func mapped[A, B any](list []A, one func(A) B) []B {
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = one(v)
	}
	return out
}
