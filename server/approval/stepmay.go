package approval

import "slices"

// verbs are those that are done to a matter as a whole, in the order in which
// they are offered.
var verbs = []Verb{Submit, Save, Discard, Withdraw, Terminate, Void, Reassign, Urge, SendCopy, Say, Rate, Print, Trace, MarkRead}

// may says why the actor may not do something to the matter as a whole. Offers
// and Step both ask it, so that what is offered is accepted.
func (r *run) may(v Verb) error {
	starter := r.a.Actor.ID == r.in.Starter.ID
	admin := r.a.Admin
	switch v {
	case Save:
		return r.allow(v, starter, Draft, Returned, Withdrawn)
	case Submit:
		return r.allow("", starter, Draft, Returned, Withdrawn)
	case Discard:
		return r.allow("", starter, Draft)
	case Withdraw:
		if err := r.allow(v, starter, Running); err != nil {
			return err
		}
		if r.decided() {
			return deny(AlreadyReviewed)
		}
		return nil
	case Terminate:
		states := []State{Running, Returned}
		if r.f.revokes(Terminated) {
			states = append(states, Completed)
		}
		if admin { // whatever the flow says of its starters
			return r.allow("", true, states...)
		}
		return r.allow(v, starter, states...)
	case Void:
		return r.allow("", admin, Running, Returned, Withdrawn, Completed)
	case Reassign:
		return r.allow("", admin, Running)
	case Urge:
		if err := r.allow(v, starter, Running); err != nil {
			return err
		}
		return r.mayUrge()
	case SendCopy:
		if admin || r.handles(SendCopy) {
			return r.allow("", true, Running, Completed, Rejected, Returned, Withdrawn, Terminated, Voided)
		}
		return r.allow(v, starter, Running, Completed, Rejected, Returned, Withdrawn, Terminated, Voided)
	case Say:
		return r.allow("", r.sees(), Running, Completed, Rejected, Returned, Withdrawn, Terminated, Voided)
	case Rate:
		if err := r.allow("", starter, Completed, Rejected); err != nil {
			return err
		}
		if len(r.unrated()) == 0 {
			return deny(NotOffered)
		}
		return nil
	case Print:
		return r.allow(v, r.sees(), Draft, Running, Completed, Rejected, Returned, Withdrawn, Terminated, Voided)
	case Trace:
		return r.allow(v, admin || r.in.takesPart(r.a.Actor.ID), Running, Completed, Rejected, Returned, Withdrawn, Terminated, Voided)
	case MarkRead:
		if !r.in.copied(r.a.Actor.ID) && !slices.ContainsFunc(r.in.Tasks, func(t Task) bool { return t.Opened != 0 && t.mayAct(r.a.Actor.ID) }) {
			return deny(NoTask)
		}
		return nil
	case Decide, TakeUp, Transfer, AddSign, Remind, HandOver: // of a task, or of nobody
	}
	return deny(NotOffered)
}

// allow checks who, the state, and, unless listed is "", that the flow offers
// it.
func (r *run) allow(listed Verb, who bool, states ...State) error {
	switch {
	case !who:
		return deny(NotYours)
	case listed != "" && !slices.Contains(r.f.Actions, listed):
		return deny(NotOffered)
	case !slices.Contains(states, r.in.State):
		return deny(WrongState)
	}
	return nil
}

// mayTask says why the actor may not do something with a task that is theirs
// and pending.
func (r *run) mayTask(v Verb, t *Task, n *Node) error {
	switch v {
	case TakeUp:
		if n.Kind == Claim && t.By == "" && len(t.Candidates) > 1 {
			return nil
		}
	case Save, Transfer, AddSign, SendCopy:
		if slices.Contains(n.Actions, v) {
			return nil
		}
	case Submit, Decide, Withdraw, Terminate, Void, Reassign, Urge, Say, Rate, MarkRead, Discard, Print, Trace, Remind, HandOver:
	}
	return deny(NotOffered)
}

// handles says whether the actor has a pending task whose step offers a verb.
func (r *run) handles(v Verb) bool {
	return slices.ContainsFunc(r.in.Tasks, func(t Task) bool {
		n := r.f.node(t.Step)
		return t.State == Pending && t.mayAct(r.a.Actor.ID) && n != nil && slices.Contains(n.Actions, v)
	})
}

// decided says whether anybody but the system has done anything since the
// steps began.
func (r *run) decided() bool {
	return slices.ContainsFunc(r.in.Tasks, func(t Task) bool {
		return t.State == Done && t.By != system.ID && t.Round >= r.in.Since
	}) || slices.ContainsFunc(r.in.Records, func(rec Record) bool { return rec.Visit >= r.firstVisit() })
}

// firstVisit is the first visit since the steps began.
func (r *run) firstVisit() int {
	for _, t := range r.in.Tasks {
		if t.Round >= r.in.Since {
			return t.Visit
		}
	}
	return r.in.Visit + 1
}

// revokes says whether coming into a state takes a pass back.
func (f *Flow) revokes(s State) bool {
	return slices.ContainsFunc(f.On[s], func(e Effect) bool { return e.Do == "pass.revoke" })
}

// Sees says whether somebody may look at a matter: its starter, those who were
// asked to act on it, before and after, those who were sent a copy, and an
// administrator.
func (f *Flow) Sees(in Instance, who string, admin bool) bool {
	return admin || who != "" && (in.takesPart(who) || in.copied(who))
}

func (r *run) sees() bool { return r.f.Sees(r.in, r.a.Actor.ID, r.a.Admin) }

// takesPart says whether somebody is the starter or was ever asked.
func (in *Instance) takesPart(who string) bool {
	return who == in.Starter.ID || slices.ContainsFunc(in.Tasks, func(t Task) bool {
		return t.Opened != 0 && t.held(who)
	})
}

func (in *Instance) copied(who string) bool {
	return slices.ContainsFunc(in.Copies, func(c Copy) bool { return c.Person == who })
}

// MayStart says whether somebody is among those who may apply. Contract employees
// and workers are staff too.
func (f *Flow) MayStart(p Person, dir Directory) (bool, error) {
	for _, s := range f.Starters {
		if s.Kind != "" && (s.Kind == p.Kind || s.Kind == groupOf(p.Kind)) {
			return true, nil
		}
		if s.Role == "" {
			continue
		}
		holders, err := dir.Holders(s.Role)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(holders, func(h Person) bool { return h.ID == p.ID }) {
			return true, nil
		}
	}
	return false, nil
}
