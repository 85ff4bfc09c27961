package people

import (
	"context"
	"errors"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// Directory is what the approval engine sees of src: everybody active, of
// the kinds that flows tell apart, with the posts of today.
func (s *Service) Directory(src store.Source) approval.Directory { return directory{s, src} }

type directory struct {
	*Service
	src store.Source
}

// ForFlows is a person as flows see them. The phone is there when p has it.
func (p Person) ForFlows() approval.Person {
	return approval.Person{
		ID: p.ID, Name: p.Name, Unit: p.Unit, UnitName: p.UnitName,
		Kind: string(p.Kind.Group()), Level: p.Level, Phone: p.Phone,
	}
}

func (d directory) persons(where string, args ...any) ([]approval.Person, error) {
	found, err := store.List(context.Background(), d.src, scanPerson, personColumns+
		" WHERE p.left_at IS NULL AND "+where+" ORDER BY p.id", args...)
	if err != nil {
		return nil, err
	}
	all := make([]approval.Person, len(found))
	for i, r := range found {
		all[i] = r.ForFlows()
	}
	return all, nil
}

func (d directory) Person(id string) (approval.Person, bool, error) {
	found, err := d.persons("p.id = $1", id)
	if err != nil || len(found) == 0 {
		return approval.Person{}, false, err
	}
	return found[0], true, nil
}

// holding are the persons with a post today.
const holding = "EXISTS (SELECT 1 FROM posts o WHERE o.person = p.id AND o.role = $1 AND "

func (d directory) Holders(role string) ([]approval.Person, error) {
	today := d.Today()
	return d.persons(holding+held("$2", "$3")+")", role, today, today)
}

// HoldersAt climbs; a post that is held everywhere comes after the top.
func (d directory) HoldersAt(role, unit string) ([]approval.Person, error) {
	today := d.Today()
	for range maxDepth {
		found, err := d.persons(holding+held("$2", "$3")+" AND coalesce(o.unit, '') = $4)", role, today, today, unit)
		if err != nil || len(found) > 0 || unit == "" {
			return found, err
		}
		if unit, err = d.Above(unit); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (d directory) Head(unit string) (approval.Person, bool, error) {
	found, err := d.persons("p.id = (SELECT head FROM units WHERE id = $1)", unit)
	if err != nil || len(found) == 0 {
		return approval.Person{}, false, err
	}
	return found[0], true, nil
}

func (d directory) unit(id string) (Unit, error) {
	u, err := d.Unit(context.Background(), d.src, id)
	if errors.Is(err, store.ErrNotFound) {
		return Unit{}, nil
	}
	return u, err
}

func (d directory) Above(unit string) (string, error) {
	u, err := d.unit(unit)
	return u.Parent, err
}

func (d directory) UnitName(unit string) (string, error) {
	u, err := d.unit(unit)
	return u.Name, err
}

func (d directory) Members(unit string) ([]approval.Person, error) {
	return d.persons("p.unit = $1", unit)
}

func (d directory) Admins() ([]approval.Person, error) { return d.Holders(Admin) }
