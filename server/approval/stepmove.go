package approval

import (
	"slices"
	"strings"
)

// holds says whether a condition does. nil always does; one that needs a field
// which is absent counts as doubt.
func holds(when *Expr, env *Env, doubt bool) (bool, error) {
	if when == nil {
		return true, nil
	}
	v, missing, err := when.Bool(env)
	if err == nil && missing != "" {
		return doubt, nil
	}
	return v, err
}

// index finds a step's place; -1 = none.
func (f *Flow) index(id string) int {
	return slices.IndexFunc(f.Steps, func(n *Node) bool { return n.ID == id })
}

// chosen says whether a step is only done when the handler of another chooses
// it: one that was not chosen never runs, wherever it stands.
func (f *Flow) chosen(id string) bool {
	return slices.ContainsFunc(f.Steps, func(n *Node) bool {
		return n.Next != nil && slices.ContainsFunc(n.Next.Choose, func(c Choice) bool { return c.To == id })
	})
}

// settle sees what becomes of the matter after a decision on t.
func (r *run) settle(t Task, n *Node, o *Outcome) error {
	switch {
	case t.added():
		if err := r.giveBackTo(t, n); err != nil {
			return err
		}
	case backwards(o):
		return r.stopAt(n, o)
	case !joins(o): // decides alone, as a rejection would
		r.cancel()
		r.handled()
		return r.leave(n, o, "")
	default:
		r.handled()
		if err := r.wakeAfter(t, n); err != nil {
			return err
		}
	}
	if r.openStep() {
		return r.wakeTurn(n)
	}
	final := r.final()
	return r.leave(n, final.outcomeOf(n), final.Next)
}

// openStep says whether anything of the present visit is still to be done.
func (r *run) openStep() bool { return len(r.openIn(func(*Task) bool { return true })) > 0 }

// final is the decision that says how the matter goes on from a step on which
// all have decided: the latest, or the one that chose.
func (r *run) final() *Task {
	var final *Task
	for i := range r.in.Tasks {
		t := &r.in.Tasks[i]
		if t.Visit != r.in.Visit || t.State != Done || t.added() {
			continue
		}
		if final == nil || t.Closed > final.Closed || t.Closed == final.Closed && final.Next == "" {
			final = t
		}
	}
	return final
}

func (t *Task) outcomeOf(n *Node) *Outcome { return n.outcome(t.Outcome) }

// wakeTurn opens the next task of a sequence when nothing else is pending.
func (r *run) wakeTurn(n *Node) error {
	if n.Mode != Seq || len(r.openIn(func(t *Task) bool { return t.State == Pending || t.added() })) > 0 {
		return nil
	}
	waiting := r.openIn(func(t *Task) bool { return t.State == Waiting })
	next := slices.MinFunc(waiting, func(a, b int) int { return r.in.Tasks[a].Turn - r.in.Tasks[b].Turn })
	return r.wake(next, n)
}

// handled tells the starter that somebody has done their part.
func (r *run) handled() {
	r.tell(eventHandled, []string{r.in.Starter.ID}, "", r.a.Opinion)
}

// stopAt ends the matter as rejected or gives it back to its starter.
func (r *run) stopAt(n *Node, o *Outcome) error {
	r.cancel()
	if o.To == ToRejected {
		return r.end(Rejected)
	}
	if n.Resubmit == "to_returner" {
		r.in.Resume = n.ID
	}
	return r.come(Returned)
}

// leave goes where an outcome leads.
func (r *run) leave(n *Node, o *Outcome, next string) error {
	to := o.To
	if to == ToNext && next != "" {
		to = next
	}
	switch to {
	case ToEnd:
		return r.end(Completed)
	case ToNext:
		return r.advance(r.f.index(n.ID)+1, "")
	}
	if _, err := r.at(to); err != nil {
		return err
	}
	return r.advance(r.f.index(to), to)
}

// advance takes the matter to the first step from i on that applies. asked is
// one that was chosen or that an outcome names.
func (r *run) advance(i int, asked string) error {
	for ; i < len(r.f.Steps); i++ {
		n := r.f.Steps[i]
		if n.ID != asked && r.f.chosen(n.ID) {
			continue
		}
		applies, err := holds(n.When, r.env(), true)
		if err != nil {
			return err
		}
		if !applies {
			continue
		}
		r.applied++
		if arrived, err := r.enter(n); arrived || err != nil {
			return err
		}
	}
	if r.a.Verb == Submit && r.applied == 0 {
		// Nobody would have looked at it: that is a hole in the flow and no approval.
		return refuse(NoHandler, "", "没有适用于该申请的审批步骤", "no step of the flow applies to this", nil)
	}
	return r.end(Completed)
}

// enter comes to a step. It answers false when there is nothing to wait for.
func (r *run) enter(n *Node) (bool, error) {
	r.in.Step = n.ID
	r.in.Visit++
	if n.Kind == Archive {
		r.file(n)
		return false, nil
	}
	if done, err := r.automatic(n); done || err != nil {
		return true, err
	}
	sittings, err := r.sittings(n)
	if err != nil {
		return false, err
	}
	if len(sittings) == 0 {
		return false, r.asSystem(func() error { r.log(Entry{Step: n.ID, Verb: "skip", Name: "跳过"}); return nil })
	}
	for i, s := range sittings {
		t := Task{Seats: s.seats, Candidates: s.people, State: Pending}
		if n.Mode == Seq {
			t.Turn = i + 1
			if i > 0 {
				t.State = Waiting
			}
		}
		if err := r.ask(n, t); err != nil {
			return false, err
		}
	}
	return true, nil
}

// automatic lets the system agree where the flow says so, once in each act. It
// never chooses what comes next: a step where that must be done waits for
// people.
func (r *run) automatic(n *Node) (bool, error) {
	if n.Auto == nil || n.Next != nil || r.agreed[n.ID] {
		return false, nil
	}
	yes, err := holds(n.Auto, r.env(), false)
	if !yes || err != nil {
		return false, err
	}
	i := slices.IndexFunc(n.Outcomes, func(o *Outcome) bool { return joins(o) && !backwards(o) && o.To != ToStay })
	if i < 0 {
		return false, nil
	}
	o := n.Outcomes[i]
	r.agreed[n.ID] = true
	r.in.Tasks = append(r.in.Tasks, Task{
		ID: r.taskID(), Step: n.ID, Round: r.in.Round, Visit: r.in.Visit, By: system.ID,
		State: Done, Outcome: o.ID, Opened: r.now, Closed: r.now,
	})
	r.effects = append(r.effects, o.Do...)
	return true, r.asSystem(func() error {
		r.log(Entry{Step: n.ID, Verb: o.ID, Name: o.Name})
		return r.leave(n, o, "")
	})
}

// file files the matter (备案). What follows is the system's doing too, so that
// a starter whose own act led here hears of the end.
func (r *run) file(n *Node) {
	r.by = system
	r.log(Entry{Step: n.ID, Verb: string(Archive), Name: n.Name})
	r.in.Filed = r.now
	r.effects = append(r.effects, Effect{Do: "archive.file"})
}

// asSystem does something in the system's name.
func (r *run) asSystem(do func() error) error {
	by := r.by
	r.by = system
	defer func() { r.by = by }()
	return do()
}

// end brings the matter to a state that it stays in.
func (r *run) end(s State) error {
	r.cancel()
	if r.in.Ended == 0 {
		r.in.Ended = r.now
	}
	return r.come(s)
}

// come brings the matter into a state in which nobody is to act on it, with all
// that the flow attaches to that state.
func (r *run) come(s State) error {
	r.in.State, r.in.Step = s, ""
	for _, e := range r.f.On[s] {
		r.effects = append(r.effects, e)
		if e.Do == "archive.file" {
			r.in.Filed = r.now
		}
	}
	opinion := r.a.Opinion
	if r.by.ID == system.ID {
		opinion = ""
	}
	to := []string{r.in.Starter.ID}
	if s == Withdrawn || s == Terminated || s == Voided {
		to = append(to, r.involved()...)
	}
	r.tell(string(s), to, "", opinion)
	return r.copiesAt(string(s))
}

// involved are those who have decided, or were asked until this moment.
func (r *run) involved() []string {
	var all []string
	for _, t := range r.in.Tasks {
		switch {
		case t.Round < r.in.Since:
		case t.State == Done:
			all = append(all, t.By)
		case t.State == Cancelled && t.Closed == r.now && t.Opened != 0:
			all = append(all, t.Candidates...)
		}
	}
	return all
}

// stop is the end that somebody makes of a matter: withdrawn, terminated or
// void.
func (r *run) stop() error {
	state := map[Verb]State{Withdraw: Withdrawn, Terminate: Terminated, Void: Voided}[r.a.Verb]
	if state == Voided && strings.TrimSpace(r.a.Opinion) == "" {
		return refuse(OpinionRequired, "opinion", "请填写作废原因", "a reason is required", nil)
	}
	r.act(Entry{Step: r.in.Step, Verb: string(r.a.Verb)})
	r.in.Resume = ""
	if state == Withdrawn {
		r.cancel()
		return r.come(state)
	}
	return r.end(state)
}
