package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"campusgate/agent/console"
)

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// everyConsole is each that there is: a gate, a till, a kiosk.
func everyConsole(t *testing.T) map[string]*console.Console {
	t.Helper()
	all := map[string]*console.Console{}
	for name, change := range map[string]func(*console.Config){
		"gate":  func(*console.Config) {},
		"kiosk": func(c *console.Config) { c.Kiosk = &console.Kiosk{} },
	} {
		g := newGauge()
		cfg := console.Config{Lanes: newDesk(), Status: g.get, StatusChanged: g.changed, Guideline: guideline, Page: site}
		change(&cfg)
		c, err := console.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = c
	}
	return all
}

// Every address of the loopback page, as a browser asks for it by a name that was
// rebound to this computer, and for a page of another site.
func TestAttack_DNSRebindingAndCrossSite_EveryRoute(t *testing.T) {
	for name, c := range everyConsole(t) {
		walked := 0
		for _, pattern := range c.Patterns() {
			method, path, _ := strings.Cut(pattern, " ")
			path = parameter.ReplaceAllString(path, "1")
			ask := func(want string, host string, headers ...string) {
				t.Helper()
				walked++
				req := httptest.NewRequest(method, "http://127.0.0.1:8471"+path, strings.NewReader("{}"))
				req.Host = host
				req.Header.Set("Content-Type", "application/json")
				for i := 0; i < len(headers); i += 2 {
					req.Header.Set(headers[i], headers[i+1])
				}
				rec := newRecorder()
				c.Handler().ServeHTTP(rec, req)
				var e struct{ Code string }
				if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || e.Code != want || rec.Code < 400 {
					t.Errorf("%s: %s from %s with %q: %d %.100s, want %s", name, pattern, host, headers, rec.Code, rec.Body, want)
				}
			}
			for _, host := range []string{"evil.example", "evil.example:8471", "127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0", "[::]:8471", "169.254.169.254", "", "127.0.0.1@evil.example"} {
				ask("bad_host", host)
			}
			const own = "127.0.0.1:8471"
			if method != http.MethodGet {
				ask("cross_origin", own, "Origin", "https://evil.example")
				ask("cross_origin", own, "Origin", "null")
				ask("cross_origin", own, "Origin", "http://127.0.0.1:9999")
				ask("cross_origin", own, "Sec-Fetch-Site", "cross-site")
				ask("cross_origin", own, "Sec-Fetch-Site", "same-site")
			}
			// A websocket begins as a GET, and any page may open one.
			ask("cross_origin", own, "Connection", "Upgrade", "Upgrade", "websocket", "Origin", "https://evil.example")
			ask("cross_origin", own, "Connection", "keep-alive, Upgrade", "Upgrade", "WebSocket", "Origin", "null")
		}
		if walked < 200 {
			t.Errorf("%s: %d calls: the walk misses its aim", name, walked)
		}
	}
}

// A name that leads out of the page's folder, however it is written, finds
// nothing.
func TestAttack_PathTraversal(t *testing.T) {
	c := everyConsole(t)["gate"]
	for _, path := range []string{
		"/../console.go", "/..%2fconsole.go", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd",
		"/..\\..\\windows\\win.ini", "/%5c..%5c..%5cwin.ini", "//etc/passwd", "/assets//etc/passwd", "/./../", "/assets/%00", "/.gitkeep", "/assets/", "/assets/..;/index.html",
		"/C:/windows/win.ini", "/file:///etc/passwd", "/assets/main-abc.js/../../../etc/passwd", "/\u2025/etc/passwd",
	} {
		req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
		req.URL.Path, req.URL.RawPath = "", ""
		u, err := req.URL.Parse(path)
		if err != nil {
			continue
		}
		req.URL, req.Host = u, "127.0.0.1"
		rec := newRecorder()
		c.Handler().ServeHTTP(rec, req)
		if rec.Code == http.StatusOK && !strings.Contains(rec.Body.String(), "<title>page</title>") {
			t.Errorf("%s: %d %.80s", path, rec.Code, rec.Body)
		}
		if to := rec.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`)) {
			t.Errorf("%s leads to %q", path, to)
		}
	}
}

// What is too large is not read to its end.
func TestAttack_HugeBodies_EveryRoute(t *testing.T) {
	for name, c := range everyConsole(t) {
		for _, pattern := range c.Patterns() {
			method, path, _ := strings.Cut(pattern, " ")
			if method == http.MethodGet {
				continue
			}
			for _, start := range []string{`{"text":"`, strings.Repeat(`{"text":`, 1000), "["} {
				body := &counted{start: start}
				req := httptest.NewRequest(method, "http://127.0.0.1:8471"+parameter.ReplaceAllString(path, "1"), body)
				req.Host = "127.0.0.1"
				req.Header.Set("Content-Type", "application/json")
				rec := newRecorder()
				c.Handler().ServeHTTP(rec, req)
				if body.n > 16<<20 {
					t.Errorf("%s: %s read %d bytes", name, pattern, body.n)
				}
				if rec.Code >= 500 && rec.Code != http.StatusServiceUnavailable {
					t.Errorf("%s: %s: %d %.100s", name, pattern, rec.Code, rec.Body)
				}
			}
		}
	}
}

// counted is a body that ends when it was read for long enough to be sure.
type counted struct {
	start string
	n     int
}

func (c *counted) Read(p []byte) (int, error) {
	if c.n > 64<<20 {
		return 0, fmt.Errorf("read to the end")
	}
	n := copy(p, c.start)
	c.start = c.start[n:]
	for ; n < len(p); n++ {
		p[n] = 'a'
	}
	c.n += n
	return n, nil
}
