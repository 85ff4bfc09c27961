package approval

import (
	"maps"
	"slices"
	"strings"
)

// opinionOnly is how those who were added to a task end theirs: they say what
// they think and decide nothing.
var opinionOnly = &Outcome{ID: Complete, Name: "提交意见", To: ToNext}

// outcome finds one by its id.
func (n *Node) outcome(id string) *Outcome {
	for _, o := range n.Outcomes {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// outcomes are those to which the actor may bring a task of theirs. A starter who
// handles a step does not return the matter to himself.
func (r *run) outcomes(t *Task, n *Node) []*Outcome {
	if t.added() {
		return []*Outcome{opinionOnly}
	}
	return slices.DeleteFunc(slices.Clone(n.Outcomes), func(o *Outcome) bool {
		return o.To == ToStart && r.a.Actor.ID == r.in.Starter.ID
	})
}

// onwards says whether an outcome takes the matter further, and neither stops it
// nor sends it back.
func (f *Flow) onwards(n *Node, o *Outcome) bool {
	switch o.To {
	case ToNext, ToEnd:
		return true
	case ToRejected, ToStart, ToStay:
		return false
	}
	return f.index(o.To) > f.index(n.ID)
}

// takesForm says whether an outcome asks for what the step fills in: those that
// go onwards do, and of a repeated step only the recording.
func (f *Flow) takesForm(n *Node, o *Outcome) bool {
	if n.Repeat || o.To == ToStay {
		return o.To == ToStay
	}
	return f.onwards(n, o)
}

// early says whether an outcome would end a repeated step of which nothing was
// recorded.
func (r *run) early(n *Node, o *Outcome) bool {
	return n.Repeat && r.f.onwards(n, o) && !slices.ContainsFunc(r.in.Records, func(rec Record) bool {
		return rec.Step == n.ID && rec.Visit == r.in.Visit
	})
}

// decide ends the actor's task with an outcome.
func (r *run) decide() error {
	t, n, err := r.mine()
	if err != nil {
		return err
	}
	var o *Outcome
	for _, have := range r.outcomes(t, n) {
		if have.ID == r.a.Outcome {
			o = have
		}
	}
	if o == nil {
		return refuse(NotOffered, "outcome", "此步骤没有该选项", "the step has no such outcome", nil)
	}
	if err := r.opinion(t, n); err != nil {
		return err
	}
	values, err := r.values(t, n, o)
	if err != nil {
		return err
	}
	if t.Read == 0 {
		t.Read = r.now
	}
	line := Entry{Step: n.ID, Verb: o.ID, Name: o.Name}
	if o.To == ToStay {
		t.Values, t.Opinion = nil, ""
		r.record(n, values)
		r.act(line)
		r.effects = append(r.effects, o.Do...)
		return nil
	}
	if !t.added() && r.early(n, o) {
		return deny(RecordFirst)
	}
	last := r.last(t)
	t.State, t.By, t.Outcome, t.Opinion, t.Values, t.Closed = Done, r.a.Actor.ID, o.ID, r.a.Opinion, values, r.now
	if n.Mode != Any && !backwards(o) && len(values) > 0 {
		r.record(n, values)
	}
	if last && !t.added() && o.To == ToNext {
		if err := r.choose(t, n); err != nil {
			return err
		}
	}
	r.act(line)
	if !t.added() {
		r.effects = append(r.effects, o.Do...)
	}
	return r.settle(*t, n, o)
}

// opinion demands one where the step does, and of those whom only that was
// asked; where the step takes none it is dropped.
func (r *run) opinion(t *Task, n *Node) error {
	switch {
	case t.added() || n.Opinion == "required":
		if strings.TrimSpace(r.a.Opinion) == "" {
			return refuse(OpinionRequired, "opinion", usual[OpinionRequired][0], usual[OpinionRequired][1], nil)
		}
	case n.Opinion == "none":
		r.a.Opinion = ""
	}
	return nil
}

// values checks what an outcome asks to be filled in. What other outcomes of
// the step ask for may have been typed before the handler made up their mind;
// it is dropped.
func (r *run) values(t *Task, n *Node, o *Outcome) (map[string]any, error) {
	if t.added() {
		return nil, nil
	}
	fields := slices.Clone(o.Form)
	if r.f.takesForm(n, o) {
		fields = slices.Concat(n.Form, o.Form)
	}
	in := maps.Clone(r.a.Form)
	old := r.form(n.ID)
	maps.Copy(old, t.Values)
	forget := func(others []*Field) {
		for _, f := range others {
			if !slices.ContainsFunc(fields, func(have *Field) bool { return have.ID == f.ID }) {
				delete(in, f.ID)
			}
		}
	}
	forget(n.Form)
	for _, other := range n.Outcomes {
		forget(other.Form)
	}
	values, no := r.f.CheckForm(fields, old, in, r.env(), true)
	if no != nil {
		return nil, refused{no}
	}
	return values, r.people(fields, values)
}

// record keeps what was filled in at a step that several fill in, or one
// several times.
func (r *run) record(n *Node, values map[string]any) {
	r.in.Records = append(r.in.Records, Record{
		Step: n.ID, Visit: r.in.Visit, By: r.a.Actor.ID, At: r.now, Values: cloneMap(values),
	})
}

// backwards says whether an outcome stops the matter or sends it back to its
// starter.
func backwards(o *Outcome) bool { return o.To == ToRejected || o.To == ToStart }

// joins says whether an outcome is one that all must come to in a joint step.
// Any other decides alone.
func joins(o *Outcome) bool { return o.ID == Agree || o.ID == Complete || o.To == ToNext }

// last says whether nobody but those added to a task is still to be asked: it
// is this decision that says how the matter goes on.
func (r *run) last(t *Task) bool {
	return len(r.openIn(func(o *Task) bool { return !o.added() && o.ID != t.ID })) == 0
}

// choose checks and keeps what the handler chose to come next.
func (r *run) choose(t *Task, n *Node) error {
	offer, err := r.nextOffer(n)
	if err != nil {
		return err
	}
	if offer == nil {
		if r.a.Next != "" || r.a.Handler != "" {
			return refuse(NextStep, "next", "此步骤不能选择下一步", "there is nothing to choose here", nil)
		}
		return nil
	}
	var choice *ChoiceOffer
	var ids []string
	for i, c := range offer.Choose {
		ids = append(ids, c.To)
		if c.To == r.a.Next {
			choice = &offer.Choose[i]
		}
	}
	if choice == nil {
		return refuse(NextStep, "next", "请选择下一步", "choose the next step", map[string]any{"choose": ids})
	}
	t.Next = choice.To
	among := func(p Person) bool { return p.ID == r.a.Handler }
	switch {
	case r.a.Handler == "" && (len(choice.People) == 0 || offer.Handler != "required"):
		return nil
	case r.a.Handler == "":
		return refuse(NextStep, "handler", "请选择下一步办理人", "choose who handles the next step", map[string]any{"next": choice.To})
	case !slices.ContainsFunc(choice.People, among):
		return refuse(NextStep, "handler", "所选办理人不在可选范围内", "this handler cannot be chosen", map[string]any{"next": choice.To})
	}
	if r.in.Picked == nil {
		r.in.Picked = map[string]string{}
	}
	r.in.Picked[choice.To] = r.a.Handler
	return nil
}

// nextOffer is what there is to choose after a step; nil = nothing. A choice
// that cannot be taken, because its condition or its step's does not hold, is
// not offered.
func (r *run) nextOffer(n *Node) (*NextOffer, error) {
	if n.Next == nil || len(n.Next.Choose) == 0 {
		return nil, nil
	}
	offer := &NextOffer{Note: n.Next.Note, Handler: n.Next.Handler}
	env := r.env()
	for _, c := range n.Next.Choose {
		to := r.f.node(c.To)
		if to == nil {
			continue
		}
		chosen, err := holds(c.When, env, false)
		if err != nil {
			return nil, err
		}
		applies, err := holds(to.When, env, true)
		if err != nil {
			return nil, err
		}
		if !chosen || !applies {
			continue
		}
		people, err := r.pickable(to)
		if err != nil {
			return nil, err
		}
		name := c.Name
		if name == "" {
			name = to.Name
		}
		offer.Choose = append(offer.Choose, ChoiceOffer{To: c.To, Name: name, People: people})
	}
	return offer, nil
}
