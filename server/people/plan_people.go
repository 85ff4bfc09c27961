package people

import (
	"errors"

	"campusgate/server/store"
)

// person looks over a row of people.
func (p *planner) person(r row) (planned, error) {
	told := Person{
		ID: r.text("number"), Name: r.text("name"), Unit: r.text("unit"), Mail: r.text("mail"),
		Phone: r.text("phone"), IDNumber: r.text("id_number"),
	}
	var err error
	if told.Kind, err = kindNamed(r.text("kind")); err != nil {
		return planned{}, err
	}
	if told.Level, err = levelNamed(r.text("level")); err != nil {
		return planned{}, err
	}
	if told.State, err = stateNamed(r.text("state")); err != nil {
		return planned{}, err
	}
	if told.Unit, err = p.units.find("unit", told.Unit); err != nil {
		return planned{}, err
	}
	old, err := p.knownPerson(told)
	if err != nil {
		return planned{}, err
	}
	if old.ID == "" && told.ID != "" {
		if told.ID, err = ownID(told.ID); err != nil {
			return planned{}, err
		}
	}
	next := told
	if old.ID != "" {
		next = old
		next.Name, next.Kind, next.State = told.Name, told.Kind, told.State
		for _, f := range []struct{ to, from *string }{
			{&next.Level, &told.Level},
			{&next.Unit, &told.Unit},
			{&next.Phone, &told.Phone},
			{&next.IDNumber, &told.IDNumber},
			{&next.Mail, &told.Mail},
		} {
			if *f.from != "" {
				*f.to = *f.from
			}
		}
		if next.Kind != Student {
			next.Level = told.Level
		}
	}
	if next, err = personTerms(next); err != nil {
		return planned{}, err
	}
	if err := p.unique(r, next); err != nil {
		return planned{}, err
	}
	if err := p.personPlace(p.ctx, p.src, next); err != nil {
		return planned{}, err
	}
	if old.State == Active && next.State == Left {
		err := p.endAdmin("state", r, func(held Post) string { return held.Person }, old.ID)
		if err != nil {
			return planned{}, err
		}
	}
	if old.ID != "" && next.Phone != old.Phone { // who receives its codes is this person
		over, err := p.Overrules(p.ctx, p.src, p.by, old.ID)
		if err == nil && !over {
			err = fault("phone", "不能修改权限高于您的人员的手机号", "this person may more than you")
		}
		if err != nil {
			return planned{}, err
		}
	}
	return p.writes(old, next), nil
}

// knownPerson is who a row tells of: by number, or without one by phone or ID
// number. The zero Person is nobody yet.
func (p *planner) knownPerson(told Person) (Person, error) {
	if told.ID != "" {
		old, err := p.Details(p.ctx, p.src, told.ID)
		if errors.Is(err, store.ErrNotFound) {
			return Person{}, nil
		}
		return old, err
	}
	if !numbered(told.Kind) {
		return Person{}, fault("number", "不能为空", "missing")
	}
	m := NewMember{Name: told.Name}
	var err error
	if told.Phone != "" {
		if m.Phone, err = CheckPhone(told.Phone); err != nil {
			return Person{}, err
		}
	}
	if told.IDNumber != "" {
		if m.IDNumber, err = CheckIDNumber(told.IDNumber); err != nil {
			return Person{}, err
		}
	}
	old, err := p.known(p.ctx, p.src, 0, m)
	if err == nil && old.ID != "" && old.Name != "" && old.Name != told.Name {
		err = fault("name", "与该手机号或身份证号已登记的姓名不一致", "the phone or ID number is known with another name")
	}
	return old, err
}

// unique refuses a number or phone that an earlier row has.
func (p *planner) unique(r row, next Person) error {
	if next.ID != "" {
		if err := p.first("number", "person "+next.ID, r); err != nil {
			return err
		}
	}
	if next.Phone != "" && next.State == Active {
		if err := p.first("phone", "phone "+next.Phone, r); err != nil {
			return err
		}
	}
	if next.IDNumber != "" && next.State == Active {
		return p.first("id_number", "id "+next.IDNumber, r)
	}
	return nil
}

// writes makes somebody, or changes them.
func (p *planner) writes(old, next Person) planned {
	switch {
	case old.ID == "":
		return planned{adds, func(t *store.Tx) error {
			_, err := p.insertPerson(t, p.by.Actor, next)
			return err
		}}
	case len(differences(old, next)) == 0:
		return planned{outcome: same}
	}
	return planned{changes, func(t *store.Tx) error {
		_, err := p.overrule(t, p.by.Actor, old, next)
		return err
	}}
}

func kindNamed(text string) (Kind, error) {
	for _, k := range kinds {
		if text == k.name || text == string(k.kind) {
			return k.kind, nil
		}
	}
	return "", fault("kind", "应为:"+kindNames(), "no such kind of person")
}

func levelNamed(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	for _, l := range levels {
		if text == l.name || text == l.level {
			return l.level, nil
		}
	}
	return "", fault("level", "应为:"+levelNames(), "want undergraduate, graduate or foreign")
}

func stateNamed(text string) (string, error) {
	switch text {
	case "", "在校", "在职", Active:
		return Active, nil
	case "离校", "离职", Left:
		return Left, nil
	}
	return "", fault("state", "应为 在校 或 离校", "want active or left")
}
