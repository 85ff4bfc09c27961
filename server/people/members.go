package people

import (
	"context"
	"errors"
	"fmt"

	"campusgate/server/store"
)

// NewMember is somebody to be put into a household: a person who is known by
// number, phone or ID number, or a new resident.
type NewMember struct {
	Person   string // number, "" = found by the others
	Name     string
	Phone    string
	IDNumber string
	Relation string
	Since    string // day, "" = today
}

// joining is a member who was checked.
type joining struct {
	old, new Person // with their numbers; old.ID == "" = to be made
	relation string
	since    string
}

// memberTerms checks everything of a member that needs no other rows.
func memberTerms(m NewMember, today string) (NewMember, error) {
	var err error
	if m.Person == "" {
		m.Name, err = needed("name", m.Name, maxName)
	} else {
		m.Name, err = words("name", m.Name, maxName)
	}
	if err != nil {
		return m, err
	}
	if m.Phone != "" {
		if m.Phone, err = CheckPhone(m.Phone); err != nil {
			return m, err
		}
	}
	if m.IDNumber != "" {
		if m.IDNumber, err = CheckIDNumber(m.IDNumber); err != nil {
			return m, err
		}
	}
	if m.Relation, err = words("relation", m.Relation, maxShort); err != nil {
		return m, err
	}
	if m.Since == "" {
		m.Since = today
	}
	m.Since, err = checkDay("since", m.Since)
	return m, err
}

// identify finds out who a member is. Nobody is taken for another: a name or
// number that contradicts what is known is a fault.
func (s *Service) identify(ctx context.Context, src store.Source, household int64, m NewMember) (joining, error) {
	j := joining{relation: m.Relation, since: m.Since}
	var err error
	if j.old, err = s.known(ctx, src, household, m); err != nil {
		return j, err
	}
	if j.old.ID == "" {
		j.new = Person{Name: m.Name, Kind: Resident, Phone: m.Phone, IDNumber: m.IDNumber, State: Active}
		return j, nil
	}
	j.new = j.old
	for _, f := range []struct {
		field    string
		told     string
		kept     *string
		zh, what string
	}{
		{"name", m.Name, &j.new.Name, "姓名", "name"},
		{"phone", m.Phone, &j.new.Phone, "手机号", "phone"},
		{"id_number", m.IDNumber, &j.new.IDNumber, "身份证号", "ID number"},
	} {
		if *f.kept == "" {
			*f.kept = f.told
		}
		if f.told != "" && f.told != *f.kept {
			return j, fault(f.field, f.zh+"与已登记的不一致", "this person is known with another "+f.what)
		}
	}
	if j.new.Phone != j.old.Phone {
		// Whoever has the phone could sign in as a person with posts.
		posts, err := s.PostsOf(ctx, src, j.old.ID, s.Today())
		if err == nil && len(posts) > 0 {
			err = fault("phone", "该人员有岗位,请先在人员信息中登记手机号", "this person holds a post; give them the phone first")
		}
		if err != nil {
			return j, err
		}
	}
	return j, s.personPlace(ctx, src, j.new)
}

// known gives the person that a member is, by the strongest sign there is; the
// zero Person when it is nobody yet.
func (s *Service) known(ctx context.Context, src store.Source, household int64, m NewMember) (Person, error) {
	if m.Person != "" {
		p, err := s.Details(ctx, src, m.Person)
		if errors.Is(err, store.ErrNotFound) || err == nil && p.State != Active {
			return Person{}, fault("person", "没有这个人员编号", "no person has this number")
		}
		return p, err
	}
	type sign struct {
		where string
		args  []any
	}
	var signs []sign
	if m.Phone != "" {
		signs = append(signs, sign{" WHERE p.left_at IS NULL AND p.phone_key = $1", []any{s.Vault.Index(sealPhone, m.Phone)}})
	}
	if m.IDNumber != "" {
		signs = append(signs, sign{" WHERE p.left_at IS NULL AND p.number_key = $1", []any{s.Vault.Index(sealNumber, m.IDNumber)}})
	}
	if m.Phone == "" && m.IDNumber == "" {
		signs = append(signs, sign{
			" WHERE p.left_at IS NULL AND p.name = $1 AND p.id IN (SELECT person FROM members WHERE household = $2)",
			[]any{m.Name, household},
		})
	}
	for _, g := range signs {
		found, err := store.List(ctx, src, scanPerson, personColumns+g.where+" ORDER BY p.id LIMIT 1", g.args...)
		if err != nil {
			return Person{}, err
		}
		if len(found) > 0 {
			return s.opened(found[0])
		}
	}
	return Person{}, nil
}

// join writes a member who was identified. It reports whether anything was new.
func (s *Service) join(t *store.Tx, actor string, household int64, j joining) (bool, error) {
	p, changed := j.new, j.old.ID == ""
	var err error
	if j.old.ID == "" {
		p, err = s.insertPerson(t, actor, j.new)
	} else if len(differences(j.old, j.new)) > 0 {
		changed = true
		_, err = s.replacePerson(t, actor, j.old, j.new)
	}
	if err != nil {
		return false, err
	}
	n, err := t.Affect(`INSERT INTO members (household, person, relation, since) VALUES ($1, $2, $3, $4)
		ON CONFLICT (household, person) DO UPDATE SET relation = excluded.relation WHERE relation <> excluded.relation`,
		household, p.ID, j.relation, j.since)
	if err != nil || n == 0 {
		return changed, err
	}
	return true, t.Trail(actor, "household.member", fmt.Sprintf("household %d", household), map[string]any{"person": p.ID})
}

// NewHousehold is a household to be made.
type NewHousehold struct {
	Place
	Head    string
	Members []NewMember
}

// AddHousehold makes a household, not verified yet, and the members who are
// new. A Fault names what is wrong, of members as "members[0].phone"; it is
// store.ErrTaken when the room has a household of this head.
func (s *Service) AddHousehold(t *store.Tx, actor string, n NewHousehold) (Household, error) {
	place, compound, head, err := s.household(t.Context(), t, n.Place, n.Head)
	if err != nil {
		return Household{}, err
	}
	if err := s.headFree(t, place, head, 0); err != nil {
		return Household{}, err
	}
	joins := make([]joining, len(n.Members))
	seen := map[string]bool{}
	for i, m := range n.Members {
		if joins[i], err = s.newMember(t, 0, m); err == nil {
			err = twice(seen, joins[i].new)
		}
		if err != nil {
			return Household{}, within(fmt.Sprintf("members[%d]", i), err)
		}
	}
	room, err := s.makeRoom(t, actor, compound, place)
	if err != nil {
		return Household{}, err
	}
	id, err := s.insertHousehold(t, actor, room, head)
	if err != nil {
		return Household{}, err
	}
	for _, j := range joins {
		if _, err := s.join(t, actor, id, j); err != nil {
			return Household{}, err
		}
	}
	return s.Household(t.Context(), t, id)
}

// twice refuses a person who is among those of one request already.
func twice(seen map[string]bool, p Person) error {
	for _, n := range []struct{ field, number string }{{"phone", p.Phone}, {"id_number", p.IDNumber}} {
		if key := n.field + n.number; n.number != "" && seen[key] {
			return fault(n.field, "号码重复", "the number comes twice")
		} else if n.number != "" {
			seen[key] = true
		}
	}
	return nil
}

// household checks where a household is and under whom.
func (s *Service) household(ctx context.Context, src store.Source, p Place, head string) (Place, Compound, string, error) {
	p, err := placeTerms(p)
	if err != nil {
		return p, Compound{}, "", err
	}
	if head, err = needed("head", head, maxName); err != nil {
		return p, Compound{}, "", err
	}
	c, err := s.needCompound(ctx, src, p)
	return p, c, headName(head), err
}

// headFree refuses a second household of one head in a room.
func (s *Service) headFree(t *store.Tx, p Place, head string, but int64) error {
	room, ok, err := s.room(t.Context(), t, p)
	if err != nil || !ok {
		return err
	}
	other, err := s.householdAt(t.Context(), t, room, head)
	if err == nil && other != 0 && other != but {
		err = taken("head", "该门牌下已有此户主的住户", "this room has a household of this head")
	}
	return err
}

func (s *Service) newMember(t *store.Tx, household int64, m NewMember) (joining, error) {
	m, err := memberTerms(m, s.dayOf(t))
	if err != nil {
		return joining{}, err
	}
	return s.identify(t.Context(), t, household, m)
}

// within puts a fault into a part of the request.
func within(part string, err error) error {
	var f *Fault
	if !errors.As(err, &f) {
		return err
	}
	inner := *f
	inner.Field = part + "." + f.Field
	if errors.Is(err, store.ErrTaken) {
		return &takenFault{inner}
	}
	return &inner
}

func (s *Service) insertHousehold(t *store.Tx, actor string, room int64, head string) (id int64, err error) {
	err = t.QueryRowContext(t.Context(), "INSERT INTO households (room, head, created_at) VALUES ($1, $2, $3) RETURNING id",
		room, head, t.Now()).Scan(&id)
	if err != nil {
		return 0, err
	}
	return id, t.Trail(actor, "household.added", fmt.Sprintf("household %d", id), map[string]any{"room": room})
}

// UpdateHousehold moves a household or gives it another head; then it has to be
// verified again. A Fault names what is wrong; it is store.ErrTaken when the
// room has a household of this head. store.ErrNotFound.
func (s *Service) UpdateHousehold(t *store.Tx, actor string, id int64, p Place, head string) (Household, error) {
	old, err := s.Household(t.Context(), t, id)
	if err != nil {
		return Household{}, err
	}
	p, compound, head, err := s.household(t.Context(), t, p, head)
	if err != nil {
		return Household{}, err
	}
	if err := s.headFree(t, p, head, id); err != nil {
		return Household{}, err
	}
	room, err := s.makeRoom(t, actor, compound, p)
	if err != nil || room == old.Room && head == old.Head {
		return old, err
	}
	err = t.Exec("UPDATE households SET room = $1, head = $2, verified_by = NULL, verified_at = NULL WHERE id = $3", room, head, id)
	if err != nil {
		return Household{}, err
	}
	if err := t.Trail(actor, "household.changed", fmt.Sprintf("household %d", id), map[string]any{"room": room}); err != nil {
		return Household{}, err
	}
	return s.Household(t.Context(), t, id)
}

// AddMember puts somebody into a household; who is in it already stays. A Fault
// names what is wrong. store.ErrNotFound.
func (s *Service) AddMember(t *store.Tx, actor string, household int64, m NewMember) (Household, error) {
	if _, err := s.Household(t.Context(), t, household); err != nil {
		return Household{}, err
	}
	j, err := s.newMember(t, household, m)
	if err != nil {
		return Household{}, err
	}
	if _, err := s.join(t, actor, household, j); err != nil {
		return Household{}, err
	}
	return s.Household(t.Context(), t, household)
}

// RemoveMember takes somebody out of a household. store.ErrNotFound.
func (s *Service) RemoveMember(t *store.Tx, actor string, household int64, person string) error {
	n, err := t.Affect("DELETE FROM members WHERE household = $1 AND person = $2", household, person)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%w: member of household %d", store.ErrNotFound, household)
	}
	return t.Trail(actor, "household.left", fmt.Sprintf("household %d", household), map[string]any{"person": person})
}

// VerifyHousehold says that somebody has seen the documents of a household. One
// that is verified keeps who and when. store.ErrNotFound.
func (s *Service) VerifyHousehold(t *store.Tx, actor string, id int64) (Household, error) {
	h, err := s.Household(t.Context(), t, id)
	if err != nil || h.VerifiedAt != 0 {
		return h, err
	}
	err = t.Exec("UPDATE households SET verified_by = $1, verified_at = $2 WHERE id = $3", actor, t.Now(), id)
	if err != nil {
		return h, err
	}
	if err := t.Trail(actor, "household.verified", fmt.Sprintf("household %d", id), nil); err != nil {
		return h, err
	}
	return s.Household(t.Context(), t, id)
}
