package approval

import (
	"maps"
	"slices"
	"strings"
)

var flowKeys = []string{
	"id", "name", "seed", "extends", "serial", "title", "office", "starters", "form", "rules", "steps", "on", "cc", "rate", "stats",
}

// readFlow makes a flow of a table with its templates merged in.
func (l *loader) readFlow(t table) *Flow {
	f := &Flow{
		Name: t.words("name"), Seed: t.words("seed"), Office: t.words("office"),
		Actions: l.actions, Roles: l.file.Roles, Messages: l.file.Messages,
		Urge: l.file.Urge, AddSign: l.addSign,
	}
	if v, ok := t.values["id"]; ok {
		f.ID = v.words(maxID)
	}
	if !l.fragment {
		for _, key := range []string{"name", "starters", "steps"} {
			t.must(key)
		}
	}
	fields := map[string]*Field{}
	if v, ok := t.values["form"]; ok {
		f.Form = l.readForm(v, nil)
		for _, field := range f.Form {
			fields[field.ID] = field
			f.Assumed = f.Assumed || field.Assumed
		}
	}
	if v, ok := t.values["serial"]; ok {
		f.Serial = l.readSerial(v)
	}
	if v, ok := t.values["title"]; ok {
		f.Title = l.readTitle(v, fields)
	}
	l.readStarters(t, f)
	l.readRules(t, f, fields)
	if v, ok := t.values["steps"]; ok {
		f.Steps = l.readSteps(v, fields)
		for _, n := range f.Steps {
			f.Assumed = f.Assumed || n.Assumed
		}
	}
	l.readOn(t, f, fields)
	l.readCopies(t, f, fields)
	f.Rate = choices(t, "rate", nil, allRates)
	l.readStats(t, f)
	return f
}

func (l *loader) readStarters(t table, f *Flow) {
	v, ok := t.values["starters"]
	if !ok {
		return
	}
	for _, item := range v.some("nobody may start it") {
		text, ok := item.text()
		if !ok {
			continue
		}
		kind, isKind := strings.CutPrefix(text, "kind:")
		role, isRole := strings.CutPrefix(text, "role:")
		switch {
		case isKind && slices.Contains(allKinds, kind):
			f.Starters = append(f.Starters, Starter{Kind: kind})
		case isKind:
			item.fault("unknown kind of person %q; there are %s", kind, join(allKinds))
		case isRole:
			l.knowRole(item, role)
			f.Starters = append(f.Starters, Starter{Role: role})
		default:
			item.fault("want kind:KIND or role:ROLE, not %q", text)
		}
	}
}

func (l *loader) readRules(t table, f *Flow, fields map[string]*Field) {
	v, ok := t.values["rules"]
	if !ok {
		return
	}
	for _, item := range v.list() {
		rule, ok := item.table("id", "deny", "say")
		if !ok {
			continue
		}
		r := &Rule{Line: rule.line}
		if v, ok := rule.must("id"); ok {
			r.ID = v.words(maxID)
			switch {
			case r.ID == "":
			case !ruleID.MatchString(r.ID):
				v.fault("%q is no code: capital letters, digits and _", r.ID)
			case slices.Contains(reservedCodes, r.ID):
				v.fault("%s is a code that every flow shares", r.ID)
			case slices.ContainsFunc(f.Rules, func(o *Rule) bool { return o.ID == r.ID }):
				v.fault("duplicate rule %s", r.ID)
			}
		}
		if v, ok := rule.must("deny"); ok {
			r.Deny = l.condition(v, fields)
		}
		if v, ok := rule.must("say"); ok {
			r.Say = v.words(maxName)
		}
		f.Rules = append(f.Rules, r)
	}
}

func (l *loader) readOn(t table, f *Flow, fields map[string]*Field) {
	v, ok := t.values["on"]
	if !ok {
		return
	}
	entered := slices.DeleteFunc(slices.Clone(allStates), func(s State) bool { return s == Draft })
	on, _ := v.table(strings.Split(join(entered), ", ")...)
	f.On = map[State][]Effect{}
	for _, state := range on.keys {
		f.On[State(state)] = l.readEffects(on.values[state], fields)
	}
}

func (l *loader) readCopies(t table, f *Flow, fields map[string]*Field) {
	v, ok := t.values["cc"]
	if !ok {
		return
	}
	for _, item := range v.list() {
		rule, ok := item.table("at", "who")
		if !ok {
			continue
		}
		c := CopyRule{}
		if _, ok := rule.must("at"); ok {
			c.At = choice(rule, "at", "", allMoments)
		}
		if who, ok := rule.must("who"); ok {
			c.Who = l.readSeats(who, fields, nil)
			for i, seat := range c.Who {
				if seat.Kind == PickSeat || seat.Kind == SameSeat {
					who.list()[i].fault("%s is for steps", seat.Text)
				}
			}
		}
		f.CC = append(f.CC, c)
	}
}

func (l *loader) readStats(t table, f *Flow) {
	v, ok := t.values["stats"]
	if !ok {
		return
	}
	stats, _ := v.table("who", "export")
	f.Stats = &Stats{Export: stats.flag("export")}
	if who, ok := stats.must("who"); ok {
		f.Stats.Who = l.readSeats(who, nil, nil)
		for i, seat := range f.Stats.Who {
			if seat.Kind != RoleSeat && seat.Kind != PersonSeat {
				who.list()[i].fault("statistics are for role:ROLE or user:ID")
			}
		}
	}
}

// withKeys says what the effects take.
var withKeys = map[string]string{
	"pass.issue": "type", "pass.revoke": "", "notice.publish": "to", "flow.start": "flow", "archive.file": "",
}

func (l *loader) readEffects(v value, fields map[string]*Field) []Effect {
	all := []Effect{}
	for _, item := range v.list() {
		t, ok := item.table("do", "with")
		if !ok {
			continue
		}
		do, ok := t.must("do")
		if !ok {
			continue
		}
		name, ok := do.text()
		if !ok {
			continue
		}
		key, ok := withKeys[name]
		if !ok {
			do.fault("unknown effect %q; there are %s", name, namesOf(withKeys))
			continue
		}
		e := Effect{Do: name}
		with, given := t.values["with"]
		switch {
		case key == "" && given:
			with.fault("%s takes nothing", name)
		case key != "" && !given:
			do.fault("%s needs with: {%s: …}", name, key)
		case key != "":
			if args, ok := with.table(key); ok {
				if arg, ok := args.must(key); ok {
					e.With = map[string]any{key: l.readArgument(arg, name, fields)}
				}
			}
		}
		all = append(all, e)
	}
	return all
}

// readArgument reads what an effect is done with.
func (l *loader) readArgument(v value, effect string, fields map[string]*Field) string {
	text, ok := v.text()
	if !ok {
		return ""
	}
	switch effect {
	case "pass.issue":
		if !slices.Contains(allPassTypes, text) {
			v.fault("unknown type of pass %q; there are %s", text, join(allPassTypes))
		}
	case "flow.start":
		if !l.flows[text] {
			v.fault("unknown flow %q in this file; there are %s", text, namesOf(l.flows))
		}
	case "notice.publish":
		id, isField := strings.CutPrefix(text, "form.")
		if !isField && text != "all" {
			v.fault("want all or form.FIELD, not %q", text)
		} else if isField {
			if f := l.field(v, id, fields); f != nil && f.Type != Unit {
				v.fault("a notice goes to units; %s is %s", id, f.Type)
			}
		}
	}
	return text
}

// add makes the fields of a form visible. Somebody who handles a matter fills in
// fields of their own: they do not write into what the starter signed.
func (l *loader) add(v value, form []*Field, fields map[string]*Field, applied []string) {
	for i, f := range form {
		switch before := fields[f.ID]; {
		case before == nil:
			fields[f.ID] = f
		case slices.Contains(applied, f.ID):
			l.link(v.list()[i], "field %s is in the application already", f.ID)
		case before.Type != f.Type || before.Many != f.Many:
			v.list()[i].fault("field %s has another type at a step before", f.ID)
		}
	}
}

func ids(fields map[string]*Field) []string { return slices.Sorted(maps.Keys(fields)) }
