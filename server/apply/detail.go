package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"campusgate/server/approval"
	"campusgate/server/people"
	"campusgate/server/store"
)

// View gives a matter as one person sees it; store.ErrNotFound when they may
// not. Looking at it for the first time marks a task or copy of theirs as read.
func (s *Service) View(ctx context.Context, who Actor, id string) (Application, error) {
	v := s.viewer(ctx, who)
	r, err := s.find(ctx, v.src, id)
	if err != nil {
		return Application{}, err
	}
	flow, err := s.flows.of(ctx, v.src, &r.Instance)
	if err != nil {
		return Application{}, err
	}
	if !who.sees(flow, &r.Instance) {
		return Application{}, fmt.Errorf("%w: application", store.ErrNotFound)
	}
	if unread(&r.Instance, who.Person) {
		_, refusal, err := s.Act(ctx, who, id, approval.Act{Verb: approval.MarkRead})
		if err != nil {
			return Application{}, err
		}
		if refusal == nil {
			if r, err = s.find(ctx, v.src, id); err != nil {
				return Application{}, err
			}
		}
	}
	return v.application(flow, &r)
}

// unread reports whether something of a matter waits to be looked at by
// somebody.
func unread(in *approval.Instance, person string) bool {
	return slices.ContainsFunc(in.Copies, func(c approval.Copy) bool { return c.Person == person && c.Read == 0 }) ||
		slices.ContainsFunc(in.Tasks, func(t approval.Task) bool {
			return t.State == approval.Pending && t.Read == 0 && slices.Contains(actors(&t), person)
		})
}

func (v *viewer) application(flow *approval.Flow, r *record) (a Application, err error) {
	in := &r.Instance
	if a.Row, err = v.row(r, ""); err != nil {
		return a, err
	}
	w, err := v.scene(v.ctx, v.src, v.Now(), flow, in, in.Form)
	if err != nil {
		return a, err
	}
	env := approval.NewEnv(in.Form, in.Starter, in.Serial, w.World)
	a.Version, a.Origin = in.Version, r.origin
	if a.Form, err = v.fields(flow, flow.Form, in.Form, env); err != nil {
		return a, err
	}
	if a.Chart, err = stops(flow, *in, w); err != nil {
		return a, err
	}
	offer, person, err := v.offer(flow, in, w)
	if err != nil {
		return a, err
	}
	a.Actions, a.Rate = []string{}, []string{}
	for _, verb := range offer.Verbs {
		a.Actions = append(a.Actions, string(verb))
	}
	a.Rate = append(a.Rate, offer.Rate...)
	if a.Mine, err = v.mine(flow, offer.Task, in, w, env); err != nil {
		return a, err
	}
	for _, part := range []func(*approval.Flow, *approval.Instance, *Application) error{v.steps, v.trail, v.talk, v.duties, v.files} {
		if err := part(flow, in, &a); err != nil {
			return a, err
		}
	}
	if asksHousehold(flow) {
		p, err := v.People.Details(v.ctx, v.src, in.Starter.ID)
		if err != nil {
			return a, err
		}
		a.IDNumber = people.Mask(p.IDNumber)
	}
	for i := range a.Tasks {
		a.Tasks[i].Mine = in.Tasks[i].State == approval.Pending && slices.Contains(actors(&in.Tasks[i]), person.ID)
	}
	return a, nil
}

func (v *viewer) offer(flow *approval.Flow, in *approval.Instance, w *scene) (approval.Offer, approval.Person, error) {
	person, ok, err := w.People.Person(v.who.Person)
	if err != nil || !ok {
		return approval.Offer{}, person, err
	}
	offer, err := flow.Offers(*in, person, v.who.Admin, w.World)
	return offer, person, err
}

// mine is what may be done with a task of one's own.
func (v *viewer) mine(flow *approval.Flow, o *approval.TaskOffer, in *approval.Instance, w *scene, env *approval.Env) (*MyTask, error) {
	if o == nil {
		return nil, nil
	}
	m := &MyTask{
		Task: o.Task, StepName: o.StepName, Added: o.Added, Kind: string(o.Kind), Opinion: cmp.Or(o.Opinion, "none"), Outcomes: []OutcomeOf{}, Actions: []string{},
	}
	var err error
	if m.Form, err = v.fields(flow, o.Form, o.Values, env); err != nil {
		return nil, err
	}
	for _, out := range o.Outcomes {
		form, err := v.fields(flow, out.Form, o.Values, env)
		if err != nil {
			return nil, err
		}
		name := verbNames[out.ID]
		m.Outcomes = append(m.Outcomes, OutcomeOf{
			ID: out.ID, Name: cmp.Or(out.Name, name.zh, out.ID), EN: outcomeEN[out.ID], To: out.To, Form: form, StepForm: out.StepForm, Next: out.Next,
		})
	}
	for _, verb := range o.Actions {
		m.Actions = append(m.Actions, string(verb))
	}
	if o.Next != nil {
		m.Next = &NextOf{Choose: []ChoiceOf{}, Note: o.Next.Note, Handler: o.Next.Handler}
		for _, c := range o.Next.Choose {
			m.Next.Choose = append(m.Next.Choose, ChoiceOf{c.To, c.Name, whoList(c.People)})
		}
	}
	return m, nil
}

// outcomeEN are the English names of what one may do with a task.
var outcomeEN = map[string]string{"agree": "Agree", "reject": "Reject", "return": "Return", "complete": "Done"}

// steps shows what was filled in on the way.
func (v *viewer) steps(flow *approval.Flow, in *approval.Instance, a *Application) error {
	a.Steps = []StepForm{}
	add := func(step, by string, at int64, values map[string]any) error {
		filled := []Filled{}
		for _, f := range stepFields(flow, step) {
			value, ok := values[f.ID]
			if !ok {
				continue
			}
			text, err := v.text(flow, f, value)
			if err != nil {
				return err
			}
			filled = append(filled, Filled{f.Name, text, value, f.Type})
		}
		if len(filled) == 0 {
			return nil
		}
		w, err := v.person(by)
		a.Steps = append(a.Steps, StepForm{step, node(flow, step).Name, w, at, filled})
		return err
	}
	recorded := map[string]bool{}
	for _, r := range in.Records {
		recorded[r.Step] = true
		if err := add(r.Step, r.By, r.At, r.Values); err != nil {
			return err
		}
	}
	for i := range in.Tasks {
		t := &in.Tasks[i]
		if t.State != approval.Done || recorded[t.Step] {
			continue
		}
		if err := add(t.Step, t.By, t.Closed, t.Values); err != nil {
			return err
		}
	}
	slices.SortStableFunc(a.Steps, func(x, y StepForm) int { return cmp.Compare(x.At, y.At) })
	return nil
}

// stops draws the flow of a matter.
func stops(flow *approval.Flow, in approval.Instance, w *scene) ([]Stop, error) {
	chart, err := flow.Chart(in, w.World)
	list := make([]Stop, 0, len(chart))
	for _, n := range chart {
		list = append(list, Stop{n, StepEN(flow.ID, n.ID)})
	}
	return list, err
}

// decisions are the outcomes by which a matter is reviewed.
var decisions = []string{"agree", "reject", "return"}

func (v *viewer) trail(flow *approval.Flow, in *approval.Instance, a *Application) error {
	a.Trail = []Line{}
	for _, e := range in.Trail {
		actor, err := v.person(e.Actor)
		if err != nil {
			return err
		}
		actor.Name = cmp.Or(e.ActorName, actor.Name) // as it was then
		to, err := v.names(e.To)
		if err != nil {
			return err
		}
		files, err := v.fileList(e.Attachments)
		if err != nil {
			return err
		}
		if slices.Contains(decisions, e.Verb) {
			a.Reviewer = &actor
		}
		name := verbNames[e.Verb]
		a.Trail = append(a.Trail, Line{
			At: e.At, StepName: e.StepName, StepEN: StepEN(in.Flow, e.Step), Actor: actor, Verb: e.Verb, Name: cmp.Or(e.Name, name.zh, e.Verb), EN: name.en,
			Opinion: e.Opinion, To: to, Attachments: files,
		})
	}
	return nil
}

// talk shows copies, comments and ratings.
func (v *viewer) talk(_ *approval.Flow, in *approval.Instance, a *Application) error {
	a.Copies, a.Comments, a.Ratings = []CopyOf{}, []CommentOf{}, []RatingOf{}
	for _, c := range in.Copies {
		w, err := v.person(c.Person)
		if err != nil {
			return err
		}
		a.Copies = append(a.Copies, CopyOf{w, c.At, c.Read})
	}
	for _, c := range in.Comments {
		from, err := v.person(c.From)
		if err != nil {
			return err
		}
		line := CommentOf{From: from, Text: c.Text, At: c.At}
		if c.To != "" {
			to, err := v.person(c.To)
			if err != nil {
				return err
			}
			line.To = &to
		}
		a.Comments = append(a.Comments, line)
	}
	for _, r := range in.Ratings {
		by, err := v.person(r.By)
		if err != nil {
			return err
		}
		a.Ratings = append(a.Ratings, RatingOf{by, r.Target, r.Stars, r.Text, r.At})
	}
	return nil
}

// duties shows the tasks of all rounds.
func (v *viewer) duties(flow *approval.Flow, in *approval.Instance, a *Application) error {
	a.Tasks = []Duty{}
	for i := range in.Tasks {
		t := &in.Tasks[i]
		people, err := v.names(actors(t))
		if err != nil {
			return err
		}
		d := Duty{
			ID: t.ID, Step: t.Step, Round: t.Round, Seats: []string{}, People: people, State: string(t.State), Outcome: t.Outcome,
			Opinion: t.Opinion, OpenedAt: t.Opened, ClosedAt: t.Closed,
		}
		if t.State == approval.Pending && !slices.Contains(actors(t), v.who.Person) {
			d.Opinion = "" // typed, and not said
		}
		if n := node(flow, t.Step); n != nil {
			d.StepName = n.Name
		}
		for _, seat := range t.Seats {
			d.Seats = append(d.Seats, seatName(flow, seat))
		}
		a.Tasks = append(a.Tasks, d)
	}
	return nil
}

// files lists every attachment, so that a page can show names for the ids in
// the forms.
func (v *viewer) files(flow *approval.Flow, in *approval.Instance, a *Application) (err error) {
	a.Files, err = v.fileList(filesOf(flow, in))
	return err
}

func (v *viewer) fileList(ids []string) ([]FileOf, error) {
	found, err := attachments(v.ctx, v.src, ids)
	list := []FileOf{}
	for _, id := range ids {
		if f, ok := found[id]; ok {
			list = append(list, FileOf{f.ID, f.Name, f.Size, f.Type})
		}
	}
	return list, err
}
