package apply

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// Matter is one as statistics read it: in words. Whoever asks for it needs a
// right of their own, see Actor.Reads.
type Matter struct {
	ID        string
	Starter   Who
	AppliedAt int64 // of the submit, or of the making where there was none
	State     approval.State
	StateName string
	StateEN   string
	StepName  string // where it is while it runs
	StepEN    string
	Form      map[string]string // by field; files and notes are not in it
}

// FieldEN is the English name of a field of a shipped flow; "" = there is none.
func FieldEN(flow, field string) string { return fieldNames[flow][field] }

// Matters gives a page of all matters, drafts among them, the latest first, and
// how many there are.
func (s *Service) Matters(ctx context.Context, q Query) ([]Matter, int, error) {
	var c clause
	c.add("SELECT count(*) FROM applications a WHERE 1 = 1")
	s.filter(&c, q)
	var total int
	if err := s.Store.Reader().QueryRowContext(ctx, c.text.String(), c.args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	limit, offset := q.limits()
	ids, err := s.matterIDs(ctx, q, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	list := []Matter{}
	err = s.EachMatter(ctx, ids, func(m *Matter) error {
		list = append(list, *m)
		return nil
	})
	return list, total, err
}

// MatterIDs lists all matters that fit, the latest first, but no more than
// limit. Page and size of the query do not matter.
func (s *Service) MatterIDs(ctx context.Context, q Query, limit int) ([]string, error) {
	return s.matterIDs(ctx, q, limit, 0)
}

// matterIDs sorts ids alone: bodies are long.
func (s *Service) matterIDs(ctx context.Context, q Query, limit, offset int) ([]string, error) {
	var c clause
	c.add("SELECT a.id FROM applications a WHERE 1 = 1")
	s.filter(&c, q)
	c.add(" ORDER BY "+when+" DESC, a.id LIMIT ? OFFSET ?", limit, offset)
	return store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (id string, err error) {
		err = rows.Scan(&id)
		return id, err
	}, c.text.String(), c.args...)
}

// together are read at once where many are wanted.
const together = 200

// EachMatter reads matters one by one, in the order of their ids. Those that are
// gone meanwhile are left out. No read stays open while each works.
func (s *Service) EachMatter(ctx context.Context, ids []string, each func(*Matter) error) error {
	v := s.viewer(ctx, Actor{})
	for some := range slices.Chunk(ids, together) {
		var c clause
		at := map[string]*approval.Instance{}
		c.add("SELECT a.id, a.body FROM applications a WHERE a.id IN (")
		for i, id := range some {
			if i > 0 {
				c.add(", ")
			}
			c.add("?", id)
		}
		c.add(")")
		_, err := store.List(ctx, v.src, func(rows *sql.Rows) (id string, err error) {
			var sealed []byte
			if err := rows.Scan(&id, &sealed); err != nil {
				return id, err
			}
			in, err := s.unsealed(sealed)
			at[id] = &in
			return id, err
		}, c.text.String(), c.args...)
		if err != nil {
			return err
		}
		for _, id := range some {
			if at[id] == nil {
				continue
			}
			m, err := v.matter(at[id])
			if err == nil {
				err = each(&m)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *viewer) matter(in *approval.Instance) (m Matter, err error) {
	flow, err := v.flows.of(v.ctx, v.src, in)
	if err != nil {
		return m, err
	}
	state := stateName(in.Flow, in.State, v.flows.status(in))
	m = Matter{
		ID: in.ID, Starter: Who{in.Starter.ID, in.Starter.Name, in.Starter.UnitName}, AppliedAt: in.Submitted,
		State: in.State, StateName: state.zh, StateEN: state.en, Form: map[string]string{},
	}
	if m.AppliedAt == 0 {
		m.AppliedAt = in.Created
	}
	if n := node(flow, in.Step); n != nil {
		m.StepName, m.StepEN = n.Name, StepEN(in.Flow, n.ID)
	}
	for _, f := range flow.Form {
		if f.Type == approval.FileRef || f.Type == approval.Image || f.Type == approval.Note {
			continue
		}
		if m.Form[f.ID], err = v.text(flow, f, in.Form[f.ID]); err != nil {
			return m, err
		}
	}
	return m, nil
}

// Tally is how many matters were submitted. What was only drafted does not
// count.
type Tally struct {
	Days  map[string]int // by campus day
	Units []UnitTally    // of the starters, the most first
}

// UnitTally is the part of one unit.
type UnitTally struct {
	Unit  string // id
	Name  string
	Count int
}

// Running counts the matters of a flow that are under review; of all where flow
// is empty.
func (s *Service) Running(ctx context.Context, flow string) (n int, err error) {
	var c clause
	c.add("SELECT count(*) FROM applications a WHERE a.submitted_at IS NOT NULL")
	s.filter(&c, Query{Flow: flow, State: approval.Running})
	err = s.Store.Reader().QueryRowContext(ctx, c.text.String(), c.args...).Scan(&n)
	return n, err
}

// Quarter is the part of a day that days of every time zone are made of, in ms.
const Quarter = int64(15 * time.Minute / time.Millisecond)

// Tally counts the matters that fit.
func (s *Service) Tally(ctx context.Context, q Query) (Tally, error) {
	var c clause
	c.add(" FROM applications a WHERE a.submitted_at IS NOT NULL")
	s.filter(&c, q)
	t := Tally{Days: map[string]int{}}
	v := s.viewer(ctx, Actor{})
	type part struct{ quarter, count int64 }
	parts, err := store.List(ctx, v.src, func(rows *sql.Rows) (p part, err error) {
		err = rows.Scan(&p.quarter, &p.count)
		return p, err
	}, fmt.Sprintf("SELECT a.submitted_at / %d AS q, count(*)%s GROUP BY q", Quarter, c.text.String()), c.args...)
	if err != nil {
		return t, err
	}
	for _, p := range parts {
		t.Days[s.day(p.quarter*Quarter)] += int(p.count)
	}
	t.Units, err = store.List(ctx, v.src, func(rows *sql.Rows) (u UnitTally, err error) {
		err = rows.Scan(&u.Unit, &u.Count)
		return u, err
	}, "SELECT a.unit, count(*) AS n"+c.text.String()+" GROUP BY a.unit ORDER BY n DESC, a.unit", c.args...)
	for i := range t.Units {
		if err == nil && t.Units[i].Unit != "" {
			t.Units[i].Name, err = v.unit(t.Units[i].Unit)
		}
	}
	return t, err
}
