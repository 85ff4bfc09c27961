package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
)

// viewer turns matters into what one person sees of them. It is made for one
// answer and remembers the names it has looked up.
type viewer struct {
	*Service
	ctx    context.Context
	src    store.Source
	who    Actor
	people map[string]Who
	units  map[string]string
}

func (s *Service) viewer(ctx context.Context, who Actor) *viewer {
	return &viewer{s, ctx, s.Store.Reader(), who, map[string]Who{}, map[string]string{}}
}

// person is somebody by id; who is not known any more keeps the number.
func (v *viewer) person(id string) (Who, error) {
	if id == system {
		return Who{Number: system, Name: "系统"}, nil
	}
	if w, ok := v.people[id]; ok || id == "" {
		return w, nil
	}
	w := Who{Number: id}
	p, err := v.People.Find(v.ctx, v.src, id)
	if err == nil {
		w.Name, w.Unit = p.Name, p.UnitName
	}
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	v.people[id] = w
	return w, err
}

func (v *viewer) names(ids []string) ([]string, error) {
	list := []string{}
	for _, id := range ids {
		w, err := v.person(id)
		if err != nil {
			return nil, err
		}
		list = append(list, cmp.Or(w.Name, w.Number))
	}
	return list, nil
}

func (v *viewer) unit(id string) (string, error) {
	if name, ok := v.units[id]; ok {
		return name, nil
	}
	u, err := v.People.Unit(v.ctx, v.src, id)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	v.units[id] = cmp.Or(u.Name, id)
	return v.units[id], err
}

// row shows a matter in a list; task is the one by which it is there.
func (v *viewer) row(r *record, task string) (Row, error) {
	in := &r.Instance
	flow, err := v.flows.of(v.ctx, v.src, in)
	if err != nil {
		return Row{}, err
	}
	state := stateName(in.Flow, in.State, v.flows.status(in))
	row := Row{
		ID: in.ID, Flow: in.Flow, FlowName: flow.Name, FlowEN: flowNames[in.Flow], Group: groupOf(flow), Title: in.Title,
		Serial: in.Serial, State: in.State, StateName: state.zh, StateEN: state.en,
		Starter:   Who{in.Starter.ID, in.Starter.Name, in.Starter.UnitName},
		CreatedAt: in.Created, SubmittedAt: in.Submitted, EndedAt: in.Ended, Step: in.Step, Waiting: []string{}, Summary: []Pair{},
	}
	if n := node(flow, in.Step); n != nil {
		row.StepName, row.StepEN = n.Name, StepEN(in.Flow, n.ID)
	}
	for i := range in.Tasks {
		t := &in.Tasks[i]
		if t.State == approval.Pending {
			names, err := v.names(actors(t))
			if err != nil {
				return row, err
			}
			row.Waiting = append(row.Waiting, names...)
		}
		if task != "" && t.ID == task {
			row.Task = &TaskOf{t.ID, string(t.State), t.Opened}
		}
	}
	slices.Sort(row.Waiting)
	row.Waiting = slices.Compact(row.Waiting)
	if row.Summary, err = v.summary(flow, in); err != nil {
		return row, err
	}
	row.Pass, err = v.pass(in)
	return row, err
}

// summary is what tells one matter from another: the first few fields that
// somebody filled in.
func (v *viewer) summary(flow *approval.Flow, in *approval.Instance) ([]Pair, error) {
	list := []Pair{}
	first := summaries[flow.ID]
	for _, f := range flow.Form {
		if len(list) == 4 {
			break
		}
		if f.Readonly || f.Type == approval.FileRef || f.Type == approval.Image || f.Type == approval.Note ||
			first != nil && !slices.Contains(first, f.ID) {
			continue
		}
		text, err := v.text(flow, f, in.Form[f.ID])
		if err != nil {
			return nil, err
		}
		if text != "" {
			pair := Pair{Name: f.Name, EN: FieldEN(flow.ID, f.ID), Value: cut(text, 60)}
			if value, ok := in.Form[f.ID].(string); ok && f.Type == approval.Select {
				pair.ValueEN = options(flow.ID, f.ID)[value].en
			}
			list = append(list, pair)
		}
	}
	return list, nil
}

func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// pass is the last pass that came of a matter; nil = none.
func (v *viewer) pass(in *approval.Instance) (*PassOf, error) {
	ids, err := passesOf(v.ctx, v.src, in.ID)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var last store.PassStatus
	for _, id := range ids {
		p, err := v.Store.Pass(v.ctx, id)
		if err != nil {
			return nil, err
		}
		if last.ID == (signing.PassID{}) || p.IssuedAt > last.IssuedAt {
			last = p
		}
	}
	moment := func(seconds int64) string { return time.Unix(seconds, 0).In(v.Location).Format(time.RFC3339) }
	return &PassOf{
		ID: last.ID.String(), Kind: last.Kind.String(), State: issue.State(last, v.Now()), From: moment(last.From), Until: moment(last.Until),
		Bound: last.Bound, Mine: in.Starter.ID == v.who.Person,
	}, nil
}

// text is a value as people read it.
func (v *viewer) text(flow *approval.Flow, f *approval.Field, value any) (string, error) {
	var parts []string
	for _, one := range items(value) {
		part, err := v.part(flow, f, one)
		if err != nil {
			return "", err
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "、"), nil
}

func (v *viewer) part(flow *approval.Flow, f *approval.Field, value any) (string, error) {
	text, _ := value.(string)
	switch f.Type {
	case approval.Money:
		return yuan(value), nil
	case approval.Number:
		return fmt.Sprint(value), nil
	case approval.User:
		w, err := v.person(text)
		return cmp.Or(w.Name, w.Number), err
	case approval.Unit:
		if text == "" {
			return "", nil
		}
		return v.unit(text)
	case approval.Select:
		return cmp.Or(options(flow.ID, f.ID)[text].zh, text), nil
	case approval.FileRef, approval.Image:
		found, err := attachments(v.ctx, v.src, []string{text})
		return found[text].Name, err
	case approval.Text, approval.Textarea, approval.Richtext, approval.Date, approval.Datetime, approval.Phone, approval.Note:
	}
	return text, nil
}

// yuan writes fen as yuan.
func yuan(value any) string {
	var fen int64
	switch n := value.(type) {
	case float64:
		fen = int64(n)
	case int64:
		fen = n
	case int:
		fen = int64(n)
	default:
		return ""
	}
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d 元", sign, fen/100, fen%100)
}

// fields shows a form with its values.
func (v *viewer) fields(flow *approval.Flow, fields []*approval.Field, values map[string]any, env *approval.Env) ([]FormField, error) {
	list := make([]FormField, len(fields))
	for i, f := range fields {
		list[i] = FormField{
			ID: f.ID, Name: f.Name, EN: fieldNames[flow.ID][f.ID], Type: f.Type, Required: f.Required, Readonly: f.Readonly,
			Value: values[f.ID], Max: f.Max, Many: f.Many, From: f.From,
		}
		if f.RequiredIf != nil {
			// A condition that cannot be told yet does not hold yet.
			now, _, err := f.RequiredIf.Bool(env)
			list[i].RequiredIf, list[i].RequiredWhen = now && err == nil, f.RequiredIf.Text
		}
		var err error
		if list[i].Text, err = v.text(flow, f, values[f.ID]); err != nil {
			return nil, err
		}
		if list[i].Options, err = v.options(flow, f); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// options lists the values of a choice. Compounds and gates are those of the
// site; buildings and rooms are asked for one by one.
func (v *viewer) options(flow *approval.Flow, f *approval.Field) ([]Option, error) {
	values := f.Options
	var err error
	switch {
	case f.Type != approval.Select || len(values) > 0:
	case f.ID == fieldCompound && asksHousehold(flow):
		values, err = v.People.Compounds(v.ctx, v.src)
	case f.ID == fieldGate && issues(flow) != "":
		values, err = v.gateNames()
	}
	if err != nil || len(values) == 0 {
		return nil, err
	}
	names := options(flow.ID, f.ID)
	list := make([]Option, len(values))
	for i, value := range values {
		list[i] = Option{value, cmp.Or(names[value].zh, value), names[value].en}
	}
	return list, nil
}

func (v *viewer) gateNames() ([]string, error) {
	gates, err := v.Store.Gates(v.ctx)
	names := make([]string, len(gates))
	for i, g := range gates {
		names[i] = g.Name
	}
	return names, err
}

func whoOf(p approval.Person) Who { return Who{p.ID, p.Name, p.UnitName} }

func whoList(people []approval.Person) []Who {
	list := make([]Who, len(people))
	for i, p := range people {
		list[i] = whoOf(p)
	}
	return list
}
