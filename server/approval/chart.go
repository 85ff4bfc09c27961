package approval

import "slices"

// ChartNode is one step of the picture of a flow.
type ChartNode struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Kind   NodeKind      `json:"kind"`
	Mode   Mode          `json:"mode"`
	People []ChartPerson `json:"people"`
	State  string        `json:"state"` // done, current, waiting, optional, skipped, cancelled
	By     []string      `json:"by"`    // names of who decided
	At     int64         `json:"at,omitempty"`
}

// ChartPerson is somebody in the picture of a flow.
type ChartPerson struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// The states of steps in the picture.
const (
	chartDone      = "done"
	chartCurrent   = "current"
	chartWaiting   = "waiting"
	chartOptional  = "optional" // the matter can also end without it
	chartSkipped   = "skipped"
	chartCancelled = "cancelled"
)

// Chart draws the steps of a matter in the order of the flow: what is done, what
// is current, and, as far as can be told by now, who comes next. For a form that
// is only being filled in, give an Instance that Open made.
func (f *Flow) Chart(in Instance, w World) ([]ChartNode, error) {
	r := f.run(in.clone(), Act{}, w)
	to, err := r.ways()
	if err != nil {
		return nil, err
	}
	chart := make([]ChartNode, 0, len(f.Steps))
	for _, n := range f.Steps {
		c := ChartNode{ID: n.ID, Name: n.Name, Kind: n.Kind, Mode: n.Mode, People: []ChartPerson{}, By: []string{}}
		if err := r.draw(n, &c, to); err != nil {
			return nil, err
		}
		chart = append(chart, c)
	}
	return chart, nil
}

// draw fills in one step from its last visit, or from what is to be expected.
func (r *run) draw(n *Node, c *ChartNode, to ways) error {
	var tasks []Task
	for _, t := range r.in.Tasks {
		if t.Step != n.ID || t.Round < r.in.Since {
			continue
		}
		if len(tasks) > 0 && tasks[0].Visit != t.Visit {
			tasks = nil
		}
		tasks = append(tasks, t)
	}
	var people []string
	for _, t := range tasks {
		switch t.State {
		case Done:
			people = append(people, t.By)
			c.By = append(c.By, r.nameOf(t))
			c.At = max(c.At, t.Closed)
		case Pending, Waiting, Cancelled:
			people = append(people, t.asked()...)
		}
	}
	switch {
	case r.in.State == Running && r.in.Step == n.ID:
		c.State = chartCurrent
	case r.in.State == Running && r.f.index(n.ID) > r.f.index(r.in.Step): // again, after a redo
		c.By, c.At = []string{}, 0
		return r.expect(n, c, to)
	case r.filed(n):
		c.State, c.At = chartDone, r.in.Filed
	case slices.ContainsFunc(tasks, func(t Task) bool { return t.State == Done }):
		c.State = chartDone
	case len(tasks) > 0:
		c.State = chartCancelled
	default:
		return r.expect(n, c, to)
	}
	return r.show(c, people)
}

// expect draws a step that was not come to.
func (r *run) expect(n *Node, c *ChartNode, to ways) error {
	may, must := to.meets(r.place(), r.f.index(n.ID))
	switch {
	case r.in.State == Completed, r.in.Ended == 0 && !may:
		c.State = chartSkipped
		return nil
	case r.in.Ended != 0:
		applies, err := holds(n.When, r.env(), true)
		c.State = chartCancelled
		if !applies {
			c.State = chartSkipped
		}
		return err
	case must:
		c.State = chartWaiting
	default:
		c.State = chartOptional
	}
	p, err := r.planned(n)
	if _, no := err.(refused); no { // nobody holds it now; that may change
		return nil
	}
	if err != nil {
		return err
	}
	for _, one := range p.People {
		c.People = append(c.People, ChartPerson{Name: one.Name, Unit: one.UnitName})
	}
	return nil
}

// filed says whether the matter went through a step that files it.
func (r *run) filed(n *Node) bool {
	return n.Kind == Archive && slices.ContainsFunc(r.in.Trail, func(e Entry) bool {
		return e.Step == n.ID && e.Verb == string(Archive)
	})
}

// nameOf is the name under which the trail keeps whoever decided a task.
func (r *run) nameOf(t Task) string {
	for _, e := range r.in.Trail {
		if e.Actor == t.By && e.Step == t.Step {
			return e.ActorName
		}
	}
	return t.By
}

func (r *run) show(c *ChartNode, ids []string) error {
	people, err := r.persons(ids)
	for _, p := range people {
		if shown := (ChartPerson{Name: p.Name, Unit: p.UnitName}); !slices.Contains(c.People, shown) {
			c.People = append(c.People, shown)
		}
	}
	return err
}
