package approval

import (
	"maps"
	"slices"
	"strconv"
)

// open says whether the task is still to be done.
func (t *Task) open() bool { return t.State == Pending || t.State == Waiting }

// mayAct says whether an open task is somebody's to act on: a candidate's, while
// nobody else has claimed it.
func (t *Task) mayAct(who string) bool {
	return who != "" && t.open() && slices.Contains(t.Candidates, who) && (t.By == "" || t.By == who)
}

// asked are those who may act on an open task.
func (t *Task) asked() []string {
	if t.By != "" {
		return []string{t.By}
	}
	return t.Candidates
}

// held says whether the task is or ever was somebody's.
func (t *Task) held(who string) bool {
	return who != "" && (slices.Contains(t.Candidates, who) || slices.Contains(t.Former, who) || t.By == who)
}

// added says whether the task only asks for an opinion.
func (t *Task) added() bool { return t.Parent != "" }

// mine finds the task that the act is about, or without one the actor's oldest
// pending task. Of two decisions on one task the second is told TASK_CLOSED,
// and so is whoever held the task before; anybody else is told NO_TASK.
func (r *run) mine() (*Task, *Node, error) {
	me := r.a.Actor.ID
	var found *Task
	for i := range r.in.Tasks {
		t := &r.in.Tasks[i]
		if !t.held(me) || r.a.Task != "" && r.a.Task != t.ID {
			continue
		}
		found = t
		if t.State == Pending && t.mayAct(me) {
			break
		}
	}
	switch {
	case found == nil:
		return nil, nil, deny(NoTask)
	case r.in.State != Running || !found.mayAct(me):
		return nil, nil, deny(TaskClosed)
	case found.State == Waiting:
		return nil, nil, refuse(WrongState, "", "尚未轮到或正在等待加签意见", "it is not this task's turn yet", nil)
	}
	n, err := r.at(found.Step)
	return found, n, err
}

// handTask does what changes a task without deciding it.
func (r *run) handTask() error {
	t, n, err := r.mine()
	if err != nil {
		return err
	}
	if err := r.mayTask(r.a.Verb, t, n); err != nil {
		return err
	}
	if t.Read == 0 {
		t.Read = r.now
	}
	switch r.a.Verb {
	case Save:
		return r.saveTask(t, n)
	case TakeUp:
		t.By = r.a.Actor.ID
		r.act(Entry{Step: n.ID, Verb: string(TakeUp)})
	case Transfer:
		return r.transfer(t, n)
	case AddSign:
		return r.addSign(t, n)
	case Submit, Decide, Withdraw, Terminate, Void, Reassign, SendCopy, Urge, Say, Rate, MarkRead, Discard, Print, Trace, Remind, HandOver:
	}
	return nil
}

// saveTask keeps what a handler has typed so far. It counts for nothing until
// they decide.
func (r *run) saveTask(t *Task, n *Node) error {
	if !t.added() {
		fields := slices.Clone(n.Form)
		for _, o := range n.Outcomes {
			fields = append(fields, o.Form...)
		}
		old := r.form(n.ID)
		maps.Copy(old, t.Values)
		values, no := r.f.CheckForm(fields, old, r.a.Form, r.env(), false)
		if no != nil {
			return refused{no}
		}
		t.Values = values
	}
	t.Opinion = r.a.Opinion
	return nil
}

// transfer gives the actor's place at a task to somebody else (转办). Others who
// might take it still may.
func (r *run) transfer(t *Task, n *Node) error {
	p, err := r.receiver(n)
	if err != nil {
		return err
	}
	me := r.a.Actor.ID
	i := slices.Index(t.Candidates, me)
	t.Candidates[i] = p.ID
	t.Former = append(t.Former, me)
	if t.By == me {
		t.By = p.ID
	}
	r.handOver(t, p)
	r.act(Entry{Step: n.ID, Verb: string(Transfer), To: []string{p.ID}})
	return nil
}

// reassign gives a whole task to somebody else (指派).
func (r *run) reassign() error {
	for i := range r.in.Tasks {
		t := &r.in.Tasks[i]
		if t.ID != r.a.Task {
			continue
		}
		if !t.open() {
			return deny(TaskClosed)
		}
		n, err := r.at(t.Step)
		if err != nil {
			return err
		}
		p, err := r.receiver(n)
		if err != nil {
			return err
		}
		t.Former = append(t.Former, t.Candidates...)
		t.Candidates, t.By = []string{p.ID}, ""
		r.handOver(t, p)
		r.act(Entry{Step: n.ID, Verb: string(Reassign), To: []string{p.ID}})
		return nil
	}
	return deny(NoTask)
}

// handOver forgets what the one before read and typed.
func (r *run) handOver(t *Task, p Person) {
	t.Read, t.Urged, t.Values, t.Opinion = 0, 0, nil, ""
	if t.State == Pending {
		r.tell(eventAssigned, []string{p.ID}, t.ID, r.a.Opinion)
	}
}

// receiver is the one person that the act names, when a task of a step may go
// to them.
func (r *run) receiver(n *Node) (Person, error) {
	if len(r.a.To) != 1 {
		return Person{}, refuse(FieldInvalid, "to", "请选择一个人", "choose one person", nil)
	}
	return r.fit(n, r.a.To[0])
}

// fit checks that somebody may be asked at the present step beside those who
// already are: nobody has two voices, and nobody approves his own matter where
// the step forbids it.
func (r *run) fit(n *Node, id string) (Person, error) {
	p, ok, err := r.w.People.Person(id)
	switch {
	case err != nil:
		return p, err
	case !ok:
		return p, refuse(NoSuchPerson, "to", usual[NoSuchPerson][0], usual[NoSuchPerson][1], map[string]any{"person": id})
	case id == r.in.Starter.ID && n.Self != selfAllow:
		return p, refuse(NotOffered, "to", "不能由申请人本人办理", "the starter may not handle this step", nil)
	}
	for i := range r.in.Tasks {
		t := &r.in.Tasks[i]
		if t.Visit == r.in.Visit && (t.open() && slices.Contains(t.Candidates, id) || t.State == Done && !t.added() && t.By == id) {
			return p, refuse(AlreadyHolds, "to", usual[AlreadyHolds][0], usual[AlreadyHolds][1], map[string]any{"person": id})
		}
	}
	return p, nil
}

func (r *run) taskID() string { return "t" + strconv.Itoa(len(r.in.Tasks)+1) }

// ask makes a task of the present step and, unless it must wait, tells those
// who are asked.
func (r *run) ask(n *Node, t Task) error {
	t.ID = r.taskID()
	t.Step, t.Round, t.Visit = n.ID, r.in.Round, r.in.Visit
	r.in.Tasks = append(r.in.Tasks, t)
	if t.State == Pending {
		return r.wake(len(r.in.Tasks)-1, n)
	}
	return nil
}

// wake makes a task pending: its turn has come, or it returns from those who
// were added before it.
func (r *run) wake(i int, n *Node) error {
	t := &r.in.Tasks[i]
	t.State, t.Read = Pending, 0
	if t.Opened == 0 {
		t.Opened = r.now
	}
	if t.Remind == 0 && n.Remind != nil && !t.added() {
		at, err := r.remindAt(n)
		if err != nil {
			return err
		}
		t.Remind = at
	}
	if r.entry >= 0 {
		e := &r.in.Trail[r.entry]
		for _, id := range t.asked() {
			if !slices.Contains(e.To, id) {
				e.To = append(e.To, id)
			}
		}
	}
	r.tell(eventAssigned, t.asked(), t.ID, "")
	return nil
}

// cancel closes every open task.
func (r *run) cancel() {
	for i := range r.in.Tasks {
		if t := &r.in.Tasks[i]; t.open() {
			t.State, t.Closed = Cancelled, r.now
		}
	}
}

// openIn lists the indices of open tasks of this visit that a test wants.
func (r *run) openIn(want func(*Task) bool) []int {
	var all []int
	for i := range r.in.Tasks {
		if t := &r.in.Tasks[i]; t.open() && t.Visit == r.in.Visit && want(t) {
			all = append(all, i)
		}
	}
	return all
}
