package api_test

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/people"
	"campusgate/server/store"
)

// choices are values that a flow's rules ask for; every other field is filled
// by its type.
var choices = map[string]map[string]any{
	"cqu.resident_pass":   {"type": "single", "head": "林国栋", "compound": "松林坡", "building": "3栋", "room": "201", "gate": nil},
	"zz.purchase.repair":  {"module": "purchase", "type": "基础修缮"},
	"zz.purchase.regular": {"module": "resource", "type": "常规项目", "amount": 600_000},
	"zz.purchase.urgent":  {"module": "purchase", "type": "紧急项目", "urgent": "抢修水管"},
}

// company is people for every post that a file of flows names.
type company struct {
	*world
	sessions map[string]string // by number
	byRole   map[string]string // number of whoever holds the post
	byName   map[string]string // number of whoever is called so
	files    map[string]string // id of an attachment, by owner
}

func (c *company) session(t testing.TB, number string) string {
	t.Helper()
	if c.sessions[number] == "" {
		c.sessions[number] = c.enter(t, number)
	}
	return c.sessions[number]
}

// attachment gives one of the person's own.
func (c *company) attachment(t testing.TB, number string) string {
	t.Helper()
	if c.files[number] == "" {
		r := c.attach(t, c.session(t, number), "log.txt", []byte("监理日志\n"))
		var made struct{ ID string }
		if r.into(t, &made); r.status != http.StatusCreated {
			t.Fatalf("%d %s", r.status, r.body)
		}
		c.files[number] = made.ID
	}
	return c.files[number]
}

// fill gives a value for every field that asks for one.
func (c *company) fill(t testing.TB, flow, by string, fields []apply.FormField) map[string]any {
	t.Helper()
	form := map[string]any{}
	for _, f := range fields {
		if fixed, ok := choices[flow][f.ID]; ok {
			if fixed != nil {
				form[f.ID] = fixed
			}
			continue
		}
		if f.Readonly || f.Type == approval.Note {
			continue
		}
		var v any
		switch f.Type {
		case approval.Number:
			v = 9
		case approval.Money:
			v = 120_000
		case approval.Date:
			v = "2026-11-22"
		case approval.Datetime:
			v = "2026-11-22 09:30:00"
		case approval.Select:
			if v = "甲"; len(f.Options) > 0 {
				v = f.Options[0].Value
			}
		case approval.Unit:
			v = "cs"
		case approval.User:
			role := strings.TrimPrefix(f.From, "role:")
			if v = c.byRole[role]; role == "" {
				v = "T1001"
			}
		case approval.Phone:
			v = "13800130099"
		case approval.FileRef, approval.Image:
			v = c.attachment(t, by)
		default:
			v = "项目甲"
		}
		if f.Many {
			v = []any{v}
		}
		form[f.ID] = v
	}
	return form
}

// newCompany makes the invented campus, and one person more for each post.
func newCompany(t testing.TB, roles map[string]string) *company {
	t.Helper()
	w := newWorld(t)
	c := &company{world: w, sessions: map[string]string{}, byRole: map[string]string{}, byName: map[string]string{}, files: map[string]string{}}
	w.settle(t)
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
		for i, role := range slices.Sorted(maps.Keys(roles)) {
			number := fmt.Sprintf("P%03d", i)
			c.byRole[role] = number
			if _, err := w.staff.AddPerson(tx, "test", people.Person{ID: number, Name: "经办" + roles[role], Kind: people.Staff, Unit: "cs"}); err != nil {
				return err
			}
			if _, err := w.staff.AddPost(tx, "test", people.Post{Role: role, Person: number, Unit: "cs"}); err != nil {
				return err
			}
		}
		return nil
	}))
	all, _, err := w.staff.List(t.Context(), w.db.Reader(), people.PersonQuery{Page: people.Page{Size: people.MaxPage}})
	ok(t, err)
	for _, p := range all {
		c.byName[p.Name] = p.ID
	}
	return c
}

// starter is somebody who may begin a flow.
func (c *company) starter(f *approval.Flow) string {
	for _, s := range f.Starters {
		switch {
		case s.Role != "":
			return c.byRole[s.Role]
		case s.Kind == "staff":
			return "T1003"
		case s.Kind == "student":
			return "S26001"
		}
	}
	return ""
}

// run takes a matter from its form to its end: whoever has a task says yes.
func (c *company) run(t *testing.T, f *approval.Flow, starter string) {
	t.Helper()
	who := c.session(t, starter)
	var blank apply.Blank
	c.as(t, who, 200, "GET", "/api/v1/services/"+f.ID, nil, &blank)
	var a apply.Application
	c.as(t, who, 201, "POST", "/api/v1/applications", request(f.ID, c.fill(t, f.ID, starter, blank.Form)), &a)
	recorded := map[string]bool{}
	for step := 0; a.State == "running"; step++ {
		if step > 40 {
			t.Fatalf("no end: %s at %s", a.State, a.StepName)
		}
		moved := false
		for _, d := range a.Tasks {
			if d.State != "pending" || moved {
				continue
			}
			number := c.byName[d.People[0]]
			var seen apply.Application
			c.as(t, c.session(t, number), 200, "GET", "/api/v1/applications/"+a.ID, nil, &seen)
			if seen.Mine == nil {
				t.Fatalf("%s has a task at %s and is offered none", d.People[0], d.StepName)
			}
			a = c.decide(t, f, number, &seen, recorded)
			moved = true
		}
		if !moved {
			t.Fatalf("stuck at %s: %+v", a.StepName, a.Tasks)
		}
	}
	if a.State != "completed" {
		t.Errorf("ended as %s", a.State)
	}
}

// decide says yes, chooses the first next step and its first handler, and
// records once where records are kept.
func (c *company) decide(t *testing.T, f *approval.Flow, number string, a *apply.Application, recorded map[string]bool) (after apply.Application) {
	t.Helper()
	m := a.Mine
	outcome := m.Outcomes[0]
	for _, o := range m.Outcomes {
		again := o.To == "stay" && !recorded[m.StepName]
		onward := o.To != "stay" && o.ID != "reject" && o.ID != "return" && o.ID != "redo" && o.ID != "to_okr"
		if again || onward {
			outcome = o
			break
		}
	}
	recorded[m.StepName] = true
	act := map[string]any{"verb": "decide", "task": m.Task, "outcome": outcome.ID, "opinion": "同意"}
	fields := slices.Clone(outcome.Form)
	if outcome.StepForm {
		fields = append(fields, m.Form...)
	}
	form := c.fill(t, f.ID, number, fields)
	if len(form) > 0 {
		act["form"] = form
	}
	if outcome.Next {
		choice := m.Next.Choose[0]
		act["next"] = choice.To
		if len(choice.People) > 0 {
			act["handler"] = choice.People[0].Number
		}
	}
	c.as(t, c.session(t, number), 200, "POST", "/api/v1/applications/"+a.ID+"/act", act, &after)
	return after
}

// everyFlow runs each flow of a file to its end over the interface.
func everyFlow(t *testing.T, name string, data []byte) int {
	t.Helper()
	file, err := approval.Load(name, data)
	ok(t, err)
	c := newCompany(t, file.Roles)
	admin := c.session(t, "T1010")
	if name != "passes.yaml" { // which a new site has
		c.as(t, admin, 201, "POST", "/api/v1/flows", map[string]any{"name": name, "yaml": string(data)}, nil)
	}
	var settings map[string]any
	c.as(t, admin, 200, "GET", "/api/v1/settings", nil, &settings)
	settings["vehicle_pass"] = true
	c.as(t, admin, 200, "PUT", "/api/v1/settings", settings, nil)
	for _, f := range file.Flows {
		t.Run(f.ID, func(t *testing.T) {
			starter := c.starter(f)
			if f.ID == "cqu.resident_pass" {
				p, err := c.staff.ByPhone(t.Context(), c.db.Reader(), "13800130021")
				ok(t, err)
				starter = p.ID
			}
			c.run(t, f, starter)
			if f.ID == "cqu.work_pass" {
				c.run(t, f, "S26001")
				c.run(t, f, "S26002")
			}
		})
	}
	return len(file.Flows)
}

func TestFlows_CQ070_CQ093_EachShippedOneRunsToItsEnd(t *testing.T) {
	names, err := fs.Glob(configs.Flows(), "*.yaml")
	ok(t, err)
	total := 0
	for _, name := range names {
		data, err := fs.ReadFile(configs.Flows(), name)
		ok(t, err)
		total += everyFlow(t, name, data)
	}
	if total != 92 {
		t.Errorf("%d flows", total)
	}
}

// The definitions that the product was asked for, where they are at hand.
func TestFlows_EachOfTheRequirementsRunsToItsEnd(t *testing.T) {
	dir, err := os.Getwd()
	ok(t, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "shared", "requirements", "flows.yaml"))
		if err == nil {
			if n := everyFlow(t, "flows.yaml", data); n != 92 {
				t.Errorf("%d flows", n)
			}
			return
		}
	}
	t.Skip("no requirements beside this module")
}

func TestServices_CQ039_TheTilesOfResidentsStaffAndReviewers(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	tiles := func(who string) (ids []string) {
		var list struct{ Items []struct{ ID, Name string } }
		w.as(t, who, 200, "GET", "/api/v1/services", nil, &list)
		for _, s := range list.Items {
			ids = append(ids, s.ID+" "+s.Name)
		}
		return ids
	}
	const resident, work = "cqu.resident_pass 校区居民通行证", "cqu.work_pass 校区工作通行证"
	if got := tiles(enter("13800130021")); !slices.Contains(got, resident) || slices.Contains(got, work) {
		t.Errorf("a resident: %q", got)
	}
	if got := tiles(enter("T1003")); !slices.Contains(got, resident) || !slices.Contains(got, work) {
		t.Errorf("staff: %q", got)
	}
	multi := atHome("2026-11-22")
	multi["type"], multi["to"], multi["reason"] = "multi", "2026-11-24", "照看老人"
	w.as(t, enter("13800130021"), 201, "POST", "/api/v1/applications", request("cqu.resident_pass", multi), nil)
	var todo struct{ Items []apply.Row }
	w.as(t, enter("T1006"), 200, "GET", "/api/v1/applications?box=todo", nil, &todo)
	if len(todo.Items) != 1 || todo.Items[0].StepName != "校区居民通审核" {
		t.Errorf("resident review: %+v", todo.Items)
	}
}
