package approval

import (
	"cmp"
	"slices"
)

// Roster is a Directory that is written out whole: that of a Case. It must not
// change while it is read.
type Roster struct {
	People []Person // UnitName may be left out
	Posts  []RosterPost
	Units  []RosterUnit
	Boss   []string // ids of the administrators
}

// RosterPost says that somebody holds a post.
type RosterPost struct {
	Role   string
	Person string
	Unit   string // "" = everywhere
}

// RosterUnit is a unit of a Roster.
type RosterUnit struct {
	ID    string
	Name  string
	Above string // "" = top
	Head  string // "" = none
}

var _ Directory = (*Roster)(nil)

// Person implements Directory.
func (r *Roster) Person(id string) (Person, bool, error) {
	i := slices.IndexFunc(r.People, func(p Person) bool { return p.ID == id })
	if i < 0 {
		return Person{}, false, nil
	}
	p := r.People[i]
	if u := r.unit(p.Unit); p.UnitName == "" && u != nil {
		p.UnitName = u.Name
	}
	return p, true, nil
}

func (r *Roster) unit(id string) *RosterUnit {
	i := slices.IndexFunc(r.Units, func(u RosterUnit) bool { return u.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Units[i]
}

// only lists the people whom a test wants, by id.
func (r *Roster) only(want func(Person) bool) ([]Person, error) {
	var all []Person
	for _, one := range r.People {
		p, _, err := r.Person(one.ID)
		if err != nil {
			return nil, err
		}
		if want(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Holders implements Directory.
func (r *Roster) Holders(role string) ([]Person, error) {
	return r.only(func(p Person) bool {
		return slices.ContainsFunc(r.Posts, func(post RosterPost) bool { return post.Role == role && post.Person == p.ID })
	})
}

// HoldersAt implements Directory.
func (r *Roster) HoldersAt(role, unit string) ([]Person, error) {
	for range r.Units { // no deeper than there are units
		all, err := r.only(func(p Person) bool { return slices.Contains(r.Posts, RosterPost{role, p.ID, unit}) })
		if err != nil || len(all) > 0 || unit == "" {
			return all, err
		}
		if unit, err = r.Above(unit); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Head implements Directory.
func (r *Roster) Head(unit string) (Person, bool, error) {
	u := r.unit(unit)
	if u == nil || u.Head == "" {
		return Person{}, false, nil
	}
	return r.Person(u.Head)
}

// Above implements Directory.
func (r *Roster) Above(unit string) (string, error) {
	if u := r.unit(unit); u != nil {
		return u.Above, nil
	}
	return "", nil
}

// Members implements Directory.
func (r *Roster) Members(unit string) ([]Person, error) {
	return r.only(func(p Person) bool { return unit != "" && p.Unit == unit })
}

// UnitName implements Directory.
func (r *Roster) UnitName(unit string) (string, error) {
	if u := r.unit(unit); u != nil {
		return u.Name, nil
	}
	return "", nil
}

// Admins implements Directory.
func (r *Roster) Admins() ([]Person, error) {
	return r.only(func(p Person) bool { return slices.Contains(r.Boss, p.ID) })
}
