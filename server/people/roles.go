package people

import (
	"context"
	"slices"

	"campusgate/server/store"
)

// Role is something that a post makes of a person.
type Role struct {
	Role string // id
	Name string // Chinese
}

// ownRoles are the posts that the product itself knows.
var ownRoles = []Role{
	{Admin, "管理员"},
	{Desk, "窗口工作人员"},
	{Guard, "门卫"},
	{Reader, "统计"},
	{Auditor, "审计"},
	{CardOffice, "卡务"},
	{Finance, "财务"},
	{Merchant, "商户"},
	{Cashier, "收银员"},
	{Supervisor, "领班"},
}

// AllRoles lists the product's own posts, then those that flows name, by id. A
// flow does not rename a post of the product.
func (s *Service) AllRoles(ctx context.Context) ([]Role, error) {
	all := slices.Clone(ownRoles)
	if s.Roles == nil {
		return all, nil
	}
	more, err := s.Roles(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range more {
		if !slices.ContainsFunc(all, func(known Role) bool { return known.Role == r.Role }) {
			all = append(all, r)
		}
	}
	return all, nil
}

// By is who changes something, and which posts they may give and take.
type By struct {
	Actor string
	May   func(role string) bool // nil = every post
}

func (b By) may(role string) bool { return b.May == nil || b.May(role) }

// Overrules reports whether somebody may give and take every post that a person
// holds today: only then is it theirs to let that person in by another phone.
func (s *Service) Overrules(ctx context.Context, src store.Source, by By, person string) (bool, error) {
	posts, err := s.PostsOf(ctx, src, person, s.Today())
	return err == nil && !slices.ContainsFunc(posts, func(o Post) bool { return !by.may(o.Role) }), err
}
