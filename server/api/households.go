package api

import (
	"context"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Household is a room and the name of its head, with its members.
type Household struct {
	ID         int64    `json:"id"`
	Campus     string   `json:"campus"`
	Compound   string   `json:"compound"`
	Building   string   `json:"building"`
	Room       string   `json:"room"`
	Head       string   `json:"head"`
	VerifiedBy string   `json:"verified_by" doc:"empty = not yet"`
	VerifiedAt int64    `json:"verified_at" doc:"0 = not yet"`
	Members    []Member `json:"members"`
	Address    string   `json:"address"`
}

// Member is somebody who lives in a household.
type Member struct {
	Person   string `json:"person" doc:"number"`
	Name     string `json:"name"`
	Phone    string `json:"phone" doc:"masked"`
	Relation string `json:"relation"`
	Since    string `json:"since" doc:"day"`
}

// MemberRequest puts somebody into a household: who is known by number, phone or
// ID number, or else a new resident.
type MemberRequest struct {
	Person   string `json:"person,omitempty" maxLength:"64" doc:"number"`
	Name     string `json:"name,omitempty"`
	Phone    string `json:"phone,omitempty"`
	IDNumber string `json:"id_number,omitempty"`
	Relation string `json:"relation,omitempty" doc:"户主, 配偶, 子女 …"`
	Since    string `json:"since,omitempty" doc:"day; empty = today"`
}

// HouseholdRequest is where a household is and under whom. Its compound must be
// there; a building or room that is new comes to be.
type HouseholdRequest struct {
	Compound string `json:"compound" doc:"name"`
	Building string `json:"building"`
	Room     string `json:"room"`
	Head     string `json:"head"`
}

// NewHousehold makes a household.
type NewHousehold struct {
	HouseholdRequest
	Members []MemberRequest `json:"members,omitempty" maxItems:"50"`
}

type householdOutput struct{ Body Household }

type householdsInput struct {
	ListQuery
	Q        string `query:"q" maxLength:"100" doc:"in the head's or a member's name or the address; or a member's whole phone"`
	Compound string `query:"compound" maxLength:"200" doc:"name"`
	Verified string `query:"verified" enum:"true,false"`
}

// HouseholdPath names a household.
type HouseholdPath struct {
	ID int64 `path:"id" minimum:"1"`
}

func (a *API) householdRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/households", scope: auth.PeopleRead, id: "list-households", text: "住户列表 List the households",
	}, a.listHouseholds)
	add(a, route{
		method: http.MethodPost, path: prefix + "/households", scope: auth.PeopleWrite, id: "create-household", status: http.StatusCreated,
		text: "新建住户 Make a household, not verified yet", errors: []int{http.StatusConflict},
	}, a.createHousehold)
	add(a, route{
		method: http.MethodGet, path: prefix + "/households/{id}", scope: auth.PeopleRead, id: "get-household",
		text: "住户信息 One household", errors: []int{http.StatusNotFound},
	}, a.getHousehold)
	add(a, route{
		method: http.MethodPut, path: prefix + "/households/{id}", scope: auth.PeopleWrite, id: "change-household",
		text:   "修改住户 Move a household or give it another head; then it has to be verified again",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changeHousehold)
	add(a, route{
		method: http.MethodPost, path: prefix + "/households/{id}/members", scope: auth.PeopleWrite, id: "add-member",
		text: "添加成员 Put somebody into a household", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.addMember)
	add(a, route{
		method: http.MethodDelete, path: prefix + "/households/{id}/members/{person}", scope: auth.PeopleWrite, id: "remove-member",
		text: "移除成员 Take somebody out of a household", errors: []int{http.StatusNotFound},
	}, a.removeMember)
	add(a, route{
		method: http.MethodPost, path: prefix + "/households/{id}/verify", scope: auth.Desk, also: auth.PeopleWrite, id: "verify-household",
		text: "核实住户 Say that the documents of a household were seen", errors: []int{http.StatusNotFound},
	}, a.verifyHousehold)
}

func householdBody(h people.Household) Household {
	return Household{
		ID: h.ID, Campus: h.Campus, Compound: h.Compound, Building: h.Building, Room: h.RoomName, Head: h.Head,
		VerifiedBy: h.VerifiedBy, VerifiedAt: h.VerifiedAt, Address: h.Address,
		Members: mapped(h.Members, func(m people.Member) Member {
			return Member{Person: m.Person, Name: m.Name, Phone: m.Phone, Relation: m.Relation, Since: m.Since}
		}),
	}
}

// household makes a change of one and answers with how it stands.
func (a *API) household(ctx context.Context, change func(*store.Tx) (people.Household, error)) (*householdOutput, error) {
	var h people.Household
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		h, err = change(t)
		return err
	})
	return &householdOutput{householdBody(h)}, err
}

func (a *API) listHouseholds(ctx context.Context, in *householdsInput) (*pageOutput[Household], error) {
	q := people.HouseholdQuery{Text: in.Q, Compound: in.Compound, Page: in.people()}
	if in.Verified != "" {
		verified := in.Verified == "true"
		q.Verified = &verified
	}
	list, total, err := a.People.Households(ctx, a.Store.Reader(), q)
	if err != nil {
		return nil, err
	}
	return pageOf(in.ListQuery, mapped(list, householdBody), total), nil
}

func (a *API) getHousehold(ctx context.Context, in *HouseholdPath) (*householdOutput, error) {
	h, err := a.People.Household(ctx, a.Store.Reader(), in.ID)
	return &householdOutput{householdBody(h)}, err
}

func (a *API) createHousehold(ctx context.Context, in *struct{ Body NewHousehold }) (*householdOutput, error) {
	b := in.Body
	return a.household(ctx, func(t *store.Tx) (people.Household, error) {
		return a.People.AddHousehold(t, caller(ctx).Actor, people.NewHousehold{
			Place: people.Place{Compound: b.Compound, Building: b.Building, Room: b.Room}, Head: b.Head,
			Members: mapped(b.Members, func(m MemberRequest) people.NewMember { return people.NewMember(m) }),
		})
	})
}

func (a *API) changeHousehold(ctx context.Context, in *struct {
	HouseholdPath
	Body HouseholdRequest
},
) (*householdOutput, error) {
	b := in.Body
	return a.household(ctx, func(t *store.Tx) (people.Household, error) {
		return a.People.UpdateHousehold(t, caller(ctx).Actor, in.ID,
			people.Place{Compound: b.Compound, Building: b.Building, Room: b.Room}, b.Head)
	})
}

func (a *API) addMember(ctx context.Context, in *struct {
	HouseholdPath
	Body MemberRequest
},
) (*householdOutput, error) {
	return a.household(ctx, func(t *store.Tx) (people.Household, error) {
		return a.People.AddMember(t, caller(ctx).Actor, in.ID, people.NewMember(in.Body))
	})
}

func (a *API) removeMember(ctx context.Context, in *struct {
	HouseholdPath
	Person string `path:"person" maxLength:"64"`
},
) (*struct{}, error) {
	return nil, a.People.Change(ctx, func(t *store.Tx) error {
		return a.People.RemoveMember(t, caller(ctx).Actor, in.ID, in.Person)
	})
}

func (a *API) verifyHousehold(ctx context.Context, in *HouseholdPath) (*householdOutput, error) {
	return a.household(ctx, func(t *store.Tx) (people.Household, error) {
		return a.People.VerifyHousehold(t, caller(ctx).Actor, in.ID)
	})
}
