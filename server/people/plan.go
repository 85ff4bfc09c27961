package people

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"campusgate/server/people/sheet"
	"campusgate/server/store"
)

// RowFault says why a row of a file is not taken. It never repeats a number.
type RowFault struct {
	Row     int    // of the file; 1 = the heading
	Column  string // "" = the row as it is
	Value   string // what stands there, clipped; "" for phones and ID numbers
	Message string // Chinese and English
}

// outcome of a row.
type outcome string

const (
	adds    outcome = "add"
	changes outcome = "change"
	same    outcome = "same"
	faulty  outcome = "fault"
)

// step writes what a row asks for.
type step func(t *store.Tx) error

// planned is what a row comes to.
type planned struct {
	outcome outcome
	step    step // nil where nothing is to be written
}

// plan is what a file comes to as things stand.
type plan struct {
	counts map[outcome]int // of rows
	faults []RowFault
	steps  []step
}

// planner looks over the rows of a file, one after the other. It reads src and
// what the rows before have said; it writes nothing.
type planner struct {
	*Service
	ctx   context.Context
	src   store.Source
	by    By
	today string

	units *unitNames
	roles []Role
	seen  map[string]int    // keys of things in this file, and their row
	texts map[string]string // what else rows have to agree upon

	// What the row under way would add to both; a faulty row claims nothing.
	newSeen  map[string]int
	newTexts map[string]string
}

// row is one row while it is looked over.
type row struct {
	number int
	cells  map[string]string // by field; only columns that the file has
}

func (r row) text(field string) string { return r.cells[field] }

// newText is a cell's text, or the old one where it is empty: a file that says
// nothing changes nothing.
func (r row) newText(field, old string) string {
	if text := r.cells[field]; text != "" {
		return text
	}
	return old
}

// yes reads a cell that is either; empty means yes.
func (r row) yes(field string) (bool, error) {
	switch strings.ToLower(r.text(field)) {
	case "", "是", "yes", "y", "true", "1":
		return true, nil
	case "否", "no", "n", "false", "0":
		return false, nil
	}
	return false, fault(field, "应为 是 或 否", "want yes or no")
}

// first is a fault when an earlier row has the key.
func (p *planner) first(field, key string, r row) error {
	if before, ok := p.seen[key]; ok {
		return fault(field, fmt.Sprintf("与第 %d 行重复", before), fmt.Sprintf("row %d has the same", before))
	}
	p.newSeen[key] = r.number
	return nil
}

// agree is a fault when an earlier row has said something else.
func (p *planner) agree(field, key, value string) error {
	if before, ok := p.texts[key]; ok && before != value {
		return fault(field, "与前面的行不一致", "an earlier row says otherwise")
	}
	p.newTexts[key] = value
	return nil
}

// endAdmin is a fault when a row, after those before it, leaves nobody to
// administer: key is that of what it ends, as keyOf gives it of a post.
func (p *planner) endAdmin(field string, r row, keyOf func(Post) string, key string) error {
	p.newSeen["ended "+key] = r.number
	err := p.keepAdmin(p.ctx, p.src, p.today, func(held Post) bool {
		_, ended := p.seen["ended "+keyOf(held)]
		return ended || keyOf(held) == key
	})
	if errors.Is(err, store.ErrState) {
		return fault(field, "将没有管理员", "nobody would be an administrator")
	}
	return err
}

// row looks over one row with the method of its kind.
func (p *planner) row(look func(row) (planned, error), r row) (planned, error) {
	p.newSeen, p.newTexts = map[string]int{}, map[string]string{}
	done, err := look(r)
	if err == nil {
		maps.Copy(p.seen, p.newSeen)
		maps.Copy(p.texts, p.newTexts)
	}
	return done, err
}

// plan looks over a file. An error is one of the database; what is wrong with
// the file is in the plan.
func (s *Service) plan(ctx context.Context, src store.Source, by By, roles []Role, kind ImportKind, table sheet.Table) (*plan, error) {
	made := &plan{counts: map[outcome]int{}}
	columns, faults, ready := headed(kind, table.Header)
	made.faults = faults
	if !ready {
		made.counts[faulty] = len(table.Rows)
		return made, nil
	}
	units, err := s.unitNames(ctx, src)
	if err != nil {
		return nil, err
	}
	p := &planner{
		Service: s, ctx: ctx, src: src, by: by, today: s.Today(), units: units, roles: roles,
		seen: map[string]int{}, texts: map[string]string{},
	}
	order := make([]int, len(table.Rows))
	for i := range order {
		order[i] = i
	}
	if kind == ImportUnits {
		order = parentsFirst(columns, table)
	}
	look := map[ImportKind]func(row) (planned, error){
		ImportPlaces: p.place, ImportUnits: p.unit, ImportPeople: p.person,
		ImportHouseholds: p.member, ImportPosts: p.post,
	}[kind]
	for _, i := range order {
		r := rowOf(columns, table.Rows[i])
		done, err := p.row(look, r)
		var f *Fault
		switch {
		case errors.As(err, &f):
			made.counts[faulty]++
			made.faults = append(made.faults, rowFault(kind, r, f))
		case err != nil:
			return nil, fmt.Errorf("row %d: %w", r.number, err)
		default:
			made.counts[done.outcome]++
			if done.step != nil {
				made.steps = append(made.steps, done.step)
			}
		}
	}
	return made, nil
}

func rowOf(columns []*column, from sheet.Row) row {
	r := row{number: from.Number, cells: map[string]string{}}
	for i, c := range columns {
		if c != nil {
			r.cells[c.field] = from.Cells[i]
		}
	}
	return r
}

func rowFault(kind ImportKind, r row, f *Fault) RowFault {
	told := RowFault{Row: r.number, Column: f.Field, Message: f.ZH + " " + f.EN}
	for _, c := range importColumns[kind] {
		if c.field == f.Field {
			told.Column = c.label()
		}
	}
	if !secret(f.Field) {
		told.Value = clip(r.text(f.Field))
	}
	return told
}

// secret are the columns whose cells are nowhere repeated.
func secret(field string) bool { return field == "phone" || field == "id_number" }

// unitNames finds units as people write them.
type unitNames struct {
	byID   map[string]Unit
	byName map[string][]string
}

func (s *Service) unitNames(ctx context.Context, src store.Source) (*unitNames, error) {
	all, err := s.Units(ctx, src)
	if err != nil {
		return nil, err
	}
	names := &unitNames{map[string]Unit{}, map[string][]string{}}
	for _, u := range all {
		names.byID[u.ID] = u
		names.byName[fold(u.Name)] = append(names.byName[fold(u.Name)], u.ID)
	}
	return names, nil
}

// find gives the unit of an id or of a name that only one has; "" is none.
func (n *unitNames) find(field, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if _, ok := n.byID[text]; ok {
		return text, nil
	}
	switch ids := n.byName[fold(text)]; len(ids) {
	case 0:
		return "", fault(field, "没有这个单位", "no such unit")
	case 1:
		return ids[0], nil
	}
	return "", fault(field, "有几个同名单位,请填写单位编号", "several units have this name; give the id")
}
