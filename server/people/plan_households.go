package people

import (
	"fmt"

	"campusgate/server/store"
)

// member looks over a row of households: one member of one.
func (p *planner) member(r row) (planned, error) {
	place, compound, head, err := p.household(p.ctx, p.src, Place{r.text("compound"), r.text("building"), r.text("room")}, r.text("head"))
	if err != nil {
		return planned{}, err
	}
	m := NewMember{
		Person: r.text("number"), Name: r.text("name"), Phone: r.text("phone"), IDNumber: r.text("id_number"),
		Relation: r.text("relation"), Since: r.text("since"),
	}
	if m.Name == "" && m.Person == "" {
		m.Name = head
	}
	if m.Name == head && m.Relation == "" {
		m.Relation = "户主"
	}
	if m, err = memberTerms(m, p.today); err != nil {
		return planned{}, asColumn(err)
	}
	verified, err := r.yes("verified")
	if err != nil {
		return planned{}, err
	}
	old, err := p.home(place, head)
	if err != nil {
		return planned{}, err
	}
	j, err := p.identify(p.ctx, p.src, old.ID, m)
	if err != nil {
		return planned{}, asColumn(err)
	}
	if err := p.distinct(r, place, head, j.new); err != nil {
		return planned{}, err
	}
	return planned{p.joins(old, j, verified), func(t *store.Tx) error {
		return p.settle(t, compound, place, head, m, verified)
	}}, nil
}

// asColumn gives a fault of a member's number the name that its column has.
func asColumn(err error) error {
	if f, ok := err.(*Fault); ok && f.Field == "person" {
		return fault("number", f.ZH, f.EN)
	}
	return err
}

// home gives the household at a place as it is kept; the zero one when there is
// none.
func (p *planner) home(place Place, head string) (Household, error) {
	room, ok, err := p.room(p.ctx, p.src, place)
	if err != nil || !ok {
		return Household{}, err
	}
	id, err := p.householdAt(p.ctx, p.src, room, head)
	if err != nil || id == 0 {
		return Household{}, err
	}
	return p.Household(p.ctx, p.src, id)
}

// distinct refuses a member who comes twice, a phone or ID number that earlier
// rows give to another name, and one of them beside another of the other.
func (p *planner) distinct(r row, place Place, head string, who Person) error {
	key := who.Name
	for _, n := range []struct{ field, number string }{{"phone", who.Phone}, {"id_number", who.IDNumber}} {
		if n.number == "" {
			continue
		}
		key = n.number
		if err := p.agree(n.field, n.field+" "+n.number, who.Name); err != nil {
			return err
		}
	}
	if who.Phone != "" && who.IDNumber != "" {
		if err := p.agree("phone", "phone of "+who.IDNumber, who.Phone); err != nil {
			return err
		}
		if err := p.agree("id_number", "ID number of "+who.Phone, who.IDNumber); err != nil {
			return err
		}
	}
	if who.ID != "" {
		key = "person " + who.ID
	}
	home := fmt.Sprintf("%q %q %q %q", fold(place.Compound), fold(place.Building), fold(place.Room), head)
	return p.first("name", home+" "+key, r)
}

// joins says what a row comes to.
func (p *planner) joins(old Household, j joining, verified bool) outcome {
	for _, m := range old.Members {
		if j.old.ID == "" || m.Person != j.old.ID {
			continue
		}
		if m.Relation == j.relation && len(differences(j.old, j.new)) == 0 && (old.VerifiedAt != 0 || !verified) {
			return same
		}
		return changes
	}
	return adds
}

// settle writes a member, and the household, room and building that are new.
// An imported list vouches for its households unless it says otherwise.
func (p *planner) settle(t *store.Tx, compound Compound, place Place, head string, m NewMember, verified bool) error {
	room, err := p.makeRoom(t, p.by.Actor, compound, place)
	if err != nil {
		return err
	}
	id, err := p.householdAt(t.Context(), t, room, head)
	if err == nil && id == 0 {
		id, err = p.insertHousehold(t, p.by.Actor, room, head)
	}
	if err != nil {
		return err
	}
	// Who is new may have come to be with an earlier row.
	j, err := p.identify(t.Context(), t, id, m)
	if err != nil {
		return err
	}
	if _, err := p.join(t, p.by.Actor, id, j); err != nil || !verified {
		return err
	}
	_, err = p.VerifyHousehold(t, p.by.Actor, id)
	return err
}
