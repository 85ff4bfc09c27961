package people

import (
	"fmt"

	"campusgate/server/store"
)

// campusTerms checks everything of a campus.
func campusTerms(c Campus) (Campus, error) {
	var err error
	if c.ID, err = checkID("id", c.ID); err != nil {
		return c, err
	}
	if c.Name, err = needed("name", c.Name, maxName); err != nil {
		return c, err
	}
	if c.Police, err = words("police", c.Police, maxName); err != nil {
		return c, err
	}
	if c.Zone < 0 || c.Zone > 32 {
		return c, fault("zone", "区域编号应为 1 到 32", "zones are numbered 1 to 32")
	}
	return c, nil
}

// AddCampus makes a campus. A Fault names what is wrong with it; it is
// store.ErrTaken when the id or name is in use.
func (s *Service) AddCampus(t *store.Tx, actor string, c Campus) (Campus, error) {
	c, err := campusTerms(c)
	if err != nil {
		return c, err
	}
	err = t.Exec("INSERT INTO campuses (id, name, zone, police) VALUES ($1, $2, $3, $4)", c.ID, c.Name, zone(c.Zone), c.Police)
	if store.IsUnique(err) {
		return c, taken("name", "校区编号或名称已被使用", "the id or name is in use")
	}
	if err != nil {
		return c, err
	}
	return c, t.Trail(actor, "campus.added", "campus "+c.ID, map[string]any{"name": c.Name, "zone": c.Zone})
}

// UpdateCampus changes everything of a campus but its id. A Fault, or
// store.ErrNotFound.
func (s *Service) UpdateCampus(t *store.Tx, actor string, c Campus) (Campus, error) {
	old, err := s.campus(t.Context(), t, c.ID)
	if err != nil {
		return c, err
	}
	if c, err = campusTerms(c); err != nil || c == old {
		return c, err
	}
	err = t.Exec("UPDATE campuses SET name = $1, zone = $2, police = $3 WHERE id = $4", c.Name, zone(c.Zone), c.Police, c.ID)
	if store.IsUnique(err) {
		return c, taken("name", "校区名称已被使用", "the name is in use")
	}
	if err != nil {
		return c, err
	}
	return c, t.Trail(actor, "campus.changed", "campus "+c.ID, map[string]any{"name": c.Name, "zone": c.Zone})
}

func zone(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

func (s *Service) compoundTerms(t *store.Tx, c Compound) (Compound, error) {
	var err error
	if c.Name, err = needed("name", c.Name, maxShort); err != nil {
		return c, err
	}
	return c, s.needCampus(t.Context(), t, c.Campus)
}

// AddCompound makes a compound and gives it its number. A Fault names what is
// wrong with it; it is store.ErrTaken when the name is in use, on any campus.
func (s *Service) AddCompound(t *store.Tx, actor string, c Compound) (Compound, error) {
	c, err := s.compoundTerms(t, c)
	if err != nil {
		return c, err
	}
	err = t.QueryRowContext(t.Context(), `INSERT INTO compounds (campus, name, folded, on_campus)
		VALUES ($1, $2, $3, $4) RETURNING id`, c.Campus, c.Name, fold(c.Name), c.OnCampus).Scan(&c.ID)
	if store.IsUnique(err) {
		return c, taken("name", "小区名称已被使用", "the name is in use")
	}
	if err != nil {
		return c, err
	}
	return c, s.placeTrail(t, actor, "compound", "added", c.ID, c.Name)
}

// UpdateCompound changes everything of a compound but its number. A Fault, or
// store.ErrNotFound.
func (s *Service) UpdateCompound(t *store.Tx, actor string, c Compound) (Compound, error) {
	c, err := s.compoundTerms(t, c)
	if err != nil {
		return c, err
	}
	n, err := t.Affect("UPDATE compounds SET campus = $1, name = $2, folded = $3, on_campus = $4 WHERE id = $5",
		c.Campus, c.Name, fold(c.Name), c.OnCampus, c.ID)
	switch {
	case store.IsUnique(err):
		return c, taken("name", "小区名称已被使用", "the name is in use")
	case err != nil:
		return c, err
	case n == 0:
		return c, fmt.Errorf("%w: compound %d", store.ErrNotFound, c.ID)
	}
	return c, s.placeTrail(t, actor, "compound", "changed", c.ID, c.Name)
}

// AddBuilding makes a building of a compound. A Fault names what is wrong;
// it is store.ErrTaken when the compound has one of this name.
func (s *Service) AddBuilding(t *store.Tx, actor string, b Building) (Building, error) {
	id, name, err := s.addPlace(t, actor, "building", b.Compound, b.Name)
	return Building{id, b.Compound, name}, err
}

// AddRoom makes a room of a building. A Fault names what is wrong; it is
// store.ErrTaken when the building has one of this name.
func (s *Service) AddRoom(t *store.Tx, actor string, r Room) (Room, error) {
	id, name, err := s.addPlace(t, actor, "room", r.Building, r.Name)
	return Room{id, r.Building, name}, err
}

// placeKinds are the tables of what lies in a compound, and what each belongs
// to.
var placeKinds = map[string]struct{ table, above, aboveTable, zh string }{
	"building": {"buildings", "compound", "compounds", "楼栋号"},
	"room":     {"rooms", "building", "buildings", "门牌号"},
}

func (s *Service) addPlace(t *store.Tx, actor, kind string, above int64, name string) (int64, string, error) {
	k := placeKinds[kind]
	name, err := needed("name", name, maxShort)
	if err != nil {
		return 0, name, err
	}
	switch n, err := count(t.Context(), t, "SELECT count(*) FROM "+k.aboveTable+" WHERE id = $1", above); {
	case err != nil:
		return 0, name, err
	case n == 0:
		return 0, name, fmt.Errorf("%w: %s %d", store.ErrNotFound, k.above, above)
	}
	var id int64
	err = t.QueryRowContext(t.Context(), "INSERT INTO "+k.table+" ("+k.above+", name, folded) VALUES ($1, $2, $3) RETURNING id",
		above, name, fold(name)).Scan(&id)
	if store.IsUnique(err) {
		return 0, name, taken("name", k.zh+"已存在", "the name is in use here")
	}
	if err != nil {
		return 0, name, err
	}
	return id, name, s.placeTrail(t, actor, kind, "added", id, name)
}

// RenameBuilding corrects a name. A Fault, or store.ErrNotFound.
func (s *Service) RenameBuilding(t *store.Tx, actor string, id int64, name string) error {
	return s.rename(t, actor, "building", id, name)
}

// RenameRoom is RenameBuilding for a room.
func (s *Service) RenameRoom(t *store.Tx, actor string, id int64, name string) error {
	return s.rename(t, actor, "room", id, name)
}

func (s *Service) rename(t *store.Tx, actor, kind string, id int64, name string) error {
	k := placeKinds[kind]
	name, err := needed("name", name, maxShort)
	if err != nil {
		return err
	}
	n, err := t.Affect("UPDATE "+k.table+" SET name = $1, folded = $2 WHERE id = $3", name, fold(name), id)
	switch {
	case store.IsUnique(err):
		return taken("name", k.zh+"已存在", "the name is in use here")
	case err != nil:
		return err
	case n == 0:
		return fmt.Errorf("%w: %s %d", store.ErrNotFound, kind, id)
	}
	return s.placeTrail(t, actor, kind, "changed", id, name)
}

func (s *Service) placeTrail(t *store.Tx, actor, kind, verb string, id int64, name string) error {
	return t.Trail(actor, kind+"."+verb, fmt.Sprintf("%s %d", kind, id), map[string]any{"name": name})
}
