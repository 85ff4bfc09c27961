package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"campusgate/server/web"
)

const (
	site    = "云岭大学"
	version = "0.9.1-test"
)

// handler serves without any app.
func handler() http.Handler {
	return pagesOf(web.Config{Site: site, Version: version, Built: func(web.App) (fs.FS, bool) { return nil, false }})
}

func pagesOf(cfg web.Config) http.Handler {
	h, err := web.New(cfg)
	if err != nil {
		panic(err)
	}
	return h
}

func ask(t testing.TB, method, target string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Result()
}

func bodyOf(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// paths are one of each page, with what the page must say.
var paths = []struct {
	target string
	status int
	says   []string
}{
	{"/V/" + strings.Repeat("ABCDEFG234567", 20), 200, []string{
		"这是「" + site + "」的校门通行码", "出示给保安", "谁先出示，谁就用掉它", "gate pass of", "Show it to the guard", "Whoever presents it first uses it",
	}},
	{"/console/?key=s3cr3t-link", 503, []string{
		"页面尚未构建", "The page was not built", version, `href="/api/openapi.json"`, "make build", site,
	}},
	{"/", 200, []string{site, `href="/console/"`, "Do you have a pass?"}},
	{"/nothing/here", 404, []string{"没有这个页面", "No such page"}},
}

func TestPages_SayWhatTheyMust(t *testing.T) {
	for _, p := range paths {
		t.Run(p.target[:min(len(p.target), 12)], func(t *testing.T) {
			r := ask(t, http.MethodGet, p.target)
			if r.StatusCode != p.status {
				t.Errorf("status %d, want %d", r.StatusCode, p.status)
			}
			body := bodyOf(t, r)
			for _, words := range p.says {
				if !strings.Contains(body, words) {
					t.Errorf("does not say %q", words)
				}
			}
			if zh, en := strings.Index(body, "<section>"), strings.Index(body, `<section lang="en">`); zh < 0 || en < zh {
				t.Errorf("Chinese at %d, English at %d", zh, en)
			}
		})
	}
}

var (
	foreign = regexp.MustCompile(`(?i)https?:|\b(src|srcset|action|poster|data)\s*=|url\(|@import|(href|xlink:href)\s*=\s*"[^"/]|"//`)
	active  = regexp.MustCompile(`(?i)<script|<iframe|<object|<embed|<form|<base|<link|\son\w+\s*=|\sstyle\s*=|javascript:|http-equiv`)
	styles  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
)

func TestPages_AskNobodyElseAndRunNothing(t *testing.T) {
	for _, p := range paths {
		r := ask(t, http.MethodGet, p.target)
		body := bodyOf(t, r)
		if found := foreign.FindString(body); found != "" {
			t.Errorf("%s: %q leads elsewhere", p.target, found)
		}
		if found := active.FindString(body); found != "" {
			t.Errorf("%s: %q in the page", p.target, found)
		}
		if !strings.HasPrefix(body, "<!doctype html>\n<html lang=\"zh-CN\">") {
			t.Errorf("%s: begins with %.60q", p.target, body)
		}
		style := styles.FindAllStringSubmatch(body, -1)
		if len(style) != 1 {
			t.Fatalf("%s: %d style sheets", p.target, len(style))
		}
		sum := sha256.Sum256([]byte(style[0][1]))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if got := r.Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: policy %s, want %s", p.target, got, want)
		}
	}
}

// The header of every answer, also of a refusal.
func TestPages_AreKeptAndToldNowhere(t *testing.T) {
	for _, p := range paths {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			h := ask(t, method, p.target).Header
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
				"X-Robots-Tag": "noindex, nofollow, noarchive", "Content-Type": "text/html; charset=utf-8",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s %s: %s is %q, want %q", method, p.target, name, got, want)
				}
			}
			for _, name := range []string{"Set-Cookie", "Location", "ETag", "Last-Modified"} {
				if got := h.Get(name); got != "" {
					t.Errorf("%s %s: %s is %q", method, p.target, name, got)
				}
			}
		}
	}
}

// codes are what may stand behind /V/: genuine forms, damaged ones, attacks.
var codes = []string{
	"", "/", "A", "QFXHG4A", strings.Repeat("ABCDEFG234567", 20), strings.Repeat("abcdefg234567", 20), "....", "../../etc/passwd",
	"%3Cscript%3Ealert(1)%3C/script%3E", "{{.Site}}", "%E6%A0%A1%E9%97%A8", "%00%FF", "a//b/./c", "x?key=1&next=//evil.example",
	"?", strings.Repeat("7", 60_000), "HTTPS:/GATE.EXAMPLE/V/ABC", "%252e%252e",
}

// answer is all that a browser gets.
func answer(t testing.TB, r *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	return r.Status + "\n" + b.String() + "\n" + bodyOf(t, r)
}

func TestPass_AnswersEveryCodeWithTheSameBytes(t *testing.T) {
	want := answer(t, ask(t, http.MethodGet, "/V/QFXHG4A"))
	for _, code := range codes {
		if got := answer(t, ask(t, http.MethodGet, "/V/"+code)); got != want {
			t.Errorf("%.40q is answered otherwise", code)
		}
	}
	if r := ask(t, http.MethodGet, "/V"); r.StatusCode != http.StatusMovedPermanently || r.Header.Get("Location") != "/V/" {
		t.Errorf("/V is answered with %d %s", r.StatusCode, r.Header.Get("Location"))
	}
}

func FuzzPass_AnswersEveryCodeWithTheSameBytes(f *testing.F) {
	for _, code := range codes {
		f.Add(code)
	}
	h := handler()
	send := func(t testing.TB, path string) string {
		r := httptest.NewRequest(http.MethodGet, "/V/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return answer(t, w.Result())
	}
	want := send(f, "/V/QFXHG4A")
	f.Fuzz(func(t *testing.T, code string) {
		if send(t, "/V/"+code) != want {
			t.Errorf("%q is answered otherwise", code)
		}
	})
}

// Through a real server too: it parses the request line itself.
func TestPass_OverTheWire(t *testing.T) {
	srv := httptest.NewServer(handler())
	defer srv.Close()
	get := func(path string) (int, string) {
		r, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		return r.StatusCode, bodyOf(t, r)
	}
	_, want := get("/V/QFXHG4A")
	for _, code := range []string{"", "A//B/../C", strings.Repeat("A", 100_000)} {
		if status, got := get("/V/" + code); status != 200 || got != want {
			t.Errorf("%.20q: status %d, other bytes: %t", code, status, got != want)
		}
	}
	// Beyond what the server reads of a request, it refuses before us.
	if status, got := get("/V/" + strings.Repeat("A", 4<<20)); status < 400 || strings.Contains(got, "AAAA") {
		t.Errorf("4 MiB: status %d", status)
	}
}

func TestConsole_NeverEchoesTheKey(t *testing.T) {
	want := answer(t, ask(t, http.MethodGet, "/console/"))
	for _, target := range []string{"/console/?key=s3cr3t-link", "/m/?key=s3cr3t-link", "/console/a/b?key=%3Cb%3E"} {
		if got := answer(t, ask(t, http.MethodGet, target)); got != want {
			t.Errorf("%s is answered otherwise", target)
		}
	}
	if strings.Contains(bodyOf(t, ask(t, http.MethodGet, "/V/A")), version) {
		t.Error("the page of a pass tells the version")
	}
}

func TestPages_AreOnlyRead(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := ask(t, method, "/V/QFXHG4A")
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	srv := httptest.NewServer(handler())
	defer srv.Close()
	r, err := http.Head(srv.URL + "/V/QFXHG4A")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if length := int64(len(bodyOf(t, ask(t, http.MethodGet, "/V/QFXHG4A")))); r.StatusCode != 200 || r.ContentLength != length {
		t.Errorf("HEAD: status %d, length %d, want %d", r.StatusCode, r.ContentLength, length)
	}
}

func TestPages_EscapeTheSitesName(t *testing.T) {
	h := pagesOf(web.Config{
		Site: `<img src=x onerror=alert(1)> & "Söhne"`, Version: "<b>", Built: func(web.App) (fs.FS, bool) { return nil, false },
	})
	for _, p := range paths {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, p.target, nil))
		if body := w.Body.String(); strings.Contains(body, "<img") || strings.Contains(body, "<b>") || !strings.Contains(body, "Söhne") {
			t.Errorf("%s: the name is in the page as it is, or not at all", p.target)
		}
	}
}
