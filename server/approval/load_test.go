package approval_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/approval"
)

// sourceFlows reads flows.yaml of the requirements: at CAMPUSGATE_FLOWS, or in
// shared/requirements beside one of the folders above. It skips the test without.
func sourceFlows(t *testing.T) *approval.File {
	t.Helper()
	paths := []string{os.Getenv("CAMPUSGATE_FLOWS")}
	up := ".."
	for range 8 {
		paths = append(paths, filepath.Join(up, "shared", "requirements", "flows.yaml"))
		up = filepath.Join(up, "..")
	}
	for _, path := range paths {
		if data, err := os.ReadFile(path); err == nil {
			return load(t, "flows.yaml", data)
		}
	}
	t.Skip("no flows of the requirements: set CAMPUSGATE_FLOWS to their file")
	return nil
}

func load(t *testing.T, name string, data []byte) *approval.File {
	t.Helper()
	file, err := approval.Load(name, data)
	if err != nil {
		t.Fatalf("%s does not load:\n%v", name, err)
	}
	return file
}

// shipped loads every file of flows that the product ships.
func shipped(t *testing.T) map[string]*approval.Flow {
	t.Helper()
	names, err := fs.Glob(configs.Flows(), "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no flows: %v", err)
	}
	all := map[string]*approval.Flow{}
	for _, name := range names {
		data, err := fs.ReadFile(configs.Flows(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range load(t, name, data).Flows {
			if all[f.ID] != nil {
				t.Errorf("%s stands in two files", f.ID)
			}
			all[f.ID] = f
		}
	}
	return all
}

func TestLoad_EveryFlowOfTheRequirementsLoads(t *testing.T) {
	file := sourceFlows(t)
	if len(file.Flows) != 92 {
		t.Errorf("%d flows, want 92", len(file.Flows))
	}
	if len(file.Roles) != 21 || file.Roles["finance"] != "财政局" {
		t.Errorf("roles %v", file.Roles)
	}
	if file.Messages["cc"] != "您好,{actor}将事项【{title}】抄送给您。" || file.Messages["voided"] == "" {
		t.Errorf("messages %v", file.Messages)
	}
	if w := file.Status[approval.Completed]; w["zh"] != "已完成" || w["zz"] != "备案" {
		t.Errorf("words for completed %v", w)
	}
}

// What the shipped flows have beyond those of the requirements.
var additions = map[string][]string{
	"cqu.resident_pass": {"field gate", "rule DATE_ORDER", "rule MULTI_TOO_LONG"},
}

func TestFlows_AreThoseOfTheRequirements(t *testing.T) {
	want, got := sourceFlows(t), shipped(t)
	if len(got) != len(want.Flows) {
		t.Errorf("%d flows shipped, want %d", len(got), len(want.Flows))
	}
	for _, w := range want.Flows {
		g := got[w.ID]
		if g == nil {
			t.Errorf("%s is not shipped", w.ID)
			continue
		}
		if g.ID == "cqu.resident_pass" { // passes use "up", says their text
			g.Steps[0].Self = w.Steps[0].Self
		}
		kept := slices.DeleteFunc(outline(g), func(line string) bool { return slices.Contains(additions[g.ID], strings.SplitN(line, ":", 2)[0]) })
		if !slices.Equal(kept, outline(w)) {
			t.Errorf("%s:\n%s\nwant:\n%s", w.ID, strings.Join(kept, "\n"), strings.Join(outline(w), "\n"))
		}
	}
}

// outline is all that a flow says, a line for each thing.
func outline(f *approval.Flow) []string {
	all := []string{f.ID, f.Name, f.Seed, f.Office, f.Serial, f.Title}
	for _, s := range f.Starters {
		all = append(all, "starter "+s.Kind+s.Role)
	}
	all = append(all, formOutline("field", f.Form)...)
	for _, r := range f.Rules {
		all = append(all, "rule "+r.ID+": "+text(r.Deny)+" "+r.Say)
	}
	for _, n := range f.Steps {
		line := []string{
			"step " + n.ID + ":", n.Name, string(n.Kind), string(n.Mode), n.From, text(n.When), text(n.Auto),
			n.Opinion, n.Self, n.Empty, n.Resubmit, n.Todo, text(n.Remind),
		}
		for _, s := range n.Who {
			line = append(line, s.Text+" "+text(s.When))
		}
		for _, v := range n.Actions {
			line = append(line, string(v))
		}
		if n.Repeat {
			line = append(line, "repeat")
		}
		all = append(all, strings.Join(line, " "))
		all = append(all, formOutline("field of "+n.ID, n.Form)...)
		for _, o := range n.Outcomes {
			all = append(all, "outcome "+o.ID+": "+o.Name+" → "+o.To)
			all = append(all, formOutline("field of "+n.ID+"."+o.ID, o.Form)...)
			all = append(all, effectOutline(o.Do)...)
		}
		if n.Next != nil {
			for _, c := range n.Next.Choose {
				all = append(all, "choice "+c.To+": "+c.Name+" "+text(c.When)+" "+n.Next.Note+" "+n.Next.Handler)
			}
		}
	}
	for _, state := range []approval.State{approval.Completed, approval.Terminated, approval.Voided} {
		all = append(all, string(state))
		all = append(all, effectOutline(f.On[state])...)
	}
	for _, c := range f.CC {
		for _, s := range c.Who {
			all = append(all, "cc "+c.At+": "+s.Text)
		}
	}
	if f.Stats != nil {
		for _, s := range f.Stats.Who {
			all = append(all, "stats: "+s.Text)
		}
	}
	return append(all, f.Rate...)
}

func formOutline(what string, form []*approval.Field) (all []string) {
	for _, f := range form {
		line := []string{what + " " + f.ID + ":", f.Name, string(f.Type), text(f.RequiredIf), text(f.Value), f.From}
		for word, set := range map[string]bool{"required": f.Required, "readonly": f.Readonly, "many": f.Many, "assumed": f.Assumed} {
			if set {
				line = append(line, word)
			}
		}
		slices.Sort(line[6:])
		all = append(all, strings.Join(append(line, f.Options...), " "))
	}
	return all
}

func effectOutline(effects []approval.Effect) (all []string) {
	for _, e := range effects {
		line := "do " + e.Do
		for key, v := range e.With {
			line += " " + key + "=" + v.(string)
		}
		all = append(all, line)
	}
	return all
}

func text(e *approval.Expr) string {
	if e == nil {
		return "-"
	}
	return e.Text
}

func TestFlows_OfEachHouse(t *testing.T) {
	count := map[string]int{}
	for id := range shipped(t) {
		house, _, _ := strings.Cut(id, ".")
		count[house]++
	}
	for _, c := range []struct {
		name, house string
		want        int
	}{
		{"CQ-008 CQ-070 CQ-093: passes", "cqu", 3},
		{"ZZ-005: township", "zz", 12},
		{"ZA-039: arts academy", "zja", 26},
		{"CM-056: college", "cqmm", 23},
		{"ZU-004: service hall, 28 by name", "zzu", 28},
	} {
		t.Run(c.name, func(t *testing.T) {
			if count[c.house] != c.want {
				t.Errorf("%d flows, want %d", count[c.house], c.want)
			}
		})
	}
}

// A template that no flow extends is checked as far as it goes.
func TestLoad_TemplateWithoutFlow(t *testing.T) {
	const spare = `
schema: flow/v1
roles: {chief: 领导}
templates:
  spare:
    steps: [{id: a, name: A, who: [form:leader], when: 'form.later == "x"'}]
flows:
  - {id: x.y, name: X, starters: [kind:staff], steps: [{id: a, name: A, who: [role:chief]}]}
`
	load(t, "spare.yaml", []byte(spare))
	_, err := approval.Load("spare.yaml", []byte(strings.Replace(spare, "form:leader", "role:chef", 1)))
	if err == nil || !strings.Contains(err.Error(), `spare.yaml:6: templates.spare.steps[0].who[0]: unknown role "chef"`) {
		t.Errorf("got %v", err)
	}
}

// Templates may extend templates: fields and rules add up, the rest is replaced.
func TestLoad_TemplatesMerge(t *testing.T) {
	file := load(t, "x.yaml", []byte(`
schema: flow/v1
roles: {a: A}
templates:
  one:
    title: one
    starters: [kind:staff]
    form: [{id: f1, name: F1, type: text}]
    rules: [{id: R_ONE, deny: 'form.f1 == "no"', say: 不可}]
    steps: [{id: s, name: S, who: [role:a]}]
  two:
    extends: one
    starters: [kind:student]
    form: [{id: f2, name: F2, type: number}]
flows:
  - id: x.y
    name: X
    extends: two
    title: "{form.f1}"
    form: [{id: f3, name: F3, type: date}]
    rules: [{id: R_TWO, deny: 'form.f2 > 3', say: 不可}]
`))
	f := file.Flows[0]
	got := []string{f.Title, f.Starters[0].Kind, f.Steps[0].ID}
	for _, field := range f.Form {
		got = append(got, field.ID)
	}
	for _, r := range f.Rules {
		got = append(got, r.ID)
	}
	want := []string{"{form.f1}", "student", "s", "f1", "f2", "f3", "R_ONE", "R_TWO"}
	if !slices.Equal(got, want) || len(file.Flows) != 1 {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A step offers what its file names, and of the usual outcomes those among its
// actions that the file leaves as they are.
func TestLoad_CQ072_OutcomesOfAStep(t *testing.T) {
	flows := shipped(t)
	for _, c := range []struct{ flow, step, want string }{
		{"cqu.resident_pass", "review", "agree→next reject→rejected return→start"},
		{"cqu.work_pass", "unit", "agree→end reject→rejected return→start"},
		{"cqu.work_pass", "xgb", "agree→end reject→rejected return→start"},
		{"zz.okr", "instruct", "agree→next return→start reject→rejected"},
		{"zz.okr", "sign", "complete→next"},
		{"zz.okr", "accept", "agree→next redo→work reject→rejected return→start"},
		{"zz.okr", "file", ""},
		{"zz.purchase.regular", "building", "record→stay complete→next return→start"},
		{"zz.mailbox", "read", "to_okr→end complete→end return→start"},
		{"zja.hardship", "reviewer", "agree→next return→start"},
	} {
		i := slices.IndexFunc(flows[c.flow].Steps, func(n *approval.Node) bool { return n.ID == c.step })
		var got []string
		for _, o := range flows[c.flow].Steps[i].Outcomes {
			got = append(got, o.ID+"→"+o.To)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s.%s: %v, want %s", c.flow, c.step, got, c.want)
		}
	}
}
