package people

import (
	"context"
	"strings"

	"campusgate/server/store"
)

// Found is somebody in the people picker.
type Found struct {
	Person
	Posts []string // names of the posts held today
}

// searchFilter finds active persons who are no residents.
var searchFilter = ` WHERE p.left_at IS NULL AND p.kind <> '` + string(Resident) + `'
	AND (p.id LIKE $1 ESCAPE '\' OR p.name LIKE $2 ESCAPE '\' OR u.name LIKE $3 ESCAPE '\'
		OR EXISTS (SELECT 1 FROM posts o WHERE o.person = p.id AND replace($4, '|' || o.role || '|', '') <> $5 AND ` + held("$6", "$7") + `))
	AND ($8 = '' OR EXISTS (SELECT 1 FROM posts o WHERE o.person = p.id AND o.role = $9 AND ` + held("$10", "$11") + `))
	AND ($12 = '' OR p.unit IN (` + below("$13") + `))`

// Search gives a page of the persons whose number, name, unit or post has q in
// it, by number, and how many there are. With a role only those who hold it
// today, with a unit only those in it or below. Residents are not found.
func (s *Service) Search(ctx context.Context, src store.Source, q, role, unit string, page Page) ([]Found, int, error) {
	all, err := s.AllRoles(ctx)
	if err != nil {
		return nil, 0, err
	}
	q = strings.TrimSpace(q)
	like, named, today := contains(q), rolesNamed(all, q), s.Today()
	args := []any{like, like, like, named, named, today, today, role, role, today, today, unit, unit}
	total, err := count(ctx, src, "SELECT count(*) FROM persons p LEFT JOIN units u ON u.id = p.unit"+searchFilter, args...)
	if err != nil {
		return nil, 0, err
	}
	limit, offset := page.limits()
	persons, err := store.List(ctx, src, scanPerson, personColumns+searchFilter+" ORDER BY p.id LIMIT $14 OFFSET $15",
		append(args, limit, offset)...)
	if err != nil {
		return nil, 0, err
	}
	found := make([]Found, len(persons))
	for i, p := range persons {
		posts, err := s.PostsOf(ctx, src, p.ID, today)
		if err != nil {
			return nil, 0, err
		}
		found[i] = Found{Person: p.Person, Posts: []string{}}
		for _, o := range posts {
			found[i].Posts = append(found[i].Posts, nameOf(all, o.Role))
		}
	}
	return found, total, nil
}

// rolesNamed lists the roles with q in their name: |admin||guard|.
func rolesNamed(all []Role, q string) string {
	list := ""
	for _, r := range all {
		if q != "" && strings.Contains(r.Name, q) {
			list += "|" + r.Role + "|"
		}
	}
	return list
}

func nameOf(all []Role, role string) string {
	for _, r := range all {
		if r.Role == role {
			return r.Name
		}
	}
	return role
}
