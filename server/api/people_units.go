package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Unit is a department, college, office or village.
type Unit struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Parent string `json:"parent" doc:"id; empty = at the top"`
	Kind   string `json:"kind"`
	Campus string `json:"campus" doc:"id; empty = all"`
	Head   string `json:"head" doc:"number of a person; empty = none"`
}

// UnitRequest is everything of a unit but its id.
type UnitRequest struct {
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty" doc:"id; empty = at the top"`
	Kind   string `json:"kind,omitempty" doc:"free: 学院, 部门 …"`
	Campus string `json:"campus,omitempty" doc:"id; empty = all"`
	Head   string `json:"head,omitempty" doc:"number of a person; empty = none"`
}

// NewUnit makes a unit.
type NewUnit struct {
	ID string `json:"id" maxLength:"64"`
	UnitRequest
}

func (r UnitRequest) unit(id string) people.Unit {
	return people.Unit{ID: id, Name: r.Name, Parent: r.Parent, Kind: r.Kind, Campus: r.Campus, Head: r.Head}
}

// UnitNode is a unit in the tree of the people picker.
type UnitNode struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Parent string `json:"parent" doc:"empty = at the top"`
}

type unitOutput struct{ Body Unit }

func (a *API) unitRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/units/tree", scope: auth.Self, id: "unit-tree", text: "组织架构 The units as a tree",
	}, a.unitTree)
	add(a, route{
		method: http.MethodGet, path: prefix + "/units", scope: auth.PeopleRead, id: "list-units", text: "单位列表 List the units",
	}, a.listUnits)
	add(a, route{
		method: http.MethodPost, path: prefix + "/units", scope: auth.PeopleWrite, id: "create-unit", status: http.StatusCreated,
		text: "新建单位 Make a unit", errors: []int{http.StatusConflict},
	}, a.createUnit)
	add(a, route{
		method: http.MethodPut, path: prefix + "/units/{id}", scope: auth.PeopleWrite, id: "change-unit",
		text: "修改单位 Change a unit", errors: []int{http.StatusNotFound},
	}, a.changeUnit)
}

func (a *API) unitTree(ctx context.Context, _ *struct{}) (*itemsOutput[UnitNode], error) {
	all, err := a.People.Units(ctx, a.Store.Reader())
	if err != nil {
		return nil, err
	}
	return whole(mapped(all, func(u people.Unit) UnitNode { return UnitNode{u.ID, u.Name, u.Parent} })), nil
}

func (a *API) listUnits(ctx context.Context, _ *struct{}) (*itemsOutput[Unit], error) {
	all, err := a.People.Units(ctx, a.Store.Reader())
	if err != nil {
		return nil, err
	}
	return whole(mapped(all, func(u people.Unit) Unit { return Unit(u) })), nil
}

func (a *API) createUnit(ctx context.Context, in *struct{ Body NewUnit }) (*unitOutput, error) {
	var u people.Unit
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		u, err = a.People.AddUnit(t, caller(ctx).Actor, in.Body.unit(in.Body.ID))
		return err
	})
	return &unitOutput{Unit(u)}, err
}

func (a *API) changeUnit(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body UnitRequest
},
) (*unitOutput, error) {
	var u people.Unit
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		u, err = a.People.UpdateUnit(t, caller(ctx).Actor, in.Body.unit(in.ID))
		return err
	})
	return &unitOutput{Unit(u)}, err
}
