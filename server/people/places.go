package people

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"campusgate/server/store"
)

func scanCampus(rows *sql.Rows) (c Campus, err error) {
	err = rows.Scan(&c.ID, &c.Name, &c.Zone, &c.Police)
	return c, err
}

func scanCompound(rows *sql.Rows) (c Compound, err error) {
	err = rows.Scan(&c.ID, &c.Campus, &c.Name, &c.OnCampus)
	return c, err
}

// named is a building or room with what it belongs to.
type named struct {
	id, above int64
	name      string
}

func scanNamed(rows *sql.Rows) (n named, err error) {
	err = rows.Scan(&n.id, &n.above, &n.name)
	return n, err
}

const (
	campusColumns   = "SELECT id, name, coalesce(zone, 0), police FROM campuses"
	compoundColumns = "SELECT id, campus, name, on_campus FROM compounds"
)

// Campuses gives all campuses by id.
func (s *Service) Campuses(ctx context.Context, src store.Source) ([]Campus, error) {
	return store.List(ctx, src, scanCampus, campusColumns+" ORDER BY id")
}

// Compounds gives the names of all compounds, campus by campus.
func (s *Service) Compounds(ctx context.Context, src store.Source) ([]string, error) {
	return store.List(ctx, src, scanText, "SELECT name FROM compounds ORDER BY campus, id")
}

// Buildings gives the names of a compound's buildings; 2 comes before 10. None
// when there is no such compound.
func (s *Service) Buildings(ctx context.Context, src store.Source, compound string) ([]string, error) {
	all, err := store.List(ctx, src, scanText, `SELECT b.name FROM buildings b JOIN compounds c ON c.id = b.compound
		WHERE c.folded = $1`, fold(compound))
	slices.SortFunc(all, natural)
	return all, err
}

// Rooms gives the names of a building's rooms; 2 comes before 10. None when
// there is no such building.
func (s *Service) Rooms(ctx context.Context, src store.Source, compound, building string) ([]string, error) {
	all, err := store.List(ctx, src, scanText, `SELECT r.name FROM rooms r JOIN buildings b ON b.id = r.building
		JOIN compounds c ON c.id = b.compound WHERE c.folded = $1 AND b.folded = $2`, fold(compound), fold(building))
	slices.SortFunc(all, natural)
	return all, err
}

func scanText(rows *sql.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}

// natural orders names as people do: runs of digits count as numbers.
func natural(a, b string) int {
	for x, y := a, b; x != "" && y != ""; {
		var p, q string
		p, x = run(x)
		q, y = run(y)
		c := cmp.Compare(p, q)
		if digit(p[0]) && digit(q[0]) {
			p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
			c = cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q))
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// run splits off the first run of digits, or of anything else.
func run(text string) (first, rest string) {
	i := 1
	for i < len(text) && digit(text[i]) == digit(text[0]) {
		i++
	}
	return text[:i], text[i:]
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// CampusPlaces is a campus with all that lies in it.
type CampusPlaces struct {
	Campus
	Compounds []CompoundPlaces
}

// CompoundPlaces is a compound with its buildings.
type CompoundPlaces struct {
	Compound
	Buildings []BuildingPlaces
}

// BuildingPlaces is a building with its rooms.
type BuildingPlaces struct {
	Building
	Rooms []Room
}

// Places gives everything from campuses down to rooms; buildings and rooms in
// the order in which people count.
func (s *Service) Places(ctx context.Context, src store.Source) ([]CampusPlaces, error) {
	campuses, err := s.Campuses(ctx, src)
	if err != nil {
		return nil, err
	}
	compounds, err := store.List(ctx, src, scanCompound, compoundColumns+" ORDER BY id")
	if err != nil {
		return nil, err
	}
	buildings, err := grouped(ctx, src, "SELECT id, compound, name FROM buildings")
	if err != nil {
		return nil, err
	}
	rooms, err := grouped(ctx, src, "SELECT id, building, name FROM rooms")
	if err != nil {
		return nil, err
	}
	all := make([]CampusPlaces, len(campuses))
	for i, c := range campuses {
		all[i].Campus = c
		for _, k := range compounds {
			if k.Campus != c.ID {
				continue
			}
			here := CompoundPlaces{Compound: k}
			for _, b := range buildings[k.ID] {
				one := BuildingPlaces{Building: Building{b.id, b.above, b.name}}
				for _, r := range rooms[b.id] {
					one.Rooms = append(one.Rooms, Room{r.id, r.above, r.name})
				}
				here.Buildings = append(here.Buildings, one)
			}
			all[i].Compounds = append(all[i].Compounds, here)
		}
	}
	return all, nil
}

// grouped gives rows by what they belong to, each group in natural order.
func grouped(ctx context.Context, src store.Source, query string) (map[int64][]named, error) {
	rows, err := store.List(ctx, src, scanNamed, query)
	if err != nil {
		return nil, err
	}
	groups := map[int64][]named{}
	for _, r := range rows {
		groups[r.above] = append(groups[r.above], r)
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b named) int { return natural(a.name, b.name) })
	}
	return groups, nil
}

func (s *Service) campus(ctx context.Context, src store.Source, id string) (Campus, error) {
	found, err := store.List(ctx, src, scanCampus, campusColumns+" WHERE id = $1", id)
	if err != nil {
		return Campus{}, err
	}
	if len(found) == 0 {
		return Campus{}, fmt.Errorf("%w: campus", store.ErrNotFound)
	}
	return found[0], nil
}

// needCampus is a fault of a field that names no campus.
func (s *Service) needCampus(ctx context.Context, src store.Source, id string) error {
	_, err := s.campus(ctx, src, id)
	if errors.Is(err, store.ErrNotFound) {
		return fault("campus", "没有这个校区", "no such campus")
	}
	return err
}

// compound finds a compound by name.
func (s *Service) compound(ctx context.Context, src store.Source, name string) (Compound, bool, error) {
	found, err := store.List(ctx, src, scanCompound, compoundColumns+" WHERE folded = $1", fold(name))
	if err != nil || len(found) == 0 {
		return Compound{}, false, err
	}
	return found[0], true, nil
}

// CampusOf gives the campus where somebody lives, or else that of their unit or
// of the nearest unit above it that has one; "" when nothing says.
func (s *Service) CampusOf(ctx context.Context, src store.Source, person string) (string, error) {
	homes, err := s.HouseholdsOf(ctx, src, person)
	if err != nil {
		return "", err
	}
	if len(homes) > 0 {
		return homes[0].Campus, nil
	}
	p, err := s.Find(ctx, src, person)
	if err != nil {
		return "", err
	}
	for at, steps := p.Unit, 0; at != "" && steps < maxDepth; steps++ {
		u, err := s.Unit(ctx, src, at)
		if err != nil || u.Campus != "" {
			return u.Campus, err
		}
		at = u.Parent
	}
	return "", nil
}
