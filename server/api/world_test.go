package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
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

	"campusgate/server/api"
	"campusgate/server/auth"
	"campusgate/server/hub"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// link stands for the hub: what is connected, and who was sent away.
type link struct {
	mu      sync.Mutex
	states  map[uint32]hub.State
	dropped []string
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
	api   *api.API
	db    *store.Store
	auth  *auth.Auth
	root  ed25519.PrivateKey
	link  *link
	log   *safeBuffer
	token string // admin
	now   atomic.Int64
	dir   string
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

// newWorld founds a site at noon of 21 November 2026, campus time.
func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{link: &link{states: map[uint32]hub.State{}}, log: &safeBuffer{}, dir: t.TempDir()}
	w.now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, campus).UnixMilli())
	w.root, err = issue.CreateRoot(filepath.Join(w.dir, issue.RootFile), rand.Reader)
	ok(t, err)
	public := w.root.Public().(ed25519.PublicKey)
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	ok(t, err)
	w.db, err = store.Create(context.Background(), filepath.Join(w.dir, "x.db"),
		store.Site{Name: "云岭大学", TimeZone: campus.String(), Root: public}, store.Options{Now: w.Now, Random: rand.Reader})
	ok(t, err)
	signer := issue.New(issue.Config{
		Store: w.db, Seal: seal, Random: rand.Reader, Now: w.Now, Location: campus, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) {
			return issue.LoadRoot(filepath.Join(w.dir, issue.RootFile), public)
		},
	})
	ok(t, signer.Found(t.Context(), "test"))
	w.auth = auth.New(w.db, w.Now, rand.Reader)
	w.api, err = api.New(api.Deps{
		Store: w.db, Issue: signer, Auth: w.auth, Hub: w.link, Now: w.Now, Rand: rand.Reader, Version: "test/1", Location: campus,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	ok(t, err)
	w.Server = httptest.NewServer(w.api)
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
func (w *world) call(t testing.TB, token, method, path string, body any) reply {
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
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
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
	if r.status >= 400 {
		var p problem
		r.into(t, &p)
		if p.Code == "" || p.Message == "" || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
			t.Fatalf("%s: incomplete problem %s", what, r.body)
		}
	}
}

func operationOf(doc *huma.OpenAPI, req *http.Request) (string, *huma.Operation) {
	best := ""
	for path := range doc.Paths {
		if matches(path, req.URL.Path) && (best == "" || strings.Count(path, "{") < strings.Count(best, "{")) {
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
