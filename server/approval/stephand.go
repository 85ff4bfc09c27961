package approval

import (
	"errors"
	"slices"
)

// Moved says whether a task of a matter waits for somebody who does not hold its
// seat any more: the head of the unit is another now, a post has ended, or they
// have left. Then the system hands it over (HandOver).
func (f *Flow) Moved(in Instance, w World) (bool, error) {
	r := f.run(in.clone(), Act{Verb: HandOver, Actor: system}, w)
	return r.reseat()
}

// handOverSeats gives open tasks to whoever holds their seats now. Only the
// system does it.
func (r *run) handOverSeats() error {
	if r.a.Actor.ID != system.ID {
		return deny(NotOffered)
	}
	_, err := r.reseat()
	return err
}

// reseat asks those who hold the seats of the present step today, where somebody
// was asked who does not any more. A task that was handed on by hand, and one that
// only asks for an opinion, stays where it is as long as anybody is there to do it.
func (r *run) reseat() (changed bool, err error) {
	n := r.f.node(r.in.Step)
	if r.in.State != Running || n == nil {
		return false, nil
	}
	now, err := r.sittings(n)
	var no refused
	if err != nil && !errors.As(err, &no) { // nobody at all: it stays where it is
		return false, err
	}
	for _, i := range r.openIn(func(t *Task) bool { return !t.added() }) {
		t := &r.in.Tasks[i]
		there, err := r.persons(t.asked())
		if err != nil {
			return changed, err
		}
		j := slices.IndexFunc(now, func(s sitting) bool { return slices.Equal(s.seats, t.Seats) })
		if j < 0 {
			continue
		}
		gone := func(id string) bool { return !slices.Contains(now[j].people, id) }
		if len(there) > 0 && (len(t.Former) > 0 || !slices.ContainsFunc(t.asked(), gone)) {
			continue
		}
		before := t.Candidates
		for _, id := range before {
			if gone(id) {
				t.Former = append(t.Former, id)
			}
		}
		t.Candidates = slices.Clone(now[j].people)
		if !slices.Contains(t.Candidates, t.By) {
			t.By = ""
		}
		fresh := slices.DeleteFunc(slices.Clone(t.Candidates), func(id string) bool { return slices.Contains(before, id) })
		changed = true
		if err := r.asSystem(func() error {
			r.log(Entry{Step: n.ID, Verb: string(HandOver), Name: "交接", To: fresh})
			if t.State == Pending {
				r.tell(eventAssigned, fresh, t.ID, "")
			}
			return nil
		}); err != nil {
			return changed, err
		}
	}
	return changed, nil
}
