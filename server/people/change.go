package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"campusgate/server/store"
)

// kinds of persons with their Chinese names, in the order of lists.
var kinds = []struct {
	kind Kind
	name string
}{
	{Staff, "在职教职员工"},
	{Contract, "外聘员工"},
	{Worker, "工勤"},
	{Retired, "离退休"},
	{Student, "学生"},
	{Resident, "居民"},
	{Outside, "校外人员"},
}

// levels of students with their Chinese names.
var levels = []struct{ level, name string }{
	{"undergraduate", "本科生"}, {"graduate", "研究生"}, {"foreign", "留学生"},
}

// PersonChange says what becomes other; nil stays. Empty texts take a unit,
// level, phone, ID number or mail address away.
type PersonChange struct {
	Name     *string
	Kind     *Kind
	Level    *string
	Unit     *string
	Phone    *string
	IDNumber *string
	Mail     *string
	State    *string
}

func (c PersonChange) applied(p Person) Person {
	set := func(to, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&p.Name, c.Name)
	set(&p.Level, c.Level)
	set(&p.Unit, c.Unit)
	set(&p.Phone, c.Phone)
	set(&p.IDNumber, c.IDNumber)
	set(&p.Mail, c.Mail)
	set(&p.State, c.State)
	if c.Kind != nil {
		p.Kind = *c.Kind
	}
	return p
}

// personTerms checks everything of a person that needs no other rows, but the
// id.
func personTerms(p Person) (Person, error) {
	var err error
	if p.Name, err = needed("name", p.Name, maxName); err != nil {
		return p, err
	}
	known := false
	for _, k := range kinds {
		known = known || k.kind == p.Kind
	}
	if !known {
		return p, fault("kind", "没有这种人员类别", "no such kind of person")
	}
	if p.Level != "" {
		known = p.Kind == Student
		if known {
			known = false
			for _, l := range levels {
				known = known || l.level == p.Level
			}
		}
		if !known {
			return p, fault("level", "培养层次只用于学生:本科生、研究生、留学生", "only students have a level: undergraduate, graduate or foreign")
		}
	}
	if p.Phone != "" {
		if p.Phone, err = CheckPhone(p.Phone); err != nil {
			return p, err
		}
	}
	if p.IDNumber != "" {
		if p.IDNumber, err = CheckIDNumber(p.IDNumber); err != nil {
			return p, err
		}
	}
	if p.Mail, err = checkMail(p.Mail); err != nil {
		return p, err
	}
	if p.State != Active && p.State != Left {
		return p, fault("state", "应为 active 或 left", "want active or left")
	}
	return p, nil
}

// personPlace checks the unit of a person, and that the phone is nobody else's.
func (s *Service) personPlace(ctx context.Context, src store.Source, p Person) error {
	if p.Unit != "" {
		if err := s.needUnit(ctx, src, "unit", p.Unit); err != nil {
			return err
		}
	}
	if p.Phone == "" || p.State != Active {
		return nil
	}
	other, err := s.ByPhone(ctx, src, p.Phone)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err == nil && other.ID != p.ID:
		return phoneTaken()
	}
	return err
}

func phoneTaken() error {
	return taken("phone", "该手机号已登记给他人", "the phone is another person's")
}

// AddPerson makes somebody. A resident or outsider without a number gets one.
// A Fault names what is wrong; it is store.ErrTaken when the number or the
// phone is another's.
func (s *Service) AddPerson(t *store.Tx, actor string, p Person) (Person, error) {
	p.State = Active
	p, err := personTerms(p)
	if err != nil {
		return p, err
	}
	if p.ID != "" || !numbered(p.Kind) {
		if p.ID, err = ownID(p.ID); err != nil {
			return p, err
		}
		switch _, err := s.Find(t.Context(), t, p.ID); {
		case err == nil:
			return p, taken("number", "编号已被使用", "the number is in use")
		case !errors.Is(err, store.ErrNotFound):
			return p, err
		}
	}
	if err := s.personPlace(t.Context(), t, p); err != nil {
		return p, err
	}
	return s.insertPerson(t, actor, p)
}

// numbered are the kinds of persons who may have no number of their own.
func numbered(k Kind) bool { return k == Resident || k == Outside }

// ownID checks a number that somebody brings along.
func ownID(id string) (string, error) {
	id, err := checkID("number", id)
	if err == nil && given.MatchString(id) {
		err = fault("number", "r 加数字的编号由系统分配", "numbers of r and digits are given out by the system")
	}
	return id, err
}

// AddResident makes a resident of whom only the phone is known: somebody who
// signed in for the first time. store.ErrTaken when it is an active person's.
func (s *Service) AddResident(t *store.Tx, actor, phone string) (Person, error) {
	phone, err := CheckPhone(phone)
	if err != nil {
		return Person{}, err
	}
	p := Person{Kind: Resident, Phone: phone, State: Active}
	if err := s.personPlace(t.Context(), t, p); err != nil {
		return Person{}, err
	}
	return s.insertPerson(t, actor, p)
}

// insertPerson writes somebody who was checked.
func (s *Service) insertPerson(t *store.Tx, actor string, p Person) (Person, error) {
	if p.ID == "" {
		var n int64
		err := t.QueryRowContext(t.Context(), "UPDATE counters SET value = value + 1 WHERE name = 'residents' RETURNING value").Scan(&n)
		if err != nil {
			return p, err
		}
		p.ID = fmt.Sprintf("r%06d", n)
	}
	k, err := s.seal(p)
	if err != nil {
		return p, err
	}
	err = t.Exec(`INSERT INTO persons (id, name, kind, level, unit, phone, phone_key, number, number_key, mail, created_at, left_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		p.ID, p.Name, string(p.Kind), p.Level, nullable(p.Unit), k.phone, k.phoneKey, k.number, k.numberKey, p.Mail, t.Now(), leaving(t, p))
	if err != nil {
		return p, err
	}
	err = t.Trail(actor, "person.added", "person "+p.ID, map[string]any{"kind": p.Kind, "unit": p.Unit})
	p.Phone, p.IDNumber = "", ""
	return p, err
}

// leaving is when somebody left, if that is now.
func leaving(t *store.Tx, p Person) sql.NullInt64 {
	return sql.NullInt64{Int64: t.Now(), Valid: p.State == Left}
}

// sealed are the numbers of a person in the form that is kept; nil = none.
type sealed struct{ phone, phoneKey, number, numberKey []byte }

func (s *Service) seal(p Person) (k sealed, err error) {
	if p.Phone != "" {
		k.phoneKey = s.Vault.Index(sealPhone, p.Phone)
		if k.phone, err = s.Vault.Seal(sealPhone, p.Phone); err != nil {
			return k, err
		}
	}
	if p.IDNumber != "" {
		k.numberKey = s.Vault.Index(sealNumber, p.IDNumber)
		k.number, err = s.Vault.Seal(sealNumber, p.IDNumber)
	}
	return k, err
}

// UpdatePerson changes somebody. A Fault names what is wrong; it is
// store.ErrTaken when the phone is another's. store.ErrNotFound, and
// store.ErrState when the last administrator would leave.
func (s *Service) UpdatePerson(t *store.Tx, actor, id string, c PersonChange) (Person, error) {
	old, err := s.Details(t.Context(), t, id)
	if err != nil {
		return Person{}, err
	}
	p, err := personTerms(c.applied(old))
	if err != nil {
		return Person{}, err
	}
	return s.overrule(t, actor, old, p)
}

// overrule is replacePerson by somebody else. Whoever has a phone that is not
// theirs any more is signed out with it, and so is who leaves: coming back they
// sign in anew.
func (s *Service) overrule(t *store.Tx, actor string, old, p Person) (Person, error) {
	now, err := s.replacePerson(t, actor, old, p)
	if err == nil && (old.Phone != "" && p.Phone != old.Phone || p.State == Left) {
		err = t.Exec("DELETE FROM sessions WHERE person = $1", p.ID)
	}
	return now, err
}

// replacePerson writes what differs from old, after the checks that need other
// rows. Both have their numbers in plain.
func (s *Service) replacePerson(t *store.Tx, actor string, old, p Person) (Person, error) {
	changed := differences(old, p)
	if len(changed) == 0 {
		return s.Find(t.Context(), t, p.ID)
	}
	if err := s.personPlace(t.Context(), t, p); err != nil {
		return Person{}, err
	}
	if p.State == Left && old.State == Active {
		if err := s.keepAdmin(t.Context(), t, s.dayOf(t), func(held Post) bool { return held.Person == p.ID }); err != nil {
			return Person{}, err
		}
	}
	k, err := s.seal(p)
	if err != nil {
		return Person{}, err
	}
	left := leaving(t, p)
	err = t.Exec(`UPDATE persons SET name = $1, kind = $2, level = $3, unit = $4, phone = $5, phone_key = $6, number = $7,
		number_key = $8, mail = $9, left_at = CASE WHEN $10 IS NULL THEN NULL ELSE coalesce(left_at, $11) END WHERE id = $12`,
		p.Name, string(p.Kind), p.Level, nullable(p.Unit), k.phone, k.phoneKey, k.number, k.numberKey, p.Mail, left, left, p.ID)
	if err != nil {
		return Person{}, err
	}
	err = t.Trail(actor, "person.changed", "person "+p.ID, map[string]any{
		"changed": changed, "kind": p.Kind, "unit": p.Unit, "state": p.State,
	})
	if err != nil {
		return Person{}, err
	}
	return s.Find(t.Context(), t, p.ID)
}

// differences names the fields that are not the same.
func differences(a, b Person) []string {
	var names []string
	for _, f := range []struct{ name, a, b string }{
		{"name", a.Name, b.Name},
		{"kind", string(a.Kind), string(b.Kind)},
		{"level", a.Level, b.Level},
		{"unit", a.Unit, b.Unit},
		{"phone", a.Phone, b.Phone},
		{"id_number", a.IDNumber, b.IDNumber},
		{"mail", a.Mail, b.Mail},
		{"state", a.State, b.State},
	} {
		if f.a != f.b {
			names = append(names, f.name)
		}
	}
	return slices.Clip(names)
}

// SetPhone gives somebody another phone, which is theirs: whoever calls has
// seen the code that was sent to it. Errors are those of UpdatePerson.
func (s *Service) SetPhone(t *store.Tx, actor, id, phone string) error {
	phone, err := CheckPhone(phone)
	if err != nil {
		return err
	}
	return s.setOne(t, actor, id, func(p *Person) { p.Phone = phone })
}

// SetMail gives somebody another mail address; "" takes it away. Errors are
// those of UpdatePerson.
func (s *Service) SetMail(t *store.Tx, actor, id, mail string) error {
	mail, err := checkMail(mail)
	if err != nil {
		return err
	}
	return s.setOne(t, actor, id, func(p *Person) { p.Mail = mail })
}

// setOne changes one field that was checked: a resident who has no name yet may
// do that too.
func (s *Service) setOne(t *store.Tx, actor, id string, set func(*Person)) error {
	old, err := s.Details(t.Context(), t, id)
	if err != nil {
		return err
	}
	p := old
	set(&p)
	_, err = s.replacePerson(t, actor, old, p)
	return err
}
