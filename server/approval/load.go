package approval

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Load reads a file of flows and checks all of it: what comes out can run. Name
// is for messages. The error is *Faults and lists everything that is wrong, each
// with its line. Expressions are compiled, templates merged in.
func Load(name string, data []byte) (*File, error) {
	l := &loader{faults: &faults{file: name}}
	root := parse(data, l.faults)
	if root == nil {
		return nil, l.err()
	}
	file := l.load(newValue(l.faults, "", root))
	if err := l.err(); err != nil {
		return nil, err
	}
	return file, nil
}

// loader makes a File of what was parsed.
type loader struct {
	*faults
	file      *File
	step      Node // what a step is that says nothing
	actions   []Verb
	addSign   AddSignRule
	templates map[string]table
	flows     map[string]bool // ids of all flows of the file
	fragment  bool            // a template without a flow: names may be missing yet
}

func (l *loader) load(v value) *File {
	t, ok := v.table("schema", "roles", "defaults", "messages", "status", "templates", "flows")
	if !ok {
		return nil
	}
	l.file = &File{Roles: map[string]string{}, Messages: map[string]string{}, Status: map[State]map[string]string{}}
	if v, ok := t.must("schema"); ok {
		if schema, ok := v.text(); ok && schema != Schema {
			v.fault("unknown schema %q; this is %s", schema, Schema)
		}
	}
	l.readRoles(t)
	l.readDefaults(t)
	l.readMessages(t)
	l.readStatus(t)
	l.readTemplates(t)
	l.readFlows(t)
	return l.file
}

func (l *loader) readRoles(t table) {
	v, ok := t.values["roles"]
	if !ok {
		return
	}
	roles, _ := v.table()
	for _, role := range roles.keys {
		name := roles.values[role]
		if !wordID.MatchString(role) || len(role) > maxID {
			name.fault("%q is no name of a role: small letters, digits and _", role)
			continue
		}
		l.file.Roles[role] = name.words(maxName)
	}
}

func (l *loader) readDefaults(t table) {
	l.step = Node{
		Kind: Approve, Mode: Any, Opinion: "optional", Self: "allow", Empty: "admin",
		Resubmit: "restart", Actions: allStepActions,
	}
	l.actions = allFlowActions
	l.addSign = AddSignRule{At: "before", Mode: All}
	l.file.Urge = time.Hour
	v, ok := t.values["defaults"]
	if !ok {
		return
	}
	d, _ := v.table("step", "instance", "urge", "add_sign")
	if v, ok := d.values["step"]; ok {
		step, _ := v.table("kind", "mode", "opinion", "self", "empty", "resubmit", "actions")
		l.readHandling(step, &l.step)
	}
	if v, ok := d.values["instance"]; ok {
		instance, _ := v.table("actions")
		l.actions = choices(instance, "actions", l.actions, allFlowActions)
	}
	if v, ok := d.values["add_sign"]; ok {
		a, _ := v.table("at", "mode")
		l.addSign.At = choice(a, "at", l.addSign.At, addSignAt)
		l.addSign.Mode = choice(a, "mode", l.addSign.Mode, []Mode{All, Any})
	}
	if v, ok := d.values["urge"]; ok {
		urge, _ := v.table("every")
		if every, ok := urge.must("every"); ok {
			text, ok := every.text()
			d, err := time.ParseDuration(text)
			if ok && (err != nil || d < time.Minute || d > 30*24*time.Hour) {
				every.fault("want a time from 1m to 720h, such as 1h")
			}
			l.file.Urge = d
		}
	}
}

// readHandling reads the keys of a step that have defaults.
func (l *loader) readHandling(t table, n *Node) {
	n.Kind = choice(t, "kind", n.Kind, allNodeKinds)
	n.Mode = choice(t, "mode", n.Mode, allModes)
	n.Opinion = choice(t, "opinion", n.Opinion, allOpinions)
	n.Self = choice(t, "self", n.Self, allSelves)
	n.Empty = choice(t, "empty", n.Empty, allEmpties)
	n.Resubmit = choice(t, "resubmit", n.Resubmit, allResubmits)
	n.Actions = choices(t, "actions", n.Actions, allStepActions)
}

// hole is a name in braces that is filled in later.
var hole = regexp.MustCompile(`\{[^{}]*\}|[{}]`)

func (l *loader) readMessages(t table) {
	for event, text := range messageTexts {
		l.file.Messages[event] = text
	}
	v, ok := t.values["messages"]
	if !ok {
		return
	}
	messages, _ := v.table(strings.Split(namesOf(messageTexts), ", ")...)
	for _, event := range messages.keys {
		v := messages.values[event]
		text := v.words(maxName)
		for _, name := range hole.FindAllString(text, -1) {
			if !slices.Contains(messageNames, strings.Trim(name, "{}")) {
				v.fault("unknown name %s; there are {%s}", name, strings.Join(messageNames, "} {"))
			}
		}
		l.file.Messages[event] = text
	}
}

func (l *loader) readStatus(t table) {
	for state, word := range stateWords {
		l.file.Status[state] = map[string]string{"zh": word}
	}
	v, ok := t.values["status"]
	if !ok {
		return
	}
	status, _ := v.table(strings.Split(join(allStates), ", ")...)
	for _, state := range status.keys {
		words, _ := status.values[state].table()
		for _, source := range words.keys {
			l.file.Status[State(state)][source] = words.words(source)
		}
	}
}

func (l *loader) readTemplates(t table) {
	l.templates = map[string]table{}
	v, ok := t.values["templates"]
	if !ok {
		return
	}
	templates, _ := v.table()
	for _, name := range templates.keys {
		v := templates.values[name]
		if !wordID.MatchString(name) || len(name) > maxID {
			v.fault("%q is no name of a template: small letters, digits and _", name)
		}
		if template, ok := v.table(slices.DeleteFunc(slices.Clone(flowKeys), func(s string) bool { return s == "id" })...); ok {
			l.templates[name] = template
		}
	}
}

func (l *loader) readFlows(t table) {
	v, ok := t.must("flows")
	if !ok {
		return
	}
	var tables []table
	l.flows = map[string]bool{}
	for _, item := range v.some("there are no flows") {
		flow, ok := item.table(flowKeys...)
		if !ok {
			continue
		}
		if v, ok := flow.must("id"); ok {
			id, ok := v.text()
			switch {
			case !ok:
			case !flowID.MatchString(id) || len(id) > maxID:
				v.fault("%q is no id of a flow: words of small letters, digits and _, joined by dots", id)
			case l.flows[id]:
				v.fault("duplicate flow %s", id)
			}
			l.flows[id] = true
		}
		tables = append(tables, flow)
	}
	extended := map[string]bool{}
	for _, flow := range tables {
		if whole, ok := l.extend(flow, extended); ok {
			l.file.Flows = append(l.file.Flows, l.readFlow(whole))
		}
	}
	// What no flow extends is looked at by itself, as far as that goes.
	l.fragment = true
	for _, name := range slices.Sorted(maps.Keys(l.templates)) {
		if extended[name] {
			continue
		}
		if whole, ok := l.extend(l.templates[name], map[string]bool{name: true}); ok {
			l.readFlow(whole)
		}
	}
	l.fragment = false
}

// extend merges in the templates that a flow is made from: their fields and
// rules come first, of other keys the flow's own replaces the template's.
func (l *loader) extend(t table, extended map[string]bool) (table, bool) {
	v, ok := t.values["extends"]
	if !ok {
		return t, true
	}
	seen := map[string]bool{}
	for {
		name, ok := v.text()
		if !ok {
			return t, false
		}
		base, ok := l.templates[name]
		if !ok {
			v.fault("unknown template %q; there are %s", name, namesOf(l.templates))
			return t, false
		}
		if seen[name] {
			v.fault("template %s extends itself", name)
			return t, false
		}
		seen[name], extended[name] = true, true
		t = merge(base, t)
		if v, ok = base.values["extends"]; !ok {
			return t, true
		}
	}
}

func merge(base, own table) table {
	t := table{place: own.place, keys: slices.Clone(own.keys), values: map[string]value{}, f: own.f}
	for _, key := range own.keys {
		t.values[key] = own.values[key]
	}
	for _, key := range base.keys {
		mine, both := own.values[key]
		if !both {
			t.keys = append(t.keys, key)
			t.values[key] = base.values[key]
		} else if key == "form" || key == "rules" {
			mine.items = slices.Concat(base.values[key].list(), mine.list())
			t.values[key] = mine
		}
	}
	return t
}
