package approval

import "slices"

// Planned is a step that a form would go through.
type Planned struct {
	Step   string
	Name   string
	Kind   NodeKind
	Mode   Mode
	Auto   bool     // the system will agree
	Choice bool     // done only when a handler before chooses it, or decides so
	Pick   bool     // one of People, whom the handler before chooses
	People []Person // empty where only a later step says who
}

// Preview says who would review a form (检查审核人). It refuses with what a
// submit would refuse with for the same reasons: somebody who may not apply, a
// field that decides about a step and is missing, a seat without a holder.
func (f *Flow) Preview(form map[string]any, starter Person, w World) ([]Planned, *Refusal, error) {
	in, err := f.Open("", starter, w)
	if err != nil {
		return nil, nil, err
	}
	r := f.run(in, Act{Verb: Save, Actor: starter, Form: form}, w)
	plan, err := r.plan()
	if no, ok := err.(refused); ok {
		return nil, no.Refusal, nil
	}
	return plan, nil, err
}

func (r *run) plan() ([]Planned, error) {
	ok, err := r.f.MayStart(r.in.Starter, r.w.People)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, deny(NotAStarter)
	}
	if err := r.saveForm(); err != nil {
		return nil, err
	}
	if err := r.people(r.f.Form, r.in.Form); err != nil {
		return nil, err
	}
	to, err := r.ways()
	if err != nil {
		return nil, err
	}
	var plan []Planned
	for i, n := range r.f.Steps {
		if n.When != nil {
			v, missing, err := n.When.Bool(r.env())
			switch {
			case err != nil:
				return nil, err
			case missing != "" && r.asks(missing):
				return nil, r.missing(missing)
			case missing == "" && !v:
				continue
			}
		}
		may, must := to.meets(r.place(), i)
		if !may {
			continue
		}
		p, err := r.planned(n)
		if err != nil {
			return nil, err
		}
		p.Choice = !must
		plan = append(plan, p)
	}
	return plan, nil
}

// asks says whether the application itself has a field, and not only a step.
func (r *run) asks(field string) bool {
	return slices.ContainsFunc(r.f.Form, func(f *Field) bool { return f.ID == field })
}

func (r *run) planned(n *Node) (Planned, error) {
	p := Planned{Step: n.ID, Name: n.Name, Kind: n.Kind, Mode: n.Mode}
	if n.Kind == Archive {
		return p, nil
	}
	p.Pick = slices.ContainsFunc(n.Who, func(s Seat) bool { return s.Kind == PickSeat })
	if n.Auto != nil && n.Next == nil {
		auto, err := holds(n.Auto, r.env(), false)
		if err != nil {
			return p, err
		}
		p.Auto = auto
	}
	if p.Auto || slices.ContainsFunc(n.Who, r.open) {
		return p, nil
	}
	sittings, err := r.sittings(n)
	if err != nil {
		return p, err
	}
	for _, s := range sittings {
		people, err := r.persons(s.people)
		if err != nil {
			return p, err
		}
		for _, one := range people {
			if !slices.ContainsFunc(p.People, func(have Person) bool { return have.ID == one.ID }) {
				p.People = append(p.People, one)
			}
		}
	}
	return p, nil
}

// open says whether only what is still to be done tells who has a seat.
func (r *run) open(s Seat) bool {
	switch s.Kind {
	case SameSeat:
		return len(r.deciders(s.Ref)) == 0
	case HeadOfForm, UnitOfForm, FormSeat:
		return absent(r.form("")[s.Ref])
	case RoleSeat, RoleAtStarter, HeadOfStarter, PickSeat, StarterSeat, PersonSeat:
	}
	return false
}
