package people

import (
	"slices"

	"campusgate/server/people/sheet"
	"campusgate/server/store"
)

// parentsFirst orders the rows of a file of units so that a unit follows the
// one above it, where that can be.
func parentsFirst(columns []*column, table sheet.Table) []int {
	rows := map[string]int{} // the first of every id
	parent := make([]string, len(table.Rows))
	for i, from := range table.Rows {
		r := rowOf(columns, from)
		if _, ok := rows[r.text("id")]; !ok {
			rows[r.text("id")] = i
		}
		parent[i] = r.text("parent")
	}
	order := make([]int, 0, len(table.Rows))
	visited := make([]bool, len(table.Rows))
	for i := range table.Rows {
		var chain []int // i and what is above it, upwards
		for at, ok := i, true; ok && !visited[at]; at, ok = rows[parent[at]] {
			visited[at] = true
			chain = append(chain, at)
		}
		slices.Reverse(chain)
		order = append(order, chain...)
	}
	return order
}

// unit looks over a row of units. Units that earlier rows make are there.
func (p *planner) unit(r row) (planned, error) {
	id, err := checkID("id", r.text("id"))
	if err != nil {
		return planned{}, err
	}
	old, exists := p.units.byID[id]
	u := old
	u.ID = id
	u.Name, u.Kind = r.newText("name", old.Name), r.newText("kind", old.Kind)
	u.Campus, u.Head = r.newText("campus", old.Campus), r.newText("head", old.Head)
	if u.Parent, err = p.units.find("parent", r.newText("parent", old.Parent)); err != nil {
		return planned{}, err
	}
	if u, err = unitTerms(u); err != nil {
		return planned{}, err
	}
	if err := p.first("id", "unit "+u.ID, r); err != nil {
		return planned{}, err
	}
	if err := p.unitPlace(p.ctx, p.src, u); err != nil {
		return planned{}, err
	}
	for at, steps := u.Parent, 0; at != ""; at, steps = p.units.byID[at].Parent, steps+1 {
		if at == u.ID || steps > maxDepth {
			return planned{}, fault("parent", "上级单位不能在本单位之下,层级也不能过深",
				"the unit above would be below, or there would be too many levels")
		}
	}
	if exists && u == old {
		return planned{outcome: same}, nil
	}
	p.units.put(u)
	done := planned{adds, func(t *store.Tx) error { return p.writeUnit(t, p.by.Actor, u, "unit.added") }}
	if exists {
		done = planned{changes, func(t *store.Tx) error { return p.writeUnit(t, p.by.Actor, u, "unit.changed") }}
	}
	return done, nil
}

// put adds a unit, or changes it.
func (n *unitNames) put(u Unit) {
	if old, ok := n.byID[u.ID]; !ok || old.Name != u.Name {
		n.byName[fold(u.Name)] = append(n.byName[fold(u.Name)], u.ID)
	}
	n.byID[u.ID] = u
}
