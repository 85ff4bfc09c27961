package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Campus is a part of the site with gates of its own.
type Campus struct {
	ID     string `json:"id" doc:"A, B …"`
	Name   string `json:"name"`
	Zone   int    `json:"zone" doc:"of its gates; 0 = none yet"`
	Police string `json:"police" doc:"station that issues temporary residence papers"`
}

// CampusRequest is everything of a campus but its id.
type CampusRequest struct {
	Name   string `json:"name"`
	Zone   int    `json:"zone,omitempty" minimum:"0" maximum:"32" doc:"of its gates; 0 = none yet"`
	Police string `json:"police,omitempty" doc:"station that issues temporary residence papers"`
}

// NewCampus makes a campus.
type NewCampus struct {
	ID string `json:"id" maxLength:"64" doc:"A, B …"`
	CampusRequest
}

func (r CampusRequest) campus(id string) people.Campus {
	return people.Campus{ID: id, Name: r.Name, Zone: r.Zone, Police: r.Police}
}

// Compound is a 小区.
type Compound struct {
	ID       int64  `json:"id"`
	Campus   string `json:"campus"`
	Name     string `json:"name"`
	OnCampus bool   `json:"on_campus" doc:"counts as a campus address on documents"`
}

// CompoundRequest is everything of a compound but its number.
type CompoundRequest struct {
	Campus   string `json:"campus" doc:"id"`
	Name     string `json:"name"`
	OnCampus bool   `json:"on_campus,omitempty" default:"true"`
}

// PlaceRequest names a building or room.
type PlaceRequest struct {
	Name string `json:"name"`
}

// PlaceBody is a building or a room.
type PlaceBody struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// CampusPlaces is a campus with all that lies in it.
type CampusPlaces struct {
	Campus
	Compounds []CompoundPlaces `json:"compounds"`
}

// CompoundPlaces is a compound with its buildings.
type CompoundPlaces struct {
	ID        int64            `json:"id"`
	Name      string           `json:"name"`
	OnCampus  bool             `json:"on_campus"`
	Buildings []BuildingPlaces `json:"buildings"`
}

// BuildingPlaces is a building with its rooms.
type BuildingPlaces struct {
	ID    int64       `json:"id"`
	Name  string      `json:"name"`
	Rooms []PlaceBody `json:"rooms"`
}

type (
	campusOutput   struct{ Body Campus }
	compoundOutput struct{ Body Compound }
	placeOutput    struct{ Body PlaceBody }
)

// PlacePath names a compound, building or room.
type PlacePath struct {
	ID int64 `path:"id" minimum:"1"`
}

type placeInput struct {
	PlacePath
	Body PlaceRequest
}

type optionsInput struct {
	Compound string `query:"compound" maxLength:"200" doc:"name; none = the names of all compounds"`
	Building string `query:"building" maxLength:"200" doc:"name; none = the names of the compound's buildings"`
}

func (a *API) placeRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/places/options", scope: auth.Self, id: "place-options",
		text: "小区、楼栋、门牌的选项 Names of compounds, of a compound's buildings, or of a building's rooms",
	}, a.placeOptions)
	add(a, route{
		method: http.MethodGet, path: prefix + "/places", scope: auth.PeopleRead, id: "list-places",
		text: "校区、小区、楼栋和门牌 All places, from campuses down to rooms",
	}, a.listPlaces)
	add(a, route{
		method: http.MethodGet, path: prefix + "/campuses", scope: auth.PeopleRead, id: "list-campuses", text: "校区列表 List the campuses",
	}, a.listCampuses)
	add(a, route{
		method: http.MethodPost, path: prefix + "/campuses", scope: auth.PeopleWrite, id: "create-campus", status: http.StatusCreated,
		text: "新建校区 Make a campus", errors: []int{http.StatusConflict},
	}, a.createCampus)
	add(a, route{
		method: http.MethodPut, path: prefix + "/campuses/{id}", scope: auth.PeopleWrite, id: "change-campus",
		text: "修改校区 Change a campus", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changeCampus)
	add(a, route{
		method: http.MethodGet, path: prefix + "/compounds", scope: auth.PeopleRead, id: "list-compounds", text: "小区列表 List the compounds",
	}, a.listCompounds)
	add(a, route{
		method: http.MethodPost, path: prefix + "/compounds", scope: auth.PeopleWrite, id: "create-compound", status: http.StatusCreated,
		text: "新建小区 Make a compound", errors: []int{http.StatusConflict},
	}, a.createCompound)
	add(a, route{
		method: http.MethodPut, path: prefix + "/compounds/{id}", scope: auth.PeopleWrite, id: "change-compound",
		text: "修改小区 Change a compound", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changeCompound)
	add(a, route{
		method: http.MethodPost, path: prefix + "/compounds/{id}/buildings", scope: auth.PeopleWrite, id: "create-building",
		status: http.StatusCreated, text: "新建楼栋 Make a building", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.createBuilding)
	add(a, route{
		method: http.MethodPost, path: prefix + "/buildings/{id}/rooms", scope: auth.PeopleWrite, id: "create-room",
		status: http.StatusCreated, text: "新建门牌 Make a room", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.createRoom)
	add(a, route{
		method: http.MethodPut, path: prefix + "/buildings/{id}", scope: auth.PeopleWrite, id: "rename-building",
		text: "修改楼栋号 Correct the name of a building", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.renamed((*people.Service).RenameBuilding))
	add(a, route{
		method: http.MethodPut, path: prefix + "/rooms/{id}", scope: auth.PeopleWrite, id: "rename-room",
		text: "修改门牌号 Correct the name of a room", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.renamed((*people.Service).RenameRoom))
}

func (a *API) placeOptions(ctx context.Context, in *optionsInput) (*itemsOutput[string], error) {
	var names []string
	var err error
	switch src := a.Store.Reader(); {
	case in.Compound == "":
		names, err = a.People.Compounds(ctx, src)
	case in.Building == "":
		names, err = a.People.Buildings(ctx, src, in.Compound)
	default:
		names, err = a.People.Rooms(ctx, src, in.Compound, in.Building)
	}
	return whole(names), err
}

func (a *API) listPlaces(ctx context.Context, _ *struct{}) (*itemsOutput[CampusPlaces], error) {
	all, err := a.People.Places(ctx, a.Store.Reader())
	if err != nil {
		return nil, err
	}
	return whole(mapped(all, func(c people.CampusPlaces) CampusPlaces {
		return CampusPlaces{Campus(c.Campus), mapped(c.Compounds, func(k people.CompoundPlaces) CompoundPlaces {
			return CompoundPlaces{k.ID, k.Name, k.OnCampus, mapped(k.Buildings, func(b people.BuildingPlaces) BuildingPlaces {
				return BuildingPlaces{b.ID, b.Name, mapped(b.Rooms, func(r people.Room) PlaceBody { return PlaceBody{r.ID, r.Name} })}
			})}
		})}
	})), nil
}

func (a *API) listCampuses(ctx context.Context, _ *struct{}) (*itemsOutput[Campus], error) {
	all, err := a.People.Campuses(ctx, a.Store.Reader())
	if err != nil {
		return nil, err
	}
	return whole(mapped(all, func(c people.Campus) Campus { return Campus(c) })), nil
}

func (a *API) listCompounds(ctx context.Context, _ *struct{}) (*itemsOutput[Compound], error) {
	all, err := a.People.Places(ctx, a.Store.Reader())
	if err != nil {
		return nil, err
	}
	items := []Compound{}
	for _, c := range all {
		for _, k := range c.Compounds {
			items = append(items, Compound(k.Compound))
		}
	}
	return whole(items), nil
}

func (a *API) createCampus(ctx context.Context, in *struct{ Body NewCampus }) (*campusOutput, error) {
	var c people.Campus
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		c, err = a.People.AddCampus(t, caller(ctx).Actor, in.Body.campus(in.Body.ID))
		return err
	})
	return &campusOutput{Campus(c)}, err
}

func (a *API) changeCampus(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body CampusRequest
},
) (*campusOutput, error) {
	var c people.Campus
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		c, err = a.People.UpdateCampus(t, caller(ctx).Actor, in.Body.campus(in.ID))
		return err
	})
	return &campusOutput{Campus(c)}, err
}

func (a *API) createCompound(ctx context.Context, in *struct{ Body CompoundRequest }) (*compoundOutput, error) {
	var c people.Compound
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		c, err = a.People.AddCompound(t, caller(ctx).Actor,
			people.Compound{Campus: in.Body.Campus, Name: in.Body.Name, OnCampus: in.Body.OnCampus})
		return err
	})
	return &compoundOutput{Compound(c)}, err
}

func (a *API) changeCompound(ctx context.Context, in *struct {
	PlacePath
	Body CompoundRequest
},
) (*compoundOutput, error) {
	var c people.Compound
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		c, err = a.People.UpdateCompound(t, caller(ctx).Actor,
			people.Compound{ID: in.ID, Campus: in.Body.Campus, Name: in.Body.Name, OnCampus: in.Body.OnCampus})
		return err
	})
	return &compoundOutput{Compound(c)}, err
}

func (a *API) createBuilding(ctx context.Context, in *placeInput) (*placeOutput, error) {
	var b people.Building
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		b, err = a.People.AddBuilding(t, caller(ctx).Actor, people.Building{Compound: in.ID, Name: in.Body.Name})
		return err
	})
	return &placeOutput{PlaceBody{b.ID, b.Name}}, err
}

func (a *API) createRoom(ctx context.Context, in *placeInput) (*placeOutput, error) {
	var r people.Room
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		r, err = a.People.AddRoom(t, caller(ctx).Actor, people.Room{Building: in.ID, Name: in.Body.Name})
		return err
	})
	return &placeOutput{PlaceBody{r.ID, r.Name}}, err
}

// renamed is the call that corrects the name of a building or room.
func (a *API) renamed(
	rename func(*people.Service, *store.Tx, string, int64, string) error,
) func(context.Context, *placeInput) (*struct{}, error) {
	return func(ctx context.Context, in *placeInput) (*struct{}, error) {
		return nil, a.People.Change(ctx, func(t *store.Tx) error {
			return rename(a.People, t, caller(ctx).Actor, in.ID, in.Body.Name)
		})
	}
}
