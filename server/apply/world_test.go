package apply_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/configs"
	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/notify"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// The invented campus of configs/people: T1002 heads the college of T1001, T1008
// what is above it; T1006 is the community office; the Lins live in A, the Yangs
// in B.
const (
	teacher   = "T1001" // and college administrator
	head      = "T1002"
	above     = "T1008" // and head of the student office
	community = "T1006"
	graduates = "T1009"
	undergrad = "S26001"
	graduate  = "S26002"
	foreign   = "S26003"
)

// papers is who holds a paper pass.
type papers struct {
	household int64
	person    string
}

func (p *papers) HeldByHousehold(_ context.Context, _ store.Source, household int64) (string, error) {
	if p.household != 0 && p.household == household {
		return "A-0001", nil
	}
	return "", nil
}

func (p *papers) HeldByPerson(_ context.Context, _ store.Source, person string) (string, error) {
	if p.person == person {
		return "A-0002", nil
	}
	return "", nil
}

// world is a campus over real parts.
type world struct {
	*apply.Service
	db     *store.Store
	signer *issue.Service
	people *people.Service
	news   *notify.Service
	papers *papers
	root   ed25519.PrivateKey
	now    atomic.Int64 // ms
	gates  map[string]uint16
	lin    string // 林国栋's phone, as a person: head of a verified household
	xu     string // 许文娟, of the same household
	yang   string // 杨帆, of the household of 杨素珍 in B
	dir    string
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func campusTime(t testing.TB) *time.Location {
	t.Helper()
	at, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	return at
}

func (w *world) Now() time.Time { return time.UnixMilli(w.now.Load()) }

// at sets the clock: "2026-05-01 08:00".
func (w *world) at(t testing.TB, moment string) {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", moment, campusTime(t))
	ok(t, err)
	w.now.Store(at.UnixMilli())
}

var settled storetest.Folder

// newWorld opens the invented campus at eight in the morning of 1 May 2026.
func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	settled.Copy(t, dir, func(first string) {
		w := worldOf(t, first, storetest.Found)
		ok(t, w.signer.Found(t.Context(), "test"))
		w.open(t)
		w.settle(t)
		ok(t, w.db.Close())
	})
	w := worldOf(t, dir, storetest.Open)
	t.Cleanup(func() { ok(t, w.db.Close()) })
	w.open(t)
	gates, err := w.db.Gates(t.Context())
	ok(t, err)
	for _, g := range gates {
		w.gates[g.Name] = g.ID
	}
	for phone, id := range map[string]*string{"13800130021": &w.lin, "13800130022": &w.xu, "13800130024": &w.yang} {
		p, err := w.people.ByPhone(t.Context(), w.db.Reader(), phone)
		ok(t, err)
		*id = p.ID
	}
	return w
}

// worldOf is the campus of a folder, which is found there or opened, with no
// flow in force yet.
func worldOf(t testing.TB, dir string, open func(storetest.T, string, store.Options) (*store.Store, ed25519.PrivateKey)) *world {
	t.Helper()
	w := &world{gates: map[string]uint16{}, papers: &papers{}, dir: dir}
	w.at(t, "2026-05-01 08:00")
	w.db, w.root = open(t, dir, store.Options{Now: w.Now, Random: rand.Reader})
	public := w.root.Public().(ed25519.PublicKey)
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	ok(t, err)
	w.signer = issue.New(issue.Config{
		Store: w.db, Seal: seal, Random: rand.Reader, Now: w.Now, Location: campusTime(t), Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) {
			return issue.LoadRoot(filepath.Join(w.dir, issue.RootFile), public)
		},
	})
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	w.people = people.New(people.Config{Store: w.db, Vault: vault, Now: w.Now, Location: campusTime(t), Random: rand.Reader})
	w.news = notify.New(notify.Config{Store: w.db, Now: w.Now, Log: slog.New(slog.DiscardHandler)})
	w.people.Roles = func(ctx context.Context) ([]people.Role, error) { return w.Roles(ctx) }
	return w
}

// open opens the service over the database as it is.
func (w *world) open(t testing.TB) {
	t.Helper()
	shipped, err := fs.ReadFile(configs.Flows(), "passes.yaml")
	ok(t, err)
	w.Service, err = apply.New(t.Context(), apply.Config{
		Store: w.db, Issue: w.signer, People: w.people, Notify: w.news, Papers: w.papers, Now: w.Now, Location: campusTime(t),
		Random: rand.Reader, Folder: filepath.Join(w.dir, "attachments"), Log: slog.New(slog.DiscardHandler),
	}, "passes.yaml", shipped)
	ok(t, err)
}

// publish puts another of the shipped files into force.
func (w *world) publish(t testing.TB, name string) {
	t.Helper()
	text, err := fs.ReadFile(configs.Flows(), name)
	ok(t, err)
	_, err = w.Publish(t.Context(), "test", name, string(text))
	ok(t, err)
}

// settle brings the people of the sample files in, and gives the campuses gates.
func (w *world) settle(t testing.TB) {
	t.Helper()
	files, err := configs.People()
	ok(t, err)
	for _, f := range files {
		kind := people.ImportKind(f.Kind)
		p, err := w.people.Import(t.Context(), people.By{Actor: "test"}, kind, f.Name, f.Data)
		ok(t, err)
		// Some posts are of flows that are not in force.
		_, err = w.people.Confirm(t.Context(), people.By{Actor: "test"}, p.ID, kind == people.ImportPosts)
		ok(t, err)
	}
	for name, zone := range map[string]int{"A东门": 1, "A西门": 1, "B正门": 2} {
		_, err := w.db.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: zone, Mode: verdict.Owner})
		ok(t, err)
	}
	w.change(t, func(tx *store.Tx) error {
		for id, zone := range map[string]int{"A": 1, "B": 2} {
			c := people.Campus{ID: id, Name: id + "校区", Zone: zone}
			if _, err := w.people.UpdateCampus(tx, "test", c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) change(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	ok(t, w.people.Change(t.Context(), fn))
}

// by is somebody who acts.
func by(person string) apply.Actor { return apply.Actor{Person: person, Name: person} }

// admin is the administrator of the sample campus.
func admin() apply.Actor { return apply.Actor{Person: "T1010", Admin: true, Name: "T1010"} }

// form is what people fill in.
type form map[string]any

// with is the form with something else in it.
func (f form) with(more form) form {
	out := form{}
	for k, v := range f {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// atHome is a single-use pass for the Lins.
func atHome(date string) form {
	return form{"type": "single", "head": "林国栋", "compound": "松林坡", "building": "3栋", "room": "201", "date": date}
}

// several is a multiple-entry pass for the Lins.
func several(from, to string) form {
	return atHome(from).with(form{"type": "multi", "to": to, "reason": "照顾老人"})
}

// atYangs is a single-use pass for the Yangs.
func atYangs(date string) form {
	return form{"type": "single", "head": "杨素珍", "compound": "建工新村", "building": "2栋", "room": "101", "date": date}
}

func work(start, end string) form {
	return form{"start": start, "end": end, "reason": "实验室值班"}
}

const (
	residentFlow = "cqu.resident_pass"
	workFlow     = "cqu.work_pass"
)

// submit applies and must be taken.
func (w *world) submit(t testing.TB, person, flow string, f form) approval.Instance {
	t.Helper()
	in, refusal, err := w.Create(t.Context(), by(person), apply.Request{Flow: flow, Form: f, Submit: true})
	ok(t, err)
	if refusal != nil {
		t.Fatalf("%s by %s: %s", flow, person, refusal)
	}
	return in
}

// refused applies and must be refused.
func (w *world) refused(t testing.TB, person, flow string, f form, code string) *approval.Refusal {
	t.Helper()
	_, refusal, err := w.Create(t.Context(), by(person), apply.Request{Flow: flow, Form: f, Submit: true})
	ok(t, err)
	if refusal == nil || refusal.Code != code {
		t.Fatalf("%s by %s: %v, want %s", flow, person, refusal, code)
	}
	if refusal.Say == "" || refusal.En == "" {
		t.Errorf("%s lacks a language: %q %q", code, refusal.Say, refusal.En)
	}
	return refusal
}

// act does something that must be taken.
func (w *world) act(t testing.TB, who apply.Actor, id string, a approval.Act) approval.Instance {
	t.Helper()
	in, refusal, err := w.Act(t.Context(), who, id, a)
	ok(t, err)
	if refusal != nil {
		t.Fatalf("%s by %s: %s", a.Verb, who.Person, refusal)
	}
	return in
}

// denied does something that must be refused.
func (w *world) denied(t testing.TB, who apply.Actor, id string, a approval.Act, code string) *approval.Refusal {
	t.Helper()
	_, refusal, err := w.Act(t.Context(), who, id, a)
	ok(t, err)
	if refusal == nil || refusal.Code != code {
		t.Fatalf("%s by %s: %v, want %s", a.Verb, who.Person, refusal, code)
	}
	return refusal
}

// task is the pending task of somebody in a matter.
func (w *world) task(t testing.TB, person, id string) string {
	t.Helper()
	view, err := w.View(t.Context(), by(person), id)
	ok(t, err)
	if view.Mine == nil {
		t.Fatalf("%s has no task of %s in state %s", person, id, view.State)
	}
	return view.Mine.Task
}

// decide ends the task of somebody.
func (w *world) decide(t testing.TB, person, id, outcome string, more ...func(*approval.Act)) approval.Instance {
	t.Helper()
	a := approval.Act{Verb: approval.Decide, Task: w.task(t, person, id), Outcome: outcome}
	for _, edit := range more {
		edit(&a)
	}
	return w.act(t, by(person), id, a)
}

// passes are those that somebody holds.
func (w *world) passes(t testing.TB, person string) []apply.Held {
	t.Helper()
	held, err := w.Passes(t.Context(), person, 100)
	ok(t, err)
	return held
}

// only is the one pass that somebody holds.
func (w *world) only(t testing.TB, person string) apply.Held {
	t.Helper()
	held := w.passes(t, person)
	if len(held) != 1 {
		t.Fatalf("%s holds %d passes", person, len(held))
	}
	return held[0]
}

func (w *world) ring(t testing.TB) *signing.Keyring {
	t.Helper()
	_, signed, err := w.db.Keyring(t.Context())
	ok(t, err)
	ring, err := signing.OpenKeyring(w.root.Public().(ed25519.PublicKey), signed, 1)
	ok(t, err)
	return ring
}

// told are the kinds of the messages that somebody got, newest first.
func (w *world) told(t testing.TB, person string) []string {
	t.Helper()
	found, _, err := w.news.List(t.Context(), person, notify.Filter{Limit: 100})
	ok(t, err)
	var kinds []string
	for _, m := range found {
		kinds = append(kinds, m.Kind)
	}
	return kinds
}
