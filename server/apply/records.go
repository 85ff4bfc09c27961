package apply

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// record is a matter as it is kept.
type record struct {
	approval.Instance
	origin  string // application that opened it
	key     string // of the starter's client
	request []byte // what came with that key
}

const recordColumns = "SELECT a.body, coalesce(a.origin, ''), coalesce(a.client_key, ''), a.request FROM applications a"

// sealPurpose keeps sealed matters apart from what else the vault seals. They
// hold phones, reasons and whatever people write into a form.
const sealPurpose = "application"

func (s *Service) scanRecord(rows *sql.Rows) (r record, err error) {
	var sealed []byte
	if err := rows.Scan(&sealed, &r.origin, &r.key, &r.request); err != nil {
		return r, err
	}
	r.Instance, err = s.unsealed(sealed)
	return r, err
}

func (s *Service) unsealed(sealed []byte) (in approval.Instance, err error) {
	body, err := s.People.Vault.Open(sealPurpose, sealed)
	if err != nil {
		return in, err
	}
	return in, json.Unmarshal([]byte(body), &in)
}

func (s *Service) sealed(in *approval.Instance) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return s.People.Vault.Seal(sealPurpose, string(body))
}

// find gives a matter, or store.ErrNotFound.
func (s *Service) find(ctx context.Context, src store.Source, id string) (record, error) {
	found, err := store.List(ctx, src, s.scanRecord, recordColumns+" WHERE a.id = $1", id)
	if err != nil {
		return record{}, err
	}
	if len(found) == 0 {
		return record{}, fmt.Errorf("%w: application", store.ErrNotFound)
	}
	return found[0], nil
}

// findKey gives the matter that a client opened under a key of its own; ok =
// false when there is none.
func (s *Service) findKey(ctx context.Context, src store.Source, starter, key string) (r record, ok bool, err error) {
	found, err := store.List(ctx, src, s.scanRecord, recordColumns+" WHERE a.starter = $1 AND a.client_key = $2", starter, key)
	if err != nil || len(found) == 0 {
		return r, false, err
	}
	return found[0], true, nil
}

// insert keeps a new matter.
func (s *Service) insert(t *store.Tx, r *record, files []string) error {
	body, err := s.sealed(&r.Instance)
	if err != nil {
		return err
	}
	err = t.Exec(`INSERT INTO applications (id, flow, version, state, step, starter, starter_name, unit, title, serial,
			created_at, submitted_at, ended_at, remind_at, origin, client_key, request, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		r.ID, r.Flow, r.Version, string(r.State), r.Step, r.Starter.ID, r.Starter.Name, r.Starter.Unit, r.Title, r.Serial,
		r.Created, moment(r.Submitted), moment(r.Ended), moment(reminder(&r.Instance)), text(r.origin), text(r.key), r.request,
		body)
	if err != nil {
		return err
	}
	return project(t, r.ID, nil, boxesOf(&r.Instance), nil, files)
}

// update keeps what became of a matter.
func (s *Service) update(t *store.Tx, old, r *record, before, files []string) error {
	body, err := s.sealed(&r.Instance)
	if err != nil {
		return err
	}
	err = t.Exec(`UPDATE applications SET version = $1, state = $2, step = $3, title = $4, serial = $5, submitted_at = $6,
			ended_at = $7, remind_at = $8, body = $9 WHERE id = $10`,
		r.Version, string(r.State), r.Step, r.Title, r.Serial, moment(r.Submitted), moment(r.Ended),
		moment(reminder(&r.Instance)), body, r.ID)
	if err != nil {
		return err
	}
	return project(t, r.ID, boxesOf(&old.Instance), boxesOf(&r.Instance), before, files)
}

// remove forgets a draft.
func remove(t *store.Tx, r *record, files []string) error {
	if err := project(t, r.ID, boxesOf(&r.Instance), nil, files, nil); err != nil {
		return err
	}
	return t.Exec("DELETE FROM applications WHERE id = $1", r.ID)
}

// place is a list of somebody's that a matter is in.
type place struct{ person, box string }

// since is from when, and by which task.
type since struct {
	task string
	at   int64
}

// The lists of a person, beside their own matters.
const (
	todo = "todo"
	done = "done"
	cc   = "cc"

	wait = "wait" // no list: a task that comes to them later, or comes back
	part = "part" // no list: whoever held a task or stands in the trail, for Forget
)

// boxesOf says in whose lists a matter is.
func boxesOf(in *approval.Instance) map[place]since {
	boxes := map[place]since{}
	for i := range in.Tasks {
		task := &in.Tasks[i]
		switch {
		case task.State == approval.Done && task.By != "":
			boxes[place{task.By, done}] = since{task.ID, task.Closed} // the last one stays
		case task.State == approval.Pending:
			for _, person := range actors(task) {
				if _, listed := boxes[place{person, todo}]; !listed {
					boxes[place{person, todo}] = since{task.ID, task.Opened}
				}
			}
		}
	}
	for i := range in.Tasks {
		if task := &in.Tasks[i]; task.State == approval.Waiting {
			for _, who := range actors(task) {
				boxes[place{who, wait}] = since{task.ID, task.Opened}
			}
		}
	}
	for _, e := range in.Trail {
		if e.Actor != "" && e.Actor != system {
			boxes[place{e.Actor, part}] = since{"", e.At}
		}
	}
	for _, c := range in.Copies {
		if _, listed := boxes[place{c.Person, cc}]; !listed {
			boxes[place{c.Person, cc}] = since{"", c.At}
		}
	}
	return boxes
}

// actors are those for whom a pending task waits.
func actors(task *approval.Task) []string {
	if task.By != "" {
		return []string{task.By}
	}
	return task.Candidates
}

// project brings lists and attachments in line with a matter.
func project(t *store.Tx, id string, before, after map[place]since, filesBefore, files []string) error {
	for p := range before {
		if _, stays := after[p]; stays {
			continue
		}
		err := t.Exec("DELETE FROM application_boxes WHERE person = $1 AND box = $2 AND application = $3", p.person, p.box, id)
		if err != nil {
			return err
		}
	}
	for p, s := range after {
		if before[p] == s && p.box != wait && p.box != part { // which earlier programs did not keep
			continue
		}
		err := t.Exec(`INSERT INTO application_boxes (person, box, application, task, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (person, box, application) DO UPDATE SET task = excluded.task, at = excluded.at`,
			p.person, p.box, id, s.task, s.at)
		if err != nil {
			return err
		}
	}
	for _, file := range filesBefore {
		if slices.Contains(files, file) {
			continue
		}
		if err := t.Exec("DELETE FROM application_files WHERE attachment = $1 AND application = $2", file, id); err != nil {
			return err
		}
	}
	for _, file := range files {
		if slices.Contains(filesBefore, file) {
			continue
		}
		if err := t.Exec("INSERT INTO application_files (attachment, application) VALUES ($1, $2)", file, id); err != nil {
			return err
		}
	}
	return nil
}

// filesOf gives the attachments that a matter holds, sorted, each once.
func filesOf(flow *approval.Flow, in *approval.Instance) []string {
	held := map[string]bool{}
	add := func(fields []*approval.Field, values map[string]any) {
		for _, f := range fields {
			if f.Type != approval.FileRef && f.Type != approval.Image {
				continue
			}
			for _, v := range items(values[f.ID]) {
				if id, ok := v.(string); ok && id != "" {
					held[id] = true
				}
			}
		}
	}
	add(flow.Form, in.Form)
	for i := range in.Tasks {
		add(stepFields(flow, in.Tasks[i].Step), in.Tasks[i].Values)
	}
	for _, r := range in.Records {
		add(stepFields(flow, r.Step), r.Values)
	}
	for _, e := range in.Trail {
		for _, id := range e.Attachments {
			held[id] = true
		}
	}
	return slices.Sorted(maps.Keys(held))
}

// items makes a list of a value: one, many, or none.
func items(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list
	}
	return []any{v}
}

// node finds a step of a flow; nil = there is none.
func node(flow *approval.Flow, id string) *approval.Node {
	for _, n := range flow.Steps {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// stepFields are those that a step and its outcomes fill in.
func stepFields(flow *approval.Flow, step string) []*approval.Field {
	n := node(flow, step)
	if n == nil {
		return nil
	}
	fields := slices.Clone(n.Form)
	for _, o := range n.Outcomes {
		fields = append(fields, o.Form...)
	}
	return fields
}

// reminder is when the next reminder is due; 0 = none.
func reminder(in *approval.Instance) (at int64) {
	for i := range in.Tasks {
		task := &in.Tasks[i]
		if task.State == approval.Pending && task.Remind != 0 && task.Reminded == 0 && (at == 0 || task.Remind < at) {
			at = task.Remind
		}
	}
	return at
}

// moment and text store what is absent as NULL.
func moment(ms int64) any {
	if ms == 0 {
		return nil
	}
	return ms
}

func text(v string) any {
	if v == "" {
		return nil
	}
	return v
}
