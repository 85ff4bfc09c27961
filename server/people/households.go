package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"campusgate/server/store"
)

const householdColumns = `SELECT h.id, h.room, h.head, coalesce(h.verified_by, ''), coalesce(h.verified_at, 0), c.campus, c.name, b.name, r.name
	FROM households h JOIN rooms r ON r.id = h.room JOIN buildings b ON b.id = r.building JOIN compounds c ON c.id = b.compound`

func scanHousehold(rows *sql.Rows) (h Household, err error) {
	err = rows.Scan(&h.ID, &h.Room, &h.Head, &h.VerifiedBy, &h.VerifiedAt, &h.Campus, &h.Compound, &h.Building, &h.RoomName)
	h.Address = strings.Join([]string{h.Compound, h.Building, h.RoomName}, " ")
	return h, err
}

// households gives what where selects, with the members.
func (s *Service) households(ctx context.Context, src store.Source, where string, args ...any) ([]Household, error) {
	all, err := store.List(ctx, src, scanHousehold, householdColumns+where, args...)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Members, err = s.members(ctx, src, all[i].ID); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Service) members(ctx context.Context, src store.Source, household int64) ([]Member, error) {
	type row struct {
		Member
		phone []byte
	}
	found, err := store.List(ctx, src, func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.Household, &r.Person, &r.Name, &r.phone, &r.Relation, &r.Since)
		return r, err
	}, `SELECT m.household, m.person, p.name, p.phone, m.relation, m.since
		FROM members m JOIN persons p ON p.id = m.person WHERE m.household = $1 ORDER BY m.since, m.person`, household)
	if err != nil {
		return nil, err
	}
	all := make([]Member, len(found))
	for i, r := range found {
		all[i] = r.Member
		if r.phone != nil {
			plain, err := s.Vault.Open(sealPhone, r.phone)
			if err != nil {
				return nil, err
			}
			all[i].Phone = Mask(plain)
		}
	}
	return all, nil
}

// Household gives one household with its members, or store.ErrNotFound.
func (s *Service) Household(ctx context.Context, src store.Source, id int64) (Household, error) {
	found, err := s.households(ctx, src, " WHERE h.id = $1", id)
	if err != nil {
		return Household{}, err
	}
	if len(found) == 0 {
		return Household{}, fmt.Errorf("%w: household %d", store.ErrNotFound, id)
	}
	return found[0], nil
}

// HouseholdsOf gives the households that somebody is a member of.
func (s *Service) HouseholdsOf(ctx context.Context, src store.Source, person string) ([]Household, error) {
	return s.households(ctx, src,
		" WHERE h.id IN (SELECT household FROM members WHERE person = $1) ORDER BY h.id", person)
}

// HouseholdOf gives the household at this address under this head, if the
// person is a member of it. The names of the address may differ from the kept
// ones in spaces, width and case.
func (s *Service) HouseholdOf(ctx context.Context, src store.Source, person, compound, building, room, head string) (Household, bool, error) {
	found, err := s.households(ctx, src, ` WHERE c.folded = $1 AND b.folded = $2 AND r.folded = $3 AND h.head = $4
		AND h.id IN (SELECT household FROM members WHERE person = $5)`,
		fold(compound), fold(building), fold(room), headName(head), person)
	if err != nil || len(found) == 0 {
		return Household{}, false, err
	}
	return found[0], true, nil
}

// HouseholdQuery says which households to list. Empty fields do not matter.
type HouseholdQuery struct {
	Text     string // in the head's or a member's name, or in the address; or a member's whole phone
	Compound string // name
	Verified *bool
	Page
}

const householdFilter = `
	WHERE ($1 = '' OR h.head LIKE $2 ESCAPE '\' OR c.folded || b.folded || r.folded LIKE $3 ESCAPE '\'
			OR h.id IN (SELECT m.household FROM members m JOIN persons p ON p.id = m.person
				WHERE p.name LIKE $4 ESCAPE '\' OR p.phone_key = $5))
		AND ($6 = '' OR c.folded = $7)
		AND ($8 IS NULL OR (h.verified_at IS NOT NULL) = $9)`

// Households gives a page of households with their members, oldest first, and
// how many there are.
func (s *Service) Households(ctx context.Context, src store.Source, q HouseholdQuery) ([]Household, int, error) {
	text := strings.TrimSpace(q.Text)
	like, compound := contains(text), fold(q.Compound)
	var phone []byte
	if plain, err := CheckPhone(text); err == nil {
		phone = s.Vault.Index(sealPhone, plain)
	}
	args := []any{text, like, contains(fold(text)), like, phone, compound, compound, q.Verified, q.Verified}
	total, err := count(ctx, src, `SELECT count(*) FROM households h JOIN rooms r ON r.id = h.room
		JOIN buildings b ON b.id = r.building JOIN compounds c ON c.id = b.compound`+householdFilter, args...)
	if err != nil {
		return nil, 0, err
	}
	limit, offset := q.limits()
	all, err := s.households(ctx, src, householdFilter+" ORDER BY h.id LIMIT $10 OFFSET $11", append(args, limit, offset)...)
	return all, total, err
}

// Place is where a household lives: names of a compound that there is, and of
// a building and a room, which come to be when they are new.
type Place struct{ Compound, Building, Room string }

// placeTerms checks the names of a place; the faults are of the fields
// compound, building and room.
func placeTerms(p Place) (Place, error) {
	var err error
	for _, f := range []struct {
		field string
		text  *string
	}{{"compound", &p.Compound}, {"building", &p.Building}, {"room", &p.Room}} {
		if *f.text, err = needed(f.field, *f.text, maxShort); err != nil {
			return p, err
		}
	}
	return p, nil
}

// needCompound finds the compound of a place.
func (s *Service) needCompound(ctx context.Context, src store.Source, p Place) (Compound, error) {
	c, ok, err := s.compound(ctx, src, p.Compound)
	if err == nil && !ok {
		err = fault("compound", "没有这个小区", "no such compound")
	}
	return c, err
}

// room gives the number of a room; ok = false when there is none yet.
func (s *Service) room(ctx context.Context, src store.Source, p Place) (id int64, ok bool, err error) {
	err = src.QueryRowContext(ctx, `SELECT r.id FROM rooms r JOIN buildings b ON b.id = r.building
		JOIN compounds c ON c.id = b.compound WHERE c.folded = $1 AND b.folded = $2 AND r.folded = $3`,
		fold(p.Compound), fold(p.Building), fold(p.Room)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil, err
}

// makeRoom gives the number of a room of a compound that there is, and makes
// the building and the room where they are new.
func (s *Service) makeRoom(t *store.Tx, actor string, compound Compound, p Place) (int64, error) {
	if id, ok, err := s.room(t.Context(), t, p); ok || err != nil {
		return id, err
	}
	building, err := s.makeBuilding(t, actor, compound, p.Building)
	if err != nil {
		return 0, err
	}
	room, _, err := s.addPlace(t, actor, "room", building, p.Room)
	return room, err
}

// makeBuilding gives the number of a building, which it makes when it is new.
func (s *Service) makeBuilding(t *store.Tx, actor string, compound Compound, name string) (id int64, err error) {
	err = t.QueryRowContext(t.Context(), "SELECT id FROM buildings WHERE compound = $1 AND folded = $2",
		compound.ID, fold(name)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id, _, err = s.addPlace(t, actor, "building", compound.ID, name)
	}
	return id, err
}

// householdAt finds the household of a room under a head; 0 = none.
func (s *Service) householdAt(ctx context.Context, src store.Source, room int64, head string) (id int64, err error) {
	err = src.QueryRowContext(ctx, "SELECT id FROM households WHERE room = $1 AND head = $2", room, head).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}
