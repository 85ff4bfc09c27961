package people

import (
	"errors"

	"campusgate/server/store"
)

// place looks over a row of places: a campus, or a compound, building or room
// in it, each coming to be where it is new.
func (p *planner) place(r row) (planned, error) {
	id, err := checkID("campus", r.text("campus"))
	if err != nil {
		return planned{}, err
	}
	old, err := p.campus(p.ctx, p.src, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return planned{}, err
	}
	campus := old
	campus.ID = id
	campus.Name, campus.Police = r.newText("campus_name", old.Name), r.newText("police", old.Police)
	if campus.Name == "" {
		campus.Name = p.texts["campus "+id] // from the row that made it
	}
	if campus, err = campusTerms(campus); err != nil {
		return planned{}, asCampusName(err)
	}
	if err := p.agree("campus_name", "campus "+id, campus.Name); err != nil {
		return planned{}, err
	}
	if campus.Name != old.Name {
		if err := p.campusNameFree(campus); err != nil {
			return planned{}, err
		}
	}
	compound, err := p.compoundOf(r, id)
	if err != nil {
		return planned{}, err
	}
	result := same
	if campus != old {
		result = changes
	}
	fresh, moved, err := p.placeNews(r, old.ID == "", compound)
	if err != nil {
		return planned{}, err
	}
	switch {
	case fresh:
		result = adds
	case moved:
		result = changes
	}
	if result == same {
		return planned{outcome: same}, nil
	}
	return planned{result, func(t *store.Tx) error { return p.settlePlace(t, r, campus, compound) }}, nil
}

func asCampusName(err error) error {
	if f, ok := err.(*Fault); ok && f.Field == "name" {
		return fault("campus_name", f.ZH, f.EN)
	}
	return err
}

func (p *planner) campusNameFree(c Campus) error {
	n, err := count(p.ctx, p.src, "SELECT count(*) FROM campuses WHERE name = $1 AND id <> $2", c.Name, c.ID)
	if err == nil && n > 0 {
		err = fault("campus_name", "校区名称已被使用", "the name is in use")
	}
	if err != nil {
		return err
	}
	return p.agree("campus_name", "campus name "+c.Name, c.ID)
}

// compoundOf reads the compound, building and room of a row.
func (p *planner) compoundOf(r row, campus string) (Compound, error) {
	c := Compound{Campus: campus}
	var err error
	if c.OnCampus, err = r.yes("on_campus"); err != nil {
		return c, err
	}
	below := false
	for _, f := range []struct {
		field string
		keep  *string
	}{{"room", nil}, {"building", nil}, {"compound", &c.Name}} {
		text, err := words(f.field, r.text(f.field), maxShort)
		if err != nil {
			return c, err
		}
		if text == "" && below {
			return c, fault(f.field, "不能为空", "missing")
		}
		below = below || text != ""
		if f.keep != nil {
			*f.keep = text
		}
	}
	if c.Name == "" {
		return c, nil
	}
	return c, p.agree("campus", "compound "+fold(c.Name), campus)
}

// placeNews says whether a row makes something or changes a compound, and that
// it comes once.
func (p *planner) placeNews(r row, newCampus bool, c Compound) (fresh, moved bool, err error) {
	key := "place " + c.Campus + "\x00" + fold(c.Name) + "\x00" + fold(r.text("building")) + "\x00" + fold(r.text("room"))
	if err := p.first("campus", key, r); err != nil {
		return false, false, err
	}
	if c.Name == "" {
		return newCampus, false, nil
	}
	old, ok, err := p.compound(p.ctx, p.src, c.Name)
	switch {
	case err != nil || !ok:
		return true, false, err
	case old.Campus != c.Campus:
		return false, false, fault("compound", "该小区属于另一校区", "the compound is on another campus")
	}
	moved = r.text("on_campus") != "" && old.OnCampus != c.OnCampus
	if building := r.text("building"); building != "" {
		n, err := count(p.ctx, p.src, `SELECT count(*) FROM buildings b LEFT JOIN rooms r ON r.building = b.id
			WHERE b.compound = $1 AND b.folded = $2 AND ($3 = '' OR r.folded = $4)`,
			old.ID, fold(building), fold(r.text("room")), fold(r.text("room")))
		return n == 0, moved, err
	}
	return false, moved, nil
}

func (p *planner) settlePlace(t *store.Tx, r row, campus Campus, c Compound) error {
	now, err := p.campus(t.Context(), t, campus.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		_, err = p.AddCampus(t, p.by.Actor, campus)
	case err == nil:
		now.Name, now.Police = r.newText("campus_name", now.Name), r.newText("police", now.Police)
		_, err = p.UpdateCampus(t, p.by.Actor, now)
	}
	if err != nil || c.Name == "" {
		return err
	}
	old, ok, err := p.compound(t.Context(), t, c.Name)
	switch {
	case err != nil:
		return err
	case !ok:
		old, err = p.AddCompound(t, p.by.Actor, c)
	case r.text("on_campus") != "" && old.OnCampus != c.OnCampus:
		old.OnCampus = c.OnCampus
		_, err = p.UpdateCompound(t, p.by.Actor, old)
	}
	if err != nil || r.text("building") == "" {
		return err
	}
	place := Place{c.Name, r.text("building"), r.text("room")}
	if place.Room != "" {
		_, err = p.makeRoom(t, p.by.Actor, old, place)
		return err
	}
	_, err = p.makeBuilding(t, p.by.Actor, old, place.Building)
	return err
}
