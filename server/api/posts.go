package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Post is something that a person is, in a unit or at a gate.
type Post struct {
	ID         int64  `json:"id"`
	Role       string `json:"role"`
	Person     string `json:"person" doc:"number"`
	PersonName string `json:"person_name"`
	Unit       string `json:"unit" doc:"id; empty = everywhere"`
	UnitName   string `json:"unit_name"`
	Gate       uint16 `json:"gate" doc:"of a guard; 0 = none"`
	From       string `json:"from" doc:"first day"`
	To         string `json:"to" doc:"last day; empty = open"`
}

// PostRequest gives somebody a post.
type PostRequest struct {
	Role   string `json:"role" doc:"one of GET /roles"`
	Person string `json:"person" doc:"number"`
	Unit   string `json:"unit,omitempty" doc:"id; empty = everywhere"`
	Gate   uint16 `json:"gate,omitempty" doc:"of a guard"`
	From   string `json:"from,omitempty" doc:"first day; empty = today"`
	To     string `json:"to,omitempty" doc:"last day; empty = open"`
}

// Role is something that a post makes of a person.
type Role struct {
	Role string `json:"role"`
	Name string `json:"name" doc:"Chinese"`
}

type postOutput struct{ Body Post }

type postsInput struct {
	ListQuery
	Person string `query:"person" maxLength:"64" doc:"number"`
	Role   string `query:"role" maxLength:"64"`
	Unit   string `query:"unit" maxLength:"64" doc:"id"`
	Past   bool   `query:"past" doc:"also those that are over"`
}

type postPath struct {
	ID int64 `path:"id" minimum:"1"`
}

func (a *API) postRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/posts", scope: auth.PeopleRead, id: "list-posts", text: "岗位列表 List the posts",
	}, a.listPosts)
	add(a, route{
		method: http.MethodPost, path: prefix + "/posts", scope: auth.PeopleWrite, id: "create-post", status: http.StatusCreated,
		text: "授予岗位 Give somebody a post, but none that may more than you", errors: []int{http.StatusConflict},
	}, a.createPost)
	add(a, route{
		method: http.MethodDelete, path: prefix + "/posts/{id}", scope: auth.PeopleWrite, id: "end-post",
		text: "结束岗位 End a post at once", errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.endPost)
	add(a, route{
		method: http.MethodGet, path: prefix + "/roles", scope: auth.PeopleRead, id: "list-roles", text: "岗位种类 The posts that there are",
	}, a.listRoles)
}

func postBody(o people.Post) Post {
	return Post{
		ID: o.ID, Role: o.Role, Person: o.Person, PersonName: o.PersonName, Unit: o.Unit, UnitName: o.UnitName,
		Gate: o.Gate, From: o.From, To: o.To,
	}
}

func (a *API) listPosts(ctx context.Context, in *postsInput) (*pageOutput[Post], error) {
	list, total, err := a.People.Posts(ctx, a.Store.Reader(), people.PostQuery{
		Person: in.Person, Role: in.Role, Unit: in.Unit, Past: in.Past, Page: in.people(),
	})
	if err != nil {
		return nil, err
	}
	return pageOf(in.ListQuery, mapped(list, postBody), total), nil
}

func (a *API) createPost(ctx context.Context, in *struct{ Body PostRequest }) (*postOutput, error) {
	b, by := in.Body, overruling(ctx)
	all, err := a.People.AllRoles(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(r people.Role) bool { return r.Role == b.Role }) {
		return nil, &people.Fault{Field: "role", ZH: "没有这种岗位", EN: "no such role"}
	}
	if !by.May(b.Role) {
		return nil, fmt.Errorf("%w: nobody gives away more than they have", auth.ErrForbidden)
	}
	var made people.Post
	err = a.People.Change(ctx, func(t *store.Tx) (err error) {
		made, err = a.People.AddPost(t, by.Actor, people.Post{
			Role: b.Role, Person: b.Person, Unit: b.Unit, Gate: b.Gate, From: b.From, To: b.To,
		})
		return err
	})
	return &postOutput{postBody(made)}, err
}

func (a *API) endPost(ctx context.Context, in *postPath) (*postOutput, error) {
	by := overruling(ctx)
	var ended people.Post
	err := a.People.Change(ctx, func(t *store.Tx) (err error) {
		if ended, err = a.People.Post(t.Context(), t, in.ID); err != nil {
			return err
		}
		if !by.May(ended.Role) {
			return fmt.Errorf("%w: this post may more than you", auth.ErrForbidden)
		}
		ended, err = a.People.EndPost(t, by.Actor, in.ID)
		return err
	})
	return &postOutput{postBody(ended)}, err
}

func (a *API) listRoles(ctx context.Context, _ *struct{}) (*itemsOutput[Role], error) {
	all, err := a.People.AllRoles(ctx)
	if err != nil {
		return nil, err
	}
	return whole(mapped(all, func(r people.Role) Role { return Role(r) })), nil
}
