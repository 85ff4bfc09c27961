package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server"
)

// document is as much of the OpenAPI document as makes calls.
type document struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
		Parameters []struct{ Name, In string }
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]schema
	Items      *schema
	Enum       []any
	Examples   []any
	Format     string
	Minimum    float64
}

// sample is a value of a schema, good or nearly so.
func (d *document) sample(s schema, depth int) any {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	kind, _ := s.Type.(string)
	if list, many := s.Type.([]any); many && len(list) > 0 {
		kind, _ = list[0].(string)
	}
	switch {
	case depth > 6:
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.Examples) > 0:
		return s.Examples[0]
	case kind == "object":
		out := map[string]any{}
		for name, p := range s.Properties {
			if name != "$schema" {
				out[name] = d.sample(p, depth+1)
			}
		}
		return out
	case kind == "array" && s.Items != nil:
		return []any{d.sample(*s.Items, depth+1)}
	case kind == "integer", kind == "number":
		return max(1, s.Minimum)
	case kind == "boolean":
		return true
	}
	return "1"
}

// call is one operation of the API, or a page.
type call struct {
	method, path, media string
	query               []string
	bodies              []string
}

// target is a server with some people and things in it, that a fuzzer may spoil.
type target struct {
	origin  string // the folder that each begins as
	base    string // of the copies
	data    string
	handler http.Handler
	end     func()
	asked   int
	spoilt  bool
	calls   []call
	who     []func(*http.Request)
}

var blank = regexp.MustCompile(`\{[^}]+\}`)

func newTarget(f testing.TB) *target {
	f.Helper()
	w := &target{origin: f.TempDir(), base: f.TempDir(), end: func() {}}
	f.Cleanup(func() { w.end() })
	must := func(err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	s, err := server.ParseConfig("server.yaml", fmt.Appendf(nil,
		"listen: 127.0.0.1:0\ncode_host: gate.example.edu\nsite: 云岭大学\ndata: %s\nsms: {gateway: terminal}\nrecharge: {trial: true}\n", w.origin))
	must(err)
	must(os.Remove(w.origin))
	var made server.Founded
	must(server.Init(f.Context(), s, deps().Now, deps().Rand, func(m server.Founded) error { made = m; return nil }))
	w.data = w.origin
	w.open(f)
	token := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+made.Token) }
	cookie := func(res *http.Response) func(*http.Request) {
		for _, c := range res.Cookies() {
			if len(c.Value) > 30 {
				return func(r *http.Request) { r.AddCookie(c) }
			}
		}
		f.Fatalf("no session: %s", res.Status)
		return nil
	}
	do := func(as func(*http.Request), method, path string, body any) *http.Response {
		f.Helper()
		raw, err := json.Marshal(body)
		must(err)
		req := httptest.NewRequest(method, "http://127.0.0.1"+path, bytes.NewReader(raw))
		req.Header.Set("Content-Type", "application/json")
		if as != nil {
			as(req)
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, req)
		if rec.Code >= 300 {
			f.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
		}
		return rec.Result()
	}
	link, err := url.Parse(made.AdminLink)
	must(err)
	key := link.Query().Get("key")
	admin := cookie(do(nil, "POST", "/api/v1/login/link", map[string]any{"key": key, "number": "20260001", "name": "林晓岚", "password": "correct horse battery"}))
	do(token, "POST", "/api/v1/zones", map[string]any{"id": 1, "name": "A"})
	do(token, "POST", "/api/v1/gates", map[string]any{"name": "东门", "zone": 1, "policy": "owner"})
	do(token, "POST", "/api/v1/people", map[string]any{"number": "1", "name": "陆知夏", "kind": "staff", "unit": "", "mail": "", "phone": "13800130001", "id_number": ""})
	do(token, "POST", "/api/v1/posts", map[string]any{"role": "guard", "person": "1", "unit": "", "gate": 1, "from": "2026-01-01", "to": ""})
	var initial struct{ Password string }
	must(json.NewDecoder(do(token, "POST", "/api/v1/people/1/password", nil).Body).Decode(&initial))
	guard := cookie(do(nil, "POST", "/api/v1/login/password", map[string]any{"number": "1", "password": initial.Password}))
	do(guard, "PUT", "/api/v1/me/password", map[string]any{"old": initial.Password, "new": "correct horse battery"})
	w.who = []func(*http.Request){nil, token, admin, guard, func(r *http.Request) { r.Header.Set("Authorization", "Bearer cg_wrong") }}

	var doc document
	must(json.NewDecoder(do(nil, "GET", "/api/openapi.json", nil).Body).Decode(&doc))
	for path, methods := range doc.Paths {
		for method, op := range methods {
			c := call{method: strings.ToUpper(method), path: path}
			for _, p := range op.Parameters {
				if p.In == "query" {
					c.query = append(c.query, p.Name)
				}
			}
			for media, content := range op.RequestBody.Content {
				c.media = media
				if media == "application/json" {
					raw, err := json.Marshal(doc.sample(content.Schema, 0))
					must(err)
					c.bodies = append(c.bodies, string(raw))
				}
			}
			if !strings.HasSuffix(path, "/live") || strings.Contains(path, "{") { // a stream has no end
				w.calls = append(w.calls, c)
			}
		}
	}
	for _, path := range []string{"/", "/m/{x}", "/console/{x}", "/V/{x}", "/{x}", "/healthz", "/readyz", "/metrics", "/api/{x}", "/api/v1/link"} {
		w.calls = append(w.calls, call{method: "GET", path: path}, call{method: "POST", path: path})
	}
	slices.SortFunc(w.calls, func(a, b call) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	w.end()
	w.reset(f)
	return w
}

// open runs a server on the data.
func (w *target) open(t testing.TB) {
	s, err := server.ParseConfig("server.yaml", fmt.Appendf(nil,
		"listen: 127.0.0.1:0\ncode_host: gate.example.edu\nsite: 云岭大学\ndata: %s\nsms: {gateway: terminal}\nrecharge: {trial: true}\n", w.data))
	d := deps()
	d.Terminal = &bytes.Buffer{}
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(context.Background(), s, d)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	w.handler = srv.Handler()
	w.end = func() {
		cancel()
		if err := <-ended; err != nil {
			panic(fmt.Sprintf("the server ended with: %v", err)) // whose test is over
		}
		w.end = func() {}
	}
}

// reset begins with a fresh copy of the folder.
func (w *target) reset(t testing.TB) {
	w.end()
	if w.data != w.origin {
		_ = os.RemoveAll(filepath.Dir(w.data))
	}
	dir, err := os.MkdirTemp(w.base, "")
	if err == nil {
		w.data = filepath.Join(dir, "data")
		err = os.CopyFS(w.data, os.DirFS(w.origin))
	}
	if err == nil {
		err = os.Chmod(w.data, 0o700)
	}
	files, _ := filepath.Glob(filepath.Join(w.data, "*"))
	for _, file := range files {
		if info, failed := os.Stat(file); failed == nil && !info.IsDir() {
			err = errors.Join(err, os.Chmod(file, 0o600))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	w.asked, w.spoilt = 0, false
	w.open(t)
}

// FuzzHTTP: whatever anybody sends to any address of the whole server, with a
// database, sessions and tokens behind it, is answered: no panic, no 500, and
// what the API refuses it refuses in JSON.
func FuzzHTTP(f *testing.F) {
	w := newTarget(f)
	if len(w.calls) < 150 {
		f.Fatalf("%d calls", len(w.calls))
	}
	for i, c := range w.calls {
		query := ""
		for _, name := range c.query {
			query += name + "=1&"
		}
		for _, body := range append(c.bodies, "") {
			f.Add(uint16(i), uint8(1), uint8(0), "", query, "", []byte(body))
		}
		f.Add(uint16(i), uint8(2+i%2), uint8(0), "1", "limit=-1&after=x&%zz", "\x00;=\"", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n学工号,姓名\r\n1,=1+1\r\n--b--\r\n"))
	}
	f.Add(uint16(0), uint8(0), uint8(2), "../..", "", "x", []byte("--b\r\n"))
	f.Add(uint16(16), uint8(2), uint8(0), "0", "0", ";,0", []byte("0"))
	f.Fuzz(w.try)
}

// mediaTypes of bodies; the first is what the route takes.
var mediaTypes = []string{"", "text/plain", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "application/json; charset=utf-16"}

// try makes one call and looks at its answer.
func (w *target) try(t *testing.T, route uint16, who, kind uint8, value, query, header string, body []byte) {
	if w.asked++; w.asked > 5000 || w.spoilt && w.asked > 200 {
		w.reset(t)
	}
	c := w.calls[int(route)%len(w.calls)]
	address := "http://127.0.0.1" + blank.ReplaceAllStringFunc(c.path, func(string) string {
		if value == "" {
			return "1"
		}
		var b strings.Builder
		for _, c := range []byte(value) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
		return b.String()
	})
	if query != "" {
		address += "?" + strings.Map(func(r rune) rune {
			if r <= ' ' || r == '#' || r == 0x7f {
				return '_'
			}
			return r
		}, query)
	}
	req, err := http.NewRequestWithContext(t.Context(), c.method, address, bytes.NewReader(body))
	if err != nil {
		return // no client can send that
	}
	sum := fnv.New32a()
	_, _ = sum.Write(append([]byte(value+query+header), body...))
	req.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:4711", sum.Sum32()>>16&255, sum.Sum32()>>8&255, sum.Sum32()&255)
	if kind := mediaTypes[int(kind)%len(mediaTypes)]; kind != "" {
		req.Header.Set("Content-Type", kind)
	} else if strings.HasPrefix(c.media, "multipart/") {
		req.Header.Set("Content-Type", c.media+"; boundary=b")
	} else if c.media != "" {
		req.Header.Set("Content-Type", c.media)
	}
	if header != "" {
		for _, name := range []string{"Accept", "Accept-Language", "Cookie", "User-Agent", "Range", "If-None-Match", "Last-Event-ID", "X-Forwarded-For"} {
			req.Header.Set(name, header)
		}
	}
	as := w.who[int(who)%len(w.who)]
	if as != nil {
		as(req)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	if as != nil && rec.Code == http.StatusUnauthorized && int(who)%len(w.who) != len(w.who)-1 {
		w.spoilt = true // it has signed itself out, or worse
	}
	if rec.Code >= 500 && rec.Code != http.StatusServiceUnavailable {
		t.Fatalf("%s %s as %d with %.300q: %d %s", c.method, address, who, body, rec.Code, rec.Body)
	}
	var p struct {
		Code, Message string
		ID            string `json:"request_id"`
	}
	if rec.Code >= 400 && strings.HasPrefix(req.URL.Path, "/api/") && req.URL.Path != "/api/v1/link" &&
		!strings.Contains(req.Header.Get("Accept"), "text/html") && !strings.Contains(c.path, "/recharge/callbacks/") &&
		(json.Unmarshal(rec.Body.Bytes(), &p) != nil || p.Code == "" || p.Message == "" || p.ID == "") {
		t.Fatalf("%s %s: %d %s", c.method, address, rec.Code, rec.Body)
	}
}

var storm = flag.Duration("storm", 0, "how long to send calls made by chance to every route; 0 = a few hundred")

// pieces are what calls made by chance are made of, beside what they begin as.
var pieces = []string{
	"", "0", "-1", "1", "9223372036854775807", "18446744073709551616", "1e400", "null", "true", "[]", "{}", "\"", "\\", "\x00", "\r\n", "\xff\xfe", "\u202e", "😀", "=1+1",
	"../..", "%00", "' OR 1=1 --", "<script>", "2026-11-21", "0000-00-00", "2026-11-21T00:00:00Z", "0123456789abcdef", "work", "admin", "guard", "13800130001",
	"[[[[[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{", ",", ":", strings.Repeat("长", 3000), strings.Repeat("a,", 500), "\\ud800", "PK\x03\x04", "%PDF-1.7", "a.xlsx",
}

// changed puts a few pieces into a text, over others of it, or in their place.
func changed(r *rand.Rand, text string) string {
	for range r.IntN(4) {
		at := r.IntN(len(text) + 1)
		to := min(len(text), at+r.IntN(1+r.IntN(8)))
		text = text[:at] + pieces[r.IntN(len(pieces))] + text[to:]
	}
	return text
}

// As FuzzHTTP, by chance from a seed and without its instruments, which make the
// database a hundred times slower: so it gets deeper in the same time.
func TestStorm_EveryRouteByChance(t *testing.T) {
	w := newTarget(t)
	defer w.end()
	var seed uint64 = 7
	if *storm > 0 {
		seed = uint64(time.Now().UnixNano())
	}
	r := rand.New(rand.NewPCG(seed, 0))
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	began, n := time.Now(), 0
	for ; n < 300 || time.Since(began) < *storm; n++ {
		route := r.IntN(len(w.calls))
		c := w.calls[route]
		query := ""
		for _, name := range c.query {
			if r.IntN(3) == 0 {
				query += name + "=" + pick(pieces...) + "&"
			}
		}
		w.try(t, uint16(route), uint8(r.IntN(5)), uint8(max(0, r.IntN(12)-7)), pick("", "1", "1", pick(pieces...)), changed(r, query), pick("", "", pick(pieces...)), []byte(changed(r, pick(append(c.bodies, "{}")...))))
		if t.Failed() {
			t.Fatalf("seed %d, call %d", seed, n)
		}
	}
	t.Logf("%d calls, seed %d", n, seed)
}

// FuzzConfig: a file that is none is refused with a name of what is wrong.
func FuzzConfig(f *testing.F) {
	f.Add(good)
	f.Add("sms: {gateway: http, hourly: -1}\n")
	f.Add("recharge: {amounts: [-1, 9223372036854775808]}\n")
	f.Add(strings.Repeat("a: {", 500))
	f.Add("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := server.ParseConfig("server.yaml", []byte(text)); err != nil && err.Error() == "" {
			t.Fatal("it is refused without a word")
		}
	})
}
