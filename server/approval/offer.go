package approval

import (
	"maps"
	"slices"
)

// Offer is what somebody may do to a matter at this moment.
type Offer struct {
	Verbs []Verb     // to the matter as a whole
	Rate  []string   // what they may still rate
	Task  *TaskOffer // their oldest pending task; nil = none
}

// TaskOffer is what somebody may do with a task of theirs.
type TaskOffer struct {
	Task     string // id
	Step     string // id
	StepName string
	Kind     NodeKind
	Opinion  string // none, optional, required
	Added    bool   // only an opinion is asked
	Outcomes []OutcomeOffer
	Form     []*Field       // of the step; see OutcomeOffer.StepForm
	Values   map[string]any // what is known of the fields: saved, or filled in at an earlier step
	Next     *NextOffer     // nil = nothing to choose
	Actions  []Verb         // transfer, add_sign, cc, save, claim
}

// OutcomeOffer is one way to end a task.
type OutcomeOffer struct {
	ID       string
	Name     string
	To       string   // as Outcome.To
	Form     []*Field // its own fields, beside those of the step
	StepForm bool     // takes the step's form too
	Next     bool     // takes the next step and its handler
}

// NextOffer is what a handler chooses among.
type NextOffer struct {
	Choose  []ChoiceOffer
	Note    string
	Handler string // required, optional, "" = not asked
}

// ChoiceOffer is one next step, with the people who may handle it; without
// people nobody is to be named.
type ChoiceOffer struct {
	To     string
	Name   string
	People []Person
}

// Offers gives what who may do to a matter now; admin says that they are an
// administrator or own the service. Step accepts what is offered, given proper
// arguments, and nothing else.
func (f *Flow) Offers(in Instance, who Person, admin bool, w World) (Offer, error) {
	r := f.run(in.clone(), Act{Actor: who, Admin: admin}, w)
	var offer Offer
	for _, v := range verbs {
		if r.may(v) == nil {
			offer.Verbs = append(offer.Verbs, v)
		}
	}
	if slices.Contains(offer.Verbs, Rate) {
		offer.Rate = r.unrated()
	}
	if _, err := r.reseat(); err != nil {
		return Offer{}, err
	}
	t, n, err := r.mine()
	if _, no := err.(refused); no {
		return offer, nil
	}
	if err != nil {
		return Offer{}, err
	}
	offer.Task, err = r.taskOffer(t, n)
	return offer, err
}

func (r *run) taskOffer(t *Task, n *Node) (*TaskOffer, error) {
	o := &TaskOffer{
		Task: t.ID, Step: n.ID, StepName: n.Name, Kind: n.Kind, Opinion: n.Opinion,
		Added: t.added(), Values: map[string]any{},
	}
	for _, v := range []Verb{TakeUp, Transfer, AddSign, SendCopy, Save} {
		if r.mayTask(v, t, n) == nil {
			o.Actions = append(o.Actions, v)
		}
	}
	if t.added() {
		o.Opinion = "required"
		o.Outcomes = []OutcomeOffer{{ID: opinionOnly.ID, Name: opinionOnly.Name, To: opinionOnly.To}}
		return o, nil
	}
	o.Form = n.Form
	known := r.form(n.ID)
	for _, f := range n.Form {
		if v, ok := known[f.ID]; ok {
			o.Values[f.ID] = v
		}
	}
	maps.Copy(o.Values, t.Values)
	if r.last(t) {
		next, err := r.nextOffer(n)
		if err != nil {
			return nil, err
		}
		o.Next = next
	}
	for _, out := range r.outcomes(t, n) {
		if r.early(n, out) {
			continue
		}
		one := OutcomeOffer{
			ID: out.ID, Name: out.Name, To: out.To, Form: out.Form,
			StepForm: r.f.takesForm(n, out), Next: o.Next != nil && out.To == ToNext,
		}
		if one.Next && len(o.Next.Choose) == 0 {
			continue // there is no way on
		}
		o.Outcomes = append(o.Outcomes, one)
	}
	return o, nil
}
