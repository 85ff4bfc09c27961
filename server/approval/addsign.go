package approval

import "slices"

// Where people are added to a task (加签).
const (
	atBefore   = "before"   // my task waits until they have said what they think
	atAfter    = "after"    // they are asked once I have agreed
	atParallel = "parallel" // they are asked at once, and so am I
)

// addedAs is what the trail calls it.
var addedAs = map[string]string{atBefore: "前加签", atAfter: "后加签", atParallel: "并加签"}

// addSign asks more people for their opinion. They decide nothing: only the
// step's own people can end or return the matter.
func (r *run) addSign(t *Task, n *Node) error {
	at, mode := r.a.At, r.a.Mode
	if at == "" {
		at = r.f.AddSign.At
	}
	if mode == "" {
		mode = r.f.AddSign.Mode
	}
	if addedAs[at] == "" {
		return refuse(FieldInvalid, "at", "加签位置无效", "before, after or parallel", nil)
	}
	if mode != All && mode != Any {
		return refuse(FieldInvalid, "mode", "加签方式无效", "all or any", nil)
	}
	if len(r.a.To) == 0 {
		return refuse(FieldInvalid, "to", "请选择加签人员", "choose who is to be asked", nil)
	}
	for _, id := range r.a.To {
		if _, err := r.fit(n, id); err != nil {
			return err
		}
	}
	r.act(Entry{Step: n.ID, Verb: string(AddSign), Name: addedAs[at], To: slices.Clone(r.a.To)})
	state := Pending
	switch at {
	case atBefore:
		t.State, t.By = Waiting, r.a.Actor.ID // it comes back to the one who asked
	case atAfter:
		state = Waiting
	}
	added := Task{Seats: t.Seats, State: state, Parent: t.ID, At: at}
	if mode == Any {
		added.Candidates = slices.Clone(r.a.To)
		return r.ask(n, added)
	}
	for _, id := range r.a.To {
		one := added
		one.Seats, one.Candidates = slices.Clone(t.Seats), []string{id}
		if err := r.ask(n, one); err != nil {
			return err
		}
	}
	return nil
}

// giveBackTo lets the tasks that waited for an opinion go on, now that t has
// given it: those added after t, or else each task above it that nothing else
// is holding up.
func (r *run) giveBackTo(t Task, n *Node) error {
	if err := r.wakeAfter(t, n); err != nil {
		return err
	}
	for t.Parent != "" {
		i := slices.IndexFunc(r.in.Tasks, func(p Task) bool { return p.ID == t.Parent })
		if i < 0 {
			return nil
		}
		t = r.in.Tasks[i]
		if r.parked(t) && !r.heldUp(t.ID) {
			return r.wake(i, n)
		}
		if t.open() {
			return nil
		}
	}
	return nil
}

// parked says whether a task waits for those who were added before it, and not
// for its turn.
func (r *run) parked(t Task) bool {
	return t.State == Waiting && slices.ContainsFunc(r.in.Tasks, func(c Task) bool { return c.Parent == t.ID && c.At == atBefore })
}

// heldUp says whether somebody who was added before a task has not done with
// it, counting those whom they have added themselves.
func (r *run) heldUp(id string) bool {
	return slices.ContainsFunc(r.in.Tasks, func(c Task) bool {
		return c.Parent == id && c.At == atBefore && (c.open() || r.openBelow(c.ID))
	})
}

func (r *run) openBelow(id string) bool {
	return slices.ContainsFunc(r.in.Tasks, func(c Task) bool {
		return c.Parent == id && (c.open() || r.openBelow(c.ID))
	})
}

// wakeAfter asks those who were added after a task that is now done.
func (r *run) wakeAfter(t Task, n *Node) error {
	for _, i := range r.openIn(func(c *Task) bool { return c.Parent == t.ID && c.At == atAfter && c.State == Waiting }) {
		if err := r.wake(i, n); err != nil {
			return err
		}
	}
	return nil
}
