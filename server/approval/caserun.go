package approval

import (
	"fmt"
	"slices"
	"strings"
)

// Run plays the case on the flow that it names, among those given. The trace has a line for each step:
// what was done and what came of it. An error that is *Faults lists what came
// out otherwise than expected, each with its line.
func (c *Case) Run(flows []*Flow) (trace []string, err error) {
	f := &faults{file: c.file}
	i := slices.IndexFunc(flows, func(f *Flow) bool { return f.ID == c.Flow })
	if i < 0 {
		f.add(place{key: "flow"}, "there is no flow %q in the file", c.Flow)
		return nil, f.err()
	}
	if len(c.Steps) == 0 {
		f.add(place{key: "steps"}, "nothing is done")
		return nil, f.err()
	}
	p := &play{flow: flows[i], w: c.World, faults: f}
	p.w.Serial = func() (string, error) {
		p.serials++
		return p.flow.FormatSerial(p.w.Now, p.serials), nil
	}
	for _, s := range c.Steps {
		line, err := p.step(s)
		if err != nil {
			return trace, fmt.Errorf("%s:%d: %w", c.file, s.place.line, err)
		}
		trace = append(trace, line)
	}
	return trace, f.err()
}

// play is a case on its way.
type play struct {
	*faults
	flow    *Flow
	w       World
	in      Instance
	opened  bool
	serials int
}

func (p *play) step(s CaseStep) (string, error) {
	p.w.Now = p.w.Now.Add(s.After)
	if s.Household != nil {
		p.w.Household = *s.Household
	}
	if s.Paper != nil {
		p.w.Paper = *s.Paper
	}
	who, err := p.actor(s)
	if err != nil {
		return "", err
	}
	if !p.opened {
		if p.in, err = p.flow.Open("case", who, p.w); err != nil {
			return "", err
		}
		p.opened = true
	}
	a := s.Act
	a.Actor = who
	change, no, err := p.flow.Step(p.in, a, p.w)
	if err != nil {
		return "", err
	}
	if no == nil {
		p.in = change.Instance
	}
	p.compare(s, change, no)
	return p.line(a, change, no), nil
}

func (p *play) actor(s CaseStep) (Person, error) {
	id := s.Act.Actor.ID
	if id == system.ID {
		return system, nil
	}
	who, ok, err := p.w.People.Person(id)
	if err == nil && !ok {
		err = fmt.Errorf("by: there is no %q among the people of the case", id)
	}
	return who, err
}

// line is what a step looks like in the trace.
func (p *play) line(a Act, change Change, no *Refusal) string {
	parts := []string{p.w.Now.Format("01-02 15:04"), a.Actor.Name, string(a.Verb)}
	if a.Outcome != "" {
		parts = append(parts, a.Outcome)
	}
	if no != nil {
		code := "→ " + no.Code
		if no.Field != "" {
			code += "(" + no.Field + ")"
		}
		return strings.Join(append(parts, code, no.Say), " ")
	}
	parts = append(parts, "→ "+string(p.in.State))
	if p.in.Step != "" {
		parts = append(parts, p.in.Step)
	}
	if who := p.in.pending(); len(who) > 0 {
		parts = append(parts, "["+strings.Join(who, " ")+"]")
	}
	for _, e := range change.Effects {
		parts = append(parts, "+"+e.Do)
	}
	return strings.Join(parts, " ")
}

// pending are those whose turn it is, by id.
func (in *Instance) pending() []string {
	all := []string{}
	for _, t := range in.Tasks {
		if t.State == Pending {
			all = append(all, t.asked()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// compare reports what came out otherwise than expected.
func (p *play) compare(s CaseStep, change Change, no *Refusal) {
	want := s.Expect
	differ := func(what string, got, want any) {
		at := s.place
		at.key += "." + what
		p.add(at, "got %v, want %v", got, want)
	}
	code, field := "", ""
	if no != nil {
		code, field = no.Code, no.Field
	}
	if code != want.Refused {
		differ("refused", named(code), named(want.Refused))
	}
	if want.Field != "" && field != want.Field {
		differ("field", named(field), want.Field)
	}
	if want.State != "" && p.in.State != want.State {
		differ("state", p.in.State, want.State)
	}
	if want.Step != "" && p.in.Step != want.Step {
		differ("step", named(p.in.Step), want.Step)
	}
	if got := p.in.pending(); want.Pending != nil && !slices.Equal(got, slices.Sorted(slices.Values(want.Pending))) {
		differ("pending", got, want.Pending)
	}
	if got := mapped(change.Effects, func(e Effect) string { return e.Do }); want.Effects != nil && !slices.Equal(got, want.Effects) {
		differ("effects", got, want.Effects)
	}
	if got := mapped(change.Notices, func(n Notice) string { return n.Event }); want.Told != nil && !slices.Equal(got, want.Told) {
		differ("told", got, want.Told)
	}
	if want.Title != "" && p.in.Title != want.Title {
		differ("title", p.in.Title, want.Title)
	}
	if want.Filed != nil && (p.in.Filed != 0) != *want.Filed {
		differ("filed", p.in.Filed != 0, *want.Filed)
	}
}

func named(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
