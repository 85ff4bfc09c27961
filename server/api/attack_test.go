package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

// kindOf is the content type that a call takes.
func (w *world) kindOf(req *http.Request) string {
	if _, op := operationOf(w.api.OpenAPI(), req); op != nil && op.RequestBody != nil {
		for media := range op.RequestBody.Content {
			return media
		}
	}
	return "application/json"
}

// Every call that changes something, as the browser of an administrator makes it
// for a page of another site: by fetch, by a form, from a sibling host.
func TestAttack_CSRF_EveryUnsafeRoute(t *testing.T) {
	w := newWorld(t)
	me := w.someone(t, "20260001", people.Post{Role: people.Admin})
	before, err := w.db.TrailHead(t.Context())
	ok(t, err)
	unsafe := 0
	for _, pattern := range w.api.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if method == http.MethodGet || method == http.MethodHead {
			continue
		}
		if strings.Contains(path, "/recharge/callbacks/") {
			continue // of payment channels: no session is looked at, and each is signed by its channel
		}
		unsafe++
		for _, h := range [][2]string{
			{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		} {
			req, err := http.NewRequestWithContext(t.Context(), method, w.URL+harmless(path), strings.NewReader("{}"))
			ok(t, err)
			req.Header.Set("Content-Type", w.kindOf(req))
			req.Header.Set(h[0], h[1])
			as(req, me)
			var p problem
			r := w.do(t, req)
			if r.into(t, &p); r.status != http.StatusForbidden || p.Code != "cross_origin" {
				t.Errorf("%s with %s: %d %s", pattern, h, r.status, r.body)
			}
		}
		// A browser that says nothing of where it comes from can send a form, and the
		// type of a form is taken by uploads and payment channels only.
		req, err := http.NewRequestWithContext(t.Context(), method, w.URL+harmless(path), strings.NewReader("a=b"))
		ok(t, err)
		kind := w.kindOf(req)
		if _, op := operationOf(w.api.OpenAPI(), req); op == nil || op.RequestBody == nil || kind != "application/json" {
			continue
		}
		req.Header.Set("Content-Type", "text/plain")
		as(req, me)
		if r := w.do(t, req); r.status != http.StatusUnsupportedMediaType {
			t.Errorf("%s as a form: %d %s", pattern, r.status, r.body)
		}
	}
	if unsafe < 80 {
		t.Errorf("%d calls change something: the walk misses its aim", unsafe)
	}
	if after, err := w.db.TrailHead(t.Context()); err != nil || after.Entries != before.Entries {
		t.Errorf("the trail went from %d to %d, %v", before.Entries, after.Entries, err)
	}
}

// A cookie that somebody else put into the browser never becomes a session.
func TestAttack_SessionFixation(t *testing.T) {
	w := newWorld(t)
	planted := strings.Repeat("A", 43)
	ok(t, w.doors.SendCode(t.Context(), mobile))
	r := w.call(t, inSession+planted, "POST", "/api/v1/login/phone", map[string]any{"phone": mobile, "code": w.texts.code(mobile)})
	if c := cookieOf(t, r); r.status != http.StatusOK || c.Value == planted || len(c.Value) < 40 {
		t.Fatalf("%d %+v", r.status, c)
	}
	w.refused(t, w.call(t, inSession+planted, "GET", "/api/v1/me", nil), http.StatusUnauthorized, "session_ended")
	// Nor does the attacker's own session become the victim's.
	_, his := w.byPhone(t, "13800130077")
	w.pass(time.Hour)
	ok(t, w.doors.SendCode(t.Context(), mobile))
	r = w.call(t, his, "POST", "/api/v1/login/phone", map[string]any{"phone": mobile, "code": w.texts.code(mobile)})
	if r.status != http.StatusOK || inSession+cookieOf(t, r).Value == his {
		t.Fatalf("%d", r.status)
	}
	w.refused(t, w.call(t, his, "GET", "/api/v1/me", nil), http.StatusUnauthorized, "session_ended")
}

// What a login says of numbers that somebody has, that somebody has without a
// password, and that nobody has.
func TestAttack_Enumeration_LoginsAnswerAlike(t *testing.T) {
	w := newWorld(t)
	w.someone(t, "20260001")
	w.someone(t, "20260002")
	w.initial(t, "20260001")
	said := map[string][]string{}
	shape := regexp.MustCompile(`"request_id":"[0-9a-f]+"|"retry_after":\d+`)
	for _, number := range []string{"20260001", "20260002", "29999999"} {
		for range 7 { // five, and then it is locked
			r := w.byPassword(t, number, "wrong")
			said[number] = append(said[number], fmt.Sprint(r.status, r.header.Get("Retry-After"), shape.ReplaceAllString(string(r.body), "")))
		}
	}
	for number, texts := range said {
		if want := said["29999999"]; fmt.Sprint(texts) != fmt.Sprint(want) {
			t.Errorf("%s is told %q, a number of nobody's %q", number, texts, want)
		}
	}
	if last := said["29999999"][6]; !strings.HasPrefix(last, "429") {
		t.Errorf("the seventh try: %s", last)
	}
}

// A holder who tries pass ids learns nothing: those of others and of nobody are
// answered alike.
func TestAttack_Enumeration_PassIDs(t *testing.T) {
	w := newWorld(t)
	me := w.someone(t, "20260001")
	var theirs api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &theirs)
	shape := regexp.MustCompile(`"request_id":"[0-9a-f]+"`)
	for _, c := range [][3]string{
		{"GET", "/api/v1/me/passes/%s/live", ""},
		{"POST", "/api/v1/passes/%s/keys/nonce", ""},
		{"GET", "/api/v1/passes/%s", ""},
		{"GET", "/api/v1/passes/%s/qr.png", ""},
		{"POST", "/api/v1/passes/%s/revoke", `{"reason":"x"}`},
	} {
		var answers [2]string
		for i, id := range []string{theirs.ID, "0123456789abcdef"} {
			var body any
			if c[2] != "" {
				body = c[2]
			}
			r := w.call(t, me, c[0], fmt.Sprintf(c[1], id), body)
			answers[i] = fmt.Sprint(r.status, shape.ReplaceAllString(string(r.body), ""))
			if r.status < 400 {
				t.Errorf("%s: %d %s", c[1], r.status, r.body)
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s: %s, but of nobody's pass %s", c[1], answers[0], answers[1])
		}
	}
}

// Whoever reads the files of the database, its log and its backups included,
// finds nothing to sign with and nothing to sign in with.
func TestAttack_StolenDatabase(t *testing.T) {
	w := newWorld(t)
	secrets := map[string]string{"the administrator's token": w.token}
	r, me := w.byPhone(t, mobile)
	secrets["a phone"], secrets["a code"], secrets["a session"] = mobile, w.texts.code(mobile), strings.TrimPrefix(me, inSession)
	var in api.LoggedIn
	r.into(t, &in)
	if r := w.call(t, me, "PUT", "/api/v1/me/password", map[string]any{"old": "", "new": phrase}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	secrets["a password"] = phrase
	gate := w.gate(t, "东门", 1)
	w.someone(t, "20260001", people.Post{Role: people.Guard, Gate: gate})
	secrets["an initial password"] = w.initial(t, "20260001")
	w.want(t, http.StatusNoContent, "PUT", "/api/v1/people/20260001/pin", map[string]any{"pin": "739164"}, nil)
	secrets["a PIN"] = "739164"
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.staff.AddPerson(tx, "test", people.Person{ID: "20260009", Name: "林晓", Kind: people.Staff, Phone: "13800130055", IDNumber: "53010219900307202X"})
		return err
	}))
	secrets["another phone"], secrets["an ID number"] = "13800130055", "53010219900307202X"
	var code api.Enrolment
	w.want(t, http.StatusCreated, "POST", fmt.Sprintf("/api/v1/gates/%d/enrolments", gate), nil, &code)
	secrets["an enrolment code"] = code.Code
	secrets["the site root key"] = string(w.root.Seed())

	files, err := filepath.Glob(filepath.Join(w.dir, "x.db*"))
	ok(t, err)
	if len(files) < 2 {
		t.Fatalf("files %v", files)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		ok(t, err)
		for what, secret := range secrets {
			if secret == "" || bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %s (%d bytes)", filepath.Base(file), what, len(secret))
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", filepath.Base(file), info.Mode(), err)
		}
	}
	// The hash of a secret does not stand for it.
	for what, hashed := range map[string]string{"tokens": "SELECT hash FROM tokens LIMIT 1", "sessions": "SELECT hash FROM sessions LIMIT 1"} {
		var hash []byte
		ok(t, w.db.Reader().QueryRowContext(t.Context(), hashed).Scan(&hash))
		for _, who := range []string{string(hash), fmt.Sprintf("%x", hash), inSession + fmt.Sprintf("%x", hash), "cg_" + fmt.Sprintf("%x", hash)} {
			if strings.ContainsAny(who, "\x00\r\n") || !printable(who) {
				continue
			}
			if r := w.call(t, who, "GET", "/api/v1/me", nil); r.status < 400 {
				t.Errorf("the hash of %s lets in", what)
			}
		}
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || r < ' ' })
}

// The name of an upload comes back in a header: it starts no line and ends no
// quotation there.
func TestAttack_HeaderInjection_NamesOfDownloads(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff := enter("T1001")
	names := []string{
		"a\r\nSet-Cookie: evil=1.pdf", "a\nX-Evil: 1.pdf", `a"; filename="b.html`, `a".pdf`, "..\\..\\a.pdf", "../../etc/a.pdf", "\u202efdp.exe.pdf",
		"a\x00.pdf", "报告\u2028.pdf", "a;b=c.pdf", "\x1b[31mred.pdf", strings.Repeat("长", 300) + ".pdf",
	}
	kept := 0
	for _, name := range names {
		r := w.attachAs(t, staff, name)
		if r.status != http.StatusCreated {
			if r.status != 422 && r.status != 400 {
				t.Errorf("%q: %d %s", name, r.status, r.body)
			}
			continue
		}
		kept++
		var f apply.FileOf
		r.into(t, &f)
		got := w.as(t, staff, 200, "GET", "/api/v1/attachments/"+f.ID, nil, nil)
		kind, params, err := mime.ParseMediaType(got.header.Get("Content-Disposition"))
		if err != nil || kind != "attachment" || len(params) != 1 || params["filename"] != f.Name {
			t.Errorf("%q: %q, %v", name, got.header.Get("Content-Disposition"), err)
		}
		if len(got.header.Values("Set-Cookie")) > 0 || got.header.Get("X-Evil") != "" || strings.ContainsAny(f.Name, "/\\\r\n\x00") {
			t.Errorf("%q came back as %q with %v", name, f.Name, got.header)
		}
	}
	if kept < 3 {
		t.Errorf("%d of the names were kept: the attack misses its aim", kept)
	}
}

// attachAs uploads under a name that no library would write.
func (w *world) attachAs(t testing.TB, who, name string) reply {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	quoted := strings.NewReplacer("\\", "\\\\", `"`, "\\\"", "\r", "%0D", "\n", "%0A").Replace(name)
	part, err := form.CreatePart(map[string][]string{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename="%s"`, quoted)}, "Content-Type": {"application/pdf"},
	})
	ok(t, err)
	_, err = io.WriteString(part, "%PDF-1.7\n")
	ok(t, err)
	ok(t, form.Close())
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/api/v1/attachments", &body)
	ok(t, err)
	req.Header.Set("Content-Type", form.FormDataContentType())
	as(req, who)
	return w.do(t, req)
}

// Bodies that are too large, endless, or nested without end are refused before
// they are understood, of whoever may call at all.
func TestAttack_HugeAndEndlessBodies(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/api/v1/login/code", "/api/v1/login/password", "/api/v1/enrol", "/api/v1/gates", "/api/v1/passes"} {
		for name, body := range map[string]io.Reader{
			"10 MB":          bytes.NewReader(bytes.Repeat([]byte("a"), 10<<20)),
			"endless chunks": io.LimitReader(endless{}, 1<<30), // it is cut long before
			"deep":           strings.NewReader(strings.Repeat(`{"a":`, 5000)),
			"deep list":      strings.NewReader(strings.Repeat("[", 30_000)),
		} {
			req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+path, body)
			ok(t, err)
			req.Header.Set("Content-Type", "application/json")
			as(req, w.token)
			res, err := w.Client().Do(req)
			if err != nil {
				if name == "deep" || name == "deep list" {
					t.Errorf("%s %s: %v", path, name, err)
				}
				continue // it hung up while we still wrote
			}
			if res.StatusCode < 400 || res.StatusCode >= 500 {
				t.Errorf("%s %s: %s", path, name, res.Status)
			}
			ok(t, res.Body.Close())
		}
	}
}

// endless never runs dry.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	return len(p), nil
}

// What callers write starts no line in the log and turns none around.
func TestAttack_LogInjection(t *testing.T) {
	w := newWorld(t)
	evil := "x\u202e\u2028\u0085" // no client sends line ends; a server that is sent them refuses the request
	for _, h := range []string{"User-Agent", "X-Forwarded-For", "X-Request-Id", "Referer", "Accept-Language"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/api/v1/login/password", strings.NewReader(`{"number":"1","password":"2"}`))
		ok(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(h, evil)
		w.do(t, req)
	}
	for _, path := range []string{"/api/v1/" + "%0Atime=forged", "/api/v1/%1b[31m", "/api/v1/passes/%0d%0aforged", "/api/v1/%E2%80%AEforged"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.URL+path+"?q=%0aforged", nil)
		ok(t, err)
		as(req, w.token)
		w.do(t, req)
	}
	w.call(t, w.token, "POST", "/api/v1/gates", map[string]any{"name": "a\nforged=1", "zone": 1, "policy": "owner"})
	w.call(t, w.token, "POST", "/api/v1/tokens", map[string]any{"name": "t\u202e\r\nforged", "scopes": []string{"desk"}, "expires_in": 0})
	log := w.log.String()
	lines := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("a line of the log that we did not begin: %q", line)
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("a line with what nobody sees: %q", line)
		}
	}
	if len(lines) < 10 || strings.Contains(log, "forged") {
		t.Errorf("%d lines:\n%s", len(lines), log)
	}
}

// A caller's right to make a token is no right to make a greater one, and the
// secret of a token comes back once.
func TestAttack_TokensAreToldOnce(t *testing.T) {
	w := newWorld(t)
	var made struct {
		Token string `json:"token"`
	}
	w.want(t, http.StatusCreated, "POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": []string{"desk"}, "expires_in": 0}, &made)
	if r := w.call(t, w.token, "GET", "/api/v1/tokens", nil); made.Token == "" || bytes.Contains(r.body, []byte(made.Token)) {
		t.Errorf("%s", r.body)
	}
	desk := w.newToken(t, auth.TokensWrite)
	w.refused(t, w.call(t, desk, "POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": []string{"admin"}, "expires_in": 0}), http.StatusForbidden, "forbidden")
}
