package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"campusgate/server/store"
)

const unitColumns = "SELECT id, name, coalesce(parent, ''), kind, coalesce(campus, ''), coalesce(head, '') FROM units"

func scanUnit(rows *sql.Rows) (u Unit, err error) {
	err = rows.Scan(&u.ID, &u.Name, &u.Parent, &u.Kind, &u.Campus, &u.Head)
	return u, err
}

// Units gives all units by id.
func (s *Service) Units(ctx context.Context, src store.Source) ([]Unit, error) {
	return store.List(ctx, src, scanUnit, unitColumns+" ORDER BY id")
}

// Unit gives one unit, or store.ErrNotFound.
func (s *Service) Unit(ctx context.Context, src store.Source, id string) (Unit, error) {
	found, err := store.List(ctx, src, scanUnit, unitColumns+" WHERE id = $1", id)
	if err != nil {
		return Unit{}, err
	}
	if len(found) == 0 {
		return Unit{}, fmt.Errorf("%w: unit", store.ErrNotFound)
	}
	return found[0], nil
}

// needUnit is a fault of a field that names no unit.
func (s *Service) needUnit(ctx context.Context, src store.Source, field, id string) error {
	_, err := s.Unit(ctx, src, id)
	if errors.Is(err, store.ErrNotFound) {
		return fault(field, "没有这个单位", "no such unit")
	}
	return err
}

// unitTerms checks everything of a unit that needs no other rows.
func unitTerms(u Unit) (Unit, error) {
	var err error
	if u.ID, err = checkID("id", u.ID); err != nil {
		return u, err
	}
	if u.Name, err = needed("name", u.Name, maxName); err != nil {
		return u, err
	}
	if u.Kind, err = words("kind", u.Kind, maxShort); err != nil {
		return u, err
	}
	if u.Parent == u.ID {
		return u, fault("parent", "不能是自己的上级", "a unit is not above itself")
	}
	return u, nil
}

// unitPlace checks the campus and head of a unit.
func (s *Service) unitPlace(ctx context.Context, src store.Source, u Unit) error {
	if u.Campus != "" {
		if err := s.needCampus(ctx, src, u.Campus); err != nil {
			return err
		}
	}
	if u.Head == "" {
		return nil
	}
	p, err := s.Find(ctx, src, u.Head)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault("head", "没有这个人员编号", "no person has this number")
	case err != nil:
		return err
	case p.State != Active:
		return fault("head", "该人员已离校", "this person has left")
	}
	return nil
}

// unitParent checks that there is such a unit and that it is not below u.
func (s *Service) unitParent(ctx context.Context, src store.Source, u Unit) error {
	for at, steps := u.Parent, 0; at != ""; steps++ {
		above, err := s.Unit(ctx, src, at)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return fault("parent", "没有这个上级单位", "no such unit")
		case err != nil:
			return err
		case above.Parent == u.ID || steps > maxDepth:
			return fault("parent", "上级单位不能在本单位之下,层级也不能过深", "the unit above would be below, or there would be too many levels")
		}
		at = above.Parent
	}
	return nil
}

// maxDepth is more levels than any campus has.
const maxDepth = 32

// AddUnit makes a unit. A Fault names what is wrong with it; it is
// store.ErrTaken when the id is in use.
func (s *Service) AddUnit(t *store.Tx, actor string, u Unit) (Unit, error) {
	u, err := s.checkUnit(t, u)
	if err != nil {
		return u, err
	}
	_, err = s.Unit(t.Context(), t, u.ID)
	switch {
	case err == nil:
		return u, taken("id", "单位编号已被使用", "the id is in use")
	case !errors.Is(err, store.ErrNotFound):
		return u, err
	}
	return u, s.writeUnit(t, actor, u, "unit.added")
}

// UpdateUnit changes everything of a unit but its id. A Fault, or
// store.ErrNotFound.
func (s *Service) UpdateUnit(t *store.Tx, actor string, u Unit) (Unit, error) {
	old, err := s.Unit(t.Context(), t, u.ID)
	if err != nil {
		return u, err
	}
	if u, err = s.checkUnit(t, u); err != nil || u == old {
		return u, err
	}
	return u, s.writeUnit(t, actor, u, "unit.changed")
}

func (s *Service) checkUnit(t *store.Tx, u Unit) (Unit, error) {
	u, err := unitTerms(u)
	if err != nil {
		return u, err
	}
	if err := s.unitPlace(t.Context(), t, u); err != nil {
		return u, err
	}
	return u, s.unitParent(t.Context(), t, u)
}

func (s *Service) writeUnit(t *store.Tx, actor string, u Unit, action string) error {
	err := t.Exec(`INSERT INTO units (id, name, parent, kind, campus, head) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, parent = excluded.parent, kind = excluded.kind,
			campus = excluded.campus, head = excluded.head`,
		u.ID, u.Name, nullable(u.Parent), u.Kind, nullable(u.Campus), nullable(u.Head))
	if err != nil {
		return err
	}
	return t.Trail(actor, action, "unit "+u.ID, map[string]any{
		"name": u.Name, "parent": u.Parent, "campus": u.Campus, "head": u.Head,
	})
}
