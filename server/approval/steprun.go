package approval

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// system is the actor of what nobody does: automatic approval, filing,
// reminders.
var system = Person{ID: "system", Name: "系统"}

// Step does one thing to a matter and says what comes of it. It is pure: in
// stays as it was, whatever happens. A refusal means that nothing is changed;
// err is a fault of the Directory, of Serial, or of a form that its own flow
// could not have made. Step may be called from several goroutines.
func (f *Flow) Step(in Instance, a Act, w World) (Change, *Refusal, error) {
	r := f.run(in.clone(), a, w)
	err := r.do()
	if no, ok := errors.AsType[refused](err); ok {
		return Change{}, no.Refusal, nil
	}
	if err != nil {
		return Change{}, nil, fmt.Errorf("flow %s, matter %s, %s: %w", f.ID, in.ID, a.Verb, err)
	}
	return r.finish(), nil, nil
}

// refused carries a refusal as an error through the engine.
type refused struct{ *Refusal }

func (r refused) Error() string { return r.Refusal.String() }

// run is one step on its way. It owns in, and is thrown away when it fails.
type run struct {
	f   *Flow
	w   World
	a   Act
	in  Instance
	now int64

	by      Person          // whose doing it is at this point: the actor, or the system
	entry   int             // the act's own line of the trail; -1 = none
	applied int             // steps that the matter came to
	agreed  map[string]bool // steps that the system has agreed to in this act
	back    string          // who returned the matter, where it goes back to them
	effects []Effect
	notices []Notice
}

func (f *Flow) run(in Instance, a Act, w World) *run {
	a.To = slices.Compact(slices.Sorted(slices.Values(a.To)))
	return &run{f: f, w: w, a: a, in: in, now: w.Now.UnixMilli(), by: a.Actor, entry: -1, agreed: map[string]bool{}}
}

// do carries out the act.
func (r *run) do() error {
	if err := r.bounds(); err != nil {
		return err
	}
	if slices.Contains([]Verb{Decide, TakeUp, Transfer, AddSign}, r.a.Verb) { // by whoever holds the seat at this moment
		if _, err := r.reseat(); err != nil {
			return err
		}
	}
	switch r.a.Verb {
	case Decide:
		return r.decide()
	case TakeUp, Transfer, AddSign:
		return r.handTask()
	case Remind:
		return r.remind()
	case HandOver:
		return r.handOverSeats()
	case Save:
		if r.a.Task != "" || r.a.Actor.ID != r.in.Starter.ID {
			return r.handTask()
		}
	case Submit, Withdraw, Terminate, Void, Reassign, SendCopy, Urge, Say, Rate, MarkRead, Discard, Print, Trace:
	}
	if err := r.may(r.a.Verb); err != nil {
		return err
	}
	switch r.a.Verb {
	case Save:
		return r.saveForm()
	case Submit:
		return r.submit()
	case Withdraw, Terminate, Void:
		return r.stop()
	case Reassign:
		return r.reassign()
	case SendCopy:
		return r.sendCopy()
	case Urge:
		return r.urge()
	case Say:
		return r.say()
	case Rate:
		return r.rate()
	case MarkRead:
		r.markRead()
	case Discard, Print, Trace: // whoever keeps the matter does it
	case Decide, TakeUp, Transfer, AddSign, Remind, HandOver: // above
	}
	return nil
}

// finish gives the effects the values that the form has at the end.
func (r *run) finish() Change {
	form := r.form("")
	for i, e := range r.effects {
		r.effects[i] = e.filled(form)
	}
	return Change{Instance: r.in, Effects: r.effects, Notices: r.notices}
}

// filled puts the form's values where an effect names a field: "form.units".
func (e Effect) filled(form map[string]any) Effect {
	with := make(map[string]any, len(e.With))
	for k, v := range e.With {
		if text, ok := v.(string); ok {
			if field, ok := strings.CutPrefix(text, "form."); ok {
				v = form[field]
			}
		}
		with[k] = cloneValue(v)
	}
	if len(with) == 0 {
		with = nil
	}
	return Effect{Do: e.Do, With: with}
}

// bounds refuses what no act may be: texts without end, bytes that are no text,
// lists without end.
func (r *run) bounds() error {
	if err := plainText("opinion", r.a.Opinion); err != nil {
		return err
	}
	for name, list := range map[string][]string{"to": r.a.To, "attachments": r.a.Attachments} {
		if len(list) > MaxItems {
			return refuse(FieldInvalid, name, fmt.Sprintf("最多%d项", MaxItems), fmt.Sprintf("at most %d items", MaxItems), nil)
		}
		for _, item := range list {
			if item == "" || len(item) > 200 || !clean(item) {
				return refuse(FieldInvalid, name, "内容无效", "an item is not valid", nil)
			}
		}
	}
	return nil
}

// env is what expressions read now.
func (r *run) env() *Env {
	e := NewEnv(r.form(""), r.in.Starter, r.in.Serial, r.w)
	e.Options = r.w.Options
	return e
}

// form is the application with what the steps of this run have filled in, the
// latest last. A step named in except does not count.
func (r *run) form(except string) map[string]any {
	form := cloneMap(r.in.Form)
	if form == nil {
		form = map[string]any{}
	}
	done := make([]Task, 0, len(r.in.Tasks))
	for _, t := range r.in.Tasks {
		if t.State == Done && t.Round >= r.in.Since && t.Step != except {
			done = append(done, t)
		}
	}
	slices.SortStableFunc(done, func(a, b Task) int { return cmp.Compare(a.Closed, b.Closed) })
	for _, t := range done {
		for k, v := range t.Values {
			form[k] = v
		}
	}
	return form
}

// node finds a step of the flow.
func (f *Flow) node(id string) *Node {
	for _, n := range f.Steps {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// at finds a step that an instance names. Only a matter of another flow, or of
// another version, can name one that is not there.
func (r *run) at(id string) (*Node, error) {
	if n := r.f.node(id); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("the flow has no step %q", id)
}

// log appends to the trail and gives the line's index.
func (r *run) log(e Entry) int {
	e.At, e.Actor, e.ActorName = r.now, r.by.ID, r.by.Name
	if n := r.f.node(e.Step); n != nil {
		e.StepName = n.Name
	}
	r.in.Trail = append(r.in.Trail, e)
	return len(r.in.Trail) - 1
}

// act writes the line of the act itself, with what the actor gave to it.
func (r *run) act(e Entry) {
	e.Opinion, e.Attachments = r.a.Opinion, slices.Clone(r.a.Attachments)
	r.entry = r.log(e)
}
