package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/configs"
	"campusgate/server/alert"
	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/auth"
	"campusgate/server/backup"
	"campusgate/server/call"
	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/hub"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/notify"
	"campusgate/server/paper"
	"campusgate/server/people"
	"campusgate/server/recharge/trial"
	"campusgate/server/retention"
	"campusgate/server/rollout"
	"campusgate/server/rules"
	"campusgate/server/settle"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/server/verify"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// link stands for the hub: what is connected, and who was sent away.
type link struct {
	mu        sync.Mutex
	states    map[uint32]hub.State
	dropped   []string
	printed   []wire.Print
	prints    wire.Printed // what printers say
	moves     []wire.Move
	moved     func(wire.Move) wire.Moved
	connected map[uint16]uint32
}

// Print stands for a gate's receipt printer.
func (l *link) Print(_ context.Context, _ uint16, p wire.Print) wire.Printed {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.printed = append(l.printed, p)
	l.prints.ID = p.ID
	return l.prints
}

// Move stands for a gate that gives a pass up, or does not.
func (l *link) Move(_ context.Context, m wire.Move) wire.Moved {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moves = append(l.moves, m)
	if l.moved == nil {
		return wire.Moved{ID: m.ID, State: wire.MoveReleased, Stands: &m}
	}
	return l.moved(m)
}

func (l *link) Connected() map[uint16]uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.connected)
}

func (l *link) States() map[uint32]hub.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.states)
}

func (l *link) Drop(agent uint32, code, _ string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped = append(l.dropped, fmt.Sprintf("%d %s", agent, code))
	return true
}

// world is the API over real parts, and everything it writes to the log.
type world struct {
	*httptest.Server
	api     *api.API
	db      *store.Store
	auth    *auth.Auth
	staff   *people.Service
	told    *notify.Service
	apply   *apply.Service
	doors   *auth.Accounts
	cards   *cards.Service
	tills   *canteen.Service
	charges *charges.Service
	money   *ledger.Ledger
	texts   *texts
	root    ed25519.PrivateKey
	link    *link
	log     *safeBuffer
	token   string // admin
	now     atomic.Int64
	dir     string
	trial   *trial.Channel
}

// texts stands for an SMS gateway: the last code of each phone, and a fault.
type texts struct {
	mu    sync.Mutex
	codes map[string]string
	fault error
}

func (g *texts) Text(_ context.Context, phone, code string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.codes[phone] = code
	return g.fault
}

func (g *texts) code(phone string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.codes[phone]
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (w *world) Now() time.Time { return time.UnixMilli(w.now.Load()) }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// noCards knows no card: what tills took is a debt.
type noCards struct{}

func (noCards) Card(context.Context, store.Source, uint64) (charges.Card, bool, error) {
	return charges.Card{}, false, nil
}

func (noCards) WasLost(context.Context, store.Source, uint64, int64) (bool, error) { return false, nil }

// newWorld founds a site at noon of 21 November 2026, campus time. Settings
// change what the API is made of.
func newWorld(t testing.TB, settings ...func(*world, *api.Deps)) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{
		link: &link{states: map[uint32]hub.State{}}, log: &safeBuffer{}, dir: t.TempDir(), texts: &texts{codes: map[string]string{}},
	}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, campus).UnixMilli())
	w.db, w.root = storetest.Found(t, w.dir, store.Options{Now: w.Now, Random: rand.Reader})
	public := w.root.Public().(ed25519.PublicKey)
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	ok(t, err)
	signer := issue.New(issue.Config{
		Store: w.db, Seal: seal, Random: rand.Reader, Now: w.Now, Location: campus, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) {
			return issue.LoadRoot(filepath.Join(w.dir, issue.RootFile), public)
		},
	})
	ok(t, signer.Found(t.Context(), "test"))
	w.auth = auth.New(w.db, w.Now, rand.Reader)
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	w.staff = people.New(people.Config{Store: w.db, Vault: vault, Now: w.Now, Location: campus, Random: rand.Reader})
	w.doors = auth.NewAccounts(auth.Config{
		Store: w.db, People: w.staff, Vault: vault, Texter: w.texts, Now: w.Now, Random: rand.Reader,
	})
	papers := paper.New(paper.Config{Store: w.db, Signer: signer, People: w.staff, Now: w.Now, Location: campus, Prints: w.link.Print})
	shipped, err := fs.ReadFile(configs.Flows(), "passes.yaml")
	ok(t, err)
	w.apply, err = apply.New(t.Context(), apply.Config{
		Store: w.db, Issue: signer, People: w.staff, Notify: notify.New(notify.Config{Store: w.db, Now: w.Now}), Now: w.Now, Location: campus, Random: rand.Reader,
		Papers: papers, Folder: filepath.Join(w.dir, "attachments"), Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}, "passes.yaml", shipped)
	ok(t, err)
	w.staff.Roles = w.apply.Roles
	w.told = notify.New(notify.Config{Store: w.db, Now: w.Now})
	w.trial = &trial.Channel{Store: w.db}
	w.money = ledger.New(ledger.Config{Store: w.db, Now: w.Now, Location: campus})
	w.cards = cards.New(cards.Config{
		Store: w.db, Issue: signer, People: w.staff, Vault: vault, Ledger: w.money, Now: w.Now, Random: rand.Reader, Location: campus,
	})
	w.tills = canteen.New(canteen.Config{Store: w.db, People: w.staff})
	w.charges = charges.New(charges.Config{Store: w.db, Ledger: w.money, Cards: noCards{}, Tills: w.tills, Location: campus})
	w.Server = httptest.NewUnstartedServer(nil)
	releases, err := rollout.New(t.Context(), rollout.Config{
		Store: w.db, Root: public, Site: w.db.Site().Name, Folder: filepath.Join(w.dir, "releases"), Log: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
	alerts, err := alert.New(alert.Config{Store: w.db})
	ok(t, err)
	deps := api.Deps{
		Store: w.db, Issue: signer, Auth: w.auth, Accounts: w.doors, People: w.staff, Apply: w.apply, Hub: w.link, Notify: w.told,
		Papers: papers, Cards: w.cards, Ledger: w.money, Recharge: w.counter(), Trial: w.trial,
		Cash: w.drawers(), Utility: w.meters(),
		Canteen: w.tills, Charges: w.charges, Calls: call.New(call.Config{Store: w.db, Now: w.Now}),
		Alert:     alerts,
		Releases:  releases,
		Backup:    backup.New(backup.Config{Store: w.db, Now: w.Now, Location: campus}),
		Retention: retention.New(retention.Config{Store: w.db, Apply: w.apply, Policy: retention.Default, Now: w.Now, Location: campus}),
		Settle:    settle.New(settle.Config{Store: w.db, Ledger: w.money, Now: w.Now, Location: campus, Ends: w.cards.Ends}),
		Verify: verify.New(verify.Config{
			Store: w.db, Decide: w.db.Decide, Now: w.Now, Random: rand.Reader,
			Ask: func(_ context.Context, c wire.Claim) wire.Answer {
				return wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
			},
			Holder: func(ctx context.Context, id signing.PassID) (verify.Holder, bool, error) {
				h, ok, err := w.apply.HolderOf(ctx, id)
				return verify.Holder(h), ok, err
			},
			Guideline: func(context.Context) (*verdict.Guideline, error) { return nil, nil },
		}),
		Rules: rules.New(rules.Config{Store: w.db, People: w.staff, Random: rand.Reader}),
		Now:   w.Now, Rand: rand.Reader, Version: "test/1", Location: campus,
		Site: "云岭大学", Public: "http://" + w.Listener.Addr().String(),
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, set := range settings {
		set(w, &deps)
	}
	w.api, err = api.New(deps)
	ok(t, err)
	w.Config.Handler = w.api
	w.Start()
	t.Cleanup(func() {
		w.Close()
		ok(t, w.db.Close())
	})
	w.token = w.newToken(t, auth.Admin)
	return w
}

func (w *world) newToken(t testing.TB, scopes ...auth.Scope) string {
	t.Helper()
	plain, _, err := w.auth.Create(t.Context(), "test", "test", scopes, 0)
	ok(t, err)
	return plain
}

// someone adds a member of staff with the posts, and signs them in: the caller
// for call.
func (w *world) someone(t testing.TB, number string, posts ...people.Post) string {
	t.Helper()
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.staff.AddPerson(tx, "test", people.Person{ID: number, Name: "林晓岚", Kind: people.Staff})
		for _, p := range posts {
			p.Person = number
			if err == nil {
				_, err = w.staff.AddPost(tx, "test", p)
			}
		}
		return err
	}))
	return w.enter(t, number)
}

const inSession = "session "

// enter starts a session of a person who is there.
func (w *world) enter(t testing.TB, number string) string {
	t.Helper()
	e, err := w.doors.Enter(t.Context(), number, "oidc:test", auth.Client{IP: "192.0.2.1"})
	ok(t, err)
	return inSession + e.Cookie
}

// as puts a caller into a request: a token, or a session.
func as(req *http.Request, who string) {
	if cookie, ok := strings.CutPrefix(who, inSession); ok {
		req.AddCookie(&http.Cookie{Name: auth.Cookie, Value: cookie})
	} else if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
}

// reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
}

// problem is the body of a refusal.
type problem struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
	Details   struct {
		What   string `json:"what"`
		Faults []struct {
			Field   string `json:"field"`
			Message string `json:"message"`
		} `json:"faults"`
	} `json:"details"`
}

// call makes a call and checks its answer against the OpenAPI document.
func (w *world) call(t testing.TB, who, method, path string, body any) reply {
	t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		ok(t, err)
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, in)
	ok(t, err)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	as(req, who)
	return w.do(t, req)
}

func (w *world) do(t testing.TB, req *http.Request) reply {
	t.Helper()
	res, err := w.Client().Do(req)
	ok(t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	ok(t, err)
	r := reply{res.StatusCode, res.Header, data}
	w.conforms(t, req, r)
	return r
}

// conforms holds an answer against the document.
func (w *world) conforms(t testing.TB, req *http.Request, r reply) {
	t.Helper()
	doc := w.api.OpenAPI()
	path, op := operationOf(doc, req)
	if op == nil {
		if r.status != http.StatusNotFound && r.status != http.StatusMethodNotAllowed {
			t.Fatalf("%s %s is not in the document and answers %d", req.Method, req.URL.Path, r.status)
		}
		return
	}
	what := fmt.Sprintf("%s %s %d", req.Method, path, r.status)
	said := op.Responses[fmt.Sprint(r.status)]
	if said == nil {
		t.Fatalf("%s: this status is not in the document: %s", what, r.body)
	}
	if len(r.body) == 0 && len(said.Content) == 0 {
		return
	}
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	media := said.Content[kind]
	if media == nil {
		t.Fatalf("%s: content type %q is not in the document", what, kind)
	}
	if kind != "application/json" || media.Schema == nil {
		return
	}
	var v any
	r.into(t, &v)
	res := &huma.ValidateResult{}
	huma.Validate(doc.Components.Schemas, media.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, res)
	if len(res.Errors) > 0 {
		t.Fatalf("%s: the answer is not as documented: %v\n%s", what, res.Errors, r.body)
	}
	if r.status >= http.StatusBadRequest {
		var p problem
		r.into(t, &p)
		if p.Code == "" || p.Message == "" || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
			t.Fatalf("%s: incomplete problem %s", what, r.body)
		}
	}
}

func operationOf(doc *huma.OpenAPI, req *http.Request) (string, *huma.Operation) {
	best, asked := "", req.URL.EscapedPath() // a parameter may hold a slash
	for path := range doc.Paths {
		if matches(path, asked) && (best == "" || strings.Count(path, "{") < strings.Count(best, "{")) {
			best = path
		}
	}
	if best == "" {
		return "", nil
	}
	return best, methods(doc.Paths[best])[req.Method]
}

func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] && !strings.HasPrefix(p[i], "{") {
			return false
		}
	}
	return true
}

func methods(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete,
	}
	maps.DeleteFunc(all, func(_ string, op *huma.Operation) bool { return op == nil })
	return all
}

// want makes a call as the administrator and requires a status.
func (w *world) want(t testing.TB, status int, method, path string, body, out any) {
	t.Helper()
	r := w.call(t, w.token, method, path, body)
	if r.status != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, r.status, status, r.body)
	}
	if out != nil {
		r.into(t, out)
	}
}

// refused requires a refusal with this status and code.
func (w *world) refused(t testing.TB, r reply, status int, code string) problem {
	t.Helper()
	var p problem
	r.into(t, &p)
	if r.status != status || p.Code != code {
		t.Fatalf("got %d %s, want %d %s: %s", r.status, p.Code, status, code, r.body)
	}
	return p
}

func (w *world) ring(t testing.TB) *signing.Keyring {
	t.Helper()
	_, signed, err := w.db.Keyring(t.Context())
	ok(t, err)
	ring, err := signing.OpenKeyring(w.root.Public().(ed25519.PublicKey), signed, 1)
	ok(t, err)
	return ring
}

// gate makes a gate and gives its number.
func (w *world) gate(t testing.TB, name string, zone int) uint16 {
	t.Helper()
	var g api.Gate
	w.want(t, http.StatusCreated, "POST", "/api/v1/gates", map[string]any{"name": name, "zone": zone, "policy": "owner"}, &g)
	return g.ID
}

// enrol gives a gate its agent.
func (w *world) enrol(t testing.TB, gate uint16, public ed25519.PublicKey) wire.Enrolled {
	t.Helper()
	var code api.Enrolment
	w.want(t, http.StatusCreated, "POST", fmt.Sprintf("/api/v1/gates/%d/enrolments", gate), nil, &code)
	r := w.call(t, "", "POST", wire.EnrolPath, wire.Enrol{Code: code.Code, PublicKey: public, Hostname: "gate-pc"})
	if r.status != http.StatusCreated {
		t.Fatalf("enrol: %d %s", r.status, r.body)
	}
	var e wire.Enrolled
	r.into(t, &e)
	return e
}

// spoilKeys makes every sealed key one that does not open.
func (w *world) spoilKeys() error {
	return w.db.ChangeKeys(context.Background(), "test", func(keys []store.Key, _ uint64, _ int64) (*store.KeyChange, error) {
		for i := range keys {
			keys[i].Sealed = []byte("spoiled")
		}
		return &store.KeyChange{Keys: keys, Signed: []byte("ring"), Action: "test"}, nil
	})
}

// spoil makes an application one that does not open.
func (w *world) spoil(application string) error {
	return w.db.Change(context.Background(), func(t *store.Tx) error {
		return t.Exec("UPDATE applications SET body = $1 WHERE id = $2", []byte("spoiled"), application)
	})
}

func public(t testing.TB) ed25519.PublicKey {
	t.Helper()
	key, _, err := ed25519.GenerateKey(rand.Reader)
	ok(t, err)
	return key
}

func resident() map[string]any {
	return map[string]any{
		"kind": "resident_single", "name": "林晓", "doc4": "204X", "from": "2026-11-22", "until": "2026-11-22", "zones": []int{1},
	}
}
