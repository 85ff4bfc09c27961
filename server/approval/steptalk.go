package approval

import (
	"slices"
	"strings"
	"time"
)

// sendCopy lets people read the matter (抄送).
func (r *run) sendCopy() error {
	if len(r.a.To) == 0 {
		return refuse(FieldInvalid, "to", "请选择抄送对象", "choose who is to get a copy", nil)
	}
	r.act(Entry{Step: r.in.Step, Verb: string(SendCopy), To: slices.Clone(r.a.To)})
	return r.copyTo(r.a.To)
}

// copyTo gives copies to those who have none yet.
func (r *run) copyTo(ids []string) error {
	var fresh []string
	for _, id := range ids {
		if _, ok, err := r.w.People.Person(id); err != nil {
			return err
		} else if !ok {
			return refuse(NoSuchPerson, "to", usual[NoSuchPerson][0], usual[NoSuchPerson][1], map[string]any{"person": id})
		}
		if !r.in.copied(id) {
			fresh = append(fresh, id)
			r.in.Copies = append(r.in.Copies, Copy{Person: id, By: r.by.ID, At: r.now})
		}
	}
	r.tell(eventCC, fresh, "", "")
	return nil
}

// copiesAt gives the copies that the flow itself sends at an event.
func (r *run) copiesAt(event string) error {
	for _, rule := range r.f.CC {
		if rule.At != event {
			continue
		}
		var people []Person
		for _, s := range rule.Who {
			applies, err := holds(s.When, r.env(), false)
			if err != nil {
				return err
			}
			if !applies {
				continue
			}
			found, _, err := r.holders(&Node{ID: "cc"}, s)
			if err != nil {
				return err
			}
			people = append(people, found...)
		}
		if err := r.asSystem(func() error { return r.copyTo(idsOf(people)) }); err != nil {
			return err
		}
	}
	return nil
}

// urgent are the pending tasks that wait for somebody other than the starter.
func (r *run) urgent() []*Task {
	var all []*Task
	for i := range r.in.Tasks {
		t := &r.in.Tasks[i]
		if t.State == Pending && slices.ContainsFunc(t.asked(), func(id string) bool { return id != r.in.Starter.ID }) {
			all = append(all, t)
		}
	}
	return all
}

// urgeableAt is when a task may be urged again.
func (r *run) urgeableAt(t *Task) int64 {
	if t.Urged == 0 {
		return 0
	}
	return t.Urged + r.f.Urge.Milliseconds()
}

// mayUrge says whether any pending task may be urged now.
func (r *run) mayUrge() error {
	tasks := r.urgent()
	if len(tasks) == 0 {
		return deny(WrongState)
	}
	again := slices.Min(mapped(tasks, r.urgeableAt))
	if again <= r.now {
		return nil
	}
	at := time.UnixMilli(again).In(r.w.Now.Location()).Format("15:04")
	return refuse(TooSoon, "", "刚刚催办过,请在"+at+"之后再试", "urged not long ago; try again after "+at, map[string]any{"again_at": again})
}

func mapped[A, B any](all []A, to func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = to(a)
	}
	return out
}

// urge reminds everybody whose turn it is (催办), once in a while per task.
func (r *run) urge() error {
	r.act(Entry{Step: r.in.Step, Verb: string(Urge)})
	var to []string
	for _, t := range r.urgent() {
		if r.urgeableAt(t) > r.now {
			continue
		}
		t.Urged = r.now
		to = append(to, t.asked()...)
		r.tell(eventUrged, t.asked(), t.ID, r.a.Opinion)
	}
	r.in.Trail[r.entry].To = slices.Compact(slices.Sorted(slices.Values(to)))
	return nil
}

// say is a message between people about the matter. To nobody in particular it
// goes to the starter and to those whose turn it is.
func (r *run) say() error {
	if strings.TrimSpace(r.a.Opinion) == "" {
		return refuse(OpinionRequired, "opinion", "请填写内容", "write something", nil)
	}
	if len(r.a.To) > 1 {
		return refuse(FieldInvalid, "to", "一次只能给一个人留言", "to one person at a time", nil)
	}
	c := Comment{From: r.a.Actor.ID, Text: r.a.Opinion, At: r.now}
	to := []string{r.in.Starter.ID}
	if len(r.a.To) == 1 {
		c.To = r.a.To[0]
		if !r.f.Sees(r.in, c.To, false) {
			return refuse(NoSuchPerson, "to", "对方看不到此事项", "that person does not see this matter", map[string]any{"person": c.To})
		}
		to = r.a.To
	} else {
		for _, t := range r.in.Tasks {
			if t.State == Pending {
				to = append(to, t.asked()...)
			}
		}
	}
	r.in.Comments = append(r.in.Comments, c)
	r.tell(eventComment, to, "", r.a.Opinion)
	return nil
}

// unrated are what the starter may still rate.
func (r *run) unrated() []string {
	return slices.DeleteFunc(slices.Clone(r.f.Rate), func(target string) bool {
		return slices.ContainsFunc(r.in.Ratings, func(have Rating) bool { return have.Target == target })
	})
}

// rate keeps what the starter thinks of how it went, once for each target.
func (r *run) rate() error {
	switch {
	case !slices.Contains(r.f.Rate, r.a.Target):
		return refuse(FieldInvalid, "target", "评价对象无效", "there is no such thing to rate", map[string]any{"rate": r.f.Rate})
	case !slices.Contains(r.unrated(), r.a.Target):
		return refuse(NotOffered, "target", "已经评价过", "already rated", nil)
	case r.a.Stars < 1 || r.a.Stars > 5:
		return refuse(FieldInvalid, "stars", "请选择1至5星", "1 to 5 stars", nil)
	}
	r.in.Ratings = append(r.in.Ratings, Rating{
		By: r.a.Actor.ID, Target: r.a.Target, Stars: r.a.Stars, Text: r.a.Opinion, At: r.now,
	})
	return nil
}

// markRead notes when somebody first looked at what was sent to them. A task of
// several people counts as read when one of them has.
func (r *run) markRead() {
	me := r.a.Actor.ID
	for i := range r.in.Tasks {
		if t := &r.in.Tasks[i]; t.Opened != 0 && t.mayAct(me) && t.Read == 0 {
			t.Read = r.now
		}
	}
	for i := range r.in.Copies {
		if c := &r.in.Copies[i]; c.Person == me && c.Read == 0 {
			c.Read = r.now
		}
	}
}

// Due lists the tasks whose reminder's time has come and that were not reminded
// of yet. now is unix ms.
func (f *Flow) Due(in Instance, now int64) []Task {
	var due []Task
	for _, t := range in.clone().Tasks {
		if t.due(now) {
			due = append(due, t)
		}
	}
	return due
}

func (t *Task) due(now int64) bool {
	return t.State == Pending && t.Remind != 0 && t.Remind <= now && t.Reminded == 0
}

// remind tells those whose reminder's time has come. Only the system does it;
// with nothing due it does nothing.
func (r *run) remind() error {
	if r.a.Actor.ID != system.ID {
		return deny(NotOffered)
	}
	for i := range r.in.Tasks {
		t := &r.in.Tasks[i]
		if !t.due(r.now) {
			continue
		}
		t.Reminded = r.now
		r.log(Entry{Step: t.Step, Verb: string(Remind), To: slices.Clone(t.asked())})
		r.tell(eventRemind, t.asked(), t.ID, "")
	}
	return nil
}

// remindAt is when a step reminds, by its expression; 0 = never, and also when
// that has passed: those who are asked were told just now.
func (r *run) remindAt(n *Node) (int64, error) {
	v, missing, err := n.Remind.Value(r.env())
	text, ok := v.(string)
	if err != nil || missing != "" || !ok {
		return 0, err
	}
	at, err := time.ParseInLocation(time.DateTime, text, r.w.Now.Location())
	if err != nil || !at.After(r.w.Now) {
		return 0, err
	}
	return at.UnixMilli(), nil
}
