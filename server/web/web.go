package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// Config is what the pages say of the server.
type Config struct {
	Site    string // name of the campus, as people know it
	Version string // of the program; shown on the console's page only
}

//go:embed pages/style.css
var style string

//go:embed pages/page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// The pages: each is a template in page.html that New fills in once.
const (
	passPage    = "pass"
	consolePage = "console"
	rootPage    = "root"
	lostPage    = "lost"
	methodPage  = "method"
)

// pages holds every page ready to be sent.
type pages map[string][]byte

// New gives the handler of /V/…, /console/ and /; any other path is answered
// with a page that says so. It reads nothing of a request but method and path,
// and is safe for concurrent use.
func New(cfg Config) http.Handler {
	made := pages{}
	for _, name := range []string{passPage, consolePage, rootPage, lostPage, methodPage} {
		var b bytes.Buffer
		err := pageTemplate.Execute(&b, map[string]any{
			"Page": name, "Site": cfg.Site, "Version": cfg.Version, "Style": template.CSS(style),
		})
		if err != nil {
			// The template is a part of the program, and so are the kinds of its
			// values.
			panic(fmt.Errorf("web: page %s: %w", name, err))
		}
		made[name] = b.Bytes()
	}
	return made
}

// contentPolicy allows the one style sheet inside the page, and nothing else.
var contentPolicy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// ServeHTTP sends the page that stands for a path. Nobody may keep it, or tell
// another site where the reader came from: the path may hold a whole pass.
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", "zh-CN, en")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")

	name, status := kindOf(r.URL.Path), http.StatusOK
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		name, status = methodPage, http.StatusMethodNotAllowed
	case name == lostPage:
		status = http.StatusNotFound
	}
	body := p[name]
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// kindOf looks at the beginning of a path only. What follows /V/ is nobody's
// business here.
func kindOf(path string) string {
	switch {
	case path == "/V" || strings.HasPrefix(path, "/V/"):
		return passPage
	case path == "/console" || strings.HasPrefix(path, "/console/"):
		return consolePage
	case path == "/":
		return rootPage
	}
	return lostPage
}
