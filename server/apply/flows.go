package apply

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"campusgate/server/approval"
	"campusgate/server/people"
	"campusgate/server/store"
)

// flows are the definitions that were published, compiled. Safe for concurrent
// use.
type flows struct {
	mu       sync.Mutex
	files    map[int64]*approval.File
	versions map[versionKey]*approval.Flow
	words    map[versionKey]map[approval.State]map[string]string
	current  map[string]FlowStatus
	order    []string // ids, as their files list them
}

type versionKey struct {
	flow    string
	version int
}

// FlowStatus is the newest version of a flow.
type FlowStatus struct {
	Flow        *approval.Flow
	PublishedAt int64
	PublishedBy string
	On          bool   // people can start one
	File        string // name of the file that it was published in
	YAML        string // the text of that file
}

// newest gives the flow that an application of today follows; store.ErrNotFound
// when there is none or it was stopped.
func (f *flows) newest(id string) (*approval.Flow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.current[id]; ok && c.On {
		return c.Flow, nil
	}
	return nil, fmt.Errorf("%w: flow %s", store.ErrNotFound, id)
}

// of gives the version that a matter follows.
func (f *flows) of(ctx context.Context, src store.Source, in *approval.Instance) (*approval.Flow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.version(ctx, src, versionKey{in.Flow, in.Version})
}

// version compiles what has not been asked for before. The mutex is held.
func (f *flows) version(ctx context.Context, src store.Source, key versionKey) (*approval.Flow, error) {
	if flow := f.versions[key]; flow != nil {
		return flow, nil
	}
	var id int64
	var name, yaml string
	err := src.QueryRowContext(ctx, `SELECT f.id, f.name, f.yaml FROM flow_versions v JOIN flow_files f ON f.id = v.file
		WHERE v.flow = $1 AND v.version = $2`, key.flow, key.version).Scan(&id, &name, &yaml)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: flow %s, version %d", store.ErrNotFound, key.flow, key.version)
	}
	if err != nil {
		return nil, err
	}
	file := f.files[id]
	if file == nil {
		// It was checked when it was published. That a later version of this program
		// does not take it any more is a fault of that program.
		if file, err = approval.Load(name, []byte(yaml)); err != nil {
			return nil, fmt.Errorf("published flows: %w", err)
		}
		f.files[id] = file
	}
	i := slices.IndexFunc(file.Flows, func(flow *approval.Flow) bool { return flow.ID == key.flow })
	if i < 0 {
		return nil, fmt.Errorf("published flows: file %d has no flow %s", id, key.flow)
	}
	flow := *file.Flows[i]
	flow.Version = key.version
	f.versions[key], f.words[key] = &flow, file.Status
	return &flow, nil
}

// keep spares compiling a file that was just checked.
func (f *flows) keep(id int64, file *approval.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id != 0 {
		f.files[id] = file
	}
}

// refresh reads what is in force.
func (f *flows) refresh(ctx context.Context, src store.Source) error {
	type row struct {
		versionKey
		FlowStatus
		file int64
	}
	rows, err := store.List(ctx, src, func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.flow, &r.version, &r.On, &r.file, &r.PublishedAt, &r.PublishedBy, &r.File, &r.YAML)
		return r, err
	}, `SELECT w.id, w.version, w.stopped_at IS NULL, f.id, f.published_at, f.published_by, f.name, f.yaml
		FROM flows w JOIN flow_versions v ON v.flow = w.id AND v.version = w.version JOIN flow_files f ON f.id = v.file
		ORDER BY f.id`)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.versions == nil {
		f.versions, f.files = map[versionKey]*approval.Flow{}, map[int64]*approval.File{}
		f.words = map[versionKey]map[approval.State]map[string]string{}
	}
	current := map[string]FlowStatus{}
	var files []int64
	for _, r := range rows {
		if r.Flow, err = f.version(ctx, src, r.versionKey); err != nil {
			return err
		}
		current[r.flow] = r.FlowStatus
		files = append(files, r.file)
	}
	var order []string
	for _, id := range slices.Compact(files) {
		for _, flow := range f.files[id].Flows {
			if c, ok := current[flow.ID]; ok && !slices.Contains(order, flow.ID) && c.Flow != nil {
				order = append(order, flow.ID)
			}
		}
	}
	f.current, f.order = current, order
	return nil
}

// all lists the newest versions in the order of their files.
func (f *flows) all() []FlowStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]FlowStatus, len(f.order))
	for i, id := range f.order {
		list[i] = f.current[id]
	}
	return list
}

// Flows lists the newest version of every flow that was published.
func (s *Service) Flows() []FlowStatus { return s.flows.all() }

// Flow gives the newest version of a flow, also a stopped one; or
// store.ErrNotFound.
func (s *Service) Flow(id string) (FlowStatus, error) {
	s.flows.mu.Lock()
	defer s.flows.mu.Unlock()
	if c, ok := s.flows.current[id]; ok {
		return c, nil
	}
	return FlowStatus{}, fmt.Errorf("%w: flow %s", store.ErrNotFound, id)
}

// Publish checks a file of flows and puts it into force. Every flow in it that
// says something new gets its next version; the others stay as they are, and so
// do those that are not in it. Errors of the file are those of approval.Load.
// It gives the ids of the flows that have changed.
func (s *Service) Publish(ctx context.Context, actor, name, yaml string) (changed []string, err error) {
	file, err := approval.Load(name, []byte(yaml))
	if err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(file.Flows))
	for i, flow := range file.Flows {
		if hashes[i], err = digest(flow); err != nil {
			return nil, err
		}
	}
	var id int64
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		changed, id = []string{}, 0
		for i, flow := range file.Flows {
			var version int
			var hash []byte
			err := t.QueryRowContext(t.Context(), `SELECT v.version, v.hash FROM flows w
				JOIN flow_versions v ON v.flow = w.id AND v.version = w.version WHERE w.id = $1`, flow.ID).Scan(&version, &hash)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if bytes.Equal(hash, hashes[i]) {
				continue
			}
			if id == 0 {
				if id, err = addFile(t, actor, name, yaml); err != nil {
					return err
				}
			}
			err = errors.Join(
				t.Exec("INSERT INTO flows (id, version) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET version = excluded.version",
					flow.ID, version+1),
				t.Exec("INSERT INTO flow_versions (flow, version, file, hash) VALUES ($1, $2, $3, $4)", flow.ID, version+1, id, hashes[i]),
				t.Trail(actor, "flow.published", "flow "+flow.ID, map[string]any{"version": version + 1}),
			)
			if err != nil {
				return err
			}
			changed = append(changed, flow.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.flows.keep(id, file)
	return changed, s.flows.refresh(ctx, s.Store.Reader())
}

func addFile(t *store.Tx, actor, name, yaml string) (id int64, err error) {
	sum := sha256.Sum256([]byte(yaml))
	err = t.QueryRowContext(t.Context(), `INSERT INTO flow_files (name, yaml, hash, published_at, published_by)
		VALUES ($1, $2, $3, $4, $5) RETURNING id`, name, yaml, sum[:], t.Now(), actor).Scan(&id)
	return id, err
}

// digest tells two versions of a flow apart by what they say: the lines on
// which they say it do not matter, nor do posts that the flow does not name.
func digest(flow *approval.Flow) ([]byte, error) {
	said := *flow
	said.Version, said.Roles = 0, nil
	said.Rules = make([]*approval.Rule, len(flow.Rules))
	for i, r := range flow.Rules {
		rule := *r
		rule.Line = 0
		said.Rules[i] = &rule
	}
	body, err := json.Marshal(&said)
	if err != nil {
		return nil, fmt.Errorf("flow %s: %w", flow.ID, err)
	}
	roles := map[string]string{}
	for role, name := range flow.Roles {
		if strings.Contains(string(body), role) {
			roles[role] = name
		}
	}
	names, err := json.Marshal(roles)
	sum := sha256.Sum256(append(body, names...))
	return sum[:], err
}

// SetFlow lets people start a flow, or stops that. What is under way goes on.
// store.ErrNotFound.
func (s *Service) SetFlow(ctx context.Context, actor, id string, on bool) error {
	if _, err := s.Flow(id); err != nil {
		return err
	}
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		var stopped any
		action := "flow.started"
		if !on {
			stopped, action = t.Now(), "flow.stopped"
		}
		n, err := t.Affect("UPDATE flows SET stopped_at = $1 WHERE id = $2 AND (stopped_at IS NULL) <> $3", stopped, id, on)
		if err != nil || n == 0 {
			return err
		}
		return t.Trail(actor, action, "flow "+id, nil)
	})
	if err != nil {
		return err
	}
	return s.flows.refresh(ctx, s.Store.Reader())
}

// New opens the applications of a database. Where no flows were ever published
// it publishes those that are shipped.
func New(ctx context.Context, c Config, name string, shipped []byte) (*Service, error) {
	s := &Service{Config: c}
	if err := s.flows.refresh(ctx, s.Store.Reader()); err != nil {
		return nil, err
	}
	if len(s.flows.all()) > 0 {
		return s, nil
	}
	_, err := s.Publish(ctx, "init", name, string(shipped))
	return s, err
}

// status gives the words of a matter's file for states.
func (f *flows) status(in *approval.Instance) map[approval.State]map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.words[versionKey{in.Flow, in.Version}]
}

// Roles lists the posts that the flows in force name, by id.
func (s *Service) Roles(context.Context) ([]people.Role, error) {
	names := map[string]string{}
	for _, f := range s.flows.all() {
		maps.Copy(names, f.Flow.Roles)
	}
	list := []people.Role{}
	for _, id := range slices.Sorted(maps.Keys(names)) {
		list = append(list, people.Role{Role: id, Name: names[id]})
	}
	return list, nil
}
