package people

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"campusgate/server/store"
)

// record is a person as it is kept.
type record struct {
	Person
	phone, number []byte // sealed
}

const personColumns = `SELECT p.id, p.name, p.kind, p.level, coalesce(p.unit, ''), coalesce(u.name, ''),
	p.phone, p.number, p.mail, p.left_at IS NULL
	FROM persons p LEFT JOIN units u ON u.id = p.unit`

func scanPerson(rows *sql.Rows) (r record, err error) {
	var active bool
	err = rows.Scan(&r.ID, &r.Name, &r.Kind, &r.Level, &r.Unit, &r.UnitName, &r.phone, &r.number, &r.Mail, &active)
	r.State = Left
	if active {
		r.State = Active
	}
	return r, err
}

func (s *Service) record(ctx context.Context, src store.Source, where string, arg any) (record, error) {
	found, err := store.List(ctx, src, scanPerson, personColumns+where, arg)
	if err != nil {
		return record{}, err
	}
	if len(found) == 0 {
		return record{}, fmt.Errorf("%w: person", store.ErrNotFound)
	}
	return found[0], nil
}

// Find gives somebody, also who has left, without phone and ID number; or
// store.ErrNotFound.
func (s *Service) Find(ctx context.Context, src store.Source, id string) (Person, error) {
	r, err := s.record(ctx, src, " WHERE p.id = $1", id)
	return r.Person, err
}

// Details is Find with phone and ID number in plain.
func (s *Service) Details(ctx context.Context, src store.Source, id string) (Person, error) {
	r, err := s.record(ctx, src, " WHERE p.id = $1", id)
	if err != nil {
		return Person{}, err
	}
	return s.opened(r)
}

func (s *Service) opened(r record) (p Person, err error) {
	p = r.Person
	if r.phone != nil {
		if p.Phone, err = s.Vault.Open(sealPhone, r.phone); err != nil {
			return p, err
		}
	}
	if r.number != nil {
		p.IDNumber, err = s.Vault.Open(sealNumber, r.number)
	}
	return p, err
}

// ByPhone gives the active person with this phone, written in any way that
// CheckPhone takes; or store.ErrNotFound. It leaves out the numbers.
func (s *Service) ByPhone(ctx context.Context, src store.Source, phone string) (Person, error) {
	phone, err := CheckPhone(phone)
	if err != nil {
		return Person{}, err
	}
	r, err := s.record(ctx, src, " WHERE p.phone_key = $1 AND p.left_at IS NULL", s.Vault.Index(sealPhone, phone))
	return r.Person, err
}

// PersonQuery says which persons to list. Empty fields do not matter.
type PersonQuery struct {
	Text  string // in number, name or unit; or a whole phone or ID number
	Kind  Kind
	Unit  string // or below
	State string
	Page
}

var personFilter = `
	WHERE ($1 = '' OR p.id LIKE $2 ESCAPE '\' OR p.name LIKE $3 ESCAPE '\' OR u.name LIKE $4 ESCAPE '\'
			OR p.phone_key = $5 OR p.number_key = $6)
		AND ($7 = '' OR p.kind = $8)
		AND ($9 = '' OR p.unit IN (` + below("$10") + `))
		AND ($11 = '' OR (p.left_at IS NULL) = ($12 = 'active'))`

// below selects a unit, named by a parameter, and all that are under it.
func below(parameter string) string {
	return "WITH RECURSIVE down (id) AS (SELECT id FROM units WHERE id = " + parameter +
		" UNION SELECT units.id FROM units JOIN down ON units.parent = down.id) SELECT id FROM down"
}

// List gives a page of persons by number, with phone and ID number masked, and
// how many there are.
func (s *Service) List(ctx context.Context, src store.Source, q PersonQuery) ([]Person, int, error) {
	text := strings.TrimSpace(q.Text)
	like := contains(text)
	var phone, number []byte
	if plain, err := CheckPhone(text); err == nil {
		phone = s.Vault.Index(sealPhone, plain)
	}
	if plain, err := CheckIDNumber(text); err == nil {
		number = s.Vault.Index(sealNumber, plain)
	}
	args := []any{text, like, like, like, phone, number, string(q.Kind), string(q.Kind), q.Unit, q.Unit, q.State, q.State}
	total, err := count(ctx, src, "SELECT count(*) FROM persons p LEFT JOIN units u ON u.id = p.unit"+personFilter, args...)
	if err != nil {
		return nil, 0, err
	}
	limit, offset := q.limits()
	found, err := store.List(ctx, src, scanPerson, personColumns+personFilter+" ORDER BY p.id LIMIT $13 OFFSET $14",
		append(args, limit, offset)...)
	if err != nil {
		return nil, 0, err
	}
	all := make([]Person, len(found))
	for i, r := range found {
		if all[i], err = s.opened(r); err != nil {
			return nil, 0, err
		}
		all[i].Phone, all[i].IDNumber = Mask(all[i].Phone), Mask(all[i].IDNumber)
	}
	return all, total, nil
}

// Numbers gives the numbers of everybody active of a kind, in a unit or below it;
// empty fields do not matter.
func (s *Service) Numbers(ctx context.Context, src store.Source, kind Kind, unit string) ([]string, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (id string, err error) {
		return id, rows.Scan(&id)
	}, `SELECT p.id FROM persons p WHERE p.left_at IS NULL AND ($1 = '' OR p.kind = $2)
		AND ($3 = '' OR p.unit IN (`+below("$4")+`)) ORDER BY p.id`, string(kind), string(kind), unit, unit)
}

// contains is a LIKE pattern for texts that have this one in them, with ESCAPE '\'.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}
