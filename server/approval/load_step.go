package approval

import (
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

var stepKeys = []string{
	"id", "name", "kind", "mode", "who", "from", "when", "auto", "form", "opinion", "actions", "outcomes",
	"next", "self", "empty", "resubmit", "todo", "repeat", "remind", "assumed",
}

// stepReader reads the steps of one flow, the first to the last.
type stepReader struct {
	*loader
	order   []string // ids of all steps
	at      int      // of the step being read
	applied []string // ids of the application's fields
	fields  map[string]*Field
	chosen  map[string]bool // steps that a handler can choose
}

func (l *loader) readSteps(v value, fields map[string]*Field) []*Node {
	r := &stepReader{loader: l, applied: ids(fields), fields: maps.Clone(fields), chosen: map[string]bool{}}
	var tables []table
	for _, item := range v.some("there are no steps") {
		t, ok := item.table(stepKeys...)
		if !ok {
			continue
		}
		id := l.id(t)
		switch {
		case id == "":
		case slices.Contains(r.order, id):
			t.values["id"].fault("duplicate step %s", id)
		case slices.Contains(allTargets, id):
			t.values["id"].fault("%s is where outcomes lead, and no name for a step", id)
		}
		r.order = append(r.order, id)
		tables = append(tables, t)
	}
	var all []*Node
	for i, t := range tables {
		r.at = i
		all = append(all, r.read(t))
	}
	for i, n := range all {
		r.checkPick(tables[i], n, all[:i])
	}
	maps.Copy(fields, r.fields)
	return all
}

func (r *stepReader) read(t table) *Node {
	n := r.step
	n.ID = r.order[r.at]
	if v, ok := t.must("name"); ok {
		n.Name = v.words(maxName)
	}
	r.readHandling(t, &n)
	n.Todo, n.Repeat, n.Assumed = t.words("todo"), t.flag("repeat"), t.flag("assumed")
	if v, ok := t.values["when"]; ok {
		n.When = r.condition(v, r.fields)
	}
	if v, ok := t.values["auto"]; ok {
		n.Auto = r.condition(v, r.fields)
	}
	if v, ok := t.values["from"]; ok {
		n.From = r.readRole(v)
	}
	if v, ok := t.values["who"]; ok {
		n.Who = r.readSeats(v, r.fields, r.order[:r.at])
	}
	if v, ok := t.values["form"]; ok {
		n.Form = r.readForm(v, r.fields)
		r.add(v, n.Form, r.fields, r.applied)
	}
	if v, ok := t.values["remind"]; ok {
		n.Remind = r.expression(v, r.fields, false, shape{kind: kindDatetime})
	}
	n.Outcomes = r.readOutcomes(t, &n)
	n.Next = r.readNext(t)
	r.checkKind(t, &n)
	return &n
}

// checkKind keeps keys away from the kinds of steps where they mean nothing.
func (r *stepReader) checkKind(t table, n *Node) {
	unfit := func(keys ...string) {
		for _, key := range keys {
			if v, ok := t.values[key]; ok {
				v.fault("a step of kind %s has no %s", n.Kind, key)
			}
		}
	}
	switch n.Kind {
	case Archive:
		unfit("who", "from", "auto", "form", "outcomes", "next", "repeat", "remind", "mode", "opinion", "actions")
		return
	case Handle, Claim:
		unfit("auto")
	case Approve:
	}
	if n.Kind != Handle {
		unfit("repeat")
	}
	if v, ok := t.must("who"); ok {
		v.some("nobody is asked")
	}
	stays := slices.IndexFunc(n.Outcomes, func(o *Outcome) bool { return o.To == ToStay })
	if v, ok := t.values["repeat"]; ok && n.Repeat && stays < 0 {
		v.fault("a repeated step needs an outcome with to: stay")
	}
	if n.Auto != nil {
		for _, o := range n.Outcomes {
			if at := slices.Index(r.order, o.To); o.ID == Agree && at >= 0 && at <= r.at {
				t.values["auto"].fault("the system would agree for ever: agree leads back to %s", o.To)
			}
		}
	}
}

// checkPick demands a handler before who chooses, for a step whose people are
// chosen.
func (r *stepReader) checkPick(t table, n *Node, before []*Node) {
	picks := slices.ContainsFunc(n.Who, func(s Seat) bool { return s.Kind == PickSeat })
	from, hasFrom := t.values["from"]
	who := t.values["who"]
	switch {
	case !picks && hasFrom:
		from.fault("from is for a step with the seat pick")
	case !picks:
	case len(n.Who) > 1:
		who.fault("pick stands alone")
	case n.From == "" && !hasFrom:
		who.fault("pick needs from: role:ROLE")
	case !r.chosen[n.ID]:
		r.link(who, "pick needs a step before whose next.choose names %s", n.ID)
	case len(before) > 0 && before[len(before)-1].Next == nil && leads(before[len(before)-1]):
		who.fault("%s leads here without a choice: give its outcomes a to", before[len(before)-1].ID)
	}
}

// leads says whether a step goes on to the one that follows it.
func leads(n *Node) bool {
	return n.Kind == Archive || slices.ContainsFunc(n.Outcomes, func(o *Outcome) bool { return o.To == ToNext })
}

// readOutcomes gives what a step offers: the outcomes that the file names, in
// its order, and those among its actions, or complete, that it leaves as they
// are.
func (r *stepReader) readOutcomes(t table, n *Node) []*Outcome {
	if n.Kind == Archive {
		return nil
	}
	var all []*Outcome
	if v, ok := t.values["outcomes"]; ok {
		named, _ := v.table()
		for _, id := range named.keys {
			if o := r.readOutcome(named.values[id], id, n); o != nil {
				all = append(all, o)
			}
		}
	}
	usual := []string{Complete}
	if n.Kind == Approve {
		usual = []string{Agree, Reject}
	}
	if n.Kind != Claim {
		usual = append(usual, Return)
	}
	for _, id := range usual {
		offered := id == Complete || slices.Contains(n.Actions, Verb(id))
		named := slices.ContainsFunc(all, func(o *Outcome) bool { return o.ID == id })
		if offered && !named {
			o := standardOutcomes[id]
			all = append(all, &o)
		}
	}
	return all
}

func (r *stepReader) readOutcome(v value, id string, n *Node) *Outcome {
	if !wordID.MatchString(id) || len(id) > maxID {
		v.fault("%q is no id: small letters, digits and _", id)
		return nil
	}
	t, ok := v.table("name", "to", "form", "do")
	if !ok {
		return nil
	}
	o, usual := standardOutcomes[id]
	o.ID = id
	if name := t.words("name"); name != "" {
		o.Name = name
	} else if !usual {
		t.must("name")
	}
	if !usual {
		t.must("to")
	}
	if v, ok := t.values["to"]; ok {
		o.To = r.readTarget(v, id, n)
	}
	switch unfit := n.Kind != Approve && (id == Agree || id == Reject) || n.Kind == Approve && id == Complete || n.Kind == Claim && id == Return; {
	case unfit:
		v.fault("a step of kind %s has no outcome %s", n.Kind, id)
	case usual && id != Complete && !slices.Contains(n.Actions, Verb(id)):
		v.fault("%s is not among the actions of the step", id)
	}
	if v, ok := t.values["form"]; ok {
		o.Form = r.readForm(v, r.fields)
		for i, f := range o.Form {
			if slices.ContainsFunc(n.Form, func(own *Field) bool { return own.ID == f.ID }) {
				v.list()[i].fault("duplicate field %s", f.ID)
			}
		}
		r.add(v, o.Form, r.fields, r.applied)
	}
	if v, ok := t.values["do"]; ok {
		o.Do = r.readEffects(v, r.fields)
	}
	return &o
}

// readTarget reads where an outcome leads. What the outcomes mean that every flow
// knows does not depend on the flow.
func (r *stepReader) readTarget(v value, id string, n *Node) string {
	to, ok := v.text()
	if !ok {
		return ""
	}
	step := slices.Index(r.order, to)
	switch {
	case step < 0 && !slices.Contains(allTargets, to):
		v.fault("unknown step %q; there are %s, %s", to, join(allTargets), join(r.order))
	case id == Reject && to != ToRejected, id == Return && to != ToStart:
		v.fault("%s always leads to %s", id, standardOutcomes[id].To)
	case (id == Agree || id == Complete) && (to == ToRejected || to == ToStart || to == ToStay):
		v.fault("%s does not lead to %s", id, to)
	case to == ToStay && !n.Repeat:
		v.fault("only a repeated step stays: repeat: true")
	case step == r.at:
		v.fault("%s leads to its own step: use a repeated step and to: stay", id)
	}
	return to
}

func (r *stepReader) readNext(t table) *Next {
	v, ok := t.values["next"]
	if !ok {
		return nil
	}
	next, _ := v.table("choose", "note", "handler")
	n := &Next{Note: next.words("note"), Handler: choice(next, "handler", "", allHandlers)}
	choose, ok := next.must("choose")
	if !ok {
		return n
	}
	for _, item := range choose.some("there is nothing to choose") {
		c, ok := item.table("to", "name", "when")
		if !ok {
			continue
		}
		one := Choice{}
		if v, ok := c.must("to"); ok {
			one.To, _ = v.text()
			if step := slices.Index(r.order, one.To); step < 0 {
				v.fault("unknown step %q; there are %s", one.To, join(r.order))
			} else if step <= r.at {
				v.fault("the next step comes after this one; %s does not", one.To)
			}
			r.chosen[one.To] = true
		}
		if v, ok := c.must("name"); ok {
			one.Name = v.words(maxName)
		}
		if v, ok := c.values["when"]; ok {
			one.When = r.condition(v, r.fields)
		}
		n.Choose = append(n.Choose, one)
	}
	return n
}

// readSeats reads who is asked. Before are the ids of steps that come before.
func (l *loader) readSeats(v value, fields map[string]*Field, before []string) []Seat {
	var all []Seat
	for _, item := range v.list() {
		seat := Seat{}
		at := item
		if _, ok := item.node.(ast.MapNode); ok {
			keys, _ := item.table("seat", "when")
			if when, ok := keys.values["when"]; ok {
				seat.When = l.condition(when, fields)
			}
			if at, ok = keys.must("seat"); !ok {
				continue
			}
		}
		text, ok := at.text()
		if !ok {
			continue
		}
		seat.Text = text
		l.readSeat(at, &seat, fields, before)
		all = append(all, seat)
	}
	return all
}

func (l *loader) readSeat(v value, s *Seat, fields map[string]*Field, before []string) {
	kind, ref, _ := strings.Cut(s.Text, ":")
	field, ofForm := strings.CutPrefix(ref, "form.")
	role, atStarter := strings.CutSuffix(ref, "@starter")
	want := Unit
	switch {
	case s.Text == "pick":
		s.Kind = PickSeat
		return
	case s.Text == "starter":
		s.Kind = StarterSeat
		return
	case s.Text == "head:starter":
		s.Kind = HeadOfStarter
		return
	case kind == "role" && atStarter:
		s.Kind, s.Ref = RoleAtStarter, role
		l.knowRole(v, role)
		return
	case kind == "role":
		s.Kind, s.Ref = RoleSeat, ref
		l.knowRole(v, ref)
		return
	case kind == "same":
		s.Kind, s.Ref = SameSeat, ref
		if !slices.Contains(before, ref) {
			l.link(v, "unknown step %q: same names a step that comes before", ref)
		}
		return
	case kind == "user" && personID.MatchString(ref):
		s.Kind, s.Ref = PersonSeat, ref
		return
	case kind == "head" && ofForm:
		s.Kind, s.Ref = HeadOfForm, field
	case kind == "unit" && ofForm:
		s.Kind, s.Ref = UnitOfForm, field
	case kind == "form":
		s.Kind, s.Ref, want = FormSeat, ref, User
	default:
		v.fault("unknown seat %q; there are role:ROLE, role:ROLE@starter, head:starter, head:form.FIELD, unit:form.FIELD, form:FIELD, pick, same:STEP, starter, user:ID", s.Text)
		return
	}
	if f := l.field(v, s.Ref, fields); f != nil && (f.Type != want || f.Many && want == Unit) {
		v.fault("%s needs a field of type %s, not %s", s.Text, want, f.Type)
	}
}
