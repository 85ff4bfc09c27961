package web_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"campusgate/server/web"
)

const script = "assets/index-4f2a.js"

func appHandler() http.Handler {
	built := fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><title>app</title>")},
		script:       {Data: []byte(strings.Repeat("console.log(1);", 500))},
		".gitkeep":   {},
	}
	return pagesOf(web.Config{Site: site, Version: version, Built: func(web.App) (fs.FS, bool) { return built, true }})
}

func fetch(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	appHandler().ServeHTTP(w, r)
	return w.Result()
}

func TestApp_FirstPageForItsRoutes(t *testing.T) {
	for _, path := range []string{"/m/", "/m/passes", "/m/applications/0a1b", "/m/apply/cqu.work_pass", "/console/", "/console/people/A-1", "/console/services/cqu.work_pass"} {
		r := fetch(t, path)
		if body := bodyOf(t, r); r.StatusCode != http.StatusOK || !strings.Contains(body, "<title>app</title>") {
			t.Errorf("%s: %d %.60q", path, r.StatusCode, body)
		}
		if r.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(r.Header.Get("Content-Security-Policy"), "script-src 'self';") {
			t.Errorf("%s: %v", path, r.Header)
		}
	}
}

func TestApp_ScriptIsPackedAndKept(t *testing.T) {
	r := fetch(t, "/m/"+script, "Accept-Encoding", "gzip, br")
	if r.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || r.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v", r.Header)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || len(plain) != 7500 {
		t.Fatalf("%d bytes, %v", len(plain), err)
	}
	if again := fetch(t, "/m/"+script, "Accept-Encoding", "gzip", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("a copy that is still good: %d", again.StatusCode)
	}
	if other := fetch(t, "/m/"+script); other.Header.Get("Content-Encoding") != "" || other.Header.Get("ETag") == r.Header.Get("ETag") {
		t.Errorf("without gzip: %v", other.Header)
	}
}

// A script of an earlier version must not be answered with the first page.
func TestApp_MissingFileIsNotFound(t *testing.T) {
	for _, path := range []string{"/m/assets/index-0000.js", "/console/logo.png", "/m/.gitkeep", "/m/assets/"} {
		if r := fetch(t, path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

func TestApp_PathWithoutSlash(t *testing.T) {
	if r := fetch(t, "/m"); r.StatusCode != http.StatusMovedPermanently || r.Header.Get("Location") != "/m/" {
		t.Errorf("%d %s", r.StatusCode, r.Header.Get("Location"))
	}
}

// What is built into this program must be there where everything must run.
func TestApps_AreBuilt(t *testing.T) {
	for _, a := range []web.App{web.Phone, web.Console, web.Verify} {
		if _, ok := a.FS(); !ok {
			missing(t, a.Source()+" is not built: npm ci && npm run build")
		}
	}
}
