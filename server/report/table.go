package report

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/store"
)

// ErrColumn is wrapped when a flow has no column of this id.
var ErrColumn = errors.New("no such column")

// Service reports. Safe for concurrent use.
type Service struct {
	Store    *store.Store
	Apply    *apply.Service
	Location *time.Location // campus time
}

// Column is one of a table.
type Column struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	EN    string `json:"en"`
	Shown bool   `json:"shown" doc:"unless somebody chooses columns"`

	holds kind
	field string // of the form; "" = of the matter

	person bool // a cell names persons
}

// kind says what a cell may become in a workbook.
type kind int

const (
	text kind = iota
	number
	date
	moment
)

const (
	clock = "2006-01-02 15:04:05"

	// firstFields of a form are shown unless somebody chooses.
	firstFields = 6
)

// The columns that every flow has: before those of the form, and after.
var (
	before = []Column{
		{ID: "number", Name: "学工号", EN: "Number"}, {ID: "person", Name: "申请人", EN: "Applicant"}, {ID: "unit", Name: "所在单位", EN: "Unit"},
	}
	after = []Column{
		{ID: "applied_at", Name: "申请时间", EN: "Applied at", holds: moment},
		{ID: "state", Name: "流程状态", EN: "State"},
		{ID: "step", Name: "当前环节", EN: "Current step"},
	}
)

// Columns lists those of a flow: who applied, what they filled in, and how far it
// is. What the form repeats of its applicant is not there again, and phones are
// nobody's business here. A field that is called like a column of every flow goes
// by "form." and its id.
func Columns(flow *approval.Flow) []Column {
	all := slices.Clone(before)
	fixed := append(slices.Clone(before), after...)
	shown := 0
	for _, f := range flow.Form {
		c := Column{ID: f.ID, Name: f.Name, EN: apply.FieldEN(flow.ID, f.ID), Shown: shown < firstFields, field: f.ID, person: f.Type == approval.User}
		switch f.Type {
		case approval.FileRef, approval.Image, approval.Note, approval.Phone:
			continue
		case approval.Number:
			c.holds = number
		case approval.Date:
			c.holds = date
		case approval.Datetime:
			c.holds = moment
		case approval.Text, approval.Textarea, approval.Richtext, approval.Money, approval.Select, approval.Unit, approval.User:
		}
		if f.Many {
			c.holds = text
		}
		if f.Readonly {
			continue
		}
		if slices.ContainsFunc(fixed, func(known Column) bool { return known.ID == f.ID }) {
			c.ID = "form." + f.ID
		}
		shown++
		all = append(all, c)
	}
	all = append(all, after...)
	for i := range all {
		all[i].Shown = all[i].Shown || all[i].field == ""
	}
	return all
}

// choose gives the columns of these ids, in their order; none = those that are
// shown. Errors wrap ErrColumn.
func choose(flow *approval.Flow, ids []string) ([]Column, error) {
	all := Columns(flow)
	if len(ids) == 0 {
		return slices.DeleteFunc(all, func(c Column) bool { return !c.Shown }), nil
	}
	var chosen []Column
	for _, id := range ids {
		i := slices.IndexFunc(all, func(c Column) bool { return c.ID == id })
		if i < 0 || slices.ContainsFunc(chosen, func(c Column) bool { return c.ID == id }) {
			return nil, ErrColumn
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// cell is the text of a cell; "" where the matter says nothing.
func (s *Service) cell(c Column, m *apply.Matter) string {
	switch {
	case c.field != "":
		return m.Form[c.field]
	case c.ID == "number":
		return m.Starter.Number
	case c.ID == "person":
		return m.Starter.Name
	case c.ID == "unit":
		return m.Starter.Unit
	case c.ID == "applied_at":
		return time.UnixMilli(m.AppliedAt).In(s.Location).Format(clock)
	case c.ID == "state":
		return m.StateName
	}
	return m.StepName
}

// value is the same for a workbook: text stays text, whatever it looks like.
func (c Column) value(cell string) any {
	switch c.holds {
	case number:
		if n, err := strconv.ParseFloat(cell, 64); err == nil {
			return n
		}
	case date:
		if at, err := time.Parse(time.DateOnly, cell); err == nil {
			return at
		}
	case moment:
		if at, err := time.Parse(clock, cell); err == nil {
			return at
		}
	case text:
	}
	return cell
}

// Record is one line.
type Record struct {
	ID        string            `json:"id"`
	State     approval.State    `json:"state"`
	StateEN   string            `json:"state_en"`
	StepEN    string            `json:"step_en"`
	AppliedAt int64             `json:"applied_at" doc:"of a draft, when it was made"`
	Cells     map[string]string `json:"cells" doc:"as people read them, by column"`
}

// Page gives a page of the records that fit, the latest first, and how many
// there are.
func (s *Service) Page(ctx context.Context, flow *approval.Flow, q apply.Query) ([]Record, int, error) {
	q.Flow = flow.ID
	found, total, err := s.Apply.Matters(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	columns := Columns(flow)
	rows := make([]Record, len(found))
	for i := range found {
		m := &found[i]
		rows[i] = Record{ID: m.ID, State: m.State, StateEN: m.StateEN, StepEN: m.StepEN, AppliedAt: m.AppliedAt, Cells: map[string]string{}}
		for _, c := range columns {
			rows[i].Cells[c.ID] = s.cell(c, m)
		}
	}
	return rows, total, nil
}
