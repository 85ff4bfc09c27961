package approval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// What a step does when starter and approver are one person.
const (
	selfAllow = "allow"
	selfUp    = "up"   // the next head above
	selfSkip  = "skip" // nobody is asked in the starter's place
)

// What a step does when nobody holds a seat.
const (
	emptyAdmin  = "admin" // the administrators are asked
	emptySkip   = "skip"
	emptyRefuse = "refuse"
)

// sitting is a task to be: seats as written, and who may take them.
type sitting struct {
	seats  []string
	people []string
}

// sittings finds who is to be asked at a step. One who sits on two seats is
// asked once for both. The answer is empty when nobody need be asked: no seat
// applies, or self or empty say skip.
func (r *run) sittings(n *Node) ([]sitting, error) {
	var all []sitting
	var vacant []Seat
	for _, s := range n.Who {
		applies, err := holds(s.When, r.env(), true)
		if err != nil {
			return nil, err
		}
		if !applies {
			continue
		}
		people, waived, err := r.sitters(n, s)
		if err != nil {
			return nil, err
		}
		switch {
		case len(people) > 0:
			all = seat(all, n.Mode, s.Text, people)
		case !waived:
			vacant = append(vacant, s)
		}
	}
	if len(vacant) > 0 && (n.Mode != Any || len(all) == 0) {
		people, err := r.standIns(n, vacant[0])
		if err != nil {
			return nil, err
		}
		for _, s := range vacant {
			if len(people) > 0 {
				all = seat(all, n.Mode, s.Text, people)
			}
		}
	}
	if r.back != "" && n.Mode == Any && len(all) == 1 {
		if _, ok, err := r.w.People.Person(r.back); err != nil {
			return nil, err
		} else if ok { // straight back to the one who returned it
			all[0].people = []string{r.back}
		}
		r.back = ""
	}
	return all, nil
}

// seat puts people on one more seat: of mode any all are asked together, else
// those who are asked anyway take this seat too. Where one of several holders
// is the only one on another seat, it is that one who takes both.
func seat(all []sitting, mode Mode, text string, people []string) []sitting {
	for i := range all {
		have := &all[i]
		switch {
		case mode == Any:
			for _, id := range people {
				if !slices.Contains(have.people, id) {
					have.people = append(have.people, id)
				}
			}
		case slices.Equal(have.people, people), len(have.people) == 1 && slices.Contains(people, have.people[0]):
		case len(people) == 1 && slices.Contains(have.people, people[0]):
			have.people = people
		default:
			continue
		}
		have.seats = append(have.seats, text)
		return all
	}
	return append(all, sitting{seats: []string{text}, people: people})
}

// sitters finds the people of one seat, without the starter where the step
// wants that. Waived means that the seat is the starter's and need not be
// asked.
func (r *run) sitters(n *Node, s Seat) (ids []string, waived bool, err error) {
	people, unit, err := r.holders(n, s)
	if err != nil {
		return nil, false, err
	}
	if n.Self != selfAllow && s.Kind != StarterSeat {
		others := slices.DeleteFunc(slices.Clone(people), func(p Person) bool { return p.ID == r.in.Starter.ID })
		own := len(others) < len(people)
		people = others
		switch {
		case !own || len(people) > 0:
		case n.Self == selfSkip:
			return nil, true, nil
		case n.Self == selfUp:
			if people, err = r.headAbove(unit); err != nil {
				return nil, false, err
			}
		}
	}
	return idsOf(people), false, nil
}

// holders finds who holds a seat, and the unit from which to look upwards.
func (r *run) holders(n *Node, s Seat) (people []Person, unit string, err error) {
	dir, starter := r.w.People, r.in.Starter
	unit = starter.Unit
	switch s.Kind {
	case RoleSeat:
		people, err = dir.Holders(s.Ref)
	case RoleAtStarter:
		people, err = dir.HoldersAt(s.Ref, unit)
	case HeadOfStarter:
		people, err = r.heads([]string{unit})
	case HeadOfForm:
		units := texts(r.form("")[s.Ref])
		people, err = r.heads(units)
		if len(units) > 0 {
			unit = units[0]
		}
	case UnitOfForm:
		for _, id := range texts(r.form("")[s.Ref]) {
			members, err := dir.Members(id)
			if err != nil {
				return nil, "", err
			}
			people = append(people, members...)
		}
	case FormSeat:
		people, err = r.persons(texts(r.form("")[s.Ref]))
	case PickSeat:
		if picked := r.in.Picked[n.ID]; picked != "" {
			people, err = r.persons([]string{picked})
		} else {
			people, err = r.pickable(n)
		}
	case SameSeat:
		people, err = r.persons(r.deciders(s.Ref))
	case StarterSeat:
		people, err = r.persons([]string{starter.ID})
	case PersonSeat:
		people, err = r.persons([]string{s.Ref})
	default:
		err = fmt.Errorf("step %s: unknown seat %q", n.ID, s.Kind)
	}
	return people, unit, err
}

func (r *run) persons(ids []string) ([]Person, error) {
	var people []Person
	for _, id := range ids {
		p, ok, err := r.w.People.Person(id)
		if err != nil {
			return nil, err
		}
		if ok {
			people = append(people, p)
		}
	}
	return people, nil
}

func (r *run) heads(units []string) ([]Person, error) {
	var people []Person
	for _, unit := range units {
		if unit == "" {
			continue
		}
		p, ok, err := r.w.People.Head(unit)
		if err != nil {
			return nil, err
		}
		if ok {
			people = append(people, p)
		}
	}
	return people, nil
}

// headAbove is the first head from a unit upwards who is not the starter.
func (r *run) headAbove(unit string) ([]Person, error) {
	seen := map[string]bool{} // a tree of units that bites its tail must not hang
	for unit != "" && !seen[unit] {
		seen[unit] = true
		p, ok, err := r.w.People.Head(unit)
		if err != nil {
			return nil, err
		}
		if ok && p.ID != r.in.Starter.ID {
			return []Person{p}, nil
		}
		if unit, err = r.w.People.Above(unit); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// standIns are asked in place of a seat that nobody holds: the administrators,
// unless the step says to skip it or to refuse.
func (r *run) standIns(n *Node, s Seat) ([]string, error) {
	var people []Person
	switch n.Empty {
	case emptySkip:
		return nil, nil
	case emptyRefuse:
	case emptyAdmin:
		admins, err := r.w.People.Admins()
		if err != nil {
			return nil, err
		}
		people = slices.DeleteFunc(slices.Clone(admins), func(p Person) bool {
			return n.Self != selfAllow && p.ID == r.in.Starter.ID
		})
	}
	if len(people) == 0 {
		return nil, refuse(NoHandler, "", "步骤「"+n.Name+"」找不到办理人", "nobody can handle the step", map[string]any{"step": n.ID, "seat": s.Text})
	}
	return idsOf(people), nil
}

// pickable are the people among whom the handler before chooses for a step.
func (r *run) pickable(n *Node) ([]Person, error) {
	if !slices.ContainsFunc(n.Who, func(s Seat) bool { return s.Kind == PickSeat }) || n.From == "" {
		return nil, nil
	}
	people, err := r.among(n.From)
	return slices.DeleteFunc(slices.Clone(people), func(p Person) bool {
		return n.Self != selfAllow && p.ID == r.in.Starter.ID
	}), err
}

// among are the people that "role:R" names.
func (r *run) among(from string) ([]Person, error) {
	return r.w.People.Holders(strings.TrimPrefix(from, "role:"))
}

// deciders are those who decided a step when the matter was last there.
func (r *run) deciders(step string) []string {
	visit := 0
	var all []string
	for i := len(r.in.Tasks) - 1; i >= 0; i-- {
		t := &r.in.Tasks[i]
		if t.Step != step || t.State != Done || t.added() || visit != 0 && t.Visit != visit {
			continue
		}
		visit = t.Visit
		all = append(all, t.By)
	}
	return all
}

func idsOf(people []Person) []string {
	var ids []string
	for _, p := range people {
		if p.ID != "" && !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	slices.SortFunc(ids, cmp.Compare[string])
	return ids
}
