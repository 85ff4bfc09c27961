package api

import (
	"context"
	"fmt"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Person is somebody, with what lists may show of their numbers.
type Person struct {
	Number     string  `json:"number" doc:"staff, student or card number, or one of ours"`
	Name       string  `json:"name" doc:"empty for a resident who has only signed in"`
	Kind       string  `json:"kind" enum:"staff,contract,worker,retired,student,resident,outside"`
	Level      string  `json:"level" doc:"of students: undergraduate, graduate, foreign"`
	Unit       UnitRef `json:"unit"`
	Phone      string  `json:"phone" doc:"masked"`
	IDNumber   string  `json:"id_number" doc:"masked"`
	Mail       string  `json:"mail"`
	State      string  `json:"state" enum:"active,left"`
	Posts      []Post  `json:"posts" doc:"held today"`
	Households []int64 `json:"households" doc:"numbers of the households they are members of"`
}

// PersonRequest makes somebody.
type PersonRequest struct {
	Number   string `json:"number,omitempty" maxLength:"64" doc:"residents and outsiders may have none and get one of ours"`
	Name     string `json:"name"`
	Kind     string `json:"kind" enum:"staff,contract,worker,retired,student,resident,outside"`
	Level    string `json:"level,omitempty" enum:",undergraduate,graduate,foreign"`
	Unit     string `json:"unit,omitempty" doc:"id"`
	Phone    string `json:"phone,omitempty"`
	IDNumber string `json:"id_number,omitempty"`
	Mail     string `json:"mail,omitempty"`
}

// PersonChange changes what is given; an empty text takes it away.
type PersonChange struct {
	Name     *string `json:"name,omitempty"`
	Kind     *string `json:"kind,omitempty" enum:"staff,contract,worker,retired,student,resident,outside"`
	Level    *string `json:"level,omitempty" enum:",undergraduate,graduate,foreign"`
	Unit     *string `json:"unit,omitempty" doc:"id"`
	Phone    *string `json:"phone,omitempty" doc:"in full; leave it out where it stays"`
	IDNumber *string `json:"id_number,omitempty" doc:"in full; leave it out where it stays"`
	Mail     *string `json:"mail,omitempty"`
	State    *string `json:"state,omitempty" enum:"active,left"`
}

// FoundPerson is somebody in the people picker.
type FoundPerson struct {
	Number string   `json:"number"`
	Name   string   `json:"name"`
	Unit   string   `json:"unit" doc:"name"`
	Posts  []string `json:"posts" doc:"names of the posts held today"`
}

// Listed is a page of a list.
type Listed[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
	Page  int `json:"page"`
	Size  int `json:"size"`
}

type pageOutput[T any] struct{ Body Listed[T] }

// itemsOutput is a list that comes whole.
type itemsOutput[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

func whole[T any](items []T) *itemsOutput[T] {
	out := &itemsOutput[T]{}
	out.Body.Items = items
	return out
}

func pageOf[T any](q ListQuery, items []T, total int) *pageOutput[T] {
	return &pageOutput[T]{Listed[T]{Items: items, Total: total, Page: q.Page, Size: q.Size}}
}

func (q ListQuery) people() people.Page { return people.Page{Number: q.Page, Size: q.Size} }

type personOutput struct{ Body Person }

type peopleInput struct {
	ListQuery
	Q     string `query:"q" maxLength:"100" doc:"in number, name or unit; or a whole phone or ID number"`
	Kind  string `query:"kind" enum:"staff,contract,worker,retired,student,resident,outside"`
	Unit  string `query:"unit" maxLength:"64" doc:"id; those below count as well"`
	State string `query:"state" enum:"active,left"`
}

type searchInput struct {
	ListQuery
	Q    string `query:"q" required:"true" minLength:"1" maxLength:"100" doc:"in number, name, unit or post"`
	Role string `query:"role" maxLength:"64" doc:"only who holds this post today"`
	Unit string `query:"unit" maxLength:"64" doc:"only who is in this unit or below, by id"`
}

func (a *API) peopleRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/people/search", scope: auth.Self, id: "search-people",
		text: "选人 Find colleagues and students by name, number, unit or post",
	}, a.searchPeople)
	add(a, route{
		method: http.MethodGet, path: prefix + "/people", scope: auth.PeopleRead, id: "list-people", text: "人员列表 List the people",
	}, a.listPeople)
	add(a, route{
		method: http.MethodPost, path: prefix + "/people", scope: auth.PeopleWrite, id: "create-person", status: http.StatusCreated,
		text: "新建人员 Add somebody", errors: []int{http.StatusConflict},
	}, a.createPerson)
	add(a, route{
		method: http.MethodGet, path: prefix + "/people/{number}", scope: auth.PeopleRead, id: "get-person",
		text: "人员信息 One person", errors: []int{http.StatusNotFound},
	}, a.getPerson)
	add(a, route{
		method: http.MethodPut, path: prefix + "/people/{number}", scope: auth.PeopleWrite, id: "change-person",
		text:   "修改人员 Change a person; the phone of somebody who may more than you is not yours to change",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.changePerson)
}

func (a *API) searchPeople(ctx context.Context, in *searchInput) (*pageOutput[FoundPerson], error) {
	found, total, err := a.People.Search(ctx, a.Store.Reader(), in.Q, in.Role, in.Unit, in.people())
	if err != nil {
		return nil, err
	}
	return pageOf(in.ListQuery, mapped(found, func(f people.Found) FoundPerson {
		return FoundPerson{Number: f.ID, Name: f.Name, Unit: f.UnitName, Posts: f.Posts}
	}), total), nil
}

func (a *API) listPeople(ctx context.Context, in *peopleInput) (*pageOutput[Person], error) {
	list, total, err := a.People.List(ctx, a.Store.Reader(), people.PersonQuery{
		Text: in.Q, Kind: people.Kind(in.Kind), Unit: in.Unit, State: in.State, Page: in.people(),
	})
	if err != nil {
		return nil, err
	}
	items := make([]Person, len(list))
	for i, p := range list {
		if items[i], err = a.personBody(ctx, p); err != nil {
			return nil, err
		}
	}
	return pageOf(in.ListQuery, items, total), nil
}

// personBody adds posts and households to somebody whose numbers are masked.
func (a *API) personBody(ctx context.Context, p people.Person) (Person, error) {
	posts, err := a.People.PostsOf(ctx, a.Store.Reader(), p.ID, a.People.Today())
	if err != nil {
		return Person{}, err
	}
	homes, err := a.People.HouseholdsOf(ctx, a.Store.Reader(), p.ID)
	if err != nil {
		return Person{}, err
	}
	return Person{
		Number: p.ID, Name: p.Name, Kind: string(p.Kind), Level: p.Level, Unit: UnitRef{p.Unit, p.UnitName},
		Phone: p.Phone, IDNumber: p.IDNumber, Mail: p.Mail, State: p.State, Posts: mapped(posts, postBody),
		Households: mapped(homes, func(h people.Household) int64 { return h.ID }),
	}, nil
}

func (a *API) personOutput(ctx context.Context, number string) (*personOutput, error) {
	p, err := a.People.Details(ctx, a.Store.Reader(), number)
	if err != nil {
		return nil, err
	}
	p.Phone, p.IDNumber = people.Mask(p.Phone), people.Mask(p.IDNumber)
	body, err := a.personBody(ctx, p)
	return &personOutput{body}, err
}

func (a *API) getPerson(ctx context.Context, in *numberInput) (*personOutput, error) {
	return a.personOutput(ctx, in.Number)
}

func (a *API) createPerson(ctx context.Context, in *struct{ Body PersonRequest }) (*personOutput, error) {
	b := in.Body
	var made people.Person
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		made, err = a.People.AddPerson(t, caller(ctx).Actor, people.Person{
			ID: b.Number, Name: b.Name, Kind: people.Kind(b.Kind), Level: b.Level, Unit: b.Unit,
			Phone: b.Phone, IDNumber: b.IDNumber, Mail: b.Mail,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.personOutput(ctx, made.ID)
}

func (a *API) changePerson(ctx context.Context, in *struct {
	Number string `path:"number" maxLength:"64"`
	Body   PersonChange
},
) (*personOutput, error) {
	b, by := in.Body, overruling(ctx)
	err := a.People.Change(ctx, func(t *store.Tx) error {
		if b.Phone != nil { // who receives its codes is this person
			if err := a.overrules(t, by, in.Number); err != nil {
				return err
			}
		}
		_, err := a.People.UpdatePerson(t, by.Actor, in.Number, people.PersonChange{
			Name: b.Name, Kind: (*people.Kind)(b.Kind), Level: b.Level, Unit: b.Unit, Phone: b.Phone,
			IDNumber: b.IDNumber, Mail: b.Mail, State: b.State,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.personOutput(ctx, in.Number)
}

// overruling is the caller as one who gives posts away: nobody gives more than
// they have.
func overruling(ctx context.Context) people.By {
	who := caller(ctx)
	return people.By{Actor: who.Actor, May: func(role string) bool {
		return who.Scopes.Covers(auth.ScopesOf([]people.Post{{Role: role}})[1:]) // all but Self
	}}
}

// overrules refuses a change of somebody who may more than the caller.
func (a *API) overrules(t *store.Tx, by people.By, person string) error {
	over, err := a.People.Overrules(t.Context(), t, by, person)
	if err == nil && !over {
		err = fmt.Errorf("%w: this person may more than you", auth.ErrForbidden)
	}
	return err
}
