package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// Config is what the pages say of the server.
type Config struct {
	Site    string // name of the campus, as people know it
	Version string // of the program; only where a page says that it was not built

	Built func(App) (fs.FS, bool) // nil = what was built into the program
}

//go:embed pages/style.css
var style string

//go:embed pages/page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// The pages: each is a template in page.html that New fills in once.
const (
	passPage    = "pass"
	unbuiltPage = "unbuilt"
	rootPage    = "root"
	lostPage    = "lost"
	methodPage  = "method"
)

// pages holds every page ready to be sent.
type pages map[string][]byte

// site is everything that New serves.
type site struct {
	still pages
	apps  map[App]*app // those that were built
}

// New gives the handler of the apps and of /; any other path is answered with a
// page that says so. In place of an app that was not built into the program
// stands a page with 503 and what to do about it, and for /V/ one that tells the
// holder what to do with the code. It is safe for concurrent use.
func New(cfg Config) (http.Handler, error) {
	if cfg.Built == nil {
		cfg.Built = App.FS
	}
	s := &site{still: newPages(cfg), apps: map[App]*app{}}
	for _, a := range apps {
		built, ok := cfg.Built(a)
		if !ok {
			continue
		}
		made, err := newApp(a.Path(), built)
		if err != nil {
			return nil, err
		}
		s.apps[a] = made
	}
	return s, nil
}

// ServeHTTP goes by the beginning of the path only: what follows /V/ is
// nobody's business, so nothing here may clean it or redirect by it.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, a := range apps {
		base := a.Path()
		if r.URL.Path+"/" == base {
			http.Redirect(w, r, base, http.StatusMovedPermanently)
			return
		}
		if made := s.apps[a]; made != nil && strings.HasPrefix(r.URL.Path, base) {
			made.ServeHTTP(w, r)
			return
		}
	}
	s.still.ServeHTTP(w, r)
}

// newPages fills in the pages that need no script.
func newPages(cfg Config) pages {
	made := pages{}
	for _, name := range []string{passPage, unbuiltPage, rootPage, lostPage, methodPage} {
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
	case name == unbuiltPage:
		status = http.StatusServiceUnavailable
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
	case strings.HasPrefix(path, Console.Path()), strings.HasPrefix(path, Phone.Path()):
		return unbuiltPage
	case path == "/":
		return rootPage
	}
	return lostPage
}
