package approval

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// campus is the zone of cases: campus time has no summer time.
var campus = time.FixedZone("Asia/Shanghai", 8*60*60)

// Case is one matter played through a flow: who is who, what is done, and what
// must come of it. It is how the author of a flow sees that it does what it
// should, without a server. FLOW.md describes the file.
type Case struct {
	Name  string
	Flow  string
	World World // Serial and Options are not used
	Steps []CaseStep

	file string
}

// CaseStep is one act of a case and what must come of it.
type CaseStep struct {
	Act       Act           // Actor.ID only; Run looks the person up
	After     time.Duration // since the step before
	Household *Household    // from here on
	Paper     *bool         // from here on
	Expect    Expect

	place place // of expect, or of the step
}

// Expect is what must come of a step. What is nil or "" is not compared.
type Expect struct {
	State   State
	Step    string
	Pending []string // all whose turn it is, by id
	Refused string   // a refusal's code; "" = not refused
	Field   string   // of the refusal
	Effects []string // their Do, in order
	Told    []string // events of notices, in order
	Title   string
	Filed   *bool
}

// LoadCase reads a case. The error is *Faults.
func LoadCase(name string, data []byte) (*Case, error) {
	l := &caseLoader{faults: &faults{file: name}}
	root := parse(data, l.faults)
	if root == nil {
		return nil, l.err()
	}
	c := l.load(newValue(l.faults, "", root))
	c.file = name
	if err := l.err(); err != nil {
		return nil, err
	}
	return c, nil
}

type caseLoader struct {
	*faults
	people *Roster
}

func (l *caseLoader) load(v value) *Case {
	c := &Case{World: World{Settings: Settings{AheadDays: 2, QuotaDays: 2, MultiDaysMax: 7}}}
	t, ok := v.table("case", "flow", "now", "settings", "household", "paper", "units", "people", "admins", "steps")
	if !ok {
		return c
	}
	c.Name = t.words("case")
	if v, ok := t.must("flow"); ok {
		c.Flow = v.words(maxID)
	}
	if v, ok := t.must("now"); ok {
		text, _ := v.text()
		at, err := time.ParseInLocation(time.DateTime, text, campus)
		if err != nil {
			v.fault("want a time such as \"2026-05-01 08:00:00\"")
		}
		c.World.Now = at
	}
	if v, ok := t.values["settings"]; ok {
		s, _ := v.table("ahead_days", "quota_days", "multi_days_max")
		for key, at := range map[string]*int{
			"ahead_days": &c.World.Settings.AheadDays, "quota_days": &c.World.Settings.QuotaDays,
			"multi_days_max": &c.World.Settings.MultiDaysMax,
		} {
			if v, ok := s.values[key]; ok {
				*at = v.whole(1000)
			}
		}
	}
	if v, ok := t.values["household"]; ok {
		c.World.Household = l.household(v)
	}
	c.World.Paper = t.flag("paper")
	l.people = l.roster(t)
	c.World.People = l.people
	if v, ok := t.must("steps"); ok {
		for _, item := range v.list() {
			c.Steps = append(c.Steps, l.step(item))
		}
	}
	return c
}

func (l *caseLoader) household(v value) Household {
	t, _ := v.table("id", "verified", "paper", "dates")
	return Household{ID: t.words("id"), Verified: t.flag("verified"), Paper: t.flag("paper"), Dates: words(t, "dates")}
}

func (l *caseLoader) roster(t table) *Roster {
	r := &Roster{Boss: words(t, "admins")}
	if v, ok := t.values["units"]; ok {
		for _, item := range v.list() {
			u, _ := item.table("id", "name", "above", "head")
			r.Units = append(r.Units, RosterUnit{ID: u.words("id"), Name: u.words("name"), Above: u.words("above"), Head: u.words("head")})
		}
	}
	v, ok := t.must("people")
	if !ok {
		return r
	}
	for _, item := range v.list() {
		p, _ := item.table("id", "name", "kind", "level", "unit", "phone", "posts")
		one := Person{
			ID: p.words("id"), Name: p.words("name"), Kind: choice(p, "kind", "staff", allKinds),
			Level: choice(p, "level", "", allLevels), Unit: p.words("unit"), Phone: p.words("phone"),
		}
		if r.unit(one.Unit) == nil && one.Unit != "" {
			p.values["unit"].fault("unknown unit %q", one.Unit)
		}
		r.People = append(r.People, one)
		for _, post := range words(p, "posts") {
			role, unit, _ := strings.Cut(post, "@")
			r.Posts = append(r.Posts, RosterPost{Role: role, Person: one.ID, Unit: unit})
		}
	}
	return r
}

var actKeys = []string{
	"do", "by", "admin", "task", "outcome", "form", "opinion", "next", "handler", "to", "at", "mode",
	"target", "stars", "attachments", "after", "household", "paper", "expect",
}

func (l *caseLoader) step(v value) CaseStep {
	t, ok := v.table(actKeys...)
	s := CaseStep{place: v.place}
	if !ok {
		return s
	}
	s.place.line = t.line
	s.Act = Act{
		Verb: choice(t, "do", "", append(slices.Clone(verbs), Decide, TakeUp, Transfer, AddSign, Remind, HandOver)),
		Task: t.words("task"), Outcome: t.words("outcome"), Next: t.words("next"), Handler: t.words("handler"),
		To: words(t, "to"), At: t.words("at"), Mode: choice(t, "mode", "", allModes),
		Target: t.words("target"), Attachments: words(t, "attachments"), Admin: t.flag("admin"),
	}
	t.must("do")
	if v, ok := t.must("by"); ok {
		s.Act.Actor.ID = v.words(maxID)
		if _, known, _ := l.people.Person(s.Act.Actor.ID); !known && s.Act.Actor.ID != system.ID {
			v.fault("there is no %q among the people of the case", s.Act.Actor.ID)
		}
	}
	if v, ok := t.values["opinion"]; ok {
		s.Act.Opinion, _ = v.text()
	}
	if v, ok := t.values["stars"]; ok {
		s.Act.Stars = v.whole(5)
	}
	if v, ok := t.values["form"]; ok {
		s.Act.Form = map[string]any{}
		form, _ := v.table()
		for _, id := range form.keys {
			s.Act.Form[id] = l.any(form.values[id])
		}
	}
	if v, ok := t.values["after"]; ok {
		text, _ := v.text()
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			v.fault("want a time such as 1h30m")
		}
		s.After = d
	}
	if v, ok := t.values["household"]; ok {
		h := l.household(v)
		s.Household = &h
	}
	if v, ok := t.values["paper"]; ok {
		paper := v.flag()
		s.Paper = &paper
	}
	if v, ok := t.values["expect"]; ok {
		s.Expect = l.expect(v)
		s.place = v.place
	}
	return s
}

func (l *caseLoader) expect(v value) Expect {
	t, _ := v.table("state", "step", "pending", "refused", "field", "effects", "told", "title", "filed")
	e := Expect{
		State: choice(t, "state", "", allStates), Step: t.words("step"), Refused: t.words("refused"), Field: t.words("field"),
		Pending: words(t, "pending"), Effects: words(t, "effects"), Told: words(t, "told"), Title: t.words("title"),
	}
	if v, ok := t.values["filed"]; ok {
		filed := v.flag()
		e.Filed = &filed
	}
	return e
}

// words reads a list of texts; nil = not there.
func words(t table, key string) []string {
	v, ok := t.values[key]
	if !ok {
		return nil
	}
	all := []string{}
	for _, item := range v.list() {
		if text := item.words(maxName); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// any reads what a form may hold, as JSON would give it.
func (l *caseLoader) any(v value) any {
	switch n := v.node.(type) {
	case *ast.SequenceNode:
		all := []any{}
		for _, item := range v.list() {
			all = append(all, l.any(item))
		}
		return all
	case *ast.IntegerNode:
		switch n := n.Value.(type) {
		case uint64:
			return float64(n)
		case int64:
			return float64(n)
		}
	case *ast.FloatNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	}
	text, _ := v.text()
	return text
}
