package approval

// ways are the steps to which each step may lead, by their places in the flow.
// One place more stands for the end of the matter.
type ways [][]int

// ways finds them by the form as it is. What stops the matter or sends it back
// leads nowhere; a condition in doubt may come true.
func (r *run) ways() (ways, error) {
	env := r.env()
	applies := make([]bool, len(r.f.Steps))
	for i, n := range r.f.Steps {
		var err error
		if applies[i], err = holds(n.When, env, true); err != nil {
			return nil, err
		}
	}
	lands := func(i int, asked string) int { // as advance does
		for ; i < len(r.f.Steps); i++ {
			if id := r.f.Steps[i].ID; applies[i] && (id == asked || !r.f.chosen(id)) {
				break
			}
		}
		return i
	}
	to := make(ways, len(r.f.Steps)+1)
	to[len(r.f.Steps)] = []int{lands(0, "")} // and so does the form
	if r.in.State != Running && r.in.Resume != "" {
		to[len(r.f.Steps)] = []int{lands(r.f.index(r.in.Resume), r.in.Resume)}
	}
	for i, n := range r.f.Steps {
		if n.Kind == Archive {
			to[i] = []int{lands(i+1, "")}
		}
		for _, o := range n.Outcomes {
			switch {
			case !r.f.onwards(n, o):
			case o.To == ToEnd:
				to[i] = append(to[i], len(r.f.Steps))
			case o.To != ToNext:
				to[i] = append(to[i], lands(r.f.index(o.To), o.To))
			case n.Next == nil || len(n.Next.Choose) == 0:
				to[i] = append(to[i], lands(i+1, ""))
			default:
				for _, c := range n.Next.Choose {
					at := r.f.index(c.To)
					offered, err := holds(c.When, env, true)
					if err != nil {
						return nil, err
					}
					if offered && at >= 0 && applies[at] {
						to[i] = append(to[i], at)
					}
				}
			}
		}
	}
	return to, nil
}

// from says which steps may be come to from a place, and whether the end may be
// without coming to the step at without. Ways lead onwards only.
func (w ways) from(place, without int) (seen []bool, ends bool) {
	seen = make([]bool, len(w)-1)
	var walk func(int)
	walk = func(at int) {
		for _, to := range w[at] {
			switch {
			case to == len(seen):
				ends = true
			case to != without && !seen[to]:
				seen[to] = true
				walk(to)
			}
		}
	}
	walk(place)
	return seen, ends
}

// meets says whether a matter may still come to a step, and whether it must
// before it can be completed.
func (w ways) meets(place, step int) (may, must bool) {
	seen, _ := w.from(place, -1)
	_, around := w.from(place, step)
	return seen[step], seen[step] && !around
}

// place is where the matter is: at a step, or else not begun.
func (r *run) place() int {
	if at := r.f.index(r.in.Step); at >= 0 && r.in.State == Running {
		return at
	}
	return len(r.f.Steps)
}
